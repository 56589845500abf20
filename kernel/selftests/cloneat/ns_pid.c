// SPDX-License-Identifier: GPL-2.0
/*
 * Pid namespaces: containers, containers in containers, from outside and from
 * inside, and every number that a child has there.
 *
 *	check
 *	  +-- init 1        a container
 *	        +-- b
 *	        +-- init 2        a container in the container
 *	              +-- c
 */
#include "scene.h"

static struct actor i1, i2, b, c, k;

static void tree(void)
{
	spawn(&me, &i1, CLONE_NEWPID | CLONE_NEWNS | ACTOR_PROC);
	spawn(&i1, &b, 0);
	spawn(&i1, &i2, CLONE_NEWPID | CLONE_NEWNS | ACTOR_PROC);
	spawn(&i2, &c, 0);
}

/* The kid's numbers from the outermost namespace in; 0 ends the list. */
static void numbers(pid_t outer, pid_t middle, pid_t inner)
{
	pid_t want[3] = { outer, middle, inner }, got[8];
	int n = proc_nspid(k.pid, got, 8), m = inner ? 3 : middle ? 2 : 1;
	pid_t base[8];
	int above = proc_nspid(getpid(), base, 8) - 1;

	expect_eq(n - above, m);
	for (int i = 0; i < m; i++)
		if (want[i] != -1)
			expect_eq(got[above + i], want[i]);
}

PLAY(init_target, "target is init: the child is its child, as in the container")
{
	tree();
	expect_ok(cl(&me, &k, i1.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), 1);
	expect_eq(ns_id(k.pid, "pid"), ns_id(i1.pid, "pid"));
	numbers(k.vpid, sys(&k, SYS_getpid), 0);
	expect_eq(end(&k, &i1, 5), EXITED(5));
}

PLAY(non_init_target, "target is no init but in the container: the same")
{
	tree();
	expect_ok(cl(&me, &k, b.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), b.vpid);
	expect_eq(proc_ppid(k.pid), b.pid);
	numbers(k.vpid, sys(&k, SYS_getpid), 0);
	expect_eq(end(&k, &b, 5), EXITED(5));
}

PLAY(inner_init_target, "target is the init of a container in a container")
{
	tree();
	expect_ok(cl(&me, &k, i2.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), 1);
	expect_eq(proc_ppid(k.pid), i2.pid);
	numbers(k.vpid, -1, sys(&k, SYS_getpid));
	expect_eq(end(&k, &i2, 5), EXITED(5));
}

PLAY(inner_target, "target is no init in a container in a container")
{
	tree();
	expect_ok(cl(&me, &k, c.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), c.vpid);
	numbers(k.vpid, -1, sys(&k, SYS_getpid));
	expect_eq(end(&k, &c, 5), EXITED(5));
}

PLAY(from_init, "init itself is the caller: returned is its own view")
{
	tree();
	expect_ok(cl(&i1, &k, b.vpid, 0, 0));
	expect_eq(sys(&k, SYS_getpid), k.vpid);
	expect_eq(sys(&k, SYS_getppid), b.vpid);
	expect_eq(end(&k, &b, 5), EXITED(5));
}

PLAY(from_inside, "init of the outer container calls into the inner one")
{
	long ret;

	tree();
	ret = expect_ok(cl(&i1, &k, number_in(&i2, &i1), 0, 0));
	numbers(k.pid, ret, sys(&k, SYS_getpid));
	expect_eq(end(&k, &i2, 5), EXITED(5));
}

PLAY(from_inside_deep, "and to a process of the inner one that is no init")
{
	long ret;

	tree();
	ret = expect_ok(cl(&i1, &k, number_in(&c, &i1), 0, 0));
	numbers(k.pid, ret, sys(&k, SYS_getpid));
	expect_eq(sys(&k, SYS_getppid), c.vpid);
	expect_eq(end(&k, &c, 5), EXITED(5));
}

PLAY(self_in_container, "pid == the caller inside a container")
{
	tree();
	expect_ok(cl(&b, &k, b.vpid, 0, 0));
	expect_eq(sys(&k, SYS_getpid), k.vpid);
	expect_eq(sys(&k, SYS_getppid), b.vpid);
	expect_eq(end(&k, &b, 5), EXITED(5));
}

