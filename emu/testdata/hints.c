// SPDX-License-Identifier: Apache-2.0
/* Two clones of itself, each with a hint, whatever they answer. */
#include <linux/cloneat.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	clone_flag_set_t flags = { SIGCHLD };
	struct cloneat_args args = {
		.flags = flags,
		.flags_size = sizeof(flags),
	};

	for (int i = 0; i < 2; i++) {
		if (!syscall(511, getpid(), 3000 + i, &args))
			_exit(0);
		wait(NULL);
	}
	return 0;
}
