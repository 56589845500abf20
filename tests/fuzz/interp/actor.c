// SPDX-License-Identifier: Apache-2.0
/* What an actor does: see interp.h. */
#include "interp.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/cloneat.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STACK_SIZE 65536
#define BAD_ADDRESS 0xffff800000000000UL	/* no user's */

volatile long data_cell;
volatile int tids[TIDS];
static char tls[256] __attribute__((aligned(64)));

long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static void born_on_stack(long i)
{
	actor(i);
}

/*
 * A call that makes a child.  With a stack of its own the child cannot return
 * from here: it finds the function and its argument in registers.
 */
static long birth(long nr, const long arg[5], long child, bool stack)
{
	register long r10 __asm__("r10") = arg[3];
	register long r8 __asm__("r8") = arg[4];
	register long r12 __asm__("r12") = child;
	register long r13 __asm__("r13") = stack ? (long)born_on_stack : 0;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "test %%r13, %%r13\n\t"
			 "jz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "and $-16, %%rsp\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call *%%r13\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(nr), "D"(arg[0]), "S"(arg[1]), "d"(arg[2]),
			   "r"(r10), "r"(r8), "r"(r12), "r"(r13)
			 : "rcx", "r11", "memory");
	if (ret == 0)
		actor(child);
	return ret;
}

static unsigned long new_stack(void)
{
	return raw(SYS_mmap, 0, STACK_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long do_clone(const struct command *c)
{
	unsigned long flags = c->arg[0];
	bool stack = flags & CLONE_VM;
	long arg[5] = { flags, 0, (long)&tids[0], (long)&tids[1], 0 };

	if (stack)
		arg[1] = new_stack() + STACK_SIZE;
	return birth(SYS_clone, arg, c->child, stack);
}

/* Fills in the struct as the fault demands; the words are in set. */
static void fill(struct cloneat_args *a, clone_flag_t *set,
		 const struct at *at, bool *stack)
{
	bool vm = (at->word[0] & CLONE_VM) || (at->word[1] & 1);
	bool settls = ((at->word[0] >> 8) | at->word[1]) & (CLONE_SETTLS >> 8);

	*a = (struct cloneat_args){ .flags = set, .flags_size = at->size };
	set[0] = at->word[0];
	set[1] = at->word[1];
	a->parent_tid_ptr = (unsigned long)&tids[0];
	a->child_tid_ptr = (unsigned long)&tids[1];
	if (settls)
		a->reserved3 = (unsigned long)tls;
	*stack = vm;
	if (vm) {
		a->child_stack_base = new_stack();
		a->child_stack_size = STACK_SIZE;
	}
	switch (at->fault) {
	case NULL_FLAGS: a->flags = NULL; break;
	case RESERVED1: a->reserved1 = 1; break;
	case RESERVED2: a->reserved2 = 1; break;
	case RESERVED3: a->reserved3 = settls ? a->reserved3 : 1; break;
	case NO_BASE: a->child_stack_size = STACK_SIZE;
		      a->child_stack_base = 0; break;
	case NO_SIZE: a->child_stack_base = 4096;
		      a->child_stack_size = 0; break;
	case WRAPS: a->child_stack_base = -4096UL;
		    a->child_stack_size = 8192; break;
	case BAD_TLS: a->reserved3 = BAD_ADDRESS; break;
	case BAD_POINTERS: a->parent_tid_ptr = 8; a->child_tid_ptr = 8; break;
	case THIRD_WORD: a->flags_size = 12; break;
	case HIGH_WORD: a->flags_size = 12; set[2] = 1; break;
	default: break;
	}
}

static long do_cloneat(const struct command *c, struct answer *answer)
{
	struct cloneat_args a;
	clone_flag_t set[3] = { 0 };
	long arg[5] = { c->arg[0], c->arg[1], (long)&a, 0, 0 };
	bool stack;
	long ret;

	fill(&a, set, &c->at, &stack);
	if (c->at.fault == NULL_STRUCT)
		arg[2] = 0;
	tids[0] = -1;
	tids[1] = -1;
	ret = birth(511, arg, c->child, stack);
	answer->extra = tids[0];
	return ret;
}

static long do_exec(int i)
{
	char digits[3] = { '0' + i / 10, '0' + i % 10, 0 };
	char name[] = "interp", flag[] = "--actor";
	char *argv[] = { name, flag, digits, NULL }, *env[] = { NULL };

	return raw(SYS_execveat, EXE_FD, (long)"", (long)argv, (long)env,
		   AT_EMPTY_PATH, 0);
}

static long do_write(long cell, long value)
{
	volatile long *where[CELLS] = {
		&data_cell, (long *)PRIVATE_CELL, (long *)SHARED_CELL,
		(long *)FILE_CELL,
	};

	*where[cell % CELLS] = value;
	return 0;
}

static long do_open(long fd, long what)
{
	long got;

	if (what == 0)
		got = raw(SYS_memfd_create, (long)"fuzz", 0, 0, 0, 0, 0);
	else if (what == 1)
		got = raw(SYS_openat, AT_FDCWD, (long)"/", O_RDONLY | O_DIRECTORY,
			  0, 0, 0);
	else if (what == 2)
		got = raw(SYS_eventfd2, 7, 0, 0, 0, 0, 0);
	else
		got = raw(SYS_timerfd_create, 1, 0, 0, 0, 0, 0);
	if (got < 0)
		return got;
	raw(SYS_dup3, got, fd, what == 1 ? O_CLOEXEC : 0, 0, 0, 0);
	return raw(SYS_close, got, 0, 0, 0, 0, 0);
}

static long do_setid(long id)
{
	long ret = raw(SYS_setgroups, 0, 0, 0, 0, 0, 0);

	if (!ret)
		ret = raw(SYS_setresgid, id, id, id, 0, 0, 0);
	if (!ret)
		ret = raw(SYS_setresuid, id, id, id, 0, 0, 0);
	return ret;
}

static long do_caps(uint64_t keep)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	long ret = raw(SYS_capget, (long)&h, (long)d, 0, 0, 0, 0);

	for (int i = 0; i < 2; i++) {
		d[i].effective &= (uint32_t)(keep >> 32 * i);
		d[i].permitted &= (uint32_t)(keep >> 32 * i);
		d[i].inheritable = 0;
	}
	return ret ? ret : raw(SYS_capset, (long)&h, (long)d, 0, 0, 0, 0);
}

static void handler(int sig)
{
	(void)sig;
}

static long do_signal(long sig, long how)
{
	struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } sa = { 0 };

	sa.handler = how == 0 ? (void *)SIG_DFL :
		     how == 1 ? (void *)SIG_IGN : (void *)handler;
	return raw(SYS_rt_sigaction, sig, (long)&sa, 0, 8, 0, 0);
}

