// SPDX-License-Identifier: GPL-2.0
/*
 * The binary interface: where the struct and the flags may lie, sizes,
 * reserved fields, padding.  Every call here is to self:
 *
 *	check  <-- calls, and is the target
 *	  +-- child: ends at once
 */
#include "cloneat_test.h"
#include <setjmp.h>
#ifdef __x86_64__
#include <asm/prctl.h>
#endif

/* A page (or two) of which the part from @hole on is gone. */
static char *map_pages(int pages, int prot)
{
	char *p = mmap(NULL, (pages + 1) * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap: %s", ct_errname(errno));
	must(mprotect(p, pages * PAGE, prot));
	must(munmap(p + pages * PAGE, PAGE));
	return p;
}

/* An address that nothing is mapped at. */
static void *hole(void)
{
	char *p = map_pages(1, PROT_READ);

	must(munmap(p, PAGE));
	return p;
}

/* Copies a good struct to @where; its flags stay in @args. */
static void *good_at(struct ct_args *args, void *where)
{
	memcpy(where, ct_args(args, SIGCHLD, 0), sizeof(args->a));
	return where;
}

/* --- the struct --- */

CHECK(null_struct, "a struct at NULL is EFAULT")
{
	expect_errno(cloneat(ct_pid(), 0, NULL), EFAULT);
}

CHECK(low_struct, "a struct in the first page is EFAULT")
{
	expect_errno(cloneat(ct_pid(), 0, (void *)8), EFAULT);
}

CHECK(unmapped_struct, "a struct at an unmapped address is EFAULT")
{
	expect_errno(cloneat(ct_pid(), 0, hole()), EFAULT);
}

CHECK(kernel_struct, "a struct at a kernel address is EFAULT")
{
	expect_errno(cloneat(ct_pid(), 0, (void *)0xffff888000000000), EFAULT);
}

CHECK(noncanonical_struct, "a struct at no canonical address is EFAULT")
{
	expect_errno(cloneat(ct_pid(), 0, (void *)0x0800000000000000), EFAULT);
}

CHECK(wrapping_struct, "a struct that wraps the address space is EFAULT")
{
	expect_errno(cloneat(ct_pid(), 0, (void *)-32L), EFAULT);
}

CHECK(struct_cut_by_one, "a struct with its last byte unmapped is EFAULT")
{
	struct ct_args args;
	char *end = map_pages(1, PROT_READ | PROT_WRITE) + PAGE;

	memcpy(end - 63, ct_args(&args, SIGCHLD, 0), 63);
	expect_errno(cloneat(ct_pid(), 0, end - 63), EFAULT);
}

CHECK(struct_cut_to_half, "a struct of which half is mapped is EFAULT")
{
	struct ct_args args;
	char *end = map_pages(1, PROT_READ | PROT_WRITE) + PAGE;

	memcpy(end - 32, ct_args(&args, SIGCHLD, 0), 32);
	expect_errno(cloneat(ct_pid(), 0, end - 32), EFAULT);
}

CHECK(struct_at_end, "a struct that ends where the mapping ends is fine")
{
	struct ct_args args;
	char *end = map_pages(1, PROT_READ | PROT_WRITE) + PAGE;

	expect_child(cloneat(ct_pid(), 0, good_at(&args, end - 64)));
}

CHECK(struct_across_pages, "a struct across two pages is fine")
{
	struct ct_args args;
	char *p = map_pages(2, PROT_READ | PROT_WRITE) + PAGE - 24;

	expect_child(cloneat(ct_pid(), 0, good_at(&args, p)));
}

CHECK(struct_across_hole, "a struct of which the second page is PROT_NONE is EFAULT")
{
	struct ct_args args;
	char *p = map_pages(2, PROT_READ | PROT_WRITE);

	good_at(&args, p + PAGE - 24);
	must(mprotect(p + PAGE, PAGE, PROT_NONE));
	expect_errno(cloneat(ct_pid(), 0, p + PAGE - 24), EFAULT);
}

CHECK(struct_unaligned, "a struct at an odd address is fine")
{
	struct ct_args args;
	char *p = map_pages(1, PROT_READ | PROT_WRITE) + 7;

	expect_child(cloneat(ct_pid(), 0, good_at(&args, p)));
}

CHECK(struct_no_access, "a struct in PROT_NONE memory is EFAULT")
{
	struct ct_args args;
	char *p = map_pages(1, PROT_READ | PROT_WRITE);

	good_at(&args, p);
	must(mprotect(p, PAGE, PROT_NONE));
	expect_errno(cloneat(ct_pid(), 0, p), EFAULT);
}

CHECK(struct_read_only, "a struct and flags in read-only memory are fine")
{
	struct ct_args *args = (void *)map_pages(1, PROT_READ | PROT_WRITE);

	ct_args(args, SIGCHLD, 0);
	must(mprotect(args, PAGE, PROT_READ));
	expect_child(cloneat(ct_pid(), 0, args));
}

CHECK(struct_shared, "a struct and flags in shared memory are fine")
{
	struct ct_args *args = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	expect(args != MAP_FAILED);
	expect_child(cloneat(ct_pid(), 0, ct_args(args, SIGCHLD, 0)));
}

CHECK(struct_in_file, "a struct in a mapped file is fine")
{
	int fd = must(memfd_create("args", MFD_CLOEXEC));
	struct ct_args args;
	void *p;

	expect_eq(write(fd, ct_args(&args, SIGCHLD, 0), sizeof(args.a)), 64);
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	expect(p != MAP_FAILED);
	expect_child(cloneat(ct_pid(), 0, p));
}

CHECK(struct_past_file, "a struct past the end of a mapped file is EFAULT")
{
	int fd = must(memfd_create("args", MFD_CLOEXEC));
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	expect(p != MAP_FAILED);
	expect_errno(cloneat(ct_pid(), 0, p), EFAULT);
}

CHECK(struct_zero_page, "a struct of zeros in untouched memory: flags_size 0 is EINVAL")
{
	void *p = map_pages(1, PROT_READ);

	expect_errno(cloneat(ct_pid(), 0, p), EINVAL);
}

CHECK(not_written, "struct and flags are only read")
{
	struct ct_args args, before;

	ct_args(&args, SIGCHLD, 0);
	args.a.parent_tid_ptr = 1;
	args.a.child_tid_ptr = 2;
	before = args;
	expect_child(cloneat(ct_pid(), 0, &args.a));
	expect(!memcmp(&args, &before, sizeof(args)));
}

CHECK(layout, "the struct has 64 bytes and the specified offsets")
{
	expect_eq(sizeof(struct cloneat_args), 64);
	expect_eq(offsetof(struct cloneat_args, flags), 0);
	expect_eq(offsetof(struct cloneat_args, flags_size), 8);
	expect_eq(offsetof(struct cloneat_args, reserved1), 12);
	expect_eq(offsetof(struct cloneat_args, reserved2), 16);
	expect_eq(offsetof(struct cloneat_args, child_stack_base), 24);
	expect_eq(offsetof(struct cloneat_args, child_stack_size), 32);
	expect_eq(offsetof(struct cloneat_args, parent_tid_ptr), 40);
	expect_eq(offsetof(struct cloneat_args, child_tid_ptr), 48);
	expect_eq(offsetof(struct cloneat_args, reserved3), 56);
}

/* --- reserved fields and padding --- */

CHECK(reserved1_one, "reserved1 = 1 is EINVAL")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->reserved1 = 1;
	expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
}

