/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Harness of the conformance suite of cloneat().
 *
 * A program is a list of named checks:
 *
 *	CHECK(null_struct, "a NULL struct is EFAULT")
 *	{
 *		expect_errno(cloneat(ct_pid(), 0, NULL), EFAULT);
 *	}
 *
 * It prints TAP: "ok 1 - args.null_struct", or "not ok" with a line that says
 * what was expected and what came.  "PROG --list" lists the names, "PROG
 * --describe" adds verdicts, "PROG NAME..." runs only those.  The program's
 * exit status is 0 only if every check that ran passed.
 *
 * The processes of a run:
 *
 *	runner ---- keeper (a child subreaper, one per check)
 *	              |
 *	              +-- check: runs the body, has 300 s
 *	              |     +-- targets, children of cloneat() ...
 *	              +-- whatever lost its parent
 *
 * A body passes by returning from its function.  It fails by the first failed
 * expectation in it or in any process forked from it, by ending in any other
 * way, and by leaving live processes behind: the keeper kills and reaps those.
 * The check itself is no subreaper: a process whose parent died below it is
 * not its descendant any more.
 *
 * Calls here return what the kernel returns: -errno, and errno is never
 * touched, so that children with CLONE_VM may use them as well.
 */
#ifndef CLONEAT_TEST_H
#define CLONEAT_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/cloneat.h>

#define PAGE 4096UL

#ifndef __NR_cloneat
#define __NR_cloneat 511	/* x86-64 and arm64 */
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef CLONE_DETACHED
#define CLONE_DETACHED 0x00400000
#endif
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

#define CT_STACK_SIZE (256 * 1024)	/* bytes of a stack of ct_stack() */
#define CT_SECONDS 300	/* ends a hang; emulated twice, a check is slow */
#define CT_SLOTS 64			/* longs that processes share */

/* The word of a mask made of CLONEXT_* indices. */
#define CT_EXT(index) (1U << ((index) - 32))

#ifndef __noreturn
#define __noreturn __attribute__((noreturn))
#endif
#ifndef __maybe_unused
#define __maybe_unused __attribute__((unused))
#endif
#ifndef __printf
#define __printf(a, b) __attribute__((format(printf, a, b)))
#endif

#define ct_count(a) (sizeof(a) / sizeof((a)[0]))

/* --- checks ------------------------------------------------------------- */

struct ct_check {
	const char *name;	/* without the program's name */
	const char *verdict;	/* one line: what holds */
	const char *documented;	/* why the emulator may differ, or NULL */
	void (*body)(void);
	const void *arg;	/* a row of a table: ct_arg() in the body */
	int line;
	struct ct_check *next;
};

void ct_add(struct ct_check *check);

#define CT_DEFINE(fn, text, why)					\
	static void fn(void);						\
	__attribute__((constructor)) static void ct_add_##fn(void)	\
	{								\
		static struct ct_check check = { #fn, text, why, fn,	\
						 NULL, __LINE__, NULL };\
		ct_add(&check);						\
	}								\
	static void fn(void)

/* A check.  The text is the sentence of the specification that it proves. */
#define CHECK(fn, text) CT_DEFINE(fn, text, NULL)

/* A check in which the emulator is documented to differ, and why. */
#define CHECK_DOCUMENTED(fn, text, why) CT_DEFINE(fn, text, why)

/*
 * One check for each row of an array of structs that begin with
 * { const char *name; const char *verdict; }.
 */
#define CHECK_TABLE(fn, table)						\
	static void fn(void);						\
	__attribute__((constructor)) static void ct_add_##fn(void)	\
	{								\
		static struct ct_check check[ct_count(table)];		\
									\
		for (size_t i = 0; i < ct_count(table); i++) {		\
			check[i].name = (table)[i].name;		\
			check[i].verdict = (table)[i].verdict;		\
			check[i].body = fn;				\
			check[i].arg = &(table)[i];			\
			check[i].line = __LINE__;			\
			ct_add(&check[i]);				\
		}							\
	}								\
	static void fn(void)

const void *ct_arg(void);	/* the row of CHECK_TABLE that runs */

/* --- expectations ------------------------------------------------------- */

/* Ends this process, and the check fails with this message. */
void __noreturn __printf(2, 3) ct_fail(int line, const char *format, ...);
/* Ends this process, and the check counts as skipped: for lacking features. */
void __noreturn __printf(1, 2) ct_skip(const char *format, ...);
void ct_expect_errno(int line, const char *call, long got, int want);
void ct_expect_eq(int line, const char *what, long got, long want);
long ct_expect_ok(int line, const char *call, long got);
void ct_at(int line);		/* notes how far this check came */
const char *ct_errname(int err);

