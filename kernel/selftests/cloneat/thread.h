/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that are made by the call, as a C library makes them. */
#ifndef THREAD_H
#define THREAD_H

#include "cloneat_test.h"
#include <linux/sched.h>

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
		      CLONE_THREAD | CLONE_SYSVSEM)

struct thread {
	struct ct_args args;
	void *tls[16];		/* tls[0] points to itself, as the ABI has it */
	int tid;		/* set at birth, cleared at the end */
	long saw;
};

/* The thread's id, or -errno. */
long thread_create(struct thread *t, long (*fn)(void *));
void thread_join(struct thread *t);
/* The first word of what the TLS register points to. */
void *tls_pointer(void);

#endif /* THREAD_H */