CHECK(reserved1_top, "reserved1 with its top bit is EINVAL")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->reserved1 = 0x80000000;
	expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
}

CHECK(reserved2_one, "reserved2 = 1 is EINVAL")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->reserved2 = 1;
	expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
}

CHECK(reserved2_top, "reserved2 with its top bit is EINVAL")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->reserved2 = 0x80000000;
	expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
}

CHECK(reserved_both, "reserved1 and reserved2 that cancel out are EINVAL")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->reserved1 = -1U;
	args.a.reserved2 = 1;
	expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
}

CHECK(padding, "bytes 20 to 23 are ignored")
{
	struct ct_args args;

	memset((char *)ct_args(&args, SIGCHLD, 0) + 20, 0xff, 4);
	expect_child(cloneat(ct_pid(), 0, &args));
}

CHECK(reserved3_low, "reserved3 = 1 without CLONE_SETTLS is EINVAL")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->reserved3 = 1;
	expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
}

CHECK(reserved3_top, "reserved3 = 1 << 63 without CLONE_SETTLS is EINVAL")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->reserved3 = 1ULL << 63;
	expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
}

static unsigned long our_tls(void)
{
	unsigned long tls = 0;

#ifdef __x86_64__
	must(syscall(SYS_arch_prctl, ARCH_GET_FS, &tls));
#else
	__asm__("mrs %0, tpidr_el0" : "=r"(tls));
#endif
	return tls;
}

CHECK(reserved3_settls, "reserved3 is the TLS value with CLONE_SETTLS")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD | CLONE_SETTLS, 0)->reserved3 = our_tls();
	expect_child(cloneat(ct_pid(), 0, &args));
}

