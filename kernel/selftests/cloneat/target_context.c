// SPDX-License-Identifier: GPL-2.0
/*
 * CLONE_SYSVSEM and CLONE_IO with a target other than the caller: none on both
 * sides counts as shared.
 *
 *	check  <-- calls
 *	  +-- target
 *	        +-- child of the call
 */
#include "target.h"
#include <linux/kcmp.h>

static int semaphore(void)
{
	return must(syscall(SYS_semget, 0, 1, 0600));
}

/* An operation with SEM_UNDO, which gives the process an undo list. */
static long use_undo(void *arg)
{
	struct { unsigned short num; short op, flg; } up = { 0, 1, 0x1000 };

	return ct_syscall3(SYS_semop, arg, &up, 1);
}

CHECK(sysvsem_none, "CLONE_SYSVSEM where neither has an undo list works")
{
	struct target t;

	target_start(&t);
	expect_below(&t, CLONE_SYSVSEM, 0, ct_return, (void *)5);
	target_end(&t);
}

CHECK(ext_sysvsem_none, "CLONEXT_SYSVSEM where neither has an undo list works")
{
	struct target t;

	target_start(&t);
	expect_below(&t, 0, CT_EXT(CLONEXT_SYSVSEM), ct_return, (void *)5);
	target_end(&t);
}

/* The check itself needs a semaphore that goes away with it: a namespace. */
static long private_semaphore(void)
{
	ct_unshare(CLONE_NEWIPC);
	return semaphore();
}

CHECK(sysvsem_target_only, "CLONE_SYSVSEM where only the target has a list: EINVAL")
{
	long id = private_semaphore();
	struct target t;

	target_start(&t);
	expect_ok(target_do(&t, use_undo, (void *)id));
	expect_errno(target_refused(&t, SIGCHLD | CLONE_SYSVSEM, 0), EINVAL);
	target_end(&t);
}

CHECK(sysvsem_caller_only, "CLONE_SYSVSEM where only the caller has a list: EINVAL")
{
	long id = private_semaphore();
	struct target t;

	target_start(&t);
	expect_ok(use_undo((void *)id));
	expect_errno(target_refused(&t, SIGCHLD | CLONE_SYSVSEM, 0), EINVAL);
	target_end(&t);
}

CHECK(sysvsem_both, "CLONE_SYSVSEM where both have lists of their own: EINVAL")
{
	long id = private_semaphore();
	struct target t;

	target_start(&t);
	expect_ok(use_undo((void *)id));
	expect_ok(target_do(&t, use_undo, (void *)id));
	expect_errno(target_refused(&t, SIGCHLD | CLONE_SYSVSEM, 0), EINVAL);
	target_end(&t);
}

/* kcmp(2) of the caller and a child of the target that waits. */
static long compare_child(struct target *t, unsigned int word0, int kind)
{
	long pid, ret;

	slot_set(0, 0);
	pid = expect_ok(cloneat_words(t->pid, 0, SIGCHLD | word0, 0));
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	ret = ct_syscall6(SYS_kcmp, ct_pid(), pid, kind, 0, 0, 0);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(t, pid)), 5);
	if (ret == -ENOSYS)
		ct_skip("this kernel has no kcmp(2)");
	return expect_ok(ret);
}

CHECK_DOCUMENTED(sysvsem_new_list,
		 "CLONE_SYSVSEM where neither has a list: one for two",
		 "only a clone of the caller gives the caller a list")
{
	struct target t;

	target_start(&t);
	expect_eq(compare_child(&t, CLONE_SYSVSEM, KCMP_SYSVSEM), 0);
	target_end(&t);
}

CHECK(sysvsem_shared, "CLONE_SYSVSEM with a target that shares the list")
{
	struct target t;

	ct_unshare(CLONE_NEWIPC);
	target_clone(&t, CLONE_SYSVSEM);
	expect_eq(compare_child(&t, CLONE_SYSVSEM, KCMP_SYSVSEM), 0);
	expect(compare_child(&t, 0, KCMP_SYSVSEM) != 0);
	target_end(&t);
}

/* Best effort, level 3: makes an I/O context. */
static long use_io(void *arg)
{
	(void)arg;
	return ct_syscall3(SYS_ioprio_set, 1, 0, 2 << 13 | 3);
}

CHECK(io_none, "CLONE_IO where neither has a context works")
{
	struct target t;

	target_start(&t);
	expect_below(&t, CLONE_IO, 0, ct_return, (void *)5);
	expect_below(&t, 0, CT_EXT(CLONEXT_IO), ct_return, (void *)5);
	target_end(&t);
}

CHECK(io_target_only, "CLONE_IO where only the target has a context: EINVAL")
{
	struct target t;

	if (ct_syscall6(SYS_kcmp, ct_pid(), ct_pid(), KCMP_IO, 0, 0, 0))
		ct_skip("this kernel has no kcmp(2)");
	target_start(&t);
	expect_ok(target_do(&t, use_io, NULL));
	expect_errno(target_refused(&t, SIGCHLD | CLONE_IO, 0), EINVAL);
	target_end(&t);
}

CHECK(io_caller_only, "CLONE_IO where only the caller has a context: EINVAL")
{
	struct target t;

	target_start(&t);
	expect_ok(use_io(NULL));
	expect_errno(target_refused(&t, SIGCHLD | CLONE_IO, 0), EINVAL);
	target_end(&t);
}

CHECK(io_shared, "CLONE_IO with a target that shares the context")
{
	struct target t;

	expect_ok(use_io(NULL));
	target_clone(&t, CLONE_IO);
	expect_eq(compare_child(&t, CLONE_IO, KCMP_IO), 0);
	expect(compare_child(&t, 0, KCMP_IO) != 0);
	target_end(&t);
}
