// SPDX-License-Identifier: GPL-2.0
/*
 * To self, the call is clone(2): stacks, and where ids are stored.
 *
 *	check  <-- calls, and is the target
 *	  +-- child
 */
#include "cloneat_test.h"
#include <linux/sched.h>

/* --- stacks --- */

/* The child stores its stack pointer in slot 0, uses no stack, and exits. */
static long child_sp(struct cloneat_args *args)
{
	volatile long *slot = &ct_slot[0];
#ifdef __x86_64__
	register volatile long *r12 __asm__("r12") = slot;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %%rsp, (%%r12)\n\t"
			 "mov $5, %%edi\n\t"
			 "mov $60, %%eax\n\t"
			 "syscall\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(__NR_cloneat), "D"(ct_pid()), "S"(0), "d"(args),
			   "r"(r12)
			 : "rcx", "r11", "memory");
	return ret;
#else
	register long x8 __asm__("x8") = __NR_cloneat;
	register long x0 __asm__("x0") = ct_pid();
	register long x1 __asm__("x1") = 0;
	register long x2 __asm__("x2") = (long)args;
	register volatile long *x19 __asm__("x19") = slot;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x9, sp\n\t"
			 "str x9, [x19]\n\t"
			 "mov x0, #5\n\t"
			 "mov x8, #93\n\t"
			 "svc #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x19)
			 : "x9", "memory");
	return x0;
#endif
}

static void expect_sp(struct cloneat_args *args)
{
	expect_exit(expect_ok(child_sp(args)), 5);
	expect_eq(ct_slot[0], args->child_stack_base + args->child_stack_size);
}

CHECK(top, "the child's stack pointer is base + size")
{
	struct ct_args args;

	ct_stack(ct_args(&args, SIGCHLD, 0));
	expect_sp(&args.a);
}

CHECK(part, "a part of a mapping will do as a stack")
{
	struct ct_args args;

	ct_stack(ct_args(&args, SIGCHLD, 0));
	args.a.child_stack_base += 4096;
	args.a.child_stack_size = 4096;
	expect_sp(&args.a);
}

CHECK(unmapped, "a stack that is not mapped is taken as it is")
{
	struct ct_args args;

	ct_stack(ct_args(&args, SIGCHLD, 0));
	must(munmap((void *)(long)args.a.child_stack_base, CT_STACK_SIZE));
	expect_sp(&args.a);
}

CHECK(none, "base and size 0: the child has the caller's stack pointer")
{
	struct ct_args args;
	char here;
	long off;

	expect_exit(expect_ok(child_sp(ct_args(&args, SIGCHLD, 0))), 5);
	off = ct_slot[0] - (long)&here;
	expect(off > -4096 && off < 4096);
}

CHECK(vm, "a CLONE_VM child runs on its stack")
{
	struct ct_args args;

	ct_stack(ct_args(&args, SIGCHLD | CLONE_VM, 0));
	expect_sp(&args.a);
}

static const struct stack_row {
	const char *name;
	const char *verdict;
	__u64 base, size;
} stacks[] = {
	{ "base_only", "a stack base without size is EINVAL", 0x10000, 0 },
	{ "size_only", "a stack size without base is EINVAL", 0, 0x10000 },
	{ "wraps", "a stack that wraps is EINVAL", 0x10000, -1ULL },
	{ "wraps_high", "a stack that wraps at the top is EINVAL",
	  -4096ULL, 8192 },
	{ "wraps_to_zero", "a stack that ends at 2^64 is EINVAL",
	  -4096ULL, 4096 },
	{ "kernel", "a stack in the kernel's half is EINVAL",
	  0xffff888000000000, 4096 },
	{ "into_kernel", "a stack that reaches the kernel's half is EINVAL",
	  0x10000, 0xffff888000000000 },
};

