// SPDX-License-Identifier: GPL-2.0
/*
 * To self, the call is clone(2): memory, registers, stacks, tid pointers,
 * sharing, vfork, threads, CLONE_PARENT, signals, pid_for_children.
 *
 *	check  <-- calls, and is the target
 *	  +-- child
 */
#include "cloneat_test.h"
#include <pthread.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/sched.h>
#ifdef __x86_64__
#include <asm/prctl.h>
#endif

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
		      CLONE_THREAD | CLONE_SYSVSEM)

static int value = 1;		/* private memory */

/* --- memory and identity --- */

CHECK(returns_child, "the result is the child's id, in the child it is 0")
{
	long pid = expect_ok(cloneat_fork(ct_pid(), 0));

	if (pid == 0) {
		slot_set(0, ct_pid());
		ct_exit(5);
	}
	expect_exit(pid, 5);
	expect_eq(ct_slot[0], pid);
}

CHECK(own_parent, "the caller is the child's parent")
{
	pid_t self = ct_pid();
	long pid = expect_ok(cloneat_fork(self, 0));

	if (pid == 0)
		ct_exit(ct_ppid() == self ? 5 : 9);
	expect_exit(pid, 5);
}

CHECK(single_thread, "the child is a process of one thread")
{
	long pid = expect_ok(cloneat_fork(ct_pid(), 0));

	if (pid == 0)
		ct_exit(ct_pid() == ct_tid() &&
			proc_field(ct_pid(), "Threads") == 1 ? 5 : 9);
	expect_exit(pid, 5);
}

CHECK(memory_is_copied, "neither sees what the other writes afterwards")
{
	long pid = expect_ok(cloneat_fork(ct_pid(), 0));

	if (pid == 0) {
		slot_wait(0, 1);
		if (value != 1)
			ct_exit(9);
		value = 3;
		ct_exit(5);
	}
	value = 2;
	slot_set(0, 1);
	expect_exit(pid, 5);
	expect_eq(value, 2);
}

CHECK(shared_memory, "MAP_SHARED memory stays shared")
{
	long pid = expect_ok(cloneat_fork(ct_pid(), 0));

	if (pid == 0) {
		ct_slot[1] = 77;
		ct_exit(5);
	}
	expect_exit(pid, 5);
	expect_eq(ct_slot[1], 77);
}

CHECK(dontfork, "MADV_DONTFORK memory is not in the child")
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char present;
	long pid;

	*p = 1;
	must(madvise(p, 4096, MADV_DONTFORK));
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0)
		ct_exit(mincore(p, 4096, &present) && errno == ENOMEM ? 5 : 9);
	expect_exit(pid, 5);
}

CHECK(wipeonfork, "MADV_WIPEONFORK memory is zero in the child")
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long pid;

	*p = 1;
	must(madvise(p, 4096, MADV_WIPEONFORK));
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0)
		ct_exit(*p == 0 ? 5 : 9);
	expect_exit(pid, 5);
	expect_eq(*p, 1);
}

CHECK(hundred, "a hundred children, each with an id of its own")
{
	pid_t self = ct_pid();

	for (int i = 0; i < 100; i++) {
		long pid = expect_ok(cloneat_fork(self, 0));

		if (pid == 0)
			ct_exit(i);
		expect_exit(pid, i);
	}
}

CHECK(killed_at_once, "children that are killed at once are reaped as usual")
{
	for (int i = 0; i < 100; i++) {
		long pid = expect_ok(cloneat_fork(ct_pid(), 0));

		if (pid == 0)
			for (;;)
				pause();
		kill_reap(pid);
	}
}

CHECK(child_calls, "a child may call in turn, for itself")
{
	long pid = expect_ok(cloneat_fork(ct_pid(), 0));

	if (pid == 0) {
		pid = expect_ok(cloneat_fork(ct_pid(), 0));
		if (pid == 0)
			ct_exit(5);
		expect_exit(pid, 5);
		ct_exit(6);
	}
	expect_exit(pid, 6);
}

/* --- registers --- */

#ifdef __x86_64__
/* The call with known values in registers; how many of them changed. */
static long registers_changed(pid_t pid, struct cloneat_args *args,
			      long *result)
{
	register long r10 __asm__("r10") = 0x1010101010101010;
	register long r8 __asm__("r8") = 0x0808080808080808;
	register long r9 __asm__("r9") = 0x0909090909090909;
	register long r12 __asm__("r12") = 0x1212121212121212;
	register long r13 __asm__("r13") = 0x1313131313131313;
	register long r14 __asm__("r14") = 0x1414141414141414;
	register long r15 __asm__("r15") = 0x1515151515151515;
	long rax = __NR_cloneat, rdi = pid, rsi = 0, rdx = (long)args;
	long xmm = 0;

	__asm__ volatile("mov $0x5ca1ab1e, %%ecx\n\t"
			 "movd %%ecx, %%xmm3\n\t"
			 "pshufd $0, %%xmm3, %%xmm15\n\t"
			 "syscall\n\t"
			 "movq %%xmm15, %[xmm]\n\t"
			 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx),
			   "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r12),
			   "+r"(r13), "+r"(r14), "+r"(r15), [xmm] "=b"(xmm)
			 : : "rcx", "r11", "xmm3", "xmm15", "memory");
	*result = rax;
	return (rdi != pid) + (rsi != 0) + (rdx != (long)args) +
	       (r8 != 0x0808080808080808) + (r9 != 0x0909090909090909) +
	       (r10 != 0x1010101010101010) + (r12 != 0x1212121212121212) +
	       (r13 != 0x1313131313131313) + (r14 != 0x1414141414141414) +
	       (r15 != 0x1515151515151515) + (xmm != 0x5ca1ab1e5ca1ab1e);
}

