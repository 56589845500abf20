// SPDX-License-Identifier: GPL-2.0
/* Another thread changes the arguments meanwhile: they are read once. */
#include "race.h"
#include <pthread.h>

static struct ct_args flipped;
static volatile bool flipping;

/* Turns what is good into what is not and back. */
static void *flip(void *arg)
{
	long how = (long)arg;
	/* One byte differs: a copy that tears the pointer has one or the other. */
	void *unmapped = (void *)((long)flipped.flags ^ 1L << 44);

	for (unsigned int n = 0; flipping; n++) {
		if (how == 0)
			flipped.a.flags_size = n & 1 ? 8 : 7;
		if (how == 1)
			*(volatile int *)&flipped.flags[0] =
				n & 1 ? SIGCHLD : SIGCHLD | CLONE_NEWUTS;
		if (how == 2)
			flipped.a.child_stack_size = n & 1 ? 0 : 4096;
		if (how == 3)
			flipped.a.flags = n & 1 ? flipped.flags : unmapped;
		__asm__ volatile("" : : : "memory");
	}
	return NULL;
}

/*
 * arg: target, how, the errno that is allowed.  0 if nothing else came, but that
 * and children did.
 */
static long do_flip(struct msg *m)
{
	long made = 0, refused = !m->arg[2];
	pthread_t thread;
	long pid, ret = 0;

	ct_args(&flipped, SIGCHLD, 0);
	flipping = true;
	if (pthread_create(&thread, NULL, flip, (void *)m->arg[1]))
		return -EAGAIN;
	for (int i = 0; (i < 4 * ROUNDS || !made || !refused) && !ret; i++) {
		pid = cloneat(m->arg[0], 0, &flipped.a);
		if (!pid)
			ct_exit(7);
		if (pid < 0 && pid != -m->arg[2])
			ret = pid;
		made += pid > 0;
		refused += pid < 0;
	}
	flipping = false;
	pthread_join(thread, NULL);
	return ret;
}

/* All that were made ended with 7. */
static long do_reap_sevens(struct msg *m)
{
	int status, bad = 0;

	(void)m;
	while (ct_syscall6(SYS_wait4, -1, (long)&status, 0, 0, 0, 0) > 0)
		bad += status != EXITED(7);
	return bad;
}

static void arguments(long how, int err)
{
	cast();
	expect_eq(on(&a, do_flip, t.pid, how, err), 0);
	expect_eq(on(&t, do_reap_sevens), 0);
	expect_eq(on(&a, do_flip, a.pid, how, err), 0);
	expect_eq(on(&a, do_wait4, t.pid, WNOHANG), 0);
	quit(&t, 7);
	expect_eq(on(&a, do_reap_sevens), 0);
}

PLAY(size, "flags_size changes meanwhile: as before or as after")
{
	arguments(0, EINVAL);
}

PLAY(flags, "the flags change meanwhile: read once")
{
	arguments(1, 0);
}

PLAY(stack, "the stack's size changes meanwhile: as before or as after")
{
	arguments(2, EINVAL);
}

PLAY(pointer, "the pointer to the flags changes meanwhile")
{
	arguments(3, EFAULT);
}
