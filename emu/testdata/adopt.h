/* SPDX-License-Identifier: Apache-2.0 */
/* Who adopts what a caller leaves that is killed in a call: its target, and nothing else. */
#ifndef ADOPT_H
#define ADOPT_H

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts a caller below a subreaper, and waits until its target is there. */
static inline pid_t start_caller(void (*caller)(int told), pid_t *target)
{
	int told[2];
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe(told))
		err(2, "pipe");
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (pid == 0)
		caller(told[1]);
	if (read(told[0], target, sizeof(*target)) != sizeof(*target))
		err(2, "caller");
	return pid;
}

/*
 * Starts a caller, which writes the pid of its target to a pipe, prints the caller's own,
 * and returns whether there was anybody else when both are gone.
 */
static inline int adopt_from(void (*caller)(int told))
{
	pid_t pid, target, leaver = start_caller(caller, &target);
	int status, strangers = 0;

	printf("%d\n", leaver);
	fflush(stdout);
	if (waitpid(leaver, NULL, 0) != leaver)
		err(2, "wait");
	kill(target, SIGKILL);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (pid != target) {
			warnx("a stranger, %d, with status %#x", pid, status);
			strangers = 1;
		}
	}
	return strangers;
}

#endif /* ADOPT_H */