CHECK(registers, "all registers but the result's are kept, in both")
{
	struct ct_args args;
	long pid, changed;

	changed = registers_changed(ct_pid(), ct_args(&args, SIGCHLD, 0), &pid);
	if (pid == 0)
		ct_exit(10 + changed);
	expect_ok(pid);
	expect_exit(pid, 10);
	expect_eq(changed, 0);
}
#endif

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

CHECK(stack_top, "the child's stack pointer is base + size")
{
	struct ct_args args;

	ct_stack(ct_args(&args, SIGCHLD, 0));
	expect_sp(&args.a);
}

CHECK(stack_part, "a part of a mapping will do as a stack")
{
	struct ct_args args;

	ct_stack(ct_args(&args, SIGCHLD, 0));
	args.a.child_stack_base += 4096;
	args.a.child_stack_size = 4096;
	expect_sp(&args.a);
}

CHECK(stack_unmapped, "a stack that is not mapped is taken as it is")
{
	struct ct_args args;

	ct_stack(ct_args(&args, SIGCHLD, 0));
	must(munmap((void *)(long)args.a.child_stack_base, CT_STACK_SIZE));
	expect_sp(&args.a);
}

CHECK(stack_none, "base and size 0: the child has the caller's stack pointer")
{
	struct ct_args args;
	char here;
	long off;

	expect_exit(expect_ok(child_sp(ct_args(&args, SIGCHLD, 0))), 5);
	off = ct_slot[0] - (long)&here;
	expect(off > -4096 && off < 4096);
}

CHECK(stack_vm, "a CLONE_VM child runs on its stack")
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
	{ "stack_base_only", "a stack base without size is EINVAL", 0x10000, 0 },
	{ "stack_size_only", "a stack size without base is EINVAL", 0, 0x10000 },
	{ "stack_wraps", "a stack that wraps is EINVAL", 0x10000, -1ULL },
	{ "stack_wraps_high", "a stack that wraps at the top is EINVAL",
	  -4096ULL, 8192 },
	{ "stack_wraps_to_zero", "a stack that ends at 2^64 is EINVAL",
	  -4096ULL, 4096 },
	{ "stack_kernel", "a stack in the kernel's half is EINVAL",
	  0xffff888000000000, 4096 },
	{ "stack_into_kernel", "a stack that reaches the kernel's half is EINVAL",
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

static long exit_at_once(void *arg)
{
	return (long)arg;
}

/* clone3(2) with that stack: 0 or -errno; its child uses no stack. */
static long ask_clone3_stack(__u64 base, __u64 size)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD, .stack = base, .stack_size = size,
	};
	const long a[5] = { (long)&args, sizeof(args) };
	long pid = ct_clone(SYS_clone3, a, exit_at_once, NULL);

	if (pid > 0)
		expect_ok(ct_syscall6(SYS_wait4, pid, 0, __WALL, 0, 0, 0));
	return pid > 0 ? 0 : pid;
}

CHECK(stack_limits, "around the limits of user space stacks are as clone3's")
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

/* --- threads --- */

struct thread {
	struct ct_args args;
	void *tls[16];		/* tls[0] points to itself, as the ABI has it */
	int tid;		/* set at birth, cleared at the end */
	long saw;
};

static void *tls_pointer(void)
{
#ifdef __x86_64__
	void *tls;

	__asm__("mov %%fs:0, %0" : "=r"(tls));
	return tls;
#else
	void **tls;

	__asm__("mrs %0, tpidr_el0" : "=r"(tls));
	return tls[0];
#endif
}

static long thread_main(void *arg)
{
	struct thread *t = arg;

	t->saw = tls_pointer() == t->tls && t->tid == ct_tid() ? 1 : 2;
	return 0;
}

static long thread_create(struct thread *t, long (*fn)(void *))
{
	ct_args(&t->args, THREAD_FLAGS | CLONE_SETTLS | CLONE_PARENT_SETTID |
		CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, 0);
	ct_stack(&t->args.a);
	t->tls[0] = t->tls;
	t->args.a.reserved3 = (uintptr_t)t->tls;
	t->args.a.parent_tid_ptr = (uintptr_t)&t->tid;
	t->args.a.child_tid_ptr = (uintptr_t)&t->tid;
	return cloneat_call(ct_pid(), 0, &t->args.a, fn, t);
}

