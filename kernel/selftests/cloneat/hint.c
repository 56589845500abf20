// SPDX-License-Identifier: GPL-2.0
/*
 * The hint: the exact id, in the namespace that the child is born in; what
 * makes it illegal; who may give one; that nothing else is ever handed out.
 *
 * Most checks run in a pid namespace of their own, where ids are free:
 *
 *	check
 *	  +-- init of a new pid namespace: calls
 *	        +-- child with the id that was asked for
 */
#include "cloneat_test.h"

/* Runs the body of a check as init of a new pid namespace. */
#define CHECK_IN_PIDNS(fn, text)					\
	static void fn##_inside(void *arg);				\
	CHECK(fn, text)							\
	{								\
		in_pidns(fn##_inside, NULL);				\
	}								\
	static void fn##_inside(void *arg __maybe_unused)

/* What a call to self with this hint returned: the child must have it. */
static void expect_hinted(long pid, pid_t hint)
{
	if (expect_ok(pid) == 0)
		ct_exit(ct_pid() == hint ? 5 : 9);
	expect_eq(pid, hint);
	expect_exit(pid, 5);
}

static void expect_hint(pid_t hint)
{
	expect_hinted(cloneat_fork(ct_pid(), hint), hint);
}

/* Nobody is our child: a failed call left nothing behind. */
static void expect_childless(void)
{
	expect_errno(ct_syscall6(SYS_wait4, -1, 0, __WALL | WNOHANG, 0, 0, 0),
		     ECHILD);
}

static void expect_refused(pid_t target, pid_t hint, int want)
{
	expect_errno(cloneat_fork(target, hint), want);
}

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

/* --- in use --- */

CHECK_IN_PIDNS(taken_by_init, "the namespace's init has 1: EEXIST")
{
	expect_refused(1, 1, EEXIST);
	expect_childless();
}

static pid_t start_pausing(void)
{
	pid_t pid = must(fork());

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

CHECK_IN_PIDNS(taken_by_process, "an id of a live process is EEXIST")
{
	pid_t pid = start_pausing();

	expect_refused(1, pid, EEXIST);
	kill_reap(pid);
	expect_childless();
}

CHECK_IN_PIDNS(taken_by_zombie, "an id of a zombie is EEXIST, until it is reaped")
{
	pid_t pid = must(fork());

	if (pid == 0)
		ct_exit(5);
	wait_end(pid);
	expect_refused(1, pid, EEXIST);
	expect_exit(pid, 5);
	expect_hint(pid);
}

static long pause_thread(void *arg)
{
	slot_set(0, ct_tid());
	for (;;)
		pause();
	return (long)arg;
}

CHECK_IN_PIDNS(taken_by_thread, "an id of a thread is EEXIST")
{
	long tid = clone_call(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD |
			      CLONE_FS | CLONE_FILES, ct_stack(NULL),
			      CT_STACK_SIZE, NULL, NULL, 0, pause_thread, NULL);

	expect_ok(tid);
	slot_wait(0, tid);
	expect_refused(1, tid, EEXIST);
	expect_childless();
}

/*
 * A group whose leader is gone: @leader made it and a member, and ended.
 *
 *	init
 *	  +-- leader (reaped)
 *	  +-- member, adopted by init
 */
static pid_t group_without_leader(bool session)
{
	pid_t leader = must(fork());

	if (leader == 0) {
		expect_ok(session ? setsid() : setpgid(0, 0));
		slot_set(1, start_pausing());
		ct_exit(5);
	}
	expect_exit(leader, 5);
	expect_eq(getpgid(ct_slot[1]), leader);
	return leader;
}

CHECK_IN_PIDNS(taken_by_group, "an id still held as a process group is EEXIST")
{
	pid_t leader = group_without_leader(false);

	expect_refused(1, leader, EEXIST);
	kill_reap(ct_slot[1]);
	expect_childless();
	expect_hint(leader);
}

CHECK_IN_PIDNS(taken_by_session, "an id still held as a session is EEXIST")
{
	pid_t leader = group_without_leader(true);

	expect_refused(1, leader, EEXIST);
	kill_reap(ct_slot[1]);
	expect_childless();
	expect_hint(leader);
}

/* A member of the session that left the leader's process group. */
CHECK_IN_PIDNS(taken_by_session_only, "an id held as a session alone is EEXIST")
{
	pid_t leader = must(fork());

	if (leader == 0) {
		pid_t member;

		must(setsid());
		member = start_pausing();
		must(setpgid(member, member));
		slot_set(1, member);
		ct_exit(5);
	}
	expect_exit(leader, 5);
	expect_eq(getsid(ct_slot[1]), leader);
	expect_eq(getpgid(ct_slot[1]), ct_slot[1]);
	expect_refused(1, leader, EEXIST);
	kill_reap(ct_slot[1]);
	expect_hint(leader);
}

CHECK_IN_PIDNS(taken_by_caller, "the caller's own id is EEXIST")
{
	pid_t pid = must(fork());

	if (pid == 0) {
		expect_refused(ct_pid(), ct_pid(), EEXIST);
		ct_exit(5);
	}
	expect_exit(pid, 5);
}

CHECK_IN_PIDNS(taken_twice, "the second of two calls with one hint is EEXIST")
{
	long pid = expect_ok(cloneat_fork(1, 600));

	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	expect_eq(pid, 600);
	expect_refused(1, 600, EEXIST);
	slot_set(0, 1);
	expect_exit(600, 5);
	expect_hint(600);
}

CHECK_IN_PIDNS(never_another, "a hundred calls for a taken id: none gets another one")
{
	pid_t pid = start_pausing();

	for (int i = 0; i < 100; i++)
		expect_refused(1, pid, EEXIST);
	kill_reap(pid);
	expect_childless();
}

CHECK_IN_PIDNS(failure_frees, "a call that fails later frees its id")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD | CLONE_PIDFD, 0);
	args.a.parent_tid_ptr = 8;
	expect_errno(cloneat(1, 650, &args), EFAULT);
	expect_childless();
	expect_hint(650);
}

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

