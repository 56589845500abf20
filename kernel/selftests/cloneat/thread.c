// SPDX-License-Identifier: GPL-2.0
/* Threads: see thread.h. */
#include "thread.h"
#include <linux/futex.h>

long thread_create(struct thread *t, long (*fn)(void *))
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
void thread_join(struct thread *t)
{
	int tid;

	while ((tid = __atomic_load_n(&t->tid, __ATOMIC_SEQ_CST)))
		ct_syscall6(SYS_futex, (long)&t->tid, FUTEX_WAIT, tid, 0, 0, 0);
}

void *tls_pointer(void)
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
