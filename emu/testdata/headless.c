// SPDX-License-Identifier: Apache-2.0
/*
 * Adopts what a caller leaves that is killed in a call for a process that it has forked,
 * after its leader has exited.
 */
#define _GNU_SOURCE
#include "adopt.h"
#include <linux/cloneat.h>
#include <pthread.h>
#include <sys/syscall.h>

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
	return adopt_from(lead);
}
