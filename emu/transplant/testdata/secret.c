// SPDX-License-Identifier: Apache-2.0
/*
 * A caller of user 1000 that nobody may read, with a secret at a known address.
 * Its target, of the same user, may be read by that user.
 *
 * usage: secret ADDRESS [PROGRAM [ARGS]]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	void *at = argc > 1 ? (void *)strtoul(argv[1], NULL, 0) : NULL;
	int ready[2];
	pid_t pid;
	char c;

	if (!at || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) || pipe2(ready, O_CLOEXEC))
		return 1;
	pid = fork();
	if (!pid) {
		if (argc > 2)
			execv(argv[2], argv + 2);
		prctl(PR_SET_DUMPABLE, 1); /* setresuid() took it away */
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	/* A target that executes a program says nothing, but closes the pipe. */
	close(ready[1]);
	if (read(ready[0], &c, 1) != (argc == 2))
		return 1;
	if (mmap(at, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
		return 1;
	strcpy(at, "the secret of the caller");
	if (prctl(PR_SET_DUMPABLE, 0))
		return 1;
	fprintf(stderr, "target %d\n", pid);
	for (;;)
		pause();
}