/* Waits as pthread_join() does: on the futex that the kernel clears. */
static void thread_join(struct thread *t)
{
	int tid;

	while ((tid = __atomic_load_n(&t->tid, __ATOMIC_SEQ_CST)))
		ct_syscall6(SYS_futex, (long)&t->tid, FUTEX_WAIT, tid, 0, 0, 0);
}

CHECK(thread, "a thread: TLS by reserved3, join by CLONE_CHILD_CLEARTID")
{
	static struct thread t;

	expect_ok(thread_create(&t, thread_main));
	thread_join(&t);
	expect_eq(t.saw, 1);
}

CHECK(threads, "fifty threads at once, all joined")
{
	static struct thread t[50];

	for (size_t i = 0; i < ct_count(t); i++)
		expect_ok(thread_create(&t[i], thread_main));
	for (size_t i = 0; i < ct_count(t); i++) {
		thread_join(&t[i]);
		expect_eq(t[i].saw, 1);
	}
}

static long thread_ids(void *arg)
{
	struct thread *t = arg;

	ct_slot[0] = ct_pid();
	ct_slot[1] = ct_tid();
	ct_slot[2] = ct_ppid();
	t->saw = 1;
	return 0;
}

CHECK(thread_id, "the result is the thread's id; process and parent are ours")
{
	static struct thread t;
	long tid = expect_ok(thread_create(&t, thread_ids));

	thread_join(&t);
	expect_eq(ct_slot[0], ct_pid());
	expect_eq(ct_slot[1], tid);
	expect_eq(ct_slot[2], ct_ppid());
}

CHECK(thread_no_wait, "a thread cannot be waited for")
{
	static struct thread t;
	long tid = expect_ok(thread_create(&t, thread_main));

	expect_errno(ct_syscall6(SYS_wait4, tid, 0, __WALL, 0, 0, 0), ECHILD);
	thread_join(&t);
}

static long fork_in_thread(void *arg)
{
	struct thread *t = arg;
	pid_t self = ct_pid(), tid = ct_tid();
	long pid;

	t->saw = cloneat_fork(tid, 0);
	pid = cloneat_fork(self, 0);
	if (pid == 0)
		ct_exit(ct_ppid() == self && ct_tid() == ct_pid() &&
			ct_pid() != tid ? 5 : 9);
	slot_set(0, pid);
	return 0;
}

CHECK(from_thread, "a thread's child is the process's child, with one thread")
{
	static struct thread t;

	expect_ok(thread_create(&t, fork_in_thread));
	thread_join(&t);
	expect_exit(expect_ok(ct_slot[0]), 5);
}

CHECK(own_thread_id, "a thread's own id is no process id: EINVAL")
{
	static struct thread t;

	expect_ok(thread_create(&t, fork_in_thread));
	thread_join(&t);
	expect_exit(expect_ok(ct_slot[0]), 5);
	expect_errno(t.saw, EINVAL);
}

static long signal_in_thread(void *arg)
{
	long pid = cloneat_words(ct_pid(), 0, SIGUSR2, 0);

	(void)arg;
	if (pid == 0)
		ct_exit(5);
	ct_slot[0] = pid;
	return 0;
}

CHECK(from_thread_signal, "a thread's child sends its exit signal to the process")
{
	static struct thread t;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	expect_ok(thread_create(&t, signal_in_thread));
	thread_join(&t);
	expect_ok(ct_slot[0]);
	expect_eq(sigwaitinfo(&set, &info), SIGUSR2);
	expect_eq(info.si_pid, ct_slot[0]);
	expect_eq(info.si_status, 5);
	expect_exit(ct_slot[0], 5);
}

static long fork_without_leader(void *arg)
{
	pid_t self = ct_pid();
	int status = 0;
	long pid;

	(void)arg;
	wait_state(self, 'Z');
	pid = cloneat_fork(self, 0);
	if (pid == 0)
		ct_exit(ct_ppid() == self ? 5 : 9);
	if (pid > 0)
		ct_syscall6(SYS_wait4, pid, (long)&status, 0, 0, 0, 0);
	ct_exit(pid > 0 ? WEXITSTATUS(status) : 10);
}

CHECK(leader_is_dead, "a thread whose leader is dead may call")
{
	pid_t pid = must(fork());

	if (pid == 0) {
		expect_ok(clone_call(THREAD_FLAGS, ct_stack(NULL), CT_STACK_SIZE,
				     NULL, NULL, 0, fork_without_leader, NULL));
		ct_exit_thread(0);
	}
	expect_exit(pid, 5);
}

static long thread_without_leader(void *arg)
{
	static struct thread t;

	(void)arg;
	wait_state(ct_pid(), 'Z');
	if (thread_create(&t, thread_main) < 0)
		ct_exit(10);
	thread_join(&t);
	ct_exit(t.saw == 1 ? 5 : 9);
}

