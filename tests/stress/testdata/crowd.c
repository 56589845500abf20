// SPDX-License-Identifier: Apache-2.0
/*
 * A crowd of callers and targets, all at once. Each round has
 *
 *	many	callers with a target each:		caller -> target
 *	trios	two callers on one target, and a	a -> b -> t
 *		caller that is a target: a names b and t, b names itself
 *		and t, and may not name a
 *	chain	a child of a child of ...: each forks a target, clones itself
 *		into it and goes on there
 *	init	a caller and the init of a pid namespace
 *	kills	callers and targets that are killed at random
 *
 * Everybody counts: a call that got lost, a child that went elsewhere or a
 * process that stays shows as a status or as a hang. After each round "idle
 * CALLS" is printed, and a byte of stdin begins the next; its end is the end.
 *
 * usage: crowd CALLERS DEPTH KILLS SEED
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/cloneat.h>

#define SYS_CLONEAT 511
#define CALLS 3		/* of each caller */
#define CHILD 7		/* exit status of a child that is where it should be */
#define UNITS 16	/* that are killed at */

struct unit {
	volatile pid_t caller, target;
};

/* Shared by all. */
static struct {
	volatile long calls;
	volatile int stop;
	struct unit unit[UNITS];
} *common;

static void die(const char *what, long is, long want)
{
	fprintf(stderr, "%d: %s: %ld, want %ld\n", getpid(), what, is, want);
	_exit(1);
}

static pid_t must_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork", -errno, 1);
	return pid;
}

/* The call; the child does not return unless go_on. */
static long call(pid_t target, int go_on)
{
	int words[2] = { SIGCHLD, 0 };
	struct cloneat_args args;
	long ret;

	memset(&args, 0, sizeof(args));
	args.flags = words;
	args.flags_size = sizeof(words);
	ret = syscall(SYS_CLONEAT, target, 0, &args);
	if (!ret && !go_on)
		_exit(getppid() == target ? CHILD : CHILD + 1);
	if (ret)
		__atomic_add_fetch(&common->calls, 1, __ATOMIC_RELAXED);
	return ret < 0 ? -errno : ret;
}

static void must_call(const char *who, pid_t target)
{
	long ret = call(target, 0);

	if (ret <= 0)
		die(who, ret, 1);
}

static void reap_child(const char *who)
{
	int st = 0;

	if (waitpid(-1, &st, 0) < 0)
		die(who, -errno, 0);
	if (st != CHILD << 8)
		die(who, st, CHILD << 8);
}

static void reap(const char *who, pid_t pid)
{
	int st = 0;

	if (waitpid(pid, &st, 0) != pid || st)
		die(who, st, 0);
}

static void must_pipe(int p[2])
{
	if (pipe(p))
		die("pipe", -errno, 0);
}

/* A target: a byte for every child that it is to have, and no others. */
static pid_t target(int p[2])
{
	pid_t pid = must_fork();
	char c;

	if (!pid) {
		close(p[1]);
		while (read(p[0], &c, 1) == 1)
			reap_child("a target's child");
		if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
			die("children of a target", 1, 0);
		_exit(0);
	}
	close(p[0]);
	return pid;
}

static void announce(int fd)
{
	if (write(fd, "", 1) != 1)
		die("write to a target", -errno, 1);
}

static void one_caller(void)
{
	int p[2];
	pid_t t;

	must_pipe(p);
	t = target(p);
	for (int i = 0; i < CALLS; i++) {
		must_call("a target of one", t);
		announce(p[1]);
		must_call("oneself", getpid());
		reap_child("a child of one's own");
	}
	close(p[1]);
	reap("a target of one", t);
}

/* b, whose parent a names it, too; a byte from a says that it has done so. */
static void trio_b(pid_t a, int p[2], int from, int ready)
{
	pid_t t = target(p);
	char c;

	if (write(ready, &t, sizeof(t)) != sizeof(t))
		die("word to a", -errno, sizeof(t));
	for (int i = 0; i < CALLS; i++) {
		long ret;

		must_call("b, itself", getpid());
		must_call("b, its target", t);
		announce(p[1]);
		ret = call(a, 0);
		if (ret != -EPERM)
			die("b, its parent", ret, -EPERM);
	}
	close(p[1]);
	if (read(from, &c, 1) != 1)
		die("word from a", 0, 1);
	reap("the target of two", t);
	for (int i = 0; i < 2 * CALLS; i++)
		reap_child("a child of b");
}

static void trio_a(void)
{
	int p[2], word[2], ready[2];
	pid_t a = getpid(), b, t = 0;

	must_pipe(p);
	must_pipe(word);
	must_pipe(ready);
	b = must_fork();
	if (!b) {
		close(word[1]);
		trio_b(a, p, word[0], ready[1]);
		_exit(0);
	}
	close(p[0]);
	if (read(ready[0], &t, sizeof(t)) != sizeof(t))
		die("word from b", -errno, sizeof(t));
	for (int i = 0; i < CALLS; i++) {
		must_call("a, b", b);
		must_call("a, the target of two", t);
		announce(p[1]);
	}
	close(p[1]);
	announce(word[1]);
	reap("b", b);
}

