// SPDX-License-Identifier: GPL-2.0
/* How a program finds out whether the call exists, and the header's macros. */
#include "cloneat_test.h"

CHECK(exists, "cloneat(0, 0, NULL) is EFAULT where the call exists")
{
	expect_errno(cloneat(0, 0, NULL), EFAULT);
}

CHECK(to_self, "cloneat(getpid(), 0, SIGCHLD) is a fork")
{
	long pid = expect_ok(cloneat_fork(ct_pid(), 0));

	if (pid == 0)
		ct_exit(7);
	expect_exit(pid, 7);
}

CHECK(to_a_target, "a child for a target: its parent is the target")
{
	struct target t;
	long pid;

	target_start(&t);
	pid = expect_ok(cloneat_fork(t.pid, 0));
	if (pid == 0)
		ct_exit(ct_ppid() == t.pid ? 8 : 9);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 8);
	target_end(&t);
}
