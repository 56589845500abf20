// SPDX-License-Identifier: GPL-2.0
/*
 * The child's memory with a target other than the caller: the caller's own, if
 * the target shares it and CLONE_VM is given, else a copy of it.
 *
 *	check  <-- calls
 *	  +-- target, perhaps sharing memory with the check
 *	        +-- child of the call
 */
#include "target.h"
#include <linux/kcmp.h>

CHECK(vm_shared, "CLONE_VM works with a target that shares memory")
{
	struct target t;

	target_clone(&t, CLONE_VM);
	expect_below(&t, CLONE_VM, 0, ct_return, (void *)5);
	target_end(&t);
}

CHECK(vm_really_shared, "CLONE_VM: caller and target see what the child writes")
{
	struct target t;

	target_clone(&t, CLONE_VM);
	expect_below(&t, CLONE_VM, 0, set_value, (void *)42);
	expect_eq(value, 42);
	expect_below(&t, 0, CT_EXT(CLONEXT_VM), set_value, (void *)43);
	expect_eq(value, 43);
	target_end(&t);
}

CHECK(vm_shared_not_asked, "a target that shares memory, without CLONE_VM: a copy")
{
	struct target t;

	target_clone(&t, CLONE_VM);
	expect_below(&t, 0, 0, set_value, (void *)42);
	expect_eq(value, 1);
	target_end(&t);
}

CHECK(vm_parent, "CLONE_VM: the child's parent is the target")
{
	struct target t;
	struct ct_args args;
	long pid;

	target_clone(&t, CLONE_VM);
	ct_stack(ct_args(&args, SIGCHLD | CLONE_VM, 0));
	pid = expect_ok(cloneat_call(t.pid, 0, &args.a, ct_return, (void *)5));
	wait_end(pid);
	expect_eq(proc_ppid(pid), t.pid);
	expect_errno(ct_syscall6(SYS_wait4, pid, 0, __WALL, 0, 0, 0), ECHILD);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(vm_vfork_shared, "CLONE_VM | CLONE_VFORK on the caller's stack")
{
	volatile int local = 1;
	struct target t;
	long pid;

	target_clone(&t, CLONE_VM);
	pid = cloneat_words(t.pid, 0, SIGCHLD | CLONE_VM | CLONE_VFORK, 0);
	if (pid == 0) {
		local = 2;
		ct_exit(5);
	}
	expect_ok(pid);
	expect_eq(local, 2);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(vm_shared_not_files, "sharing memory does not make CLONE_FILES legal")
{
	struct target t;

	target_clone(&t, CLONE_VM);
	expect_errno(target_refused(&t, SIGCHLD | CLONE_FILES, 0), EINVAL);
	expect_errno(target_refused(&t, SIGCHLD | CLONE_VM | CLONE_FILES, 0), EINVAL);
	expect_errno(target_refused(&t, SIGCHLD | CLONE_FS, 0), EINVAL);
	expect_errno(target_refused(&t, SIGCHLD | CLONE_VM | CLONE_SIGHAND, 0), EINVAL);
	target_end(&t);
}

/*
 * A vfork ends in exec_mm_release(), a moment before the new mm is there: ask
 * until kcmp(2) sees it.
 */
CHECK(vm_after_exec, "a target that shared memory and then exec'ed: EINVAL")
{
	long pid = cloneat_words(ct_pid(), 0,
				 SIGCHLD | CLONE_VM | CLONE_VFORK, 0);
	struct target t = { .pid = pid };

	if (pid == 0)
		ct_exec_pause();
	expect_ok(pid);
	while (syscall(SYS_kcmp, ct_pid(), pid, KCMP_VM, 0, 0) == 0)
		sched_yield();
	expect_errno(target_refused(&t, SIGCHLD | CLONE_VM, 0), EINVAL);
	kill_reap(pid);
}

/* --- a copy --- */

CHECK(memory, "the child has the caller's memory, not the target's")
{
	struct target t;
	long pid;

	target_start(&t);
	expect_eq(target_do(&t, set_value, (void *)99), 5);
	value = 55;
	pid = expect_ok(cloneat_fork(t.pid, 0));
	if (pid == 0)
		ct_exit(value == 55 ? 5 : 9);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(memory_is_copied, "caller and child do not see each other's writes")
{
	struct target t;
	long pid;

	target_start(&t);
	pid = expect_ok(cloneat_fork(t.pid, 0));
	if (pid == 0) {
		slot_wait(0, 1);
		if (value != 1)
			ct_exit(9);
		value = 3;
		ct_exit(5);
	}
	value = 2;
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	expect_eq(value, 2);
	target_end(&t);
}

CHECK(dontfork, "MADV_DONTFORK and MADV_WIPEONFORK hold below a target")
{
	char *gone = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char present;
	struct target t;
	long pid;

	target_start(&t);
	gone[0] = 1;
	gone[4096] = 1;
	must(madvise(gone, 4096, MADV_DONTFORK));
	must(madvise(gone + 4096, 4096, MADV_WIPEONFORK));
	pid = expect_ok(cloneat_fork(t.pid, 0));
	if (pid == 0)
		ct_exit(mincore(gone, 4096, &present) && errno == ENOMEM &&
			gone[4096] == 0 ? 5 : 9);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}
