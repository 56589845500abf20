// SPDX-License-Identifier: GPL-2.0
/*
 * A hint that is in use: EEXIST, and until when (see hint.h).
 */
#include "hint.h"

CHECK_IN_PIDNS(taken_by_init, "the namespace's init has 1: EEXIST")
{
	expect_refused(1, 1, EEXIST);
	expect_childless();
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