CHECK(leader_is_dead_thread, "a thread whose leader is dead may make threads")
{
	pid_t pid = must(fork());

	if (pid == 0) {
		expect_ok(clone_call(THREAD_FLAGS, ct_stack(NULL), CT_STACK_SIZE,
				     NULL, NULL, 0, thread_without_leader,
				     NULL));
		ct_exit_thread(0);
	}
	expect_exit(pid, 5);
}

static void *fork_often(void *arg)
{
	for (int i = 0; i < 50; i++) {
		long pid = cloneat_fork(ct_pid(), 0);
		int status = 0;

		if (pid == 0)
			ct_exit((long)arg);
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
		    WEXITSTATUS(status) != (long)arg)
			return (void *)1;
	}
	return NULL;
}

CHECK(threads_call, "four threads call at once; each gets its own children")
{
	pthread_t thread[4];
	void *bad;

	for (long i = 0; i < 4; i++)
		expect_eq(pthread_create(&thread[i], NULL, fork_often,
					 (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &bad);
		expect_eq((long)bad, 0);
	}
}

/* --- sharing --- */

enum sharing { SHARE_VM, SHARE_FS, SHARE_FILES, SHARE_SIGHAND };

static void handler(int sig)
{
	(void)sig;
}

/* Changes one of each kind of thing in the child. */
static long change_everything(void *arg)
{
	struct sigaction act = { .sa_handler = handler };

	(void)arg;
	value = 42;
	if (chdir("/proc") || dup2(0, 100) != 100 ||
	    sigaction(SIGUSR2, &act, NULL))
		return 9;
	return 5;
}

/* Which of the changes the caller sees: a mask of 1 << SHARE_... */
static unsigned int seen_changes(unsigned int word0, unsigned int word1)
{
	struct ct_args args;
	struct sigaction act;
	unsigned int seen = 0;
	char cwd[200];

	must(chdir("/"));
	close(100);
	value = 1;
	signal(SIGUSR2, SIG_DFL);
	if (fcntl(0, F_GETFD) < 0)
		must(dup2(must(open("/proc/self/stat", O_RDONLY)), 0));
	ct_stack(ct_args(&args, SIGCHLD | word0, word1));
	expect_exit(expect_ok(cloneat_call(ct_pid(), 0, &args.a,
					   change_everything, NULL)), 5);
	seen |= (value == 42) << SHARE_VM;
	seen |= !!strcmp(getcwd(cwd, sizeof(cwd)), "/") << SHARE_FS;
	seen |= (fcntl(100, F_GETFD) >= 0) << SHARE_FILES;
	must(sigaction(SIGUSR2, NULL, &act));
	seen |= (act.sa_handler == handler) << SHARE_SIGHAND;
	return seen;
}

static const struct sharing_row {
	const char *name;
	const char *verdict;
	unsigned int word0;
	unsigned int word1;
	unsigned int seen;
} sharings[] = {
	{ "share_nothing", "without flags nothing is shared", 0, 0, 0 },
	{ "share_vm", "CLONE_VM shares memory only", CLONE_VM, 0,
	  1 << SHARE_VM },
	{ "share_ext_vm", "CLONEXT_VM shares memory only", 0,
	  CT_EXT(CLONEXT_VM), 1 << SHARE_VM },
	{ "share_fs", "CLONE_FS shares the cwd only", CLONE_FS, 0,
	  1 << SHARE_FS },
	{ "share_ext_fs", "CLONEXT_FS shares the cwd only", 0,
	  CT_EXT(CLONEXT_FS), 1 << SHARE_FS },
	{ "share_files", "CLONE_FILES shares descriptors only", CLONE_FILES, 0,
	  1 << SHARE_FILES },
	{ "share_ext_files", "CLONEXT_FILES shares descriptors only", 0,
	  CT_EXT(CLONEXT_FILES), 1 << SHARE_FILES },
	{ "share_sighand", "CLONE_SIGHAND shares handlers, beside memory",
	  CLONE_VM | CLONE_SIGHAND, 0, 1 << SHARE_VM | 1 << SHARE_SIGHAND },
	{ "share_ext_sighand", "CLONEXT_SIGHAND shares handlers, beside memory",
	  0, CT_EXT(CLONEXT_VM) | CT_EXT(CLONEXT_SIGHAND),
	  1 << SHARE_VM | 1 << SHARE_SIGHAND },
	{ "share_all", "all four together share all four",
	  CLONE_VM | CLONE_SIGHAND, CT_EXT(CLONEXT_FS) | CT_EXT(CLONEXT_FILES),
	  15 },
};

CHECK_TABLE(sharing, sharings)
{
	const struct sharing_row *row = ct_arg();

	expect_eq(seen_changes(row->word0, row->word1), row->seen);
}

/* kcmp(2) of us and the child for one kind: 0 if it is the same. */
static long compare_child(unsigned int word0, int kind)
{
	long pid = expect_ok(cloneat_words(ct_pid(), 0, SIGCHLD | word0, 0));
	long ret;

	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	ret = ct_syscall6(SYS_kcmp, ct_pid(), pid, kind, 0, 0, 0);
	slot_set(0, 1);
	expect_exit(pid, 5);
	slot_set(0, 0);
	if (ret == -ENOSYS)
		ct_skip("this kernel has no kcmp(2)");
	return expect_ok(ret);
}

CHECK(share_sysvsem, "CLONE_SYSVSEM shares the undo list, which else is copied not")
{
	expect_eq(compare_child(CLONE_SYSVSEM, KCMP_SYSVSEM), 0);
	expect(compare_child(0, KCMP_SYSVSEM) != 0);
}

CHECK(share_io, "CLONE_IO shares the I/O context, which else is not")
{
	/* IOPRIO_WHO_PROCESS, best effort, level 3: makes a context. */
	expect_ok(ct_syscall3(SYS_ioprio_set, 1, 0, 2 << 13 | 3));
	expect_eq(compare_child(CLONE_IO, KCMP_IO), 0);
	expect(compare_child(0, KCMP_IO) != 0);
}

/* --- vfork --- */

/* Gives the parent every chance to run on, then looks whether it did. */
static void linger(void)
{
	for (int i = 0; i < 20; i++)
		usleep(1000);
	ct_slot[0] = ct_slot[1] ? 2 : 1;
}

CHECK(vfork_exit, "CLONE_VFORK: the caller waits until the child exits")
{
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_VFORK, 0);

	if (pid == 0) {
		linger();
		ct_exit(5);
	}
	ct_slot[1] = 1;
	expect_ok(pid);
	expect_eq(ct_slot[0], 1);
	expect_exit(pid, 5);
}