/* The status counts the links: each target passes on what its child says. */
static int chain(int depth)
{
	int p[2], st = 0;
	pid_t t;
	long ret;
	char c;

	must_pipe(p);
	t = must_fork();
	if (!t) {
		close(p[1]);
		if (read(p[0], &c, 1) != 1)
			_exit(200);
		if (waitpid(-1, &st, 0) < 0 || !WIFEXITED(st))
			_exit(201);
		_exit(WEXITSTATUS(st) + 1);
	}
	close(p[0]);
	ret = call(t, 1);
	if (ret < 0)
		die("a link", ret, 1);
	if (!ret) {
		close(p[1]);
		if (getppid() != t)
			_exit(202);
		_exit(depth > 1 ? chain(depth - 1) : 0);
	}
	announce(p[1]);
	close(p[1]);
	if (waitpid(t, &st, 0) != t || !WIFEXITED(st))
		die("a chain's target", st, 0);
	return WEXITSTATUS(st);
}

/* The init of a pid namespace adopts the children, and reaps them at the end. */
static void one_init(void)
{
	int p[2], st = 0;
	pid_t init, outer;
	char c;

	must_pipe(p);
	outer = must_fork();
	if (!outer) {
		if (unshare(CLONE_NEWPID))
			die("unshare", -errno, 0);
		init = must_fork();
		if (!init) {
			close(p[1]);
			if (read(p[0], &c, 1))
				_exit(1);
			for (int i = 0; i < CALLS; i++)
				if (wait(&st) < 0 || st >> 8 != CHILD + 1)
					_exit(2);
			_exit(0);
		}
		close(p[0]);
		for (int i = 0; i < CALLS; i++) {
			/* Its parent's number is 1 over there: the child says 8. */
			must_call("an init", init);
		}
		close(p[1]);
		reap("init", init);
		_exit(0);
	}
	close(p[0]);
	close(p[1]);
	reap("init's parent", outer);
}

/* --- killed at random ---------------------------------------------------- */

/* A target whose caller may die between a call and its announcement. */
static pid_t careless_target(int p[2])
{
	pid_t pid = must_fork();
	char c;

	if (!pid) {
		close(p[1]);
		while (read(p[0], &c, 1) == 1)
			reap_child("a careless target's child");
		while (waitpid(-1, NULL, 0) > 0)
			;
		_exit(0);
	}
	close(p[0]);
	return pid;
}

static void unit(struct unit *u)
{
	int p[2];

	while (!common->stop) {
		long ret;
		pid_t t;

		must_pipe(p);
		t = u->target = careless_target(p);
		do {
			ret = call(t, 0);
			if (ret > 0)
				(void)!write(p[1], "", 1);
		} while (ret > 0 && !common->stop);
		if (ret < 0 && ret != -ESRCH)
			die("a target that may be killed", ret, -ESRCH);
		close(p[1]);
		u->target = 0;
		waitpid(t, NULL, 0);
	}
}

static void start_unit(struct unit *u)
{
	pid_t pid = must_fork();

	if (!pid) {
		signal(SIGPIPE, SIG_IGN);
		unit(u);
		_exit(0);
	}
	u->caller = pid;
}

/* A number in the table is not reaped: the entry goes first. */
static void kill_exactly(volatile pid_t *slot)
{
	pid_t pid = *slot;
	int fd = pid > 0 ? syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return;
	if (*slot == pid)
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	close(fd);
}

static void kills(int n)
{
	int st;

	common->stop = 0;
	memset(common->unit, 0, sizeof(common->unit));
	for (int i = 0; i < UNITS; i++)
		start_unit(&common->unit[i]);
	for (int i = 0; i < n; i++) {
		struct unit *u = &common->unit[random() % UNITS];
		pid_t caller = u->caller;

		for (int spin = random() % 3000; spin > 0; spin--)
			syscall(SYS_getppid); /* the instant is chance's */
		if (random() % 2) {
			kill_exactly(&u->target);
			continue;
		}
		kill(caller, SIGKILL);
		if (waitpid(caller, &st, 0) != caller || st != SIGKILL)
			die("a killed caller", st, SIGKILL);
		u->target = 0; /* of nobody now: its orphan ends by itself */
		start_unit(u);
	}
	common->stop = 1;
	for (int i = 0; i < UNITS; i++)
		reap("a unit", common->unit[i].caller);
	/* The orphans of all that were killed. */
	while (waitpid(-1, &st, 0) > 0)
		;
}

/* --- */

static void crew(int n, void (*fn)(void))
{
	pid_t pid[n];

	for (int i = 0; i < n; i++) {
		pid[i] = must_fork();
		if (!pid[i]) {
			fn();
			_exit(0);
		}
	}
	for (int i = 0; i < n; i++)
		reap("a member of the crowd", pid[i]);
}

int main(int argc, char **argv)
{
	int callers, depth, links;
	char c;

	if (argc != 5)
		die("arguments", argc, 5);
	callers = atoi(argv[1]);
	depth = atoi(argv[2]);
	srandom(atoi(argv[4]));
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (common == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("setting up", -errno, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	do {
		crew(callers, one_caller);
		crew(callers / 10 + 1, trio_a);
		crew(callers / 10 + 1, one_init);
		links = chain(depth);
		if (links != depth)
			die("links of the chain", links, depth);
		kills(atoi(argv[3]));
		printf("idle %ld\n", common->calls);
	} while (read(0, &c, 1) == 1);
	return 0;
}
