// SPDX-License-Identifier: GPL-2.0
/*
 * The target is killed in a call: its child is an adopter's, or there is none.
 *
 *	check
 *	  +-- a         calls; or the check adopts
 *	        +-- target    is killed
 */
#include "race.h"
#include <sys/ptrace.h>

/* A target of a's is killed at any moment of a call; its child is the adopter's. */
static void leave_once(struct actor *adopter)
{
	long us, ret;

	spawn(&a, &t, 0);
	us = measure(&a);
	cl_start(&a, t.pid, 0, 0);
	usleep(rand() % us);
	must(kill(t.pid, SIGKILL));
	ret = cl_finish(&a, &k);
	expect_among(ret, AMONG(0, ESRCH));
	expect_eq(on(&a, do_wait4, t.pid, 0), t.pid);
	if (ret > 0) {
		must(kill(k.pid, SIGKILL));
		expect_eq(on(adopter, do_wait4, k.pid, 0), k.pid);
	}
	close(k.fd);
}

/*
 * check -> a (caller) -> target; adopter, one of both, has the target's orphans
 */
static void leave(struct actor *adopter)
{
	for (int i = 0; i < 4 * ROUNDS; i++) {
		spawn(&me, &a, 0);
		expect_eq(sys(adopter, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
		leave_once(adopter);
		expect_eq(on(&a, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
		quit(&a, 0);
		expect_eq(on(&me, do_wait4, a.pid, 0), a.pid);
		expect_eq(on(&me, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
		close_all();
	}
}

PLAY(target_leaves, "a target that is killed leaves a child to its adopter, or nothing")
{
	leave(&me);
}

PLAY(target_leaves_caller, "the same where the caller is the adopter")
{
	leave(&a);
}

/* check -> a (caller) -> target; company, which shares a's memory */
PLAY(target_leaves_company, "a target that is killed: who shares the caller's memory lives on")
{
	struct actor company;
	long us;

	for (int i = 0; i < 4 * ROUNDS; i++) {
		cast();
		spawn(&a, &company, CLONE_VM);
		us = measure(&a);
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		must(kill(t.pid, SIGKILL));
		expect_among(cl_finish(&a, &k), AMONG(0, ESRCH));
		whole(&k);
		expect_eq(end(&company, &a, 3), EXITED(3));
		close_all();
	}
}

/* check -> adopter -> a (caller) -> target */
PLAY(target_leaves_sharer, "the same where the adopter shares the caller's memory")
{
	struct actor adopter;

	for (int i = 0; i < 4 * ROUNDS; i++) {
		spawn(&me, &adopter, 0);
		expect_eq(sys(&adopter, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
		spawn(&adopter, &a, CLONE_VM);
		leave_once(&adopter);
		expect_eq(end(&a, &adopter, 3), EXITED(3));
		expect_eq(on(&adopter, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
		close(adopter.fd);
		close_all();
	}
}

/* check -> adopter, traced -> a (caller) -> target */
PLAY_DOCUMENTED(target_leaves_traced, "the same where the adopter is traced",
		"a process has one tracer, so that the emulator leaves it a child that has ended")
{
	struct actor adopter, tracer;
	long us, ret;

	for (int i = 0; i < ROUNDS; i++) {
		spawn(&me, &adopter, 0);
		expect_eq(sys(&adopter, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
		spawn(&adopter, &a, 0);
		spawn(&a, &t, 0);
		us = measure(&a);
		spawn(&me, &tracer, 0);
		expect_eq(sys(&tracer, SYS_ptrace, PTRACE_SEIZE, adopter.pid, 0, 0), 0);
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		must(kill(t.pid, SIGKILL));
		ret = cl_finish(&a, &k);
		/* The adopter would stop for its tracer at SIGCHLD: let it go. */
		expect_eq(end(&tracer, &me, 3), EXITED(3));
		expect_eq(on(&a, do_wait4, t.pid, 0), t.pid);
		if (ret > 0) {
			must(kill(k.pid, SIGKILL));
			expect_eq(on(&adopter, do_wait4, k.pid, 0), k.pid);
		}
		close(k.fd);
		expect_eq(on(&adopter, do_wait4, -1, WNOHANG | __WALL), 0);
		close(adopter.fd);
		close_all();
	}
}
