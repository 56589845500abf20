// SPDX-License-Identifier: Apache-2.0
/* How an actor makes another: clone(2) and cloneat(2). */
#include "interp.h"
#include <linux/cloneat.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define STACK_SIZE 65536
#define BAD_ADDRESS 0xffff800000000000UL	/* no user's */

volatile int tids[TIDS];
static char tls[256] __attribute__((aligned(64)));
static clone_flag_t long_array[1024];

bool is_tls(unsigned long at)
{
	return at == (unsigned long)tls;
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

long do_clone3(const struct command *c)
{
	int set[2] = { c->arg[1], c->arg[2] };
	struct clone_args a = {
		.flags = c->arg[0],
		.exit_signal = 17,
		.set_tid = (unsigned long)set,
		.set_tid_size = 1 + !!set[1],
		.parent_tid = (unsigned long)&tids[0],
		.child_tid = (unsigned long)&tids[1],
	};
	long arg[5] = { (long)&a, sizeof(a), 0, 0, 0 };

	return birth(SYS_clone3, arg, c->child, false);
}

/* Copies the first n bytes to the end of a page with none behind it. */
static void *to_edge(const void *what, size_t n)
{
	char *to = (char *)PRIVATE_CELL + 4096 - n;

	for (size_t i = 0; i < n; i++)
		to[i] = ((const char *)what)[i];
	return to;
}

long do_clone(const struct command *c)
{
	unsigned long flags = c->arg[0];
	bool stack = flags & CLONE_VM;
	long arg[5] = { flags, 0, (long)&tids[0], (long)&tids[1], 0 };

	if (stack) {
		arg[1] = new_stack();
		if (arg[1] < 0)
			return arg[1];
		arg[1] += STACK_SIZE;
	}
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
	case READ_ONLY: a->parent_tid_ptr = (unsigned long)actor;
			a->child_tid_ptr = (unsigned long)actor; break;
	case ARRAY_EDGE: a->flags = to_edge(set, 4); break;
	case LONG_ARRAY: long_array[0] = set[0];
			 long_array[1] = set[1];
			 a->flags = long_array; a->flags_size = 4096; break;
	default: break;
	}
}

long do_cloneat(const struct command *c, struct answer *answer)
{
	struct cloneat_args a;
	clone_flag_t set[3] = { 0 };
	long arg[5] = { c->arg[0], c->arg[1], (long)&a, 0, 0 };
	bool stack;
	long ret;

	fill(&a, set, &c->at, &stack);
	if (stack && (long)a.child_stack_base < 0 && c->at.fault != WRAPS)
		return a.child_stack_base;	/* mmap(2) failed */
	if (c->at.fault == NULL_STRUCT)
		arg[2] = 0;
	if (c->at.fault == STRUCT_EDGE)
		arg[2] = (long)to_edge(&a, 32);
	tids[0] = -1;
	tids[1] = -1;
	ret = birth(511, arg, c->child, stack);
	answer->extra = tids[0];
	if (ret > 0 && wants_pidfd(c))
		tids[0] = -1;	/* a descriptor's number may be somebody's, too */
	return ret;
}