PLAY(self_init, "init of a container clones to itself, as pid 1")
{
	tree();
	expect_ok(cl(&i1, &k, 1, 0, 0));
	expect_eq(sys(&k, SYS_getpid), k.vpid);
	expect_eq(sys(&k, SYS_getppid), 1);
	expect_eq(end(&k, &i1, 5), EXITED(5));
}

PLAY(not_upwards, "nobody names a process outside its container")
{
	tree();
	expect_eq(cl(&b, &k, 1, 0, 0), -EPERM);
	expect_eq(cl(&c, &k, 1, 0, 0), -EPERM);
	expect_eq(cl(&b, &k, number_in(&i2, &i1), 0, 0), -EPERM);
}

PLAY(hint_outside, "a hint is the number in the target's namespace")
{
	tree();
	expect_ok(cl(&me, &k, i1.pid, 77, 0));
	expect_eq(sys(&k, SYS_getpid), 77);
	numbers(k.vpid, 77, 0);
	expect_eq(cl(&me, &c, i1.pid, 77, 0), -EEXIST);
	expect_eq(end(&k, &i1, 5), EXITED(5));
}

PLAY(hint_nested, "a hint in a container in a container, from outside")
{
	tree();
	expect_ok(cl(&me, &k, c.pid, 99, 0));
	expect_eq(sys(&k, SYS_getpid), 99);
	numbers(k.vpid, -1, 99);
	expect_eq(end(&k, &c, 5), EXITED(5));
}

PLAY(hint_inside, "a hint from inside: returned is the caller's view")
{
	long ret;

	tree();
	ret = expect_ok(cl(&i1, &k, number_in(&i2, &i1), 99, 0));
	expect(ret != 99);
	numbers(k.pid, ret, 99);
	expect_eq(end(&k, &i2, 5), EXITED(5));
}

PLAY(hint_same, "a hint in the caller's own container is what it returns")
{
	tree();
	expect_eq(cl(&i1, &k, b.vpid, 66, 0), 66);
	expect_eq(sys(&k, SYS_getpid), 66);
	expect_eq(cl(&i1, &c, b.vpid, 66, 0), -EEXIST);
	expect_eq(end(&k, &b, 5), EXITED(5));
	expect_eq(cl(&i1, &k, b.vpid, 66, 0), 66);
}

PLAY(hint_init, "the number of the container's init is in use")
{
	tree();
	expect_eq(cl(&me, &k, b.pid, 1, 0), -EEXIST);
	expect_eq(cl(&me, &k, i1.pid, b.vpid, 0), -EEXIST);
	expect_eq(cl(&i1, &k, 1, 2, 0), -EEXIST);
}

/* N is the caller's pid_for_children, and nobody is in it yet. */
PLAY(hint_no_init, "no init yet: only 1 is a legal hint")
{
	struct actor a;

	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_unshare, CLONE_NEWPID), 0);
	expect_eq(cl(&a, &k, a.pid, 2, 0), -EINVAL);
	expect_eq(cl(&a, &k, a.pid, 300, 0), -EINVAL);
	expect_ok(cl(&a, &k, a.pid, 1, 0));
	expect_eq(sys(&k, SYS_getpid), 1);
	expect_eq(cl(&a, &c, a.pid, 1, 0), -EEXIST);
	expect_ok(cl(&a, &c, a.pid, 300, 0));
	expect_eq(c.vpid, number_in(&c, &me));
	expect_eq(sys(&c, SYS_getpid), 300);
	/* Before the init: that one waits until its last process is reaped. */
	expect_eq(end(&c, &a, 5), EXITED(5));
}

PLAY(below_own_init, "a caller whose children are born below: their init")
{
	struct actor a;

	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_unshare, CLONE_NEWPID), 0);
	expect_ok(cl(&a, &c, a.pid, 0, 0));
	expect_ok(cl(&a, &k, c.vpid, 300, 0));
	expect_eq(sys(&k, SYS_getpid), 300);
	expect_eq(sys(&k, SYS_getppid), 1);
	expect_eq(end(&k, &c, 5), EXITED(5));
}