CHECK(vfork_vm, "CLONE_VFORK | CLONE_VM: the child may use the caller's stack")
{
	volatile int local = 1;
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD,
				 CT_EXT(CLONEXT_VFORK) | CT_EXT(CLONEXT_VM));

	if (pid == 0) {
		local = 2;
		ct_exit(5);
	}
	expect_ok(pid);
	expect_eq(local, 2);
	expect_exit(pid, 5);
}

CHECK(vfork_killed, "CLONE_VFORK: a signal that kills the child ends the wait")
{
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_VFORK, 0);
	int status;

	if (pid == 0) {
		linger();
		ct_syscall3(SYS_kill, ct_pid(), SIGKILL, 0);
	}
	ct_slot[1] = 1;
	expect_ok(pid);
	expect_eq(ct_slot[0], 1);
	expect_eq(waitpid(pid, &status, 0), pid);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

CHECK(vfork_exec, "CLONE_VFORK: an exec of the child ends the wait")
{
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_VFORK, 0);

	if (pid == 0) {
		linger();
		ct_exec_pause();
	}
	ct_slot[1] = 1;
	expect_ok(pid);
	expect_eq(ct_slot[0], 1);
	kill_reap(pid);
}

static long vfork_in_thread(void *arg)
{
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_VFORK, 0);

	(void)arg;
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	slot_set(1, pid);
	return 0;
}

CHECK(vfork_thread, "CLONE_VFORK in a thread holds up that thread only")
{
	static struct thread t;

	expect_ok(thread_create(&t, vfork_in_thread));
	expect_eq(ct_slot[1], 0);
	slot_set(0, 1);
	thread_join(&t);
	expect_exit(expect_ok(ct_slot[1]), 5);
}

/* --- CLONE_PARENT --- */

/* A caller below us that makes its own sibling, our child: the sibling. */
static long sibling(unsigned int word0, pid_t *caller)
{
	*caller = must(fork());
	if (*caller == 0) {
		pid_t parent = ct_ppid();
		long pid = cloneat_words(ct_pid(), 0, word0 | CLONE_PARENT, 0);

		if (pid == 0)
			ct_exit(ct_ppid() == parent ? 5 : 9);
		ct_slot[1] = ct_syscall6(SYS_wait4, pid, 0, __WALL, 0, 0, 0);
		ct_slot[0] = pid;
		ct_exit(6);
	}
	expect_exit(*caller, 6);
	return expect_ok(ct_slot[0]);
}

CHECK(parent, "CLONE_PARENT: the child's parent is the caller's parent")
{
	pid_t caller;

	expect_exit(sibling(SIGCHLD, &caller), 5);
}

CHECK(parent_no_wait, "CLONE_PARENT: the caller cannot wait for it")
{
	pid_t caller;

	expect_exit(sibling(SIGCHLD, &caller), 5);
	expect_errno(ct_slot[1], ECHILD);
}

CHECK(parent_signal, "CLONE_PARENT: the exit signal is ignored, the caller's counts")
{
	pid_t caller;
	long pid = sibling(SIGUSR1, &caller);
	int status;

	expect_eq(waitpid(pid, &status, 0), pid);
	expect_eq(WEXITSTATUS(status), 5);
}

