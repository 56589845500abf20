// SPDX-License-Identifier: GPL-2.0
/* many: a caller with argv[1] descriptors and argv[2] mappings. Its clone checks them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static ino_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static int fail(const char *what, int n, pid_t target)
{
	fprintf(stderr, "%s %d: %m\n", what, n);
	kill(target, SIGKILL);
	return 3;
}

int main(int argc, char **argv)
{
	int fds = atoi(argv[1]), maps = atoi(argv[2]);
	struct rlimit rl = { fds, fds };
	char told[32], *p;
	ino_t *want;
	pid_t target;

	if (argc != 3)
		return 2;
	syscall(SYS_close_range, 3, ~0u, 0);
	target = fork();
	if (!target) {
		close(1);
		close(2);
		for (;;)
			pause();
	}
	if (setrlimit(RLIMIT_NOFILE, &rl))
		return fail("limit", fds, target);
	want = calloc(fds + 1, sizeof(*want));
	for (int i = 3; i < fds; i++) {
		int fd = i % 3 ? open("/dev/null", O_RDONLY | (i % 2 ? O_CLOEXEC : 0)) : memfd_create("m", 0);

		if (fd != i)
			return fail("descriptor", i, target);
	}
	for (int i = 5; i < fds; i += 7)
		close(i);
	for (int i = 0; i < fds; i++)
		want[i] = inode(i);
	p = mmap(NULL, maps * 4096ul, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (long i = 0; i < maps; i++) {
		*(long *)(p + i * 4096) = i;
		if (i % 2)
			mprotect(p + i * 4096, 4096, PROT_READ);
	}
	sprintf(told, "target %d\n", target);
	write(2, told, strlen(told));
	if (syscall(SYS_pause))
		return 1;
	for (int i = 0; i < fds; i++)
		if (inode(i) != want[i] || want[i] && i > 2 && fcntl(i, F_GETFD) != (i % 3 && i % 2)) {
			printf("descriptor %d is wrong\n", i);
			return 1;
		}
	for (long i = 0; i < maps; i++)
		if (*(long *)(p + i * 4096) != i) {
			printf("mapping %ld is wrong\n", i);
			return 1;
		}
	printf("right\n");
	return 0;
}