PLAY(session_invisible, "session and group outside the container read as 0")
{
	tree();
	expect_ok(cl(&me, &k, i1.pid, 0, 0));
	expect_eq(sys(&k, SYS_getsid, 0), 0);
	expect_eq(sys(&k, SYS_getpgid, 0), 0);
	expect_eq(getpgid(k.pid), getpgrp());
	expect_eq(getsid(k.pid), getsid(0));
}

PLAY_DOCUMENTED(group_outside,
		"a process group outside the container is the child's",
		"it has no number where the child could join it")
{
	struct actor a;

	spawn(&me, &a, 0);
	spawn(&a, &i1, CLONE_NEWPID);
	spawn(&i1, &b, 0);
	expect_eq(sys(&a, SYS_setpgid, 0, 0), 0);
	expect_ok(cl(&a, &k, b.pid, 0, 0));
	expect_eq(getpgid(k.pid), a.pid);
	expect_eq(getsid(k.pid), getsid(0));
}

PLAY(init_dies, "the container's init dies: the child dies with it")
{
	tree();
	expect_ok(cl(&me, &k, b.pid, 0, 0));
	must(kill(i1.pid, SIGKILL));
	wait_end(k.pid);
	expect_eq(on(&me, do_wait4, i1.pid, 0), i1.pid);
	expect_eq(proc_state(k.pid), 0);
}

PLAY(target_dies_inside, "the target dies inside: its init adopts")
{
	tree();
	expect_ok(cl(&me, &k, c.pid, 0, 0));
	expect_eq(end(&c, &i2, 0), EXITED(0));
	expect_eq(sys(&k, SYS_getppid), 1);
	expect_eq(end(&k, &i2, 5), EXITED(5));
}

PLAY(kid_sees, "the child sees the container's processes and no other")
{
	tree();
	expect_ok(cl(&me, &k, b.pid, 0, 0));
	expect_eq(sys(&k, SYS_kill, 1, 0), 0);
	expect_eq(sys(&k, SYS_kill, b.vpid, 0), 0);
	expect_eq(sys(&k, SYS_kill, 900, 0), -ESRCH);
}

PLAY(kid_builds, "the child of a container's target calls inside it")
{
	struct actor f;

	tree();
	expect_ok(cl(&me, &k, b.pid, 0, 0));
	spawn(&k, &f, 0);
	expect_eq(cl(&k, &c, f.vpid, 50, 0), 50);
	expect_eq(sys(&c, SYS_getppid), f.vpid);
	expect_eq(end(&c, &f, 5), EXITED(5));
}

/* Siblings in a rebuilt tree: 10 -> 20 -> 30, 10 -> 40, all with hints. */
PLAY(rebuild_outside, "a tree with given numbers is built from outside")
{
	struct actor n[4];

	spawn(&me, &i1, CLONE_NEWPID);
	expect_ok(cl(&me, &n[0], i1.pid, 10, 0));
	expect_ok(cl(&me, &n[1], n[0].pid, 20, 0));
	expect_ok(cl(&me, &n[2], n[1].pid, 30, 0));
	expect_ok(cl(&me, &n[3], n[0].pid, 40, 0));
	expect_eq(sys(&n[0], SYS_getppid), 1);
	expect_eq(sys(&n[1], SYS_getppid), 10);
	expect_eq(sys(&n[2], SYS_getppid), 20);
	expect_eq(sys(&n[3], SYS_getppid), 10);
	for (int i = 0; i < 4; i++)
		expect_eq(sys(&n[i], SYS_getpid), (i + 1) * 10);
}

PLAY(rebuild_inside, "the same tree is built by the container's init")
{
	struct actor n[4];

	spawn(&me, &i1, CLONE_NEWPID);
	expect_eq(cl(&i1, &n[0], 1, 10, 0), 10);
	expect_eq(cl(&i1, &n[1], 10, 20, 0), 20);
	expect_eq(cl(&i1, &n[2], 20, 30, 0), 30);
	expect_eq(cl(&i1, &n[3], 10, 40, 0), 40);
	expect_eq(sys(&n[2], SYS_getppid), 20);
	expect_eq(sys(&n[3], SYS_getppid), 10);
	expect_eq(end(&n[2], &n[1], 5), EXITED(5));
	expect_eq(end(&n[3], &n[0], 6), EXITED(6));
}
