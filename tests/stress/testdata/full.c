// SPDX-License-Identifier: Apache-2.0
/*
 * As many processes as there may be: calls are EAGAIN then, and not the end of whoever
 * serves them.
 *
 *	main ── filler ...	  until fork() is EAGAIN
 *	   └── caller ...	  each with a target, calls it and itself in turns
 *
 * usage: full CALLERS CALLS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/cloneat.h>

#define SYS_CLONEAT 511

static long call(pid_t target)
{
	int flags = SIGCHLD;
	struct cloneat_args args;
	long ret;

	memset(&args, 0, sizeof(args));
	args.flags = &flags;
	args.flags_size = sizeof(flags);
	ret = syscall(SYS_CLONEAT, target, 0, &args);
	if (!ret)
		_exit(0);
	return ret < 0 ? -errno : ret;
}

/* A process that waits for its end; -1 if there may be none. */
static pid_t sleeper(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	if (getppid() != parent)
		_exit(0);
	for (;;)
		pause();
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static int calls(pid_t target, int n)
{
	int bad = 0;

	for (int i = 0; i < n; i++) {
		long ret = call(i % 2 ? target : getpid());

		if (ret < 0 && ret != -EAGAIN) {
			fprintf(stderr, "call %d: %s\n", i, strerror(-ret));
			bad = 1;
		}
		reap();
	}
	return bad;
}

static pid_t caller(int ready, int go, int n)
{
	pid_t pid = fork(), target;
	char c;

	if (pid)
		return pid;
	target = sleeper();
	if (target < 0) {
		perror("a target");
		_exit(1);
	}
	if (write(ready, "r", 1) != 1 || read(go, &c, 1) != 1)
		_exit(1);
	_exit(calls(target, n));
}

int main(int argc, char **argv)
{
	int callers = argc > 2 ? atoi(argv[1]) : 0, bad = 0, fillers = 0, status, go[2], ready[2];
	pid_t filler[4096];
	long ret;
	char c;

	if (!callers || pipe(go) || pipe(ready))
		return 2;
	for (int i = 0; i < callers; i++) {
		if (caller(ready[1], go[0], atoi(argv[2])) < 0) {
			perror("a caller");
			return 1;
		}
	}
	close(ready[1]);
	for (int i = 0; i < callers; i++)
		bad |= read(ready[0], &c, 1) != 1;
	while (fillers < 4096 && (filler[fillers] = sleeper()) > 0)
		fillers++;
	printf("%d fillers\n", fillers);
	for (int i = 0; i < callers; i++)
		bad |= write(go[1], "g", 1) != 1;
	for (int i = 0; i < callers; i++)
		bad |= wait(&status) < 0 || status;
	for (int i = 0; i < fillers; i++)
		kill(filler[i], SIGKILL);
	for (int i = 0; i < fillers; i++)
		wait(NULL);
	ret = call(getpid());
	if (ret < 0)
		fprintf(stderr, "a call afterwards: %s\n", strerror(-ret));
	return bad || ret < 0 || !fillers || fillers == 4096;
}