CHECK(parent_of_init, "CLONE_PARENT by a namespace's init is EINVAL, as clone(2)")
{
	long pid = clone_words(CLONE_NEWPID | SIGCHLD);

	if (pid == 0) {
		expect_errno(clone_words(CLONE_PARENT | SIGCHLD), EINVAL);
		expect_errno(cloneat_words(1, 0, CLONE_PARENT | SIGCHLD, 0),
			     EINVAL);
		ct_exit(5);
	}
	if (pid == -EINVAL)
		ct_skip("this kernel has no pid namespaces");
	expect_exit(expect_ok(pid), 5);
}

/* --- signals --- */

CHECK(handlers_kept, "handlers are the child's too")
{
	struct sigaction act;
	long pid;

	signal(SIGUSR1, handler);
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0) {
		must(sigaction(SIGUSR1, NULL, &act));
		ct_exit(act.sa_handler == handler ? 5 : 9);
	}
	expect_exit(pid, 5);
}

CHECK(clear_sighand, "CLONEXT_CLEAR_SIGHAND: handlers go, ignored stays ignored")
{
	struct sigaction act;
	long pid;

	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	pid = expect_ok(cloneat_words(ct_pid(), 0, SIGCHLD,
				      CT_EXT(CLONEXT_CLEAR_SIGHAND)));
	if (pid == 0) {
		must(sigaction(SIGUSR1, NULL, &act));
		if (act.sa_handler != SIG_DFL)
			ct_exit(8);
		must(sigaction(SIGUSR2, NULL, &act));
		ct_exit(act.sa_handler == SIG_IGN ? 5 : 9);
	}
	expect_exit(pid, 5);
	must(sigaction(SIGUSR1, NULL, &act));
	expect(act.sa_handler == handler);
}

CHECK(mask_kept, "the signal mask is the child's too")
{
	sigset_t set, now;
	long pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0) {
		must(sigprocmask(SIG_BLOCK, NULL, &now));
		ct_exit(sigismember(&now, SIGUSR1) &&
			!sigismember(&now, SIGUSR2) ? 5 : 9);
	}
	expect_exit(pid, 5);
}

CHECK(pending_not_kept, "pending signals are not the child's")
{
	sigset_t set;
	long pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	must(kill(ct_pid(), SIGUSR1));
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0) {
		must(sigpending(&set));
		ct_exit(sigismember(&set, SIGUSR1) ? 9 : 5);
	}
	expect_exit(pid, 5);
	must(sigpending(&set));
	expect(sigismember(&set, SIGUSR1));
}

CHECK(alarm_not_kept, "an alarm is not the child's")
{
	long pid = expect_ok(cloneat_fork(ct_pid(), 0));

	if (pid == 0)
		ct_exit(alarm(0) == 0 ? 5 : 9);
	expect_exit(pid, 5);
	expect(alarm(CT_SECONDS) > 0);
}

CHECK(pdeathsig_not_kept, "the parent-death signal is not the child's")
{
	int sig = 9;
	long pid;

	must(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0) {
		must(prctl(PR_GET_PDEATHSIG, &sig));
		ct_exit(sig ? 9 : 5);
	}
	expect_exit(pid, 5);
}

static char alt_stack[32768];

static long alt_stack_flags(void *arg)
{
	stack_t now = { 0 };

	(void)arg;
	if (ct_syscall3(SYS_sigaltstack, 0, &now, 0))
		return 9;
	return now.ss_flags & SS_DISABLE ? 6 : 5;
}

static void expect_alt_stack(unsigned int word0, int status)
{
	stack_t alt = { .ss_sp = alt_stack, .ss_size = sizeof(alt_stack) };
	struct ct_args args;

	must(sigaltstack(&alt, NULL));
	ct_stack(ct_args(&args, SIGCHLD | word0, 0));
	expect_exit(expect_ok(cloneat_call(ct_pid(), 0, &args.a,
					   alt_stack_flags, NULL)), status);
}

CHECK(altstack_kept, "a copy keeps the alternate signal stack")
{
	expect_alt_stack(0, 5);
}

CHECK(altstack_not_shared, "a CLONE_VM child has no alternate signal stack")
{
	expect_alt_stack(CLONE_VM, 6);
}

static volatile int alarms;

static void count_alarm(int sig)
{
	(void)sig;
	alarms++;
}

CHECK_DOCUMENTED(never_eintr,
		 "a storm of signals without SA_RESTART: never EINTR",
		 "a signal may come before the supervisor has taken the call")
{
	struct sigaction act = { .sa_handler = count_alarm };
	pid_t storm, self = ct_pid();

	must(sigaction(SIGUSR1, &act, NULL));
	storm = must(fork());
	if (storm == 0) {
		for (;;) {
			kill(self, SIGUSR1);
			usleep(50);
		}
	}
	for (int i = 0; i < 200; i++) {
		long pid = cloneat_fork(self, 0);
		int status;

		if (pid == 0)
			ct_exit(5);
		if (pid < 0)
			fail("round %d: %s", i, ct_errname(-pid));
		while (waitpid(pid, &status, 0) != pid)
			expect_eq(errno, EINTR);
		expect_eq(WEXITSTATUS(status), 5);
	}
	must(kill(storm, SIGKILL));
	while (waitpid(storm, NULL, 0) != storm)
		;
}

