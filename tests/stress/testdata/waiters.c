// SPDX-License-Identifier: Apache-2.0
/*
 * Callers that wait in vfork, each for a child below a target of its own, and one
 * that is served meanwhile. Exit status 0: it was, and so were all.
 *
 * usage: waiters CALLERS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
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

static int up[2], go[2];	/* a byte from every child; closed when they may end */

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	_exit(1);
}

static pid_t target(void)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(go[1]);
	close(up[1]);
	for (;;)
		pause();
}

static void call(pid_t to, int flags)
{
	int words[2] = { SIGCHLD | flags, 0 };
	struct cloneat_args args;
	char c;
	long ret;

	memset(&args, 0, sizeof(args));
	args.flags = words;
	args.flags_size = sizeof(words);
	ret = syscall(SYS_CLONEAT, to, 0, &args);
	if (!ret) {
		if (write(up[1], "", 1) == 1 && flags)
			(void)!read(go[0], &c, 1);
		_exit(0);
	}
	must(ret > 0, "cloneat");
}

static void caller(void)
{
	pid_t t = target();

	close(go[1]);
	call(t, CLONE_VFORK);
	kill(t, SIGKILL);
	_exit(waitpid(t, NULL, 0) == t ? 0 : 1);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1, bad = 0, st;
	pid_t pid, t;
	char c;

	must(!pipe(up) && !pipe(go), "pipe");
	for (int i = 0; i < n; i++) {
		pid = fork();
		must(pid >= 0, "fork");
		if (!pid)
			caller();
	}
	for (int i = 0; i < n; i++)
		must(read(up[0], &c, 1) == 1, "a child");
	t = target();
	call(t, 0);
	must(read(up[0], &c, 1) == 1, "the child");
	close(go[1]);
	for (int i = 0; i < n; i++) {
		must(wait(&st) > 0, "wait");
		bad |= st;
	}
	kill(t, SIGKILL);
	must(waitpid(t, NULL, 0) == t, "target");
	if (bad)
		fprintf(stderr, "a caller ended with status %#x\n", bad);
	return !!bad;
}
