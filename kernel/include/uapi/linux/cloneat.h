/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_LINUX_CLONEAT_H
#define _UAPI_LINUX_CLONEAT_H

#include <linux/types.h>

/*
 * pid_t cloneat(pid_t pid, pid_t hint, struct cloneat_args *args);
 *
 * Clones the caller.  The child's real parent is the process @pid, which must
 * be the caller or one of its descendants, and its namespaces are those of
 * @pid.  A @hint other than 0 asks for that exact process id.
 *
 * __NR_cloneat is 511, on x86-64 and arm64 (LP64) only; every other ABI
 * answers ENOSYS.
 */

/* One word of a set of flags: an unsigned 32-bit pattern in an int. */
typedef int clone_flag_t;

/* Room for every flag that is defined today. */
typedef clone_flag_t clone_flag_set_t[2];

/**
 * struct cloneat_args - what to clone, and how
 * @flags: array of words.  Word 0 is the mask of clone(2): CLONE_* of
 *	<linux/sched.h>, with the exit signal in its low 8 bits.  The words
 *	from 1 on hold the CLONEXT_* bits.  Words that are missing count as 0.
 * @flags_size: size of the array in bytes: a multiple of 4, 4 to 4096
 * @reserved1: must be 0
 * @reserved2: must be 0
 * @child_stack_base: lowest address of the child's stack, or 0
 * @child_stack_size: size of the child's stack in bytes, or 0.  If both are 0
 *	the child goes on with the caller's stack pointer.
 * @parent_tid_ptr: pid_t in the caller's memory for CLONE_PARENT_SETTID, int
 *	for the descriptor of CLONE_PIDFD
 * @child_tid_ptr: pid_t in the child's memory for CLONE_CHILD_SETTID and
 *	CLONE_CHILD_CLEARTID
 * @reserved3: the TLS value with CLONE_SETTLS, otherwise must be 0
 *
 * The name differs from the proposal's, struct clone_args, so that this header
 * can be included next to <linux/sched.h>, where that is the argument of
 * clone3(2).  Define CLONEAT_WANT_CLONE_ARGS before including it to have the
 * proposal's name, and then leave <linux/sched.h> out.
 */
struct cloneat_args {
	clone_flag_t *flags;
	int flags_size;
	__u32 reserved1;
	__u32 reserved2;
	__u64 child_stack_base;
	__u64 child_stack_size;
	__u64 parent_tid_ptr;
	__u64 child_tid_ptr;
	__u64 reserved3;
};

#define CLONEAT_ARGS_SIZE 64	/* sizeof(struct cloneat_args) */
#define CLONEAT_FLAGS_SIZE_MAX 4096	/* bytes: more is E2BIG */

#ifdef CLONEAT_WANT_CLONE_ARGS
#define clone_args cloneat_args
#endif

/*
 * Indices of bits in the whole array, for the macros below.  They follow
 *
 *	CLONEXT_X = 0x20 + log2(CLONE_X) - 8
 *
 * so that word 1 is the classic mask shifted right by 8.  A flag counts
 * whichever way it is set.  These are not the bit numbers of clone3(2).
 */
#define CLONEXT_VM		0x20
#define CLONEXT_FS		0x21
#define CLONEXT_FILES		0x22
#define CLONEXT_SIGHAND		0x23
#define CLONEXT_PIDFD		0x24
#define CLONEXT_PTRACE		0x25
#define CLONEXT_VFORK		0x26
#define CLONEXT_PARENT		0x27
#define CLONEXT_THREAD		0x28
#define CLONEXT_NEWNS		0x29
#define CLONEXT_SYSVSEM		0x2a
#define CLONEXT_SETTLS		0x2b
#define CLONEXT_PARENT_SETTID	0x2c
#define CLONEXT_CHILD_CLEARTID	0x2d
#define CLONEXT_DETACHED	0x2e
#define CLONEXT_UNTRACED	0x2f
#define CLONEXT_CHILD_SETTID	0x30
#define CLONEXT_NEWCGROUP	0x31
#define CLONEXT_NEWUTS		0x32
#define CLONEXT_NEWIPC		0x33
#define CLONEXT_NEWUSER		0x34
#define CLONEXT_NEWPID		0x35
#define CLONEXT_NEWNET		0x36
#define CLONEXT_IO		0x37
#define CLONEXT_CLEAR_SIGHAND	0x38
#define CLONEXT_INTO_CGROUP	0x39	/* kept: EINVAL for now */
#define CLONEXT_NEWTIME		0x3f	/* by the formula it would be CLONEXT_IO */

/*
 * Macros over a set of flags, a clone_flag_t *.  @index is a CLONEXT_* index,
 * never a CLONE_* mask: those are ored into word 0.
 */
static __inline__ void __clone_set(unsigned int index, clone_flag_t *set)
{
	set[index / 32] |= (clone_flag_t)(1U << (index % 32));
}

static __inline__ void __clone_clr(unsigned int index, clone_flag_t *set)
{
	set[index / 32] &= (clone_flag_t)~(1U << (index % 32));
}

static __inline__ int __clone_isset(unsigned int index, const clone_flag_t *set)
{
	return ((unsigned int)set[index / 32] & (1U << (index % 32))) != 0;
}

static __inline__ void __clone_zero(clone_flag_t *set)
{
	set[0] = 0;
	set[1] = 0;
}

#define CLONE_SET(index, set) __clone_set(index, set)
#define CLONE_CLR(index, set) __clone_clr(index, set)
#define CLONE_ISSET(index, set) __clone_isset(index, set)
#define CLONE_ZERO(set) __clone_zero(set)

#endif /* _UAPI_LINUX_CLONEAT_H */
