// SPDX-License-Identifier: GPL-2.0
/*
 * chain: a caller whose clone is a caller again, argv[1] times. Each makes a
 * target of its own, adds to what it remembers, and waits to be cloned.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int depth = argc > 1 ? atoi(argv[1]) : 1, memory[64] = {}, i = 0;
	char told[64];

	for (; i < depth; i++) {
		pid_t target = fork();

		if (!target) {
			close(1);
			close(2);
			if (i % 2)
				execl("/bin/sleep", "sleep", "1000", NULL);
			for (;;)
				pause();
		}
		memory[i] = i * i;
		sprintf(told, "thread %d\ntarget %d\n", getpid(), target);
		write(2, told, strlen(told));
		while (syscall(SYS_pause))
			;
	}
	for (i = 0; i < depth; i++)
		if (memory[i] != i * i)
			return 1;
	printf("whole\n");
	return 0;
}