CHECK(reserved3_settls_ext, "reserved3 is the TLS value with CLONEXT_SETTLS")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, CT_EXT(CLONEXT_SETTLS));
	args.a.reserved3 = our_tls();
	expect_child(cloneat(ct_pid(), 0, &args));
}

static long tls_is_zero(void *arg)
{
	(void)arg;
#ifdef __x86_64__
	unsigned long tls = 1;

	if (ct_syscall3(SYS_arch_prctl, ARCH_GET_FS, &tls, 0))
		ct_exit(9);
	ct_exit(tls ? 9 : 5);
#else
	ct_exit(our_tls() ? 9 : 5);
#endif
}

CHECK(reserved3_zero, "CLONE_SETTLS with reserved3 = 0 sets TLS to 0")
{
	struct ct_args args;
	long pid;

	ct_args(&args, SIGCHLD | CLONE_SETTLS, 0);
	pid = expect_ok(cloneat_call(ct_pid(), 0, &args.a, tls_is_zero, NULL));
	expect_exit(pid, 5);
}

CHECK(unused_pointers, "tid pointers are not looked at without their flags")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0);
	args.a.parent_tid_ptr = ~0ULL;
	args.a.child_tid_ptr = 1ULL << 63;
	expect_child(cloneat(ct_pid(), 0, &args));
}

/* --- the flags --- */

CHECK(flags_null, "flags at NULL are EFAULT")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->flags = NULL;
	expect_errno(cloneat(ct_pid(), 0, &args), EFAULT);
}

CHECK(flags_unmapped, "flags at an unmapped address are EFAULT")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->flags = hole();
	expect_errno(cloneat(ct_pid(), 0, &args), EFAULT);
}

CHECK(flags_kernel, "flags at a kernel address are EFAULT")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->flags = (void *)0xffff888000000000;
	expect_errno(cloneat(ct_pid(), 0, &args), EFAULT);
}

CHECK(flags_wrap, "flags that wrap the address space are EFAULT")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->flags = (void *)-4L;
	expect_errno(cloneat(ct_pid(), 0, &args), EFAULT);
}

CHECK(flags_no_access, "flags in PROT_NONE memory are EFAULT")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0)->flags = (void *)map_pages(1, PROT_NONE);
	expect_errno(cloneat(ct_pid(), 0, &args), EFAULT);
}

/* The words of @args, laid so that @mapped bytes of them are mapped. */
static void flags_at_end(struct ct_args *args, int mapped)
{
	char *end = map_pages(1, PROT_READ | PROT_WRITE) + PAGE;

	ct_args(args, SIGCHLD, 0);
	memcpy(end - mapped, args->flags, mapped);
	args->a.flags = (clone_flag_t *)(end - mapped);
}

CHECK(flags_cut, "flags of which the second word is unmapped are EFAULT")
{
	struct ct_args args;

	flags_at_end(&args, 4);
	expect_errno(cloneat(ct_pid(), 0, &args), EFAULT);
}

CHECK(flags_cut_by_one, "flags with the last byte unmapped are EFAULT")
{
	struct ct_args args;

	flags_at_end(&args, 7);
	expect_errno(cloneat(ct_pid(), 0, &args), EFAULT);
}

CHECK(flags_at_end_fine, "flags that end where the mapping ends are fine")
{
	struct ct_args args;

	flags_at_end(&args, 8);
	expect_child(cloneat(ct_pid(), 0, &args));
}

CHECK(flags_one_word_at_end, "one word that ends where the mapping ends is fine")
{
	struct ct_args args;

	flags_at_end(&args, 4);
	args.a.flags_size = 4;
	expect_child(cloneat(ct_pid(), 0, &args));
}

CHECK(flags_unaligned, "flags at an odd address are fine")
{
	struct ct_args args;
	char *p = map_pages(1, PROT_READ | PROT_WRITE) + 3;

	ct_args(&args, SIGCHLD, 0);
	args.a.flags = memcpy(p, args.flags, 8);
	expect_child(cloneat(ct_pid(), 0, &args));
}

CHECK(flags_largest_cut, "4096 bytes of flags of which 2048 are mapped are EFAULT")
{
	struct ct_args args;

	flags_at_end(&args, 8);
	args.a.flags = (clone_flag_t *)((char *)args.a.flags + 8 - 2048);
	args.a.flags[0] = SIGCHLD;
	args.a.flags_size = 4096;
	expect_errno(cloneat(ct_pid(), 0, &args), EFAULT);
}

