// SPDX-License-Identifier: GPL-2.0
/*
 * Who adopts the child when the target dies.
 *
 *	check (caller)
 *	  +-- target
 *	        +-- kid    made by the caller, a child of the target
 */
#include "scene.h"

PLAY(orphan_subreaper, "the target dies: the nearest subreaper adopts")
{
	struct actor s, t, k;

	spawn(&me, &s, 0);
	expect_eq(sys(&s, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
	spawn(&s, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(end(&t, &s, 0), EXITED(0));
	expect_eq(sys(&k, SYS_getppid), s.pid);
	expect_eq(end(&k, &s, 5), EXITED(5));
}

PLAY(orphan_caller, "the target dies: a caller that is a subreaper adopts")
{
	struct actor t, k;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(end(&t, &me, 0), EXITED(0));
	expect_eq(sys(&k, SYS_getppid), getpid());
	expect_eq(end(&k, &me, 5), EXITED(5));
}

PLAY(orphan_above, "the target dies: not the caller but the reaper above")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(end(&t, &me, 0), EXITED(0));
	expect_eq(sys(&k, SYS_getppid), getppid());
	expect_eq(on(&me, do_wait4, k.pid, WNOHANG | __WALL), -ECHILD);
}

PLAY(orphan_zombie, "a zombie child goes to the reaper when its parent dies")
{
	struct actor t, k;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 5);
	expect_eq(end(&t, &me, 0), EXITED(0));
	expect_eq(on(&me, do_wait4, k.pid, 0), k.pid);
	expect_eq(status_of(&me), EXITED(5));
}

/* check -> init of a pid namespace -> target -> kid */
PLAY(orphan_container, "in a container its init adopts")
{
	struct actor i, t, k;

	spawn(&me, &i, CLONE_NEWPID);
	spawn(&i, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.vpid);
	expect_eq(end(&t, &i, 0), EXITED(0));
	expect_eq(sys(&k, SYS_getppid), 1);
	expect_eq(proc_ppid(k.pid), i.pid);
}

/* check -> target (leader + thread) -> kid; the leader ends */
PLAY(orphan_thread, "the leader dies: another thread of the target adopts")
{
	struct actor t, th, k;

	spawn(&me, &t, 0);
	thread_of(&t, &th);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	kill_leader(&t);
	expect_eq(sys(&k, SYS_getppid), t.pid);
	quit(&k, 5);
	expect_eq(on(&th, do_wait4, k.pid, __WNOTHREAD), k.pid);
}

PLAY(pdeathsig, "PR_SET_PDEATHSIG in the child is about the target")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_block), 0);
	expect_eq(sys(&k, SYS_prctl, PR_SET_PDEATHSIG, SIGUSR1), 0);
	expect_eq(end(&t, &me, 0), EXITED(0));
	expect_eq(on(&k, do_wait_signal, SIGUSR1), SIGUSR1);
}

PLAY(kid_orphans, "the child dies: its own children go to the reaper")
{
	struct actor t, k, f;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	spawn(&k, &f, 0);
	expect_eq(end(&k, &t, 0), EXITED(0));
	expect_eq(sys(&f, SYS_getppid), getpid());
}

/* The caller dies at once: the child stays where it is. */
PLAY(caller_dies, "the caller's death does not touch the target's child")
{
	struct actor a, t, k;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(end(&a, &me, 0), EXITED(0));
	expect_eq(sys(&t, SYS_getppid), getpid());
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}
