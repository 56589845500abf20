// SPDX-License-Identifier: GPL-2.0
/*
 * Flags with a target other than the caller: what is refused with any that
 * shares nothing, and what is fine.
 *
 *	check  <-- calls
 *	  +-- target
 *	        +-- child of the call
 */
#include "target.h"

static const struct refused_row {
	const char *name;
	const char *verdict;
	unsigned int word0, word1;
} refusals[] = {
	{ "thread", "a thread in another process is EINVAL",
	  SIGCHLD | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0 },
	{ "ext_thread", "a CLONEXT_THREAD in another process is EINVAL", SIGCHLD,
	  CT_EXT(CLONEXT_VM) | CT_EXT(CLONEXT_SIGHAND) |
	  CT_EXT(CLONEXT_THREAD) },
	{ "parent", "CLONE_PARENT is EINVAL", SIGCHLD | CLONE_PARENT, 0 },
	{ "ext_parent", "CLONEXT_PARENT is EINVAL", SIGCHLD,
	  CT_EXT(CLONEXT_PARENT) },
	{ "newuser", "CLONE_NEWUSER is EINVAL", SIGCHLD | CLONE_NEWUSER, 0 },
	{ "ext_newuser", "CLONEXT_NEWUSER is EINVAL", SIGCHLD,
	  CT_EXT(CLONEXT_NEWUSER) },
	{ "newuser_newpid", "CLONE_NEWUSER | CLONE_NEWPID is EINVAL",
	  SIGCHLD | CLONE_NEWUSER | CLONE_NEWPID, 0 },
	{ "vm", "CLONE_VM is EINVAL if the target does not share memory",
	  SIGCHLD | CLONE_VM, 0 },
	{ "ext_vm", "CLONEXT_VM is EINVAL if the target does not share memory",
	  SIGCHLD, CT_EXT(CLONEXT_VM) },
	{ "vm_vfork", "CLONE_VM | CLONE_VFORK is EINVAL as well",
	  SIGCHLD | CLONE_VM | CLONE_VFORK, 0 },
	{ "fs", "CLONE_FS is EINVAL if the target does not share it",
	  SIGCHLD | CLONE_FS, 0 },
	{ "ext_fs", "CLONEXT_FS is EINVAL if the target does not share it",
	  SIGCHLD, CT_EXT(CLONEXT_FS) },
	{ "files", "CLONE_FILES is EINVAL if the target does not share them",
	  SIGCHLD | CLONE_FILES, 0 },
	{ "ext_files", "CLONEXT_FILES is EINVAL if the target does not share them",
	  SIGCHLD, CT_EXT(CLONEXT_FILES) },
	{ "sighand", "CLONE_SIGHAND is EINVAL if the target does not share them",
	  SIGCHLD | CLONE_VM | CLONE_SIGHAND, 0 },
	{ "fs_files", "two kinds that are not shared are EINVAL",
	  SIGCHLD | CLONE_FS | CLONE_FILES, 0 },
};

CHECK_TABLE(refusal, refusals)
{
	const struct refused_row *row = ct_arg();
	struct target t;

	target_start(&t);
	expect_errno(target_refused(&t, row->word0, row->word1), EINVAL);
	target_end(&t);
}

CHECK(signals, "an exit signal other than SIGCHLD, 0 too, is EINVAL")
{
	struct target t;

	target_start(&t);
	for (int sig = 0; sig <= 64; sig++)
		if (sig != SIGCHLD)
			expect_errno(cloneat_words(t.pid, 0, sig, 0), EINVAL);
	expect_errno(target_wait(&t, -1), ECHILD);
	target_end(&t);
}

CHECK(nothing_left, "a refused call leaves the target without a child")
{
	struct target t;

	target_start(&t);
	expect_errno(target_refused(&t, SIGCHLD | CLONE_FILES, 0), EINVAL);
	expect_errno(target_wait(&t, -1), ECHILD);
	target_end(&t);
}

/* --- flags that need nothing shared --- */

static const struct fine_row {
	const char *name;
	const char *verdict;
	unsigned int word0, word1;
} fine[] = {
	{ "plain", "no flags: a child", 0, 0 },
	{ "vfork", "CLONE_VFORK is legal", CLONE_VFORK, 0 },
	{ "ptrace", "CLONE_PTRACE without a tracer is legal", CLONE_PTRACE, 0 },
	{ "untraced", "CLONE_UNTRACED is legal", CLONE_UNTRACED, 0 },
	{ "detached", "CLONE_DETACHED is ignored", CLONE_DETACHED, 0 },
	{ "clear_sighand", "CLONEXT_CLEAR_SIGHAND is legal", 0,
	  CT_EXT(CLONEXT_CLEAR_SIGHAND) },
	{ "settid_null", "SETTID at NULL is ignored",
	  CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, 0 },
	{ "cleartid_null", "CHILD_CLEARTID at NULL is ignored",
	  CLONE_CHILD_CLEARTID, 0 },
};

CHECK_TABLE(fine_flag, fine)
{
	const struct fine_row *row = ct_arg();
	struct target t;

	target_start(&t);
	expect_below(&t, row->word0, row->word1, ct_return, (void *)5);
	target_end(&t);
}
