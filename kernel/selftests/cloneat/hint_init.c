// SPDX-License-Identifier: GPL-2.0
/*
 * A hint for an init: with CLONE_NEWPID, or in a namespace without one (see hint.h).
 */
#include "hint.h"

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
