// SPDX-License-Identifier: Apache-2.0
/*
 * A clone of this process becomes the child of another one, cat(1), and its
 * end is awaited with a pidfd: cat is its parent, so wait(2) is not for us.
 *
 *	cc -I kernel/include/uapi -o spawn examples/c/spawn.c
 *	cloneat-emu run -- ./spawn
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/cloneat.h>

static long cloneat(pid_t pid, pid_t hint, struct cloneat_args *args)
{
	return syscall(511, pid, hint, args);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* cat, blocked in its read of a pipe whose other end is returned. */
static pid_t start_cat(int *stdin_of_cat)
{
	int p[2];
	pid_t pid;

	if (pipe(p))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		dup2(p[0], 0);
		close(p[1]);
		execlp("cat", "cat", NULL);
		_exit(127);
	}
	*stdin_of_cat = p[1];
	return pid;
}

int main(void)
{
	char memory[] = "the caller's memory";
	clone_flag_set_t flags;
	int pidfd, to_cat;
	pid_t cat = start_cat(&to_cat);
	struct cloneat_args args = {
		.flags = flags,
		.flags_size = sizeof(flags),
		.parent_tid_ptr = (unsigned long)&pidfd,
	};
	long child;

	printf("caller %d, cat %d\n", getpid(), cat);
	fflush(stdout);

	CLONE_ZERO(flags);
	flags[0] = SIGCHLD;
	CLONE_SET(CLONEXT_PIDFD, flags);

	child = cloneat(cat, 0, &args);
	if (child < 0)
		die("cloneat");
	if (child == 0) {
		close(to_cat);
		printf("child %d: cat is my parent: %s; I hold %s\n", getpid(),
		       getppid() == cat ? "yes" : "no", memory);
		fflush(stdout);
		_exit(0);
	}

	if (poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, -1) != 1)
		die("poll");
	printf("caller: child %ld has ended", child);
	if (waitpid(child, NULL, 0) < 0)
		printf("; wait says: %s", strerror(errno));
	putchar('\n');

	close(to_cat);	/* end of file: cat ends, as it always does */
	return waitpid(cat, NULL, 0) != cat;
}
