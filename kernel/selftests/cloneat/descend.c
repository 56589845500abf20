// SPDX-License-Identifier: GPL-2.0
/*
 * Whom a caller may name: itself and its descendants, and what another target
 * forbids.
 */
#include "scene.h"
#include <sys/ptrace.h>

PLAY(own_parent, "the caller's parent is no target: EPERM")
{
	refused(&me, getppid(), EPERM);
}

PLAY(own_grandparent, "the caller's grandparent is no target: EPERM")
{
	struct actor a;

	spawn(&me, &a, 0);
	refused(&a, getppid(), EPERM);
	refused(&a, getpid(), EPERM);
}

PLAY(init_process, "init of the pid namespace is no target of others: EPERM")
{
	refused(&me, 1, EPERM);
}

/* check -> init -> a; a names 1 */
PLAY(init_container, "init of a container is no target from inside: EPERM")
{
	struct actor i, a;

	spawn(&me, &i, CLONE_NEWPID);
	spawn(&i, &a, 0);
	refused(&a, 1, EPERM);
}

/* check -> a, sibling; a names its sibling */
PLAY(sibling, "a sibling is no target: EPERM")
{
	struct actor a, b;

	spawn(&me, &a, 0);
	spawn(&me, &b, 0);
	refused(&a, b.pid, EPERM);
}

/* check -> a, b -> c; a names c */
PLAY(niece, "a child of a sibling is no target: EPERM")
{
	struct actor a, b, c;

	spawn(&me, &a, 0);
	spawn(&me, &b, 0);
	spawn(&b, &c, 0);
	refused(&a, c.pid, EPERM);
}

/* check -> target -> kid; kid names the target, the check */
PLAY(kid_names_up, "the child may name neither its parent nor the caller")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	refused(&k, t.pid, EPERM);
	refused(&k, getpid(), EPERM);
}

/* check -> target -> kid 1, kid 2; kid 1 names kid 2 */
PLAY(kid_names_sibling, "the child may not name another child of its parent")
{
	struct actor t, k[2];

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k[0], t.pid, 0, 0));
	expect_ok(cl(&me, &k[1], t.pid, 0, 0));
	refused(&k[0], k[1].pid, EPERM);
}

/* check -> a -> b (orphan, goes above check) */
PLAY(reparented_away, "who was reparented away is no descendant: EPERM")
{
	struct actor a, b;

	spawn(&me, &a, 0);
	spawn(&a, &b, 0);
	expect_eq(end(&a, &me, 0), EXITED(0));
	expect_eq(sys(&b, SYS_getppid), getppid());
	refused(&me, b.pid, EPERM);
}

/* check (subreaper) -> a -> b (orphan, comes to check) */
PLAY(adopted, "whom a subreaper adopted is its descendant")
{
	struct actor a, b;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	spawn(&me, &a, 0);
	spawn(&a, &b, 0);
	expect_eq(end(&a, &me, 0), EXITED(0));
	child_of(&b);
}

