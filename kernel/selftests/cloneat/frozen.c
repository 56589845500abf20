// SPDX-License-Identifier: GPL-2.0
/*
 * A control group is frozen in the moment of a call: who is in it goes on,
 * when it is thawed, as if nothing had been, and others do not wait for that.
 *
 *	check      freezes, as soon as the child is seen, or some time later
 *	  +-- b         calls as well
 *	  |     +-- a         calls
 *	  |           +-- t        the target
 *	  +-- other     another target
 */
#include "group.h"
#include "scene.h"
#include <sys/mman.h>

#define ROUNDS 4
#define LONG 1200000	/* microseconds: longer than anybody waits */
#define AWAITED 20000000

static struct actor a, b, t, other, k;
static void (*give)(struct actor *) = give_group;

static void cast(uint64_t flags)
{
	spawn(&me, &b, 0);
	spawn(&b, &a, 0);
	spawn(&a, &t, flags);
	spawn(&me, &other, 0);
	on(&a, do_block);
	on(&t, do_block);
}

/* a has called, and the group is frozen when the child is there. */
static void freeze_at_birth(void)
{
	cl_start(&a, t.pid, 0, 0);
	while (!latest_child(t.pid) && !answered(&a))
		;
	freeze(true);
}

/* Nobody stays frozen, whatever comes: in version 1 no signal would end him. */
static void await_answer(struct actor *by)
{
	long end = now_us() + AWAITED;

	while (!answered(by) && now_us() < end)
		usleep(1000);
	if (!answered(by)) {
		freeze(false);
		fail("pid %d has no answer before the thaw", by->pid);
	}
}

/* Nobody has a child that it did not ask for, or heard of one. */
static void undisturbed(void)
{
	expect_eq(on(&t, do_take_signal, SIGCHLD), -EAGAIN);
	expect_eq(on(&t, do_wait4, -1, __WALL | WNOHANG), -ECHILD);
	expect_eq(on(&a, do_take_signal, SIGCHLD), -EAGAIN);
	expect_eq(on(&a, do_wait4, -1, __WALL | WNOHANG), 0);
}

/* The call has made a child, or could not stop whom it needed. */
static void child_or_busy(struct actor *by)
{
	long ret = cl_finish(by, &k);

	if (ret < 0) {
		expect_eq(ret, -EBUSY);
		return;
	}
	expect_eq(end(&k, &t, 3), EXITED(3));
	expect_eq(on(&t, do_take_signal, SIGCHLD), SIGCHLD);
}

/* Calls that have nothing to do with who is frozen. */
static void elsewhere(void)
{
	expect_ok(cl(&me, &k, other.pid, 0, 0));
	expect_eq(end(&k, &other, 3), EXITED(3));
}

/* --- the target ------------------------------------------------------------ */

static void freeze_target(int round)
{
	(void)round;
	cast(ACTOR_EXEC);
	give(&t);
	freeze_at_birth();
	await_answer(&a);
	elsewhere();
	freeze(false);
	child_or_busy(&a);
	undisturbed();
	leave_group();
}

PLAY(target, "a target that is frozen when its child is born has that, or none")
{
	side_by_side(ROUNDS, freeze_target);
}

/* a has called; b calls for the same target, and is not frozen. */
static void call_meanwhile(void)
{
	cl_start(&b, t.pid, 0, 0);
	await_answer(&b);
	freeze(false);
	child_or_busy(&a);
	child_or_busy(&b);
	undisturbed();
	leave_group();
}

static void call_twice(int round)
{
	(void)round;
	cast(ACTOR_EXEC);
	give(&t);
	freeze_at_birth();
	await_answer(&a);
	call_meanwhile();
}

PLAY(target_twice, "who calls for it meanwhile does not wait for the thaw")
{
	side_by_side(ROUNDS, call_twice);
}

static void kill_target(int round)
{
	(void)round;
	cast(ACTOR_EXEC);
	give_group(&t);
	freeze_at_birth();
	if (cl_finish(&a, &k) > 0)
		quit(&k, 0);
	expect_eq(in_group("cgroup.kill", "1"), 0);
	expect_eq(on(&a, do_wait4, t.pid, 0), t.pid);
	expect_eq(on(&a, do_wait4, -1, __WALL | WNOHANG), -ECHILD);
	elsewhere();
	leave_group();
}