/* The harness's own files define it as 0: the last line of the check. */
#ifndef CT_LINE
#define CT_LINE __LINE__
#endif

#define fail(...) ct_fail(CT_LINE, __VA_ARGS__)
/* The call fails with this errno.  A child that it makes by mistake ends. */
#define expect_errno(call, want)					\
	(ct_at(CT_LINE), ct_expect_errno(CT_LINE, #call, (call), (want)))
#define expect_eq(got, want)						\
	(ct_at(CT_LINE), ct_expect_eq(CT_LINE, #got, (long)(got), (long)(want)))
/* The call does not fail; yields its result (0 in a child). */
#define expect_ok(call) (ct_at(CT_LINE), ct_expect_ok(CT_LINE, #call, (call)))
#define expect(cond)							\
	((cond) ? ct_at(CT_LINE) : ct_fail(CT_LINE, "expected %s", #cond))
/* The same for library calls that return -1 and set errno. */
#define must(call)							\
	({								\
		long must_ret = (long)(call);				\
									\
		if (must_ret == -1)					\
			ct_fail(CT_LINE, "%s: %s", #call,		\
				ct_errname(errno));			\
		must_ret;						\
	})

/* --- memory that every process of the check shares ---------------------- */

/* Slots that start as 0; a child with a copy of our memory shares them too. */
extern volatile long *ct_slot;

/* Waits until the slot holds that value (a futex); slot_set() wakes. */
void slot_set(int slot, long value);
void slot_wait(int slot, long value);
/* Adds one and wakes, up to @most: several may count in one slot. */
void slot_count(int slot, long most);

/* --- the call ----------------------------------------------------------- */

static __always_inline long ct_syscall6(long nr, long a, long b, long c, long d,
					long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0" : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
#error "cloneat() has a number on x86-64 and arm64 only"
#endif
}

#define ct_syscall3(nr, a, b, c)					\
	ct_syscall6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)

/* Raw: the child's id, 0 in the child, or -errno. */
static __always_inline long cloneat(pid_t pid, pid_t hint, const void *args)
{
	return ct_syscall3(__NR_cloneat, pid, hint, args);
}

/* A struct with its flags; the pointer into itself is set by ct_args(). */
struct ct_args {
	struct cloneat_args a;
	clone_flag_t flags[2];
};

/* Plain: word 0 (classic mask | exit signal) and word 1 (CT_EXT bits). */
static __always_inline struct cloneat_args *
ct_args(struct ct_args *args, unsigned int word0, unsigned int word1)
{
	*args = (struct ct_args){ .flags = { (int)word0, (int)word1 } };
	args->a.flags = args->flags;
	args->a.flags_size = sizeof(args->flags);
	return &args->a;
}

/* cloneat() with word 0 and word 1 and nothing else in the struct. */
static __always_inline long cloneat_words(pid_t pid, pid_t hint,
					  unsigned int word0,
					  unsigned int word1)
{
	struct ct_args args;

	return cloneat(pid, hint, ct_args(&args, word0, word1));
}

/* The usual: no flags, SIGCHLD, like fork(). */
static __always_inline long cloneat_fork(pid_t pid, pid_t hint)
{
	return cloneat_words(pid, hint, SIGCHLD, 0);
}

/*
 * For children that need a stack of their own (CLONE_VM): the child runs
 * fn(arg) on the stack that @args names, then exits (its thread only) with
 * the result.  Never returns in the child.
 */
long cloneat_call(pid_t pid, pid_t hint, struct cloneat_args *args,
		  long (*fn)(void *), void *arg);
/* The same by clone(2) of the running kernel, to compare with. */
long clone_call(unsigned long flags, void *stack_base, size_t stack_size,
		void *parent_tid, void *child_tid, unsigned long tls,
		long (*fn)(void *), void *arg);
/* Any clone call, by its number and registers; the child runs fn(arg). */
long ct_clone(long nr, const long a[5], long (*fn)(void *), void *arg);

/* A child that does no more: the result is arg. */
long ct_return(void *arg);

/* CLOCK_MONOTONIC in nanoseconds, and in microseconds. */
long long ct_clock(void);
long now_us(void);
/* clone(2) with flags and exit signal, on the caller's stack. */
long clone_words(unsigned long flags);

/*
 * A stack of CT_STACK_SIZE bytes with a guard page below; it lives as long as
 * the check.  The struct's stack fields are filled in if @args is given.
 */
void *ct_stack(struct cloneat_args *args);

/* --- ending, waiting ---------------------------------------------------- */

void __noreturn ct_exit(int status);		/* raw exit_group */
void __noreturn ct_exit_thread(int status);	/* raw exit */
pid_t ct_pid(void);		/* raw getpid: right in every child */
pid_t ct_tid(void);
pid_t ct_ppid(void);

/*
 * Our child with this id exits with this status.  Any status that is not a
 * plain exit, and any other child, fails the check.
 */
#define expect_exit(pid, status)					\
	(ct_at(__LINE__), ct_expect_exit(__LINE__, (pid), (status)))
void ct_expect_exit(int line, pid_t pid, int status);
/* The call makes a child of ours; the child ends at once and is reaped. */
#define expect_child(call)						\
	({								\
		long child_pid = expect_ok(call);			\
									\
		if (child_pid == 0)					\
			ct_exit(5);					\
		expect_exit(child_pid, 5);				\
		child_pid;						\
	})
int ct_open_pidfd(pid_t pid);	/* -errno if it fails */
/* Waits until the process has ended (a zombie has), though not our child. */
void wait_end(pid_t pid);
void wait_end_fd(int pidfd);
/* Kills with SIGKILL and waits for the end; the parent still has to reap. */
void kill_end(pid_t pid);
/* Kills our own child and reaps it. */
void kill_reap(pid_t pid);

/* Removes a directory that is empty by then when the check has ended anyhow. */
void ct_remove_later(const char *path);

/* Becomes another program (this one, told to wait for ever). */
void __noreturn ct_exec_pause(void);

/* --- targets ------------------------------------------------------------ */

/*
 * A process below us that waits for orders.  It ends by target_end() and also
 * when the check ends.
 *
 *	check
 *	  +-- target  <-- target_do(&t, fn, arg) runs fn(arg) there
 *	        +-- what cloneat(t.pid, ...) makes
 */
struct target {
	pid_t pid;		/* as the process that started it sees it */
	int order[2];		/* pipes */
	int answer[2];
};

void target_start(struct target *t);
/* Made by clone(2) with these flags; CLONE_VM gives it a stack of its own. */
void target_clone(struct target *t, unsigned long flags);
/* Runs fn(arg) in the target (its main thread) and returns the result. */
long target_do(struct target *t, long (*fn)(void *), void *arg);
/* The target reaps its child: the wait status, or -errno. */
long target_wait(struct target *t, pid_t pid);
/* Kills the target and reaps it. */
void target_end(struct target *t);

/* --- rights and namespaces ---------------------------------------------- */

/* Real, effective, saved uid and gid = @id, no groups, no capabilities if @id
 * is not 0; still dumpable, so that a tracer's check looks at ids only.
 */
void become(unsigned int id);
/* Takes one capability out of the effective and permitted sets. */
void drop_cap(int cap);
void drop_all_caps(void);
/* They stay permitted. */
void suspend_caps(void);
/* A user namespace in which our ids are 0; all capabilities there. */
void enter_userns(void);
/* unshare(2) of the running kernel: skips if the kernel has no such kind. */
void ct_unshare(int flags);

/*
 * Runs fn(arg) as init of a new pid namespace and returns its exit status;
 * a failed expectation there fails the check.  Processes that are left in the
 * namespace die with it and are no leak.
 */
void in_pidns(void (*fn)(void *), void *arg);

/* --- /proc -------------------------------------------------------------- */

/* A numeric field of /proc/PID/status; fails the check if there is none. */
long proc_field(pid_t pid, const char *field);
/*
 * What /proc/self/smaps says of the mapping at an address: the line of a field,
 * behind its name, and whether VmFlags has one (" ac").  -ENODATA without such a line.
 */
long vma_line(unsigned long at, const char *field, char *text, int size);
long vma_flag(unsigned long at, const char *flag);
unsigned long proc_mask(pid_t pid, const char *field);
pid_t proc_ppid(pid_t pid);
char proc_state(pid_t pid);	/* 'R', 'S', 'Z' ...; 0 if it is gone */
/* NSpid from the outermost to the innermost; the number of entries. */
int proc_nspid(pid_t pid, pid_t *ids, int max);
/* Identity of /proc/PID/ns/NAME; 0 if the kernel has no such kind. */
unsigned long ns_id(pid_t pid, const char *name);
long ct_pid_max(void);
/* A low pid that nothing in this pid namespace uses (best made in in_pidns). */
pid_t free_pid(void);
/* Waits for a state of /proc/PID/stat without a limit (the check has one). */
void wait_state(pid_t pid, char state);
/* Writes a file; -errno if it fails. */
int __printf(2, 3) ct_write(const char *path, const char *format, ...);

#endif /* CLONEAT_TEST_H */
