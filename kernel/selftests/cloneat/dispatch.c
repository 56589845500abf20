// SPDX-License-Identifier: GPL-2.0
/*
 * Syscall User Dispatch (PR_SET_SYSCALL_USER_DISPATCH): a thread has its system
 * calls sent back to it as SIGSYS, but for those from one range of addresses.
 * What is made to call in it must not be sent to it.
 *
 *	check
 *	  +-- target    calls from its own text alone
 *	        +-- kid
 */
#include "scene.h"
#include <sys/epoll.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#define SYSCALL_DISPATCH_FILTER_ALLOW 0
#define SYSCALL_DISPATCH_FILTER_BLOCK 1
#endif

#define ALLOW SYSCALL_DISPATCH_FILTER_ALLOW
#define BLOCK SYSCALL_DISPATCH_FILTER_BLOCK

extern char __executable_start[], etext[];

static volatile char selector;
static volatile long sent;	/* how many calls came back */

static void on_sigsys(int sig)
{
	(void)sig;
	sent++;
}

static long do_dispatch(struct msg *m)
{
	struct sigaction sa = { .sa_handler = on_sigsys };

	if (sigaction(SIGSYS, &sa, NULL) ||
	    prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON,
		  __executable_start, etext - __executable_start, &selector))
		return -errno;
	selector = m->arg[0];
	return 0;
}

static long do_sent(struct msg *m)
{
	(void)m;
	return sent;
}

static void dispatch(struct actor *a, char how)
{
	long ret = on(a, do_dispatch, how);

	if (ret == -EINVAL)
		ct_skip("this kernel has no Syscall User Dispatch");
	expect_eq(ret, 0);
}

static void play_target(uint64_t flags, char how)
{
	struct actor t, k;

	spawn(&me, &t, flags);
	dispatch(&t, how);
	for (int i = 0; i < 3; i++) {
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		expect_eq(on(&t, do_sent), 0);
		expect_eq(end(&k, &t, 5), EXITED(5));
	}
}

PLAY(target_allows, "a target that lets all calls through for now")
{
	play_target(0, ALLOW);
}

PLAY_DOCUMENTED(target, "a target that has others' calls sent to it",
		"the clone that it is made to call is one of them: EBUSY")
{
	play_target(0, BLOCK);
}

static long do_wait_long(struct msg *m)
{
	struct epoll_event ev;
	int fd = epoll_create1(EPOLL_CLOEXEC);

	(void)m;
	return ct_syscall6(SYS_epoll_wait, fd, (long)&ev, 1, 1000000, 0, 0);
}

PLAY(target_unharmed, "such a target goes on with the call that it waits in")
{
	struct actor t, k;
	long ret;

	spawn(&me, &t, 0);
	dispatch(&t, BLOCK);
	start(&t, do_wait_long);
	wait_asleep(&t);
	for (int i = 0; i < 3; i++) {
		ret = cl(&me, &k, t.pid, 0, 0);
		if (ret < 0)
			expect_eq(ret, -EBUSY);
		wait_asleep(&t);
		expect_busy(&t);
	}
}

PLAY(target_init, "the same as the init of a container")
{
	play_target(CLONE_NEWPID, BLOCK);
}

static void play_caller(uint64_t flags, char how)
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, flags);
	dispatch(&a, how);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&a, do_sent), 0);
	expect_eq(on(&t, do_sent), 0);
	expect_eq(on(&k, do_sent), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(caller_allows, "a caller that lets all calls through for now")
{
	play_caller(0, ALLOW);
}

PLAY_DOCUMENTED(caller, "a caller that has others' calls sent to it",
		"the calls that it is made to make are some of them: EOPNOTSUPP")
{
	play_caller(0, BLOCK);
}

PLAY_DOCUMENTED(caller_init, "the same with the init of a container",
		"the calls that it is made to make are some of them: EOPNOTSUPP")
{
	play_caller(CLONE_NEWPID, BLOCK);
}

PLAY_DOCUMENTED(caller_self, "the same to itself",
		"the calls that it is made to make are some of them: EOPNOTSUPP")
{
	struct actor a, k;

	spawn(&me, &a, 0);
	dispatch(&a, BLOCK);
	expect_ok(cl(&a, &k, a.vpid, 0, 0));
	expect_eq(on(&a, do_sent), 0);
	expect_eq(on(&k, do_sent), 0);
	expect_eq(end(&k, &a, 5), EXITED(5));
}
