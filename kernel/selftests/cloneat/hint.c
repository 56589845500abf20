// SPDX-License-Identifier: GPL-2.0
/*
 * The hint: the exact id, in the namespace that the child is born in; what makes
 * it illegal; that nothing else is ever handed out (see hint.h).
 */
#include "hint.h"

/* --- legal ids --- */

CHECK_IN_PIDNS(exact, "the child has the id that was asked for")
{
	expect_hint(777);
}

CHECK_IN_PIDNS(many, "fifty hints, up and down, all exact")
{
	for (pid_t hint = 500; hint < 525; hint++)
		expect_hint(hint);
	for (pid_t hint = 999; hint > 974; hint--)
		expect_hint(hint);
}

CHECK_IN_PIDNS(again, "an id is free again once its process was reaped")
{
	for (int i = 0; i < 5; i++)
		expect_hint(444);
}

CHECK_IN_PIDNS(reserved, "ids below 300 are allowed, which are never given by chance")
{
	expect_hint(2);
	expect_hint(17);
	expect_hint(299);
	expect_hint(300);
}

CHECK_IN_PIDNS(largest, "pid_max - 1 is allowed")
{
	expect_hint(ct_pid_max() - 1);
}

CHECK_IN_PIDNS(zero, "hint 0 is no hint: the next free id")
{
	long first = expect_child(cloneat_fork(1, 0));
	long second = expect_child(cloneat_fork(1, 0));

	expect(first > 1 && second > first);
}

CHECK(outside, "a hint works in the namespace that the check was started in")
{
	long pid = -EEXIST;
	pid_t hint;

	/* Others take ids here: one that was free may be taken by now. */
	for (int tries = 0; pid == -EEXIST && tries < 100; tries++) {
		hint = free_pid();
		pid = cloneat_fork(ct_pid(), hint);
	}
	expect_hinted(pid, hint);
}

/* --- range --- */

CHECK_IN_PIDNS(negative, "a hint below 0 is EINVAL")
{
	expect_refused(1, -1, EINVAL);
	expect_refused(1, -300, EINVAL);
	expect_refused(1, INT_MIN, EINVAL);
	expect_childless();
}

CHECK_IN_PIDNS(pid_max, "a hint of pid_max and above is EINVAL")
{
	long max = ct_pid_max();

	expect_refused(1, max, EINVAL);
	expect_refused(1, max + 1, EINVAL);
	expect_refused(1, INT_MAX, EINVAL);
	expect_childless();
}

CHECK(largest_possible, "a hint of 2^22 is EINVAL: no pid_max is larger")
{
	expect_refused(ct_pid(), 1 << 22, EINVAL);
}

/* --- another target --- */

CHECK_IN_PIDNS(target, "a hint with another target: the id, and that parent")
{
	struct target t;
	long pid;

	target_start(&t);
	pid = expect_ok(cloneat_fork(t.pid, 888));
	if (pid == 0)
		ct_exit(ct_pid() == 888 && ct_ppid() == t.pid ? 5 : 9);
	expect_eq(pid, 888);
	expect_eq(WEXITSTATUS(target_wait(&t, 888)), 5);
	target_end(&t);
}

CHECK_IN_PIDNS(target_taken, "a taken hint with another target is EEXIST, no child")
{
	struct target t;

	target_start(&t);
	expect_refused(t.pid, 1, EEXIST);
	expect_refused(t.pid, t.pid, EEXIST);
	expect_errno(target_wait(&t, -1), ECHILD);
	target_end(&t);
	expect_childless();
}

CHECK_IN_PIDNS(target_range, "hints out of range with another target are EINVAL")
{
	struct target t;

	target_start(&t);
	expect_refused(t.pid, -1, EINVAL);
	expect_refused(t.pid, ct_pid_max(), EINVAL);
	expect_errno(target_wait(&t, -1), ECHILD);
	target_end(&t);
}

CHECK_IN_PIDNS(target_many, "a tree of twenty with chosen ids, each below the last")
{
	pid_t parent = 1;

	for (int i = 0; i < 20; i++) {
		pid_t hint = 950 - i * 7;
		long pid = expect_ok(cloneat_fork(parent, hint));

		if (pid == 0)
			for (;;)
				pause();
		expect_eq(pid, hint);
		expect_eq(proc_ppid(hint), parent);
		parent = hint;
	}
}

/* --- other kinds of child, and a number for others --- */

CHECK_IN_PIDNS(kinds_of_child, "vfork, CLONE_VM and threads take hints as well")
{
	struct ct_args args;
	long pid;

	pid = cloneat_words(1, 701, SIGCHLD | CLONE_VFORK, 0);
	if (pid == 0)
		ct_exit(ct_pid() == 701 ? 5 : 9);
	expect_eq(pid, 701);
	expect_exit(701, 5);
	ct_stack(ct_args(&args, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD |
			 CLONE_FS | CLONE_FILES, 0));
	pid = cloneat_call(1, 702, &args.a, pause_thread, NULL);
	expect_eq(pid, 702);
	slot_wait(0, 702);
}

CHECK_IN_PIDNS(cursor, "a hint does not move the ids of others without a hint")
{
	long before = expect_child(cloneat_fork(1, 0)), after;

	expect_hint(ct_pid_max() > 20000 ? 20000 : 900);
	after = expect_child(cloneat_fork(1, 0));
	expect(after > before && after < before + 100);
}

CHECK_IN_PIDNS(settid, "CLONE_PARENT_SETTID and CHILD_SETTID store the hint")
{
	static volatile pid_t ours, born;
	struct ct_args args;
	long pid;

	ct_args(&args, SIGCHLD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, 0);
	args.a.parent_tid_ptr = (uintptr_t)&ours;
	args.a.child_tid_ptr = (uintptr_t)&born;
	pid = expect_ok(cloneat(1, 808, &args));
	if (pid == 0)
		ct_exit(born == 808 ? 5 : 9);
	expect_eq(ours, 808);
	expect_eq(born, 0);
	expect_exit(808, 5);
}
