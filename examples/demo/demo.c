// SPDX-License-Identifier: Apache-2.0
/*
 * A caller makes three processes and then clones ITSELF into each of them:
 *
 *	caller --- forked	a plain fork of the caller
 *	   |------ cat		a program that knows nothing of us
 *	   `------ init		pid 1 of a container
 *
 * Each new process is a copy of the caller whose parent is the target. The
 * tree is drawn before and after, and each claim is checked. Usage:
 *
 *	cloneat-emu run --trace=FIFO -- demo FIFO
 *	demo			on a kernel that has the call
 */
#include "demo.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/cloneat.h>

#define NR_CLONEAT 511
#define CHILD_STATUS 41

static unsigned long secret;	/* set only after the targets exist */
static int hello[2];		/* children to caller: struct report */
static int go[2];		/* caller to children: a byte each to end */
static int failed;

_Noreturn void fatal(const char *what)
{
	fprintf(stderr, "demo: %s: %s\n", what, strerror(errno));
	exit(1);
}

void must(bool ok, const char *what)
{
	if (!ok)
		fatal(what);
}

static void claim(bool ok, const char *what)
{
	printf("  %s%-6s%s %s\n", paint(ok ? "\033[32m" : "\033[31m"),
	       ok ? "ok" : "FAILED", paint("\033[0m"), what);
	failed += !ok;
}

/* The life of a child: say what it sees, stay until the tree is drawn, end. */
_Noreturn static void child(void)
{
	struct report r = { .pid = getpid(), .ppid = getppid(), .secret = secret };
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	gethostname(r.host, sizeof(r.host));
	if (write(hello[1], &r, sizeof(r)) != sizeof(r) || read(go[0], &byte, 1) != 1)
		_exit(1);
	_exit(CHILD_STATUS);
}

static void await_child(struct call *c)
{
	born(c->result);
	must(read(hello[0], &c->said, sizeof(c->said)) == sizeof(c->said), "a child's report");
}

static void cloneat_into(struct call *c)
{
	clone_flag_set_t flags;
	struct cloneat_args args = { .flags = flags, .flags_size = sizeof(flags) };
	struct timespec from, to;

	CLONE_ZERO(flags);
	flags[0] = SIGCHLD;
	clock_gettime(CLOCK_MONOTONIC, &from);
	c->result = syscall(NR_CLONEAT, c->target, c->hint, &args);
	if (c->result == 0)
		child();
	if (c->result < 0)
		c->result = -errno;
	clock_gettime(CLOCK_MONOTONIC, &to);
	trace_next(c, (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6);
	if (c->result > 0)
		await_child(c);
	if (c->result == -ENOSYS)
		fatal("no cloneat here: start this under cloneat-emu run");
}

/* What is true of every child, wherever it is. */
static void common_claims(const struct call *c)
{
	char text[160];

	snprintf(text, sizeof(text), "%s: %ld is a child of %d", c->what, c->result, c->target);
	claim(c->result > 0 && parent_of(c->result) == c->target, text);
	snprintf(text, sizeof(text), "%s: it holds the caller's memory and descriptors", c->what);
	claim(c->said.secret == secret, text);
	snprintf(text, sizeof(text), "%s: the caller cannot wait for it (ECHILD)", c->what);
	claim(waitpid(c->result, NULL, WNOHANG) == -1 && errno == ECHILD, text);
}

static void reaping_claim(struct actor *target, const struct call *c, pid_t number)
{
	char text[160];

	snprintf(text, sizeof(text), "%s: the target reaps it, with its exit status", c->what);
	claim(reaped_by(target, number) == CHILD_STATUS, text);
}

static void setup(int argc, char **argv)
{
	alarm(600);	/* nothing here takes long: an end, in case of a bug */
	prctl(PR_SET_NAME, "caller");
	setvbuf(stdout, NULL, _IOFBF, 0);
	if (argc > 1)
		trace_open(argv[1]);
	must(!pipe(hello) && !pipe(go), "pipe");
}

static void all_claims(struct call *c, struct actor *forked, struct actor *cat, struct actor *init)
{
	for (int i = 0; i < 4; i++)
		common_claims(&c[i]);
	claim(c[2].said.ppid == 1, "container: inside, its parent is pid 1");
	claim(!strcmp(c[2].said.host, "container"), "container: it has the container's host name");
	claim(c[3].result == c[3].hint, "exact pid: it got the number it asked for");
	claim(c[4].result == -EPERM, "not a descendant: refused with EPERM, nobody was made");
	must(write(go[1], "gggg", 4) == 4, "write");
	reaping_claim(forked, &c[0], c[0].result);
	reaping_claim(forked, &c[3], c[3].result);
	reaping_claim(init, &c[2], c[2].said.pid);
	claim(cat_echoes(cat), "exec'ed: cat was used and goes on as before");
}

int main(int argc, char **argv)
{
	struct actor forked, cat, init;

	setup(argc, argv);
	forked = start_forked();
	cat = start_cat();
	init = start_container();
	must(getrandom(&secret, sizeof(secret), 0) == sizeof(secret), "getrandom");

	printf("%sbefore%s\n", paint("\033[1m"), paint("\033[0m"));
	draw_tree(getpid(), NULL, 0);
	fflush(stdout);

	struct call calls[] = {
		{ .what = "forked", .target = forked.pid },
		{ .what = "exec'ed", .target = cat.pid },
		{ .what = "container", .target = init.pid },
		{ .what = "exact pid", .target = forked.pid, .hint = free_pid() },
		{ .what = "not a descendant", .target = getppid() },
	};

	for (int i = 0; i < 5; i++) {
		cloneat_into(&calls[i]);
		for (; calls[i].result == -EEXIST; cloneat_into(&calls[i]))
			calls[i].hint = free_pid();	/* somebody has it by now */
	}

	printf("%safter%s\n", paint("\033[1m"), paint("\033[0m"));
	draw_tree(getpid(), calls, 5);
	printf("  cloneat(%d, 0) into the caller's own parent: %s, %s\n\n", calls[4].target,
	       strerror(-calls[4].result), calls[4].took);
	all_claims(calls, &forked, &cat, &init);

	kill(init.pid, SIGKILL);
	kill(cat.pid, SIGKILL);
	kill(forked.pid, SIGKILL);
	while (wait(NULL) > 0)
		;
	printf("\n%s\n", failed ? "FAILED" : "every claim holds");
	return failed != 0;
}
