// SPDX-License-Identifier: GPL-2.0
/* Calls that ask for an id: see hint.h. */
#include "hint.h"

void expect_hinted(long pid, pid_t hint)
{
	if (expect_ok(pid) == 0)
		ct_exit(ct_pid() == hint ? 5 : 9);
	expect_eq(pid, hint);
	expect_exit(pid, 5);
}

void expect_hint(pid_t hint)
{
	expect_hinted(cloneat_fork(ct_pid(), hint), hint);
}

void expect_childless(void)
{
	expect_errno(ct_syscall6(SYS_wait4, -1, 0, __WALL | WNOHANG, 0, 0, 0),
		     ECHILD);
}

void expect_refused(pid_t target, pid_t hint, int want)
{
	expect_errno(cloneat_fork(target, hint), want);
}

pid_t start_pausing(void)
{
	pid_t pid = must(fork());

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

long pause_thread(void *arg)
{
	slot_set(0, ct_tid());
	for (;;)
		pause();
	return (long)arg;
}
