// SPDX-License-Identifier: GPL-2.0
/*
 * Who may give a hint: capabilities where the id is (see hint.h).
 */
#include "hint.h"

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