/* check -> s (subreaper) -> a -> b; a dies */
PLAY(adopted_below, "adopted by a subreaper below the caller is a target")
{
	struct actor s, a, b;

	spawn(&me, &s, 0);
	expect_eq(sys(&s, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
	spawn(&s, &a, 0);
	spawn(&a, &b, 0);
	expect_eq(end(&a, &s, 0), EXITED(0));
	expect_eq(sys(&b, SYS_getppid), s.pid);
	child_of(&b);
}

/* check -> s (subreaper) -> x -> a -> b: a dies, b goes to s, not to x */
PLAY(adopted_stranger, "adopted above it: the former grandparent may not name it")
{
	struct actor s, x, a, b;

	spawn(&me, &s, 0);
	expect_eq(sys(&s, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
	spawn(&s, &x, 0);
	spawn(&x, &a, 0);
	spawn(&a, &b, 0);
	refused(&b, a.pid, EPERM);
	expect_eq(end(&a, &x, 0), EXITED(0));
	refused(&x, b.pid, EPERM);
	expect_eq(sys(&b, SYS_getppid), s.pid);
}

PLAY(thread_id, "a thread's id is no target: EINVAL")
{
	struct actor t, th;

	spawn(&me, &t, 0);
	thread_of(&t, &th);
	refused(&me, th.pid, EINVAL);
}

PLAY(own_thread_id, "the id of another thread of ours is EINVAL")
{
	struct actor a, th;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	refused(&a, th.pid, EINVAL);
	refused(&th, th.pid, EINVAL);
}

/* check -> a, b (leader + thread); a names b's thread */
PLAY(stranger_thread_id, "a stranger's thread id: EINVAL comes before EPERM")
{
	struct actor a, b, th;

	spawn(&me, &a, 0);
	spawn(&me, &b, 0);
	thread_of(&b, &th);
	refused(&a, th.pid, EINVAL);
}

PLAY(zombie, "a zombie is no target: ESRCH")
{
	struct actor t;

	spawn(&me, &t, 0);
	quit(&t, 0);
	refused(&me, t.pid, ESRCH);
	expect_eq(on(&me, do_wait4, t.pid, 0), t.pid);
	refused(&me, t.pid, ESRCH);
}

/* check -> a, b (zombie); a names b */
PLAY(zombie_stranger, "a stranger's zombie: EPERM comes before ESRCH")
{
	struct actor a, b;

	spawn(&me, &a, 0);
	spawn(&me, &b, 0);
	quit(&b, 0);
	refused(&a, b.pid, EPERM);
}

/* check -> target (leader and thread dead) */
PLAY(zombie_group, "a dead leader whose last thread ended: ESRCH")
{
	struct actor t, th;

	dead_leader(&t, &th);
	start(&th, do_exit_thread, 0);
	wait_end(t.pid);
	refused(&me, t.pid, ESRCH);
}

PLAY(nobody, "a number that nobody has: ESRCH")
{
	struct actor t;

	spawn(&me, &t, 0);
	expect_eq(end(&t, &me, 0), EXITED(0));
	refused(&me, t.pid, ESRCH);
	refused(&me, ct_pid_max(), ESRCH);
	refused(&me, INT_MAX, ESRCH);
}

PLAY(not_positive, "pid 0 and negative numbers: EINVAL")
{
	refused(&me, 0, EINVAL);
	refused(&me, -1, EINVAL);
	refused(&me, -getpid(), EINVAL);
	refused(&me, INT_MIN, EINVAL);
}

/* check -> a -> b; a's number in another namespace means nothing */
PLAY(outer_number, "numbers are looked up in the caller's pid namespace")
{
	struct actor i, t;

	spawn(&me, &i, CLONE_NEWPID);
	spawn(&i, &t, 0);
	expect(t.pid != t.vpid);
	refused(&i, ct_pid_max() - 1, ESRCH);
	expect_eq(t.vpid, 2);
	refused(&i, 3, ESRCH);
}

PLAY(exit_signal_target, "another target: an exit signal but SIGCHLD is EINVAL")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(cl(&me, &k, t.pid, 0, SIGUSR1), -EINVAL);
	expect_eq(cl(&me, &k, t.pid, 0, SIGKILL), -EINVAL);
	expect_eq(cl(&me, &k, t.pid, 0, NOSIGNAL), -EINVAL);
}

PLAY(parent_thread_target, "another target: CLONE_PARENT, THREAD: EINVAL")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_VM | CLONE_SIGHAND | CLONE_FS | CLONE_FILES);
	expect_eq(cl(&me, &k, t.pid, 0, CLONE_PARENT), -EINVAL);
	expect_eq(cl(&me, &k, t.pid, 0,
		     CLONE_THREAD | CLONE_SIGHAND | CLONE_VM), -EINVAL);
}

/* keeper -> check, kid: CLONE_PARENT to self makes a sibling */
PLAY(clone_parent_self, "to self CLONE_PARENT makes a sibling, as clone")
{
	struct actor a, k;

	spawn(&me, &a, 0);
	expect_ok(cl(&a, &k, a.pid, 0, CLONE_PARENT));
	expect_eq(sys(&k, SYS_getppid), getpid());
	expect_eq(end(&k, &me, 4), EXITED(4));
}

/* check -> a; kid is a child of check through a: descendant of check only */
PLAY(clone_parent_stranger, "a sibling made by CLONE_PARENT is no descendant")
{
	struct actor a, k;

	spawn(&me, &a, 0);
	expect_ok(cl(&a, &k, a.pid, 0, CLONE_PARENT));
	refused(&a, k.pid, EPERM);
	child_of(&k);
}

/* A traced target: the kernel's real parent is not the tracer. */
PLAY_DOCUMENTED(traced_target, "a traced target is the parent, not its tracer",
		"a process has one tracer, so the emulator answers EBUSY")
{
	struct actor t, k, tracer;

	spawn(&me, &t, 0);
	spawn(&me, &tracer, 0);
	expect_eq(sys(&tracer, SYS_ptrace, PTRACE_SEIZE, t.pid, 0, 0), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.pid);
	/* The target would stop for its tracer at SIGCHLD: let it go. */
	expect_eq(end(&tracer, &me, 3), EXITED(3));
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* check -> a (caller) -> target; tracer: of a, and then of the kid */
PLAY_DOCUMENTED(traced_caller, "a traced caller: its tracer traces the child as well",
		"a process has one tracer, so the emulator answers EBUSY")
{
	struct actor a, t, k, tracer;
	long stopped = 0, kid = 0;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	spawn(&me, &tracer, 0);
	expect_eq(sys(&tracer, SYS_ptrace, PTRACE_SEIZE, a.pid, 0,
		      PTRACE_O_TRACEFORK), 0);
	cl_start(&a, t.pid, 0, 0);
	while (!stopped && !answered(&a))
		stopped = on(&tracer, do_wait4, a.pid, WNOHANG | __WALL);
	if (stopped) {
		expect_eq(stopped, a.pid);
		expect_eq(status_of(&tracer) >> 8,
			  SIGTRAP | PTRACE_EVENT_FORK << 8);
		/* No child of the tracer: it can wait for what it traces. */
		kid = on(&tracer, do_wait4, -1, __WALL);
		expect(kid > 0 && kid != a.pid);
		expect(WIFSTOPPED(status_of(&tracer)));
		expect_eq(sys(&tracer, SYS_ptrace, PTRACE_DETACH, kid, 0, 0), 0);
		expect_eq(sys(&tracer, SYS_ptrace, PTRACE_DETACH, a.pid, 0, 0), 0);
	}
	expect_ok(cl_finish(&a, &k));
	expect_eq(k.pid, kid);
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}