CHECK(flags_missing_word, "a word past flags_size counts as 0")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, ~0U);
	args.a.flags_size = 4;
	expect_child(cloneat(ct_pid(), 0, &args));
}

CHECK(flags_in_padding, "flags may lie in the struct's padding")
{
	struct ct_args args;

	ct_args(&args, 0, 0);
	args.a.flags = (clone_flag_t *)((char *)&args.a + 20);
	args.a.flags[0] = SIGCHLD;
	args.a.flags_size = 4;
	expect_child(cloneat(ct_pid(), 0, &args));
}

CHECK(flags_in_struct, "flags may lie in a field of the struct that is not used")
{
	struct ct_args args;

	ct_args(&args, 0, 0);
	args.a.flags = (clone_flag_t *)&args.a.parent_tid_ptr;
	args.a.parent_tid_ptr = SIGCHLD;
	expect_child(cloneat(ct_pid(), 0, &args));
}

CHECK(result_in_flags, "the parent's tid may be stored over the flags")
{
	struct ct_args args;
	long pid;

	ct_args(&args, SIGCHLD | CLONE_PARENT_SETTID, 0);
	args.a.parent_tid_ptr = (uintptr_t)args.flags;
	pid = expect_child(cloneat(ct_pid(), 0, &args));
	expect_eq(args.flags[0], pid);
	expect_eq(args.flags[1], 0);
}

CHECK(result_in_struct, "the parent's tid may be stored over the struct")
{
	struct ct_args args;
	long pid;

	ct_args(&args, SIGCHLD | CLONE_PARENT_SETTID, 0);
	args.a.parent_tid_ptr = (uintptr_t)&args.a.reserved1;
	pid = expect_child(cloneat(ct_pid(), 0, &args));
	expect_eq(args.a.reserved1, pid);
}

/* --- flags_size --- */

static const struct size_row {
	const char *name;
	const char *verdict;
	int size;		/* bytes */
	int want;		/* errno, 0 for a child */
} sizes[] = {
	{ "size_0", "flags_size 0 is EINVAL", 0, EINVAL },
	{ "size_1", "flags_size 1 is EINVAL", 1, EINVAL },
	{ "size_2", "flags_size 2 is EINVAL", 2, EINVAL },
	{ "size_3", "flags_size 3 is EINVAL", 3, EINVAL },
	{ "size_4", "flags_size 4 is one word", 4, 0 },
	{ "size_5", "flags_size 5 is EINVAL", 5, EINVAL },
	{ "size_6", "flags_size 6 is EINVAL", 6, EINVAL },
	{ "size_7", "flags_size 7 is EINVAL", 7, EINVAL },
	{ "size_8", "flags_size 8 is two words", 8, 0 },
	{ "size_12", "flags_size 12 is fine", 12, 0 },
	{ "size_4092", "flags_size 4092 is fine", 4092, 0 },
	{ "size_4095", "flags_size 4095 is EINVAL", 4095, EINVAL },
	{ "size_4096", "flags_size 4096 is fine", 4096, 0 },
	{ "size_4097", "flags_size 4097 is EINVAL, not E2BIG", 4097, EINVAL },
	{ "size_4100", "flags_size 4100 is E2BIG", 4100, E2BIG },
	{ "size_8192", "flags_size 8192 is E2BIG", 8192, E2BIG },
	{ "size_1g", "flags_size 1 GB is E2BIG", 1 << 30, E2BIG },
	{ "size_max", "flags_size INT_MAX is EINVAL", INT_MAX, EINVAL },
	{ "size_max_words", "flags_size INT_MAX - 3 is E2BIG", INT_MAX - 3, E2BIG },
	{ "size_minus_1", "flags_size -1 is EINVAL", -1, EINVAL },
	{ "size_minus_4", "flags_size -4 is EINVAL", -4, EINVAL },
	{ "size_min", "flags_size INT_MIN is EINVAL", INT_MIN, EINVAL },
};

CHECK_TABLE(size, sizes)
{
	const struct size_row *row = ct_arg();
	struct ct_args args;

	ct_args(&args, 0, 0);
	args.a.flags = (clone_flag_t *)map_pages(1, PROT_READ | PROT_WRITE);
	args.a.flags[0] = SIGCHLD;
	args.a.flags_size = row->size;
	if (row->want)
		expect_errno(cloneat(ct_pid(), 0, &args), row->want);
	else
		expect_child(cloneat(ct_pid(), 0, &args));
}

CHECK(size_before_pointer, "a wrong flags_size is seen before a bad pointer")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0);
	args.a.flags = NULL;
	args.a.flags_size = 0;
	expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
}

