// SPDX-License-Identifier: GPL-2.0
/*
 * A program that steps itself: with the trap flag set it has a SIGTRAP for every
 * instruction.  What it is made to do for others is none of them.
 */
#include "scene.h"
#include <linux/futex.h>

#ifdef __x86_64__

static volatile long trapped;

static void on_trap(int sig)
{
	(void)sig;
	trapped++;
}

static __always_inline void set_stepping(bool on)
{
	/* below the red zone */
	if (on)
		__asm__ volatile("leaq -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp);"
				 "popfq; leaq 128(%%rsp), %%rsp" ::: "memory", "cc");
	else
		__asm__ volatile("leaq -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp);"
				 "popfq; leaq 128(%%rsp), %%rsp" ::: "memory", "cc");
}

static long catch_steps(void)
{
	struct sigaction sa = { .sa_handler = on_trap };

	return sigaction(SIGTRAP, &sa, NULL) ? -errno : 0;
}

/* Waits in a call, steps on, and tells what the call returned. */
static long do_wait_stepping(struct msg *m)
{
	long ret = catch_steps(), before;

	(void)m;
	set_stepping(true);
	if (!ret)
		ret = ct_syscall6(SYS_futex, (long)&ct_slot[0], FUTEX_WAIT, 0, 0, 0, 0);
	before = trapped;
	for (volatile int i = 0; i < 10; i++)
		;
	set_stepping(false);
	return ret ? ret : trapped - before;
}

/* Steps all the time. */
static long do_step(struct msg *m)
{
	long ret = catch_steps();

	(void)m;
	set_stepping(true);
	while (!ret && !ct_slot[0])
		;
	set_stepping(false);
	return ret ? ret : trapped;
}

static void play_target(uint64_t flags, actor_fn fn)
{
	struct actor t, k;

	spawn(&me, &t, flags);
	slot_set(0, 0);
	start(&t, fn);
	if (fn == do_wait_stepping)
		wait_asleep(&t);
	for (int i = 0; i < 20; i++) {
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		quit(&k, 5);
		expect_busy(&t);
	}
	slot_set(0, 1);
	expect(actor_finish(&t) > 9);
}

PLAY(waits, "a target that waits in a call steps on")
{
	play_target(0, do_wait_stepping);
}

PLAY(waits_init, "the same as the init of a container")
{
	play_target(CLONE_NEWPID, do_wait_stepping);
}

PLAY(steps, "a target goes on with its steps")
{
	play_target(0, do_step);
}

/* A caller, whose child has steps as well: it exits with 6 if so. */
static long do_call_stepping(struct msg *m)
{
	long ret = catch_steps(), before;

	set_stepping(true);
	if (!ret)
		ret = cloneat_fork(m->arg[0], 0);
	before = trapped;
	for (volatile int i = 0; i < 10; i++)
		;
	set_stepping(false);
	if (ret == 0)
		ct_exit(trapped - before > 9 ? 6 : 7);
	return ret < 0 || trapped - before > 9 ? ret : -ENODATA;
}

static void play_caller(uint64_t flags)
{
	struct actor a, t;
	long pid;

	spawn(&me, &a, 0);
	spawn(&a, &t, flags);
	for (int i = 0; i < 10; i++) {
		pid = expect_ok(on(&a, do_call_stepping, t.vpid));
		if (flags)
			pid = -1;
		expect_ok(on(&t, do_wait4, pid, 0));
		expect_eq(status_of(&t), EXITED(6));
	}
}

PLAY(caller, "a caller goes on with its steps, and its child with them")
{
	play_caller(0);
}

PLAY(caller_init, "the same with the init of a container")
{
	play_caller(CLONE_NEWPID);
}

PLAY(caller_self, "the same to itself")
{
	struct actor a;

	spawn(&me, &a, 0);
	for (int i = 0; i < 10; i++) {
		long pid = expect_ok(on(&a, do_call_stepping, a.vpid));

		expect_eq(on(&a, do_wait4, pid, 0), pid);
		expect_eq(status_of(&a), EXITED(6));
	}
}

#endif /* __x86_64__ */