/* --- nested namespaces, from outside and from inside --- */

/*
 *	check  <-- calls
 *	  +-- target: init of a new pid namespace
 *	        +-- child: hint inside, another number outside
 */
CHECK(from_outside, "with a target in another namespace the hint is the id there")
{
	struct target t;
	pid_t ids[4];
	long pid;

	target_clone(&t, CLONE_NEWPID);
	pid = expect_ok(cloneat_fork(t.pid, 321));
	if (pid == 0)
		ct_exit(ct_pid() == 321 && ct_ppid() == 1 ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 2);
	expect_eq(ids[0], pid);
	expect_eq(ids[1], 321);
	expect_eq(WEXITSTATUS(target_wait(&t, 321)), 5);
	target_end(&t);
}

CHECK(from_outside_our_ids, "ids of the caller's namespace do not matter there")
{
	struct target t;
	pid_t self = ct_pid(), ids[4];
	long pid;

	target_clone(&t, CLONE_NEWPID);
	pid = expect_ok(cloneat_fork(t.pid, self));
	if (pid == 0)
		ct_exit(ct_pid() == self ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 2);
	expect_eq(ids[1], self);
	expect(pid != self);
	expect_eq(WEXITSTATUS(target_wait(&t, self)), 5);
	target_end(&t);
}

CHECK(from_outside_taken, "an id that is taken there is EEXIST")
{
	struct target t;

	target_clone(&t, CLONE_NEWPID);
	expect_refused(t.pid, 1, EEXIST);
	expect_errno(target_wait(&t, -1), ECHILD);
	target_end(&t);
}

CHECK(from_outside_no_hint, "without a hint, the number in each is a free one")
{
	struct target t;
	pid_t ids[4];
	long pid;

	target_clone(&t, CLONE_NEWPID);
	pid = expect_ok(cloneat_fork(t.pid, 0));
	if (pid == 0)
		ct_exit(5);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 2);
	expect_eq(ids[0], pid);
	expect(ids[1] > 1);
	expect_eq(WEXITSTATUS(target_wait(&t, ids[1])), 5);
	target_end(&t);
}

/* A process that waits, in the namespace of the init that runs this. */
static long fork_pausing(void *arg)
{
	(void)arg;
	return start_pausing();
}

static pid_t outside_pid(pid_t init, pid_t inside)
{
	char path[64];
	long pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", init, init);
	f = fopen(path, "re");
	if (!f)
		ct_skip("this kernel has no /proc/PID/task/TID/children");
	while (fscanf(f, "%ld", &pid) == 1) {
		pid_t ids[4];

		if (proc_nspid(pid, ids, 4) == 2 && ids[1] == inside)
			break;
	}
	fclose(f);
	return pid;
}

