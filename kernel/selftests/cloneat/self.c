// SPDX-License-Identifier: GPL-2.0
/*
 * To self, the call is clone(2): memory, identity and registers here, and in
 * self_stack, self_thread, self_share, self_signal and self_ns the rest.
 *
 *	check  <-- calls, and is the target
 *	  +-- child
 */
#include "cloneat_test.h"
#include <linux/sched.h>

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