CHECK(last_word, "a bit in the last of 1024 words is seen: EINVAL")
{
	struct ct_args args;

	ct_args(&args, 0, 0);
	args.a.flags = (clone_flag_t *)map_pages(1, PROT_READ | PROT_WRITE);
	args.a.flags[0] = SIGCHLD;
	args.a.flags[1023] = INT_MIN;
	args.a.flags_size = 4096;
	expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
}

/* --- registers --- */

CHECK(pid_zero, "pid 0 is EINVAL")
{
	expect_errno(cloneat_fork(0, 0), EINVAL);
}

CHECK(pid_negative, "pid -1 and pid INT_MIN are EINVAL")
{
	expect_errno(cloneat_fork(-1, 0), EINVAL);
	expect_errno(cloneat_fork(INT_MIN, 0), EINVAL);
}

CHECK(pid_group, "minus a process group's id is EINVAL, no group")
{
	expect_errno(cloneat_fork(-ct_pid(), 0), EINVAL);
}

CHECK(pid_above_max, "a pid past pid_max is ESRCH")
{
	expect_errno(cloneat_fork(INT_MAX, 0), ESRCH);
}

CHECK(pid_reaped, "a pid that was reaped is ESRCH")
{
	long pid = expect_child(cloneat_fork(ct_pid(), 0));

	expect_errno(cloneat_fork(pid, 0), ESRCH);
}

CHECK(pid_is_int, "the upper half of the register with pid is ignored")
{
	struct ct_args args;
	long pid = 0x5555555500000000L | (unsigned int)ct_pid();

	ct_args(&args, SIGCHLD, 0);
	expect_child(ct_syscall3(__NR_cloneat, pid, 0, &args));
}

CHECK(hint_is_int, "the upper half of the register with hint is ignored")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0);
	expect_child(ct_syscall3(__NR_cloneat, ct_pid(), 0xffffffff00000000L,
				 &args));
}

/* 32 bits are a system call's number since Linux 5.13 (arch/x86/entry/common.c). */
CHECK(number_is_int, "the upper half of the register with the number is ignored")
{
	const long high = 0x5555555500000000L;
	struct ct_args args;
	struct target t;
	long pid;

	if (ct_syscall3(high | SYS_getpid, 0, 0, 0) == -ENOSYS)
		ct_skip("a system call's number has 64 bits here");
	ct_args(&args, SIGCHLD, 0);
	expect_child(ct_syscall3(high | __NR_cloneat, ct_pid(), 0, &args));
	target_start(&t);
	pid = expect_ok(ct_syscall3(high | __NR_cloneat, t.pid, 0, &args));
	if (pid == 0)
		ct_exit(6);
	expect_eq(target_wait(&t, pid), W_EXITCODE(6, 0));
	target_end(&t);
}

CHECK(more_registers, "the fourth to sixth register are ignored")
{
	struct ct_args args;

	ct_args(&args, SIGCHLD, 0);
	expect_child(ct_syscall6(__NR_cloneat, ct_pid(), 0, (long)&args, -1,
				 -1, -1));
}

CHECK(probe_any_pid, "the probe is EFAULT with any pid and hint")
{
	expect_errno(cloneat(0, 0, NULL), EFAULT);
	expect_errno(cloneat(-1, -1, NULL), EFAULT);
	expect_errno(cloneat(INT_MAX, INT_MIN, NULL), EFAULT);
}

#ifdef __x86_64__
CHECK(x32_entry, "the x32 entry answers ENOSYS")
{
	struct ct_args args;
	long nr = 0x40000000 | __NR_cloneat;

	ct_args(&args, SIGCHLD, 0);
	expect_errno(ct_syscall3(nr, ct_pid(), 0, &args), ENOSYS);
	expect_errno(ct_syscall3(nr, 0, 0, NULL), ENOSYS);
}

static long int80(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "r8", "r9", "r10", "r11", "memory");
	return ret;
}

static sigjmp_buf no_int80;

static void on_segv(int sig)
{
	(void)sig;
	siglongjmp(no_int80, 1);
}

CHECK(i386_entry, "the i386 entry answers ENOSYS")
{
	signal(SIGSEGV, on_segv);
	if (sigsetjmp(no_int80, 1))
		ct_skip("this kernel has no 32-bit entry");
	expect_eq(int80(20, 0, 0, 0), ct_pid());
	expect_errno((int)int80(__NR_cloneat, 0, 0, 0), ENOSYS);
	expect_errno((int)int80(__NR_cloneat, ct_pid(), 0, 0), ENOSYS);
}
#endif