CHECK(from_outside_no_init, "a target in a namespace that is not its init")
{
	struct target t;
	pid_t ids[4], inside, target;
	long pid;

	target_clone(&t, CLONE_NEWPID);
	inside = expect_ok(target_do(&t, fork_pausing, NULL));
	target = outside_pid(t.pid, inside);
	pid = expect_ok(cloneat_fork(target, 432));
	if (pid == 0)
		ct_exit(ct_pid() == 432 && ct_ppid() == inside ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 2);
	expect_eq(ids[1], 432);
	expect_eq(proc_ppid(pid), target);
	target_end(&t);
}

/* Two levels down, called from the top and from the middle. */
struct level {
	struct target t;
	pid_t hint;
};

static long call_below(void *arg)
{
	struct level *level = arg;
	long pid = cloneat_fork(level->t.pid, level->hint);

	if (pid == 0)
		ct_exit(ct_pid() == level->hint ? 5 : 9);
	return pid;
}

static long start_below(void *arg)
{
	struct level *level = arg;

	target_clone(&level->t, CLONE_NEWPID);
	return level->t.pid;
}

static long wait_below(void *arg)
{
	struct level *level = arg;

	return target_wait(&level->t, level->hint);
}

static long end_below(void *arg)
{
	target_end(&((struct level *)arg)->t);
	return 0;
}

CHECK(two_levels, "called in the middle: the id below, and in the middle another")
{
	static struct level level = { .hint = 222 };
	struct target middle;
	pid_t inner, ids[4];
	long pid;

	target_clone(&middle, CLONE_NEWPID);
	inner = expect_ok(target_do(&middle, start_below, &level));
	expect(inner > 1);
	pid = expect_ok(target_do(&middle, call_below, &level));
	expect(pid > 1 && pid != 222);
	expect_eq(WEXITSTATUS(target_do(&middle, wait_below, &level)), 5);
	pid = expect_ok(cloneat_fork(outside_pid(middle.pid, inner), 333));
	if (pid == 0)
		ct_exit(ct_pid() == 333 ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 3);
	expect_eq(ids[0], pid);
	expect_eq(ids[2], 333);
	expect_ok(target_do(&middle, end_below, &level));
	target_end(&middle);
}

/* --- with CLONE_NEWPID --- */

CHECK_IN_PIDNS(newpid, "CLONE_NEWPID: 1 in the new namespace, the hint above it")
{
	long pid = expect_ok(cloneat_words(1, 555, SIGCHLD | CLONE_NEWPID, 0));

	if (pid == 0)
		ct_exit(ct_pid() == 1 ? 5 : 9);
	expect_eq(pid, 555);
	expect_exit(555, 5);
}

CHECK_IN_PIDNS(newpid_taken, "CLONE_NEWPID with a taken hint is EEXIST")
{
	expect_errno(cloneat_words(1, 1, SIGCHLD | CLONE_NEWPID, 0), EEXIST);
	expect_childless();
}

CHECK_IN_PIDNS(newpid_ext, "CLONEXT_NEWPID takes a hint likewise")
{
	long pid = expect_ok(cloneat_words(1, 556, SIGCHLD,
					   CT_EXT(CLONEXT_NEWPID)));

	if (pid == 0)
		ct_exit(ct_pid() == 1 ? 5 : 9);
	expect_eq(pid, 556);
	expect_exit(556, 5);
}

CHECK(newpid_target, "CLONE_NEWPID below a target: the hint is its id there")
{
	struct target t;
	pid_t ids[4];
	long pid;

	target_clone(&t, CLONE_NEWPID);
	pid = expect_ok(cloneat_words(t.pid, 444, SIGCHLD | CLONE_NEWPID, 0));
	if (pid == 0)
		ct_exit(ct_pid() == 1 ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 3);
	expect_eq(ids[0], pid);
	expect_eq(ids[1], 444);
	expect_eq(ids[2], 1);
	expect_eq(WEXITSTATUS(target_wait(&t, 444)), 5);
	target_end(&t);
}

/* --- a namespace without a live init --- */

CHECK_IN_PIDNS(no_init, "pid_for_children without an init: only 1 is legal")
{
	long pid;

	ct_unshare(CLONE_NEWPID);
	expect_refused(1, 2, EINVAL);
	expect_refused(1, 999, EINVAL);
	expect_childless();
	pid = expect_ok(cloneat_fork(1, 1));
	if (pid == 0)
		ct_exit(ct_pid() == 1 ? 5 : 9);
	expect(pid > 1);
	expect_exit(pid, 5);
}

