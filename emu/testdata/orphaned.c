// SPDX-License-Identifier: Apache-2.0
/*
 * Adopts what a caller leaves that is killed in a call for a container's init: the
 * init, and nothing else.  The caller's pid is written to standard output.
 */
#define _GNU_SOURCE
#include "init_caller.h"
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
		call_for_init(told[1]);
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
