/* SPDX-License-Identifier: Apache-2.0 */
/* A caller that makes an init, tells who that is, and calls for it until that fails. */
#ifndef INIT_CALLER_H
#define INIT_CALLER_H

#include <linux/cloneat.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline void call_for_init(int told)
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

#endif /* INIT_CALLER_H */