CHECK_IN_PIDNS(no_init_newpid, "no init and CLONE_NEWPID: only 1 is legal too")
{
	long pid;

	ct_unshare(CLONE_NEWPID);
	expect_errno(cloneat_words(1, 2, SIGCHLD | CLONE_NEWPID, 0), EINVAL);
	expect_childless();
	pid = cloneat_words(1, 1, SIGCHLD | CLONE_NEWPID, 0);
	if (pid == 0)
		ct_exit(5);
	/* clone(2) refuses CLONE_NEWPID while pid_for_children is another. */
	expect_errno(pid, EINVAL);
}

CHECK_IN_PIDNS(dead_init, "pid_for_children with a dead init: ENOMEM")
{
	pid_t init;

	ct_unshare(CLONE_NEWPID);
	init = expect_ok(clone_words(SIGCHLD));
	if (init == 0)
		ct_exit(5);
	expect_exit(init, 5);
	expect_refused(1, 0, ENOMEM);
	expect_refused(1, 1, ENOMEM);
	expect_refused(1, 700, ENOMEM);
	expect_childless();
}

/* --- rights --- */

static void in_child(void (*fn)(void))
{
	pid_t pid = must(fork());

	if (pid == 0) {
		fn();
		ct_exit(0);
	}
	expect_exit(pid, 0);
}

static void unprivileged(void)
{
	become(1000);
	expect_refused(ct_pid(), 900, EPERM);
	expect_childless();
	expect_child(cloneat_fork(ct_pid(), 0));
}

CHECK_IN_PIDNS(no_rights, "without a capability a hint is EPERM")
{
	in_child(unprivileged);
}

static void unprivileged_range(void)
{
	become(1000);
	expect_refused(ct_pid(), ct_pid_max(), EINVAL);
	expect_refused(ct_pid(), -1, EINVAL);
}

CHECK_IN_PIDNS(no_rights_range, "out of range is EINVAL before EPERM")
{
	in_child(unprivileged_range);
}

static void unprivileged_taken(void)
{
	become(1000);
	expect_refused(ct_pid(), 1, EPERM);
	expect_refused(ct_pid(), ct_pid(), EPERM);
}

CHECK_IN_PIDNS(no_rights_taken, "EPERM comes before EEXIST")
{
	in_child(unprivileged_taken);
}

static void without_both(void)
{
	drop_cap(CAP_SYS_ADMIN);
	drop_cap(CAP_CHECKPOINT_RESTORE);
	expect_refused(ct_pid(), 900, EPERM);
	expect_childless();
}

CHECK_IN_PIDNS(root_without_both, "root without both capabilities: EPERM")
{
	in_child(without_both);
}

static void without_admin(void)
{
	drop_cap(CAP_SYS_ADMIN);
	expect_hint(900);
}

CHECK_IN_PIDNS(checkpoint_restore, "CAP_CHECKPOINT_RESTORE suffices")
{
	in_child(without_admin);
}

static void without_checkpoint(void)
{
	drop_cap(CAP_CHECKPOINT_RESTORE);
	expect_hint(900);
}

CHECK_IN_PIDNS(sys_admin, "CAP_SYS_ADMIN suffices")
{
	in_child(without_checkpoint);
}

static void in_userns(void)
{
	enter_userns();
	expect_refused(ct_pid(), 900, EPERM);
	expect_child(cloneat_fork(ct_pid(), 0));
}

CHECK_IN_PIDNS(userns_below, "capabilities in a user namespace that owns it not: EPERM")
{
	in_child(in_userns);
}

static void in_own_pidns(void)
{
	pid_t init;

	become(1000);
	enter_userns();
	ct_unshare(CLONE_NEWPID);
	init = expect_ok(clone_words(SIGCHLD));
	if (init == 0) {
		expect_hint(900);
		ct_exit(5);
	}
	expect_exit(init, 5);
}

CHECK(userns_owner, "capabilities in the user namespace that owns it suffice")
{
	in_child(in_own_pidns);
}

static void newpid_in_userns(void)
{
	enter_userns();
	expect_errno(cloneat_words(ct_pid(), 900, SIGCHLD | CLONE_NEWPID, 0),
		     EPERM);
	expect_child(cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_NEWPID, 0));
}

CHECK_IN_PIDNS(userns_newpid, "CLONE_NEWPID: the right counts where the hint is")
{
	in_child(newpid_in_userns);
}

/* --- as a group and a number for others --- */

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