/* --- new namespaces --- */

static const struct ns_row {
	const char *name;
	const char *verdict;
	unsigned int word0, word1;
	const char *kind;	/* of /proc/PID/ns */
} spaces[] = {
	{ "newuts", "CLONE_NEWUTS makes a new uts namespace only",
	  CLONE_NEWUTS, 0, "uts" },
	{ "newipc", "CLONE_NEWIPC makes a new ipc namespace only",
	  CLONE_NEWIPC, 0, "ipc" },
	{ "newns", "CLONE_NEWNS makes a new mount namespace only",
	  CLONE_NEWNS, 0, "mnt" },
	{ "newnet", "CLONE_NEWNET makes a new net namespace only",
	  CLONE_NEWNET, 0, "net" },
	{ "newcgroup", "CLONE_NEWCGROUP makes a new cgroup namespace only",
	  CLONE_NEWCGROUP, 0, "cgroup" },
	{ "newpid", "CLONE_NEWPID makes a new pid namespace only",
	  CLONE_NEWPID, 0, "pid" },
	{ "newuser", "CLONE_NEWUSER makes a new user namespace only",
	  CLONE_NEWUSER, 0, "user" },
	{ "newtime", "CLONEXT_NEWTIME makes a new time namespace only", 0,
	  CT_EXT(CLONEXT_NEWTIME), "time" },
	{ "ext_newuts", "CLONEXT_NEWUTS makes a new uts namespace only", 0,
	  CT_EXT(CLONEXT_NEWUTS), "uts" },
	{ "ext_newipc", "CLONEXT_NEWIPC makes a new ipc namespace only", 0,
	  CT_EXT(CLONEXT_NEWIPC), "ipc" },
	{ "ext_newns", "CLONEXT_NEWNS makes a new mount namespace only", 0,
	  CT_EXT(CLONEXT_NEWNS), "mnt" },
	{ "ext_newnet", "CLONEXT_NEWNET makes a new net namespace only", 0,
	  CT_EXT(CLONEXT_NEWNET), "net" },
	{ "ext_newcgroup", "CLONEXT_NEWCGROUP makes a new cgroup namespace only",
	  0, CT_EXT(CLONEXT_NEWCGROUP), "cgroup" },
	{ "ext_newpid", "CLONEXT_NEWPID makes a new pid namespace only", 0,
	  CT_EXT(CLONEXT_NEWPID), "pid" },
	{ "ext_newuser", "CLONEXT_NEWUSER makes a new user namespace only", 0,
	  CT_EXT(CLONEXT_NEWUSER), "user" },
};

static const char * const kinds[] = {
	"uts", "ipc", "mnt", "net", "cgroup", "pid", "user", "time",
	"pid_for_children", "time_for_children",
};

CHECK_TABLE(new_namespace, spaces)
{
	const struct ns_row *row = ct_arg();
	pid_t self = ct_pid();
	long pid;

	if (!ns_id(self, row->kind))
		ct_skip("this kernel has no %s namespaces", row->kind);
	pid = expect_ok(cloneat_words(self, 0, SIGCHLD | row->word0,
				      row->word1));
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	for (size_t i = 0; i < ct_count(kinds); i++) {
		bool same = ns_id(pid, kinds[i]) == ns_id(self, kinds[i]);
		bool want = strncmp(kinds[i], row->kind, strlen(row->kind));

		if (same != want)
			fail("/proc/PID/ns/%s: expected %s", kinds[i],
			     want ? "the caller's" : "a new one");
	}
	slot_set(0, 1);
	expect_exit(pid, 5);
}

CHECK(newpid_init, "a CLONE_NEWPID child is 1, and its parent reads as 0")
{
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_NEWPID, 0);

	if (pid == 0)
		ct_exit(ct_pid() == 1 && ct_ppid() == 0 ? 5 : 9);
	if (pid == -EINVAL)
		ct_skip("this kernel has no pid namespaces");
	expect_exit(expect_ok(pid), 5);
}

CHECK(newuser_caps, "a CLONE_NEWUSER child has all capabilities in its namespace")
{
	long pid;

	become(1000);
	pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_NEWUSER, 0);
	if (pid == 0) {
		must(unshare(CLONE_NEWUTS));
		ct_exit(5);
	}
	if (pid == -EINVAL || pid == -EPERM)
		ct_skip("no user namespaces here: %s", ct_errname(-pid));
	expect_exit(expect_ok(pid), 5);
}

/* --- pid_for_children and time_for_children --- */

