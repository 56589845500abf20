// SPDX-License-Identifier: Apache-2.0
/*
 * Adopts what a caller leaves that is killed in a call for a container's init: the
 * init, and nothing else.  The caller's pid is written to standard output.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/cloneat.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void call(int told)
{
	clone_flag_t flags[1] = { SIGCHLD };
	struct cloneat_args args = { .flags = flags, .flags_size = sizeof(flags) };
	pid_t init = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	long child;

	if (init == 0) {
		signal(SIGCHLD, SIG_IGN);
		for (;;)
			pause();
	}
	if (init < 0 || write(told, &init, sizeof(init)) != sizeof(init))
		_exit(2);
	do
		child = syscall(511, init, 0, &args);
	while (child > 0);
	_exit(child < 0);
}

int main(void)
{
	pid_t caller, init, pid;
	int told[2], bad = 0;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe(told))
		err(2, "pipe");
	caller = fork();
	if (caller < 0)
		err(2, "fork");
	if (caller == 0)
		call(told[1]);
	if (read(told[0], &init, sizeof(init)) != sizeof(init))
		err(2, "caller");
	printf("%d\n", caller);
	fflush(stdout);
	if (waitpid(caller, NULL, 0) != caller)
		err(2, "wait");
	kill(init, SIGKILL);
	while ((pid = waitpid(-1, NULL, __WALL)) > 0) {
		if (pid != init) {
			warnx("a stranger, %d", pid);
			bad = 1;
		}
	}
	return bad;
}