CHECK_TABLE(bad_stack, stacks)
{
	const struct stack_row *row = ct_arg();
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0);
	args.a.child_stack_base = row->base;
	args.a.child_stack_size = row->size;
	expect_errno(child_sp(&args.a), EINVAL);
}

/* clone3(2) with that stack: 0 or -errno; its child uses no stack. */
static long ask_clone3_stack(__u64 base, __u64 size)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD, .stack = base, .stack_size = size,
	};
	const long a[5] = { (long)&args, sizeof(args) };
	long pid = ct_clone(SYS_clone3, a, ct_return, NULL);

	if (pid > 0)
		expect_ok(ct_syscall6(SYS_wait4, pid, 0, __WALL, 0, 0, 0));
	return pid > 0 ? 0 : pid;
}

CHECK(limits, "around the limits of user space stacks are as clone3's")
{
	static const __u64 ends[] = {
		0x7fffffffe000, 0x7fffffffeff0, 0x7ffffffff000, 0x7ffffffff001,
		0x800000000000, 0x800000000010, 0xfffffffffff000,
		0x7ffffffffffff000, 0x8000000000000000,
	};
	struct ct_args args;

	for (size_t i = 0; i < ct_count(ends); i++) {
		__u64 base = ends[i] - 8192;
		long want = ask_clone3_stack(base, 8192), got;

		ct_args(&args, SIGCHLD, 0);
		args.a.child_stack_base = base;
		args.a.child_stack_size = 8192;
		got = child_sp(&args.a);
		if (got > 0) {
			expect_exit(got, 5);
			got = 0;
		}
		if (got != want)
			fail("a stack that ends at %#lx: clone3 %s, cloneat %s",
			     (long)ends[i], ct_errname(-want), ct_errname(-got));
	}
}

/* --- tid pointers --- */

CHECK(parent_settid, "CLONE_PARENT_SETTID stores the id in the caller's memory")
{
	struct ct_args args;
	pid_t tid = 0;
	long pid;

	ct_args(&args, SIGCHLD | CLONE_PARENT_SETTID, 0);
	args.a.parent_tid_ptr = (uintptr_t)&tid;
	pid = expect_ok(cloneat(ct_pid(), 0, &args));
	if (pid == 0)
		ct_exit(5);
	expect_exit(pid, 5);
	expect_eq(tid, pid);
}

CHECK(parent_settid_not_child, "CLONE_PARENT_SETTID is not seen in a copy")
{
	struct ct_args args;
	volatile pid_t tid = 7;
	long pid;

	ct_args(&args, SIGCHLD, CT_EXT(CLONEXT_PARENT_SETTID));
	args.a.parent_tid_ptr = (uintptr_t)&tid;
	pid = expect_ok(cloneat(ct_pid(), 0, &args));
	if (pid == 0)
		ct_exit(tid == 7 ? 5 : 9);
	expect_exit(pid, 5);
	expect_eq(tid, pid);
}

CHECK(child_settid, "CLONE_CHILD_SETTID stores the id in the child's memory only")
{
	struct ct_args args;
	volatile pid_t tid = 7;
	long pid;

	ct_args(&args, SIGCHLD | CLONE_CHILD_SETTID, 0);
	args.a.child_tid_ptr = (uintptr_t)&tid;
	pid = expect_ok(cloneat(ct_pid(), 0, &args));
	if (pid == 0)
		ct_exit(tid == ct_pid() ? 5 : 9);
	expect_exit(pid, 5);
	expect_eq(tid, 7);
}