PLAY(target_killed, "if it is killed meanwhile, there is nothing left of it")
{
	side_by_side(ROUNDS, kill_target);
}

/* --- a target that cannot even be stopped ----------------------------------- */

static long do_fill(struct msg *m)
{
	char *p = mmap(NULL, m->arg[0], PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	memset(p, 1, m->arg[0]);
	return 0;
}

/* Waits for its vfork child, which waits for the check, and has no other. */
static long in_vfork(struct msg *m)
{
	pid_t pid = vfork();

	(void)m;
	if (!pid) {
		slot_wait(1, 1);
		ct_exit(7);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : -ECHILD;
}

PLAY(target_vfork, "nor has one that waits in vfork() when the caller is killed a child")
{
	bool made;

	cast(0);
	expect_eq(on(&a, do_fill, 128 << 20), 0); /* it takes a while to copy */
	cl_start(&a, t.pid, 0, 0);
	while (!latest_child(t.pid) && !answered(&a))
		;
	start(&t, in_vfork, 0);
	wait_state(t.pid, 'D');
	while (!answered(&a) && proc_state(a.pid) != 't')
		sched_yield(); /* the kernel does not stop it for its call */
	made = answered(&a);
	if (!made)
		kill(a.pid, SIGKILL);
	usleep(LONG);
	slot_set(1, 1);
	expect_eq(actor_finish(&t), 0);
	expect_eq(on(&t, do_take_signal, SIGCHLD), SIGCHLD); /* of that child */
	if (made)
		child_or_busy(&a);
	expect_eq(on(&t, do_wait4, -1, __WALL | WNOHANG), -ECHILD);
}

/* --- the caller ------------------------------------------------------------ */

/* The caller is frozen so many microseconds after it has called. */
static void freeze_caller(useconds_t later)
{
	cl_start(&a, t.pid, 0, 0);
	usleep(later);
	freeze(true);
	elsewhere();
}

static void freeze_slowly(int round)
{
	cast(ACTOR_EXEC);
	give(&a);
	freeze_caller(round * 400);
	usleep(LONG);
	freeze(false);
	child_or_busy(&a);
	undisturbed();
	leave_group();
}

PLAY(caller, "a caller that is frozen in its call has a child, or none")
{
	side_by_side(2 * ROUNDS, freeze_slowly);
}

static void call_for_both(int later)
{
	give(&a);
	freeze_caller(later);
	call_meanwhile();
}

static void call_for_its_target(int round)
{
	cast(ACTOR_EXEC);
	call_for_both(round * 400);
}

PLAY(caller_twice, "who calls for its target meanwhile does not wait for the thaw")
{
	side_by_side(2 * ROUNDS, call_for_its_target);
}

static void call_for_its_init(int round)
{
	cast(CLONE_NEWPID);
	call_for_both(round * 250);
}

PLAY(caller_init, "so is one whose target is an init, for which nobody waits")
{
	side_by_side(2 * ROUNDS, call_for_its_init);
}

/* --- version 1: who is frozen does not even leave a stop that it is in ------ */

static void play_old(int rounds, void (*scene)(int))
{
	struct hierarchy h = { .controller = "freezer" };

	find_hierarchy(&h); /* for a supervisor, too, which has to look there */
	give = give_freezer;
	side_by_side(rounds, scene);
}

PLAY(v1_target, "in a freezer of version 1 the target has its child, or none")
{
	play_old(ROUNDS, freeze_target);
}

PLAY(v1_target_twice, "there nobody who wants the target waits for the thaw")
{
	play_old(ROUNDS, call_twice);
}

PLAY(v1_caller, "there a caller has its child, or none")
{
	play_old(2 * ROUNDS, freeze_slowly);
}

PLAY(v1_caller_twice, "there nobody who wants its target waits for the thaw")
{
	play_old(2 * ROUNDS, call_for_its_target);
}

PLAY(v1_caller_init, "nor does who wants its target that is an init")
{
	play_old(2 * ROUNDS, call_for_its_init);
}
