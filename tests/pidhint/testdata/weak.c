// SPDX-License-Identifier: Apache-2.0
/*
 * A caller that may choose pids asks for one, and says what came:
 *
 *	weak target	below a target that may not (no capabilities)
 *	weak parent	with CLONE_PARENT
 *
 * "exact" or the error's number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/cloneat.h>

static long call(pid_t pid, pid_t hint, int flags)
{
	int words[2] = { flags, 0 };
	struct cloneat_args args = { .flags = words, .flags_size = sizeof(words) };

	return syscall(511, pid, hint, &args);
}

/* Waits without capabilities until the pipe is closed, then reaps. */
static void without_capabilities(int ready, int fd)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2];
	char c;

	memset(none, 0, sizeof(none));
	if (syscall(SYS_capset, &head, none) || write(ready, "", 1) != 1)
		perror("capset or write");
	if (read(fd, &c, 1) < 0)
		perror("read");
	while (wait(NULL) > 0)
		;
	_exit(0);
}

static pid_t start_target(int *hold)
{
	int ready[2], end[2];
	pid_t pid;
	char c;

	if (pipe(ready) || pipe(end) || (pid = fork()) < 0) {
		perror("pipe or fork");
		exit(1);
	}
	if (!pid) {
		close(end[1]);
		without_capabilities(ready[1], end[0]);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		perror("no target");
	*hold = end[1];
	return pid;
}

int main(int argc, char **argv)
{
	int parent = argc > 1 && !strcmp(argv[1], "parent"), hold = -1;
	pid_t target = parent ? getpid() : start_target(&hold);
	pid_t hint = 4242;
	long pid;

	/* The supervisor's threads may have a number, too: then the next. */
	while ((pid = call(target, hint, parent ? CLONE_PARENT : SIGCHLD)) < 0 &&
	       errno == EEXIST && hint < 5000)
		hint += 10;
	if (!pid)
		_exit(getpid() == hint ? 0 : 1);
	if (pid < 0)
		printf("%d\n", errno);
	else
		puts(pid == hint ? "exact" : "another");
	close(hold);
	return target == getpid() ? 0 : waitpid(target, NULL, 0) != target;
}
