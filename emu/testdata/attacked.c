// SPDX-License-Identifier: Apache-2.0
/*
 * Whom the attacks of emu/attack_test.go meet.  All do what a byte tells them:
 *
 *	main ── caller ── target ── child	descriptor
 *	         leader, calls			7
 *	         other thread			3
 *	                   leader		4, in read(2) or epoll_wait(2)
 *	                   other thread		5
 *	                             any	6: it ends
 *
 * c, d: call; e: execute a program; b: one that is not there; f: close what others have
 * opened; v: unmap the vdso; u: drop to another user; x: end this thread; r: tell
 * how often the wait was cut short; q: tell what has come, and end.
 *
 * usage: attacked self|forked|executed|shared|init FLAGS(hex) HINT read|epoll threads|alone MORE
 *
 * MORE are words: headless, headless-target (the leader has exited), filter (the caller's),
 * filters (both have it), company (shares the caller's memory), nested (main clones the caller
 * into another process); of the target session, ignores, nowait.
 */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/wait.h>

#include "attacked_obey.h"

static int caller_other(void *unused)
{
	obey("caller", CALLER_OTHER, BY_CALLER);
	return !unused;
}

static int target_other(void *unused)
{
	obey("target", TARGET_OTHER, BY_TARGET);
	return !unused;
}

static void start(int (*f)(void *), int stack)
{
	clone(f, stacks[stack + 1], CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
	      CLONE_THREAD | CLONE_SYSVSEM, NULL);
}

/* Goes on as a thread whose leader exits. */
static int lead(int (*f)(void *), int stack, const char *headless)
{
	if (!has(more, headless))
		return f(NULL);
	start(f, stack);
	sys(SYS_exit, 0, 0, 0, 0);
	return 0;
}

static int lead_target(void *unused)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t all;
	int ep = -1;
	long n;

	if (threads)
		start(target_other, S_TARGET_OTHER);
	sigfillset(&all);
	if (threads)
		sys(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, 8);
	if (epolls)
		ep = sys(SYS_epoll_create1, 0, 0, 0, 0);
	sys(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, LEADER, (long)&event);
	say("target ready\n");
	for (;;) {
		while (epolls && (n = sys(SYS_epoll_wait, ep, (long)&event, 1, 1000000)) != 1) {
			if (n != -EINTR)
				say("epoll_wait %ld\n", n);
			__atomic_add_fetch(&eintr[LEADER], 1, __ATOMIC_RELAXED);
		}
		switch (next(LEADER)) {
		case 'r':
			say("leader %d\n", eintr[LEADER]);
			break;
		case 'x':
			sys(SYS_exit, 0, 0, 0, 0);
			break;
		case 'q':
			report("target", BY_TARGET);
		}
	}
	return !unused;
}

static int be_target(void *unused)
{
	known = sys(SYS_getpid, 0, 0, 0, 0);
	if (has(more, "session"))
		sys(SYS_setsid, 0, 0, 0, 0);
	if (has(more, "ignores"))
		signal(SIGCHLD, SIG_IGN);
	if (has(more, "nowait"))
		on(SIGCHLD, SA_RESTART | SA_NOCLDWAIT);
	lead(lead_target, S_LEADER, "headless-target");
	return !unused;
}

static void make_target(void)
{
	unsigned int shares = flags & (CLONE_FILES | CLONE_FS | CLONE_SIGHAND | CLONE_IO | CLONE_SYSVSEM);

	if (!strcmp(kind, "shared")) {
		target = clone(be_target, stacks[S_TARGET + 1], CLONE_VM | shares | SIGCHLD, NULL);
		return;
	}
	if (!strcmp(kind, "self")) {
		target = caller;
		return;
	}
	target = syscall(SYS_clone, SIGCHLD | shares | (strcmp(kind, "init") ? 0 : CLONE_NEWPID), 0, 0, 0, 0);
	if (!target && !strcmp(kind, "executed"))
		execl(program, "attacked", "target", args[2], args[3], args[4], args[5], more, NULL);
	if (!target)
		be_target(NULL);
}

/* Shares the caller's memory, and dies with it. */
static int accompany(void *unused)
{
	sys(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	for (;;)
		sys(SYS_pause, 0, 0, 0, 0);
	return !unused;
}

static int lead_caller(void *unused)
{
	if (has(more, "filters"))
		confine();
	if (threads)
		start(caller_other, S_CALLER_OTHER);
	if (has(more, "company"))
		company = clone(accompany, stacks[S_COMPANY + 1], CLONE_VM, NULL);
	make_target();
	if (has(more, "filter"))
		confine();
	say("pids %d %d %d %d\n", caller, target, company, father);
	obey("caller", CALLER, BY_CALLER);
	return !unused;
}

static void be_caller(void)
{
	handlers();
	caller = getpid();
	lead(lead_caller, S_CALLER, "headless");
}

/* Waits for a caller that it has not made. */
static void be_father(void)
{
	int status, had = 0;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (;;) {
		while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
			say("kid father %d %d\n", pid, status);
			had = 1;
		}
		if (pid < 0 && had)
			_exit(0);
		sigwaitinfo(&set, NULL);
	}
}

static pid_t make_caller(void)
{
	int status;
	pid_t pid;

	while ((pid = fork()) > 0 && pid < 100) /* no number of a container's */
		waitpid(pid, &status, 0);
	if (!pid && getpid() < 100)
		_exit(0);
	if (!has(more, "nested")) {
		if (!pid)
			be_caller();
		return pid;
	}
	if (!pid)
		be_father();
	target = father = pid;
	return call(be_caller, SIGCHLD, 0, S_CHILD);
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	args = argv;
	kind = argv[1];
	program[readlink("/proc/self/exe", program, sizeof(program) - 1)] = 0;
	if (!strcmp(kind, "after")) {
		say("executed\n");
		while (next(argv[3][0] - '0') != 'q')
			;
		report(argv[2], 0);
	}
	if (argc < 7)
		return 2;
	flags = strtoul(argv[2], NULL, 16);
	epolls = !strcmp(argv[4], "epoll");
	threads = !strcmp(argv[5], "threads");
	more = argv[6];
	find_vdso();
	sys(SYS_close_range, CALLER + 1, ~0U, 0, 0);
	handlers();
	if (!strcmp(kind, "target"))
		be_target(NULL);
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (make_caller() < 0)
		say("no caller\n");
	while ((pid = waitpid(-1, &status, __WALL)) > 0)
		if (pid != father)
			say("orphan %d %d\n", pid, status);
	target = getpid();
	over = 1;
	say("served %ld\n", call(child, SIGCHLD, 0, S_CHILD));
	while (waitpid(-1, &status, __WALL) > 0)
		;
	say("end\n");
	return 0;
}