static long do_setns(long pid, long flags)
{
	long fd = raw(SYS_pidfd_open, pid, 0, 0, 0, 0, 0), ret;

	if (fd < 0)
		return fd;
	ret = raw(SYS_setns, fd, flags, 0, 0, 0, 0);
	raw(SYS_close, fd, 0, 0, 0, 0, 0);
	return ret;
}

static long do_rlimit(long resource, long value)
{
	struct rlimit r = { value, value };

	return raw(SYS_setrlimit, resource, (long)&r, 0, 0, 0, 0);
}

static long obey(int i, const struct command *c, struct answer *a)
{
	const long *g = c->arg;

	switch (c->kind) {
	case DO_SYSCALL: return raw(g[0], g[1], g[2], g[3], g[4], g[5], g[6]);
	case DO_CLONE: return do_clone(c);
	case DO_CLONEAT: return do_cloneat(c, a);
	case DO_EXEC: return do_exec(i);
	case DO_WAIT: return raw(SYS_wait4, g[0], (long)&a->extra,
				 WNOHANG | __WALL, 0, 0, 0);
	case DO_WRITE: return do_write(g[0], g[1]);
	case DO_OPEN: return do_open(g[0], g[1]);
	case DO_SETID: return do_setid(g[0]);
	case DO_CAPS: return do_caps(g[0]);
	case DO_SIGNAL: return do_signal(g[0], g[1]);
	case DO_BLOCK: return raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&g[0],
				  0, 8, 0, 0);
	case DO_SETNS: return do_setns(g[0], g[1]);
	case DO_RLIMIT: return do_rlimit(g[0], g[1]);
	}
	return -1;
}

void actor(int i)
{
	struct command c;
	struct answer a = { 0 };
	long n;

	for (;;) {
		a.tid = raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
		raw(SYS_sendto, CHANNEL_FD + i, (long)&a, sizeof(a), 0, 0, 0);
		do {
			n = raw(SYS_recvfrom, CHANNEL_FD + i, (long)&c,
				sizeof(c), 0, 0, 0);
		} while (n == -4 /* EINTR */);
		if (n != sizeof(c))
			raw(SYS_exit, 99, 0, 0, 0, 0, 0);
		a.extra = 0;
		a.ret = obey(i, &c, &a);
	}
}

static void map_at(unsigned long at, int flags, int fd)
{
	raw(SYS_mmap, at, 4096, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
}

/* The memory that programs write to, at the same addresses in everybody. */
void actor_memory(void)
{
	long fd = raw(SYS_memfd_create, (long)"cell", 0, 0, 0, 0, 0);

	raw(SYS_ftruncate, fd, 4096, 0, 0, 0, 0);
	map_at(PRIVATE_CELL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map_at(SHARED_CELL, MAP_SHARED | MAP_ANONYMOUS, -1);
	map_at(FILE_CELL, MAP_PRIVATE, fd);
	raw(SYS_close, fd, 0, 0, 0, 0, 0);
}
