// SPDX-License-Identifier: Apache-2.0
/*
 * Adopts what a caller leaves that is killed in a call for a process that it has forked,
 * after its leader has exited: that process, and nothing else.  The caller's pid is
 * written to standard output.
 */
#define _GNU_SOURCE
#include <linux/cloneat.h>
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t target;

/* Calls until that fails. */
static void *call(void *leader)
{
	clone_flag_t flags[1] = { SIGCHLD };
	struct cloneat_args args = { .flags = flags, .flags_size = sizeof(flags) };
	long child;

	pthread_join(*(pthread_t *)leader, NULL);
	do
		child = syscall(511, target, 0, &args);
	while (child > 0);
	_exit(child < 0);
}

static void lead(int told)
{
	static pthread_t leader;
	pthread_t other;

	target = fork();
	if (target == 0) {
		signal(SIGCHLD, SIG_IGN);
		for (;;)
			pause();
	}
	leader = pthread_self();
	if (target < 0 || write(told, &target, sizeof(target)) != sizeof(target) ||
	    pthread_create(&other, NULL, call, &leader))
		_exit(2);
	syscall(SYS_exit, 0);
}

int main(void)
{
	pid_t caller, pid;
	int told[2], status, bad = 0;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe(told))
		err(2, "pipe");
	caller = fork();
	if (caller < 0)
		err(2, "fork");
	if (caller == 0)
		lead(told[1]);
	if (read(told[0], &target, sizeof(target)) != sizeof(target))
		err(2, "caller");
	printf("%d\n", caller);
	fflush(stdout);
	if (waitpid(caller, NULL, 0) != caller)
		err(2, "wait");
	kill(target, SIGKILL);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (pid != target) {
			warnx("a stranger, %d, with status %#x", pid, status);
			bad = 1;
		}
	}
	return bad;
}
