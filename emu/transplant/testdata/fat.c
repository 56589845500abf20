// SPDX-License-Identifier: GPL-2.0
/* fat: a caller with as many MiB of memory as argv[1] says. Its children end at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t n = (size_t)atoi(argv[1]) << 20;
	char *p = mmap(NULL, n, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), told[32];
	pid_t target;

	for (size_t i = 0; i < n; i += 4096)
		memset(p + i, 1 + i / 4096, 4096);
	target = fork();
	if (!target) {
		if (argc > 2)
			execv(argv[2], argv + 2);
		for (;;)
			pause();
	}
	sprintf(told, "target %d\n", target);
	syscall(SYS_write, 2, told, strlen(told));
	if (syscall(SYS_pause))
		return 1;
	for (size_t i = 0; i < n; i += 4096)
		if (p[i] != (char)(1 + i / 4096))
			_exit(1);
	_exit(0);
}
