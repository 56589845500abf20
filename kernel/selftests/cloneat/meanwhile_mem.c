// SPDX-License-Identifier: GPL-2.0
/*
 * Who shares the memory with the caller changes it in the moment of a call, calls
 * as well, or leaves (see engine.h).
 */
#include "engine.h"

static struct {
	volatile long n;
	char apart[1 << 20];
} first, second;

/* The first counts up, then the second. */
static long do_count(struct msg *m)
{
	(void)m;
	while (!ct_slot[1]) {
		first.n++;
		second.n++;
	}
	return 0;
}

static long do_difference(struct msg *m)
{
	(void)m;
	return first.n - second.n;
}

static void torn(void)
{
	long ret;

	spawn(&me, &a, 0);
	cast_target();
	spawn(&a, &s, CLONE_VM);
	start(&s, do_count, 0);
	for (int i = 0; i < TIMES; i++) {
		call();
		finish();
		ret = on(&k, do_difference);
		if (ret != 0 && ret != 1)
			fail("memory of %ld moments", ret);
		bury();
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&s), 0);
}

/* Maps and unmaps for ever. */
static long do_remap(struct msg *m)
{
	char *p;

	(void)m;
	while (!ct_slot[1]) {
		p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return -ENOMEM;
		p[PAGE] = 1;
		mprotect(p + 8 * PAGE, PAGE, PROT_READ);
		p[20 * PAGE] = 1;
		munmap(p, 64 * PAGE);
	}
	return 0;
}

static void remapped(void)
{
	cast_engine();
	spawn(&a, &s, CLONE_VM);
	start(&s, do_remap, 0);
	for (int i = 0; i < TIMES; i++) {
		call();
		finish();
		bury();
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&s), 0);
}

static const struct engine engines[] = {
	ENGINES(torn, "who shares the memory writes it"),
	ENGINES(remapped, "who shares the memory maps and unmaps"),
};

PLAY_TABLE(play, engines)
{
	play_engine();
}

/* --- and calls, or leaves ------------------------------------------------ */

/* Without the memory that cl() works in. */
static long do_call(struct msg *m)
{
	long ret = cloneat_fork(m->arg[0], 0);

	if (!ret)
		ct_exit(3);
	return ret;
}

/* check -> a -> t, s -> u: a and s share their memory, and both call */
PLAY(both, "two that share their memory call at once")
{
	struct actor u;
	long ret[2];

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	spawn(&a, &s, CLONE_VM);
	spawn(&s, &u, 0);
	for (int i = 0; i < TIMES; i++) {
		start(&a, do_call, t.pid);
		start(&s, do_call, u.pid);
		ret[0] = expect_ok(actor_finish(&a));
		ret[1] = expect_ok(actor_finish(&s));
		expect_eq(on(&t, do_wait4, ret[0], 0), ret[0]);
		expect_eq(status_of(&t), EXITED(3));
		expect_eq(on(&u, do_wait4, ret[1], 0), ret[1]);
		expect_eq(status_of(&u), EXITED(3));
	}
}

static long do_exit_group(struct msg *m)
{
	(void)m;
	ct_exit(7);
}

/* check -> a -> t, s: shares its memory, until it executes or ends */
PLAY(left, "who shares the memory executes or ends")
{
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	for (int i = 0; i < TIMES; i++) {
		spawn(&a, &s, CLONE_VM);
		cl_start(&a, t.pid, 0, 0);
		moment(4000);
		if (i & 1)
			start(&s, do_execute_loop, 0);
		else
			start(&s, do_exit_group, 0);
		finish();
		expect_eq(end(&k, &t, 3), EXITED(3));
		if (i & 1) {
			expect_eq(actor_finish(&s), s.pid);
			expect_eq(end(&s, &a, 7), EXITED(7));
			continue;
		}
		expect_eq(on(&a, do_wait4, s.pid, 0), s.pid);
		expect_eq(status_of(&a), EXITED(7));
		close(s.fd);
	}
}

/* In a vfork child: makes a target, and calls for it.  0 if a child came of it. */
static long call_below(void *arg)
{
	pid_t target = clone_words(SIGCHLD);
	long ret;

	(void)arg;
	if (!target)
		for (;;)
			ct_syscall3(SYS_pause, 0, 0, 0);
	ret = cloneat_fork(target, 0);
	if (!ret)
		ct_exit(0);
	ct_syscall3(SYS_kill, target, SIGKILL, 0);
	ct_syscall6(SYS_wait4, target, 0, 0, 0, 0, 0);
	ct_exit(ret < 0 ? -ret : 0);
	return 0;
}

static long do_vfork(struct msg *m)
{
	m->arg[0] = clone_call(CLONE_VM | CLONE_VFORK | SIGCHLD, ct_stack(NULL),
			       CT_STACK_SIZE, NULL, NULL, 0, call_below, NULL);
	m->arg[1] = 0;
	return do_wait4(m);
}

/* check -> a (waits in vfork, shares its memory) -> caller -> target */
PLAY(vforked, "the caller is a vfork child")
{
	spawn(&me, &a, 0);
	for (int i = 0; i < 5; i++) {
		expect_ok(on(&a, do_vfork));
		expect_eq(status_of(&a), EXITED(0));
	}
}