CHECK(for_children, "after unshare(CLONE_NEWPID) the child is 1 there")
{
	long pid;

	ct_unshare(CLONE_NEWPID);
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0)
		ct_exit(ct_pid() == 1 ? 5 : 9);
	expect(pid > 1);
	expect_exit(pid, 5);
}

CHECK(for_children_hint_1, "without an init there, hint 1 is legal")
{
	long pid;

	ct_unshare(CLONE_NEWPID);
	pid = expect_ok(cloneat_fork(ct_pid(), 1));
	if (pid == 0)
		ct_exit(ct_pid() == 1 ? 5 : 9);
	expect(pid > 1);
	expect_exit(pid, 5);
}

CHECK(for_children_hint_2, "without an init there, any other hint is EINVAL")
{
	ct_unshare(CLONE_NEWPID);
	expect_errno(cloneat_fork(ct_pid(), 2), EINVAL);
	expect_errno(cloneat_fork(ct_pid(), 300), EINVAL);
	expect_errno(cloneat_fork(ct_pid(), ct_pid()), EINVAL);
	expect_child(cloneat_fork(ct_pid(), 1));
}

/* A first child after unshare(CLONE_NEWPID): the namespace's init. */
static pid_t start_init(void)
{
	pid_t init;

	ct_unshare(CLONE_NEWPID);
	init = expect_ok(clone_words(SIGCHLD));
	if (init == 0)
		for (;;)
			pause();
	return init;
}

CHECK(for_children_hint, "with an init there, the hint is the number there")
{
	pid_t init = start_init(), ids[2];
	long pid = expect_ok(cloneat_fork(ct_pid(), 321));

	if (pid == 0)
		ct_exit(ct_pid() == 321 ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 2), 2);
	expect_eq(ids[0], pid);
	expect_eq(ids[1], 321);
	expect_exit(pid, 5);
	kill_reap(init);
}

CHECK(for_children_parent, "a child in pid_for_children sees parent 0")
{
	pid_t init = start_init();
	long pid = expect_ok(cloneat_fork(ct_pid(), 0));

	if (pid == 0)
		ct_exit(ct_ppid() == 0 ? 5 : 9);
	expect_exit(pid, 5);
	kill_reap(init);
}

CHECK(for_children_dead, "with a dead init there: ENOMEM")
{
	pid_t init = start_init();

	kill_reap(init);
	expect_errno(cloneat_fork(ct_pid(), 0), ENOMEM);
	expect_errno(cloneat_fork(ct_pid(), 5), ENOMEM);
}

CHECK(for_children_thread, "a thread for another pid_for_children: as clone(2)")
{
	pid_t init = start_init();
	static struct thread t;

	expect_errno(clone_call(THREAD_FLAGS, ct_stack(NULL), CT_STACK_SIZE,
				NULL, NULL, 0, exit_at_once, NULL), EINVAL);
	expect_errno(thread_create(&t, thread_main), EINVAL);
	kill_reap(init);
}

CHECK(time_for_children, "after unshare(CLONE_NEWTIME) the child is there")
{
	pid_t self = ct_pid();
	unsigned long want;
	long pid;

	ct_unshare(CLONE_NEWTIME);
	want = ns_id(self, "time_for_children");
	expect(want != ns_id(self, "time"));
	pid = expect_ok(cloneat_fork(self, 0));
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	expect_eq(ns_id(pid, "time"), want);
	slot_set(0, 1);
	expect_exit(pid, 5);
}

static long wait_for_slot(void *arg)
{
	(void)arg;
	slot_wait(0, 1);
	return 6;
}

/*
 * Kernels before 6.2 put the child into the new time namespace at once, whose
 * page of the clock would then be mapped in the caller as well, for good.
 */
CHECK(newtime_vm, "CLONE_VM and CLONEXT_NEWTIME: EINVAL, or no new time yet")
{
	pid_t self = ct_pid();
	struct ct_args args;
	long pid;

	ct_args(&args, CLONE_VM | SIGCHLD, CT_EXT(CLONEXT_NEWTIME));
	ct_stack(&args.a);
	pid = cloneat_call(self, 0, &args.a, wait_for_slot, NULL);
	if (pid < 0) {
		expect_errno(pid, EINVAL);
		return;
	}
	expect_eq(ns_id(pid, "time"), ns_id(self, "time"));
	expect(ns_id(pid, "time_for_children") != ns_id(self, "time"));
	slot_set(0, 1);
	expect_exit(pid, 6);
}

/* --- access --- */

CHECK(no_access_check, "to self there is no access check: undumpable is fine")
{
	must(prctl(PR_SET_DUMPABLE, 0));
	become(1000);
	must(prctl(PR_SET_DUMPABLE, 0));
	expect_child(cloneat_fork(ct_pid(), 0));
}

CHECK(unprivileged, "to self no privilege is needed")
{
	become(1000);
	expect_child(cloneat_fork(ct_pid(), 0));
}