CHECK(child_settid_newpid, "CLONE_CHILD_SETTID stores the child's own number")
{
	struct ct_args args;
	volatile pid_t tid = 7;
	long pid;

	ct_args(&args, SIGCHLD | CLONE_NEWPID,
		CT_EXT(CLONEXT_CHILD_SETTID) | CT_EXT(CLONEXT_PARENT_SETTID));
	args.a.child_tid_ptr = (uintptr_t)&tid;
	args.a.parent_tid_ptr = (uintptr_t)&ct_slot[1];
	pid = cloneat(ct_pid(), 0, &args);
	if (pid == -EINVAL)
		ct_skip("this kernel has no pid namespaces");
	expect_ok(pid);
	if (pid == 0)
		ct_exit(tid == 1 && ct_pid() == 1 ? 5 : 9);
	expect_exit(pid, 5);
	expect_eq(*(volatile pid_t *)&ct_slot[1], pid);
}

CHECK(settid_both, "both SETTID flags with one pointer: each memory gets the id")
{
	struct ct_args args;
	volatile pid_t tid = 7;
	long pid;

	ct_args(&args, SIGCHLD | CLONE_CHILD_SETTID | CLONE_PARENT_SETTID, 0);
	args.a.child_tid_ptr = (uintptr_t)&tid;
	args.a.parent_tid_ptr = (uintptr_t)&tid;
	pid = expect_ok(cloneat(ct_pid(), 0, &args));
	if (pid == 0)
		ct_exit(tid == ct_pid() ? 5 : 9);
	expect_exit(pid, 5);
	expect_eq(tid, pid);
}

static const struct pointer_row {
	const char *name;
	const char *verdict;
	unsigned int word0;
	__u64 pointer;
} pointers[] = {
	{ "parent_settid_null", "CLONE_PARENT_SETTID at NULL is ignored",
	  CLONE_PARENT_SETTID, 0 },
	{ "parent_settid_low", "CLONE_PARENT_SETTID at 8 is ignored",
	  CLONE_PARENT_SETTID, 8 },
	{ "parent_settid_kernel", "CLONE_PARENT_SETTID in the kernel is ignored",
	  CLONE_PARENT_SETTID, 0xffff888000000000 },
	{ "child_settid_null", "CLONE_CHILD_SETTID at NULL is ignored",
	  CLONE_CHILD_SETTID, 0 },
	{ "child_settid_low", "CLONE_CHILD_SETTID at 8 is ignored",
	  CLONE_CHILD_SETTID, 8 },
	{ "child_settid_kernel", "CLONE_CHILD_SETTID in the kernel is ignored",
	  CLONE_CHILD_SETTID, 0xffff888000000000 },
	{ "child_cleartid_null", "CLONE_CHILD_CLEARTID at NULL is ignored",
	  CLONE_CHILD_CLEARTID, 0 },
	{ "child_cleartid_low", "CLONE_CHILD_CLEARTID at 8 is ignored",
	  CLONE_CHILD_CLEARTID, 8 },
	{ "child_cleartid_kernel", "CLONE_CHILD_CLEARTID in the kernel is ignored",
	  CLONE_CHILD_CLEARTID, 0xffff888000000000 },
};

CHECK_TABLE(bad_pointer, pointers)
{
	const struct pointer_row *row = ct_arg();
	struct ct_args args;

	ct_args(&args, SIGCHLD | row->word0, 0);
	args.a.parent_tid_ptr = row->pointer;
	args.a.child_tid_ptr = row->pointer;
	expect_child(cloneat(ct_pid(), 0, &args));
}

CHECK(settid_read_only, "SETTID into read-only memory is ignored and writes nothing")
{
	volatile pid_t *tid = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ct_args args;
	long pid;

	*tid = 7;
	must(mprotect((void *)tid, 4096, PROT_READ));
	ct_args(&args, SIGCHLD | CLONE_CHILD_SETTID | CLONE_PARENT_SETTID, 0);
	args.a.child_tid_ptr = (uintptr_t)tid;
	args.a.parent_tid_ptr = (uintptr_t)tid;
	pid = expect_ok(cloneat(ct_pid(), 0, &args));
	if (pid == 0)
		ct_exit(*tid == 7 ? 5 : 9);
	expect_exit(pid, 5);
	expect_eq(*tid, 7);
}
