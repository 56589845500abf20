// SPDX-License-Identifier: GPL-2.0
/* Many callers, many threads, chains: each gets its own children. */
#include "race.h"

#define MANY 8

PLAY(many_callers, "many callers at once: each gets its own child")
{
	struct actor c[MANY], kid[MANY];

	for (int i = 0; i < MANY; i++)
		spawn(&me, &c[i], 0);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < MANY; i++)
			cl_start(&c[i], c[i].pid, 0, 0);
		for (int i = 0; i < MANY; i++)
			expect_ok(cl_finish(&c[i], &kid[i]));
		for (int i = 0; i < MANY; i++) {
			expect_eq(sys(&kid[i], SYS_getppid), c[i].pid);
			expect_eq(end(&kid[i], &c[i], i), EXITED(i));
		}
	}
}

/* check -> a (MANY threads, all call) -> target -> kids */
PLAY(one_target, "many threads call for one target at once")
{
	struct actor th[MANY], kid[MANY];

	cast();
	for (int i = 0; i < MANY; i++)
		thread_of(&a, &th[i]);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < MANY; i++)
			cl_start(&th[i], t.pid, 0, 0);
		for (int i = 0; i < MANY; i++)
			expect_ok(cl_finish(&th[i], &kid[i]));
		for (int i = 0; i < MANY; i++) {
			expect_eq(sys(&kid[i], SYS_getppid), t.pid);
			expect_eq(end(&kid[i], &t, i), EXITED(i));
		}
	}
	expect_eq(on(&t, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}

/* check -> c0 -> c1 -> c2 -> c3 -> target: all four call for the target */
PLAY(ancestors_at_once, "all ancestors call for one target at once")
{
	struct actor c[4], kid[4];

	spawn(&me, &c[0], 0);
	for (int i = 1; i < 4; i++)
		spawn(&c[i - 1], &c[i], 0);
	spawn(&c[3], &t, 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < 4; i++)
			cl_start(&c[i], t.pid, 0, 0);
		for (int i = 0; i < 4; i++)
			expect_ok(cl_finish(&c[i], &kid[i]));
		for (int i = 0; i < 4; i++) {
			expect_eq(sys(&kid[i], SYS_getppid), t.pid);
			expect_eq(end(&kid[i], &t, i), EXITED(i));
		}
	}
	expect_eq(on(&t, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}

/* check -> a -> b -> c -> d: each calls for the one below */
PLAY(chain_of_callers, "a caller that is a target: all get their children")
{
	struct actor c[5], kid[4];

	spawn(&me, &c[0], 0);
	for (int i = 1; i < 5; i++)
		spawn(&c[i - 1], &c[i], 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < 4; i++)
			cl_start(&c[i], c[i + 1].pid, 0, 0);
		for (int i = 0; i < 4; i++)
			expect_ok(cl_finish(&c[i], &kid[i]));
		for (int i = 0; i < 4; i++) {
			expect_eq(sys(&kid[i], SYS_getppid), c[i + 1].pid);
			expect_eq(end(&kid[i], &c[i + 1], i), EXITED(i));
		}
	}
}

/* check names a, and a names itself, both at once */
PLAY(caller_is_target, "a caller and its user at once")
{
	struct actor kid[2];

	spawn(&me, &a, 0);
	spawn(&me, &t, 0);
	for (int i = 0; i < ROUNDS; i++) {
		cl_start(&a, a.pid, 0, 0);
		expect_ok(cl(&me, &kid[1], a.pid, 0, 0));
		expect_ok(cl_finish(&a, &kid[0]));
		expect_eq(sys(&kid[0], SYS_getppid), a.pid);
		expect_eq(sys(&kid[1], SYS_getppid), a.pid);
		expect_eq(end(&kid[0], &a, 1), EXITED(1));
		expect_eq(end(&kid[1], &a, 2), EXITED(2));
	}
}

/* Kids of kids of kids, all alive, and then all gone. */
PLAY(long_chain, "a chain of 20 children, each made by the check, and its end")
{
	struct actor c[20];

	spawn(&me, &c[0], 0);
	for (int i = 1; i < 20; i++) {
		expect_ok(cl(&me, &c[i], c[i - 1].pid, 0, 0));
		expect_eq(sys(&c[i], SYS_getppid), c[i - 1].pid);
	}
	for (int i = 19; i > 0; i--)
		expect_eq(end(&c[i], &c[i - 1], i), EXITED(i));
	expect_eq(end(&c[0], &me, 0), EXITED(0));
	expect_eq(settle(), 0);
}
