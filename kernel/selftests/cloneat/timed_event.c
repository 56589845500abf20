// SPDX-License-Identifier: GPL-2.0
/*
 * The timeouts of a target's waits for signals, semaphores, messages and input
 * go on while it is used (see timed.h).
 */
#include "timed.h"
#include <sys/sem.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>

static long in_sigtimedwait(void)
{
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	return kept_call(SYS_rt_sigtimedwait, (long)&usr1, 0, (long)&span, 8, 0,
			 0);
}

static long in_semtimedop(void)
{
	struct sembuf op = { .sem_op = -1 };

	return kept_call(SYS_semtimedop, sem, (long)&op, 1, (long)&span, 0, 0);
}

static long in_mq_receive(void)
{
	struct timespec end = from_now(CLOCK_REALTIME);
	char c;

	return kept_call(SYS_mq_timedreceive, p[0], (long)&c, 1, 0, (long)&end,
			 0);
}

/* --- asynchronous input and output --------------------------------------------------- */

static void make_aio(void)
{
	if (ct_syscall3(SYS_io_setup, 0, 0, 0) == -ENOSYS)
		ct_skip("this kernel has no asynchronous I/O");
}

static long aio_wait(long nr)
{
	aio_context_t ctx = 0;
	struct io_event e;
	long ret = ct_syscall3(SYS_io_setup, 1, &ctx, 0);

	if (!ret)
		ret = kept_call(nr, ctx, 1, 1, (long)&e, (long)&span, 0);
	ct_syscall3(SYS_io_destroy, ctx, 0, 0);
	return ret;
}

static long in_io_getevents(void)
{
	return aio_wait(SYS_io_getevents);
}

static long in_io_pgetevents(void)
{
	return aio_wait(SYS_io_pgetevents);
}

static void make_ring(void)
{
	struct io_uring_params par = { 0 };

	p[0] = syscall(SYS_io_uring_setup, 4, &par);
	if (p[0] < 0 && (errno == ENOSYS || errno == EPERM))
		ct_skip("no io_uring here: %s", ct_errname(errno));
	must(p[0]);
	if (!(par.features & IORING_FEAT_EXT_ARG))
		ct_skip("this kernel's io_uring has no timeout of a wait");
}

static long in_io_uring(void)
{
	struct io_uring_getevents_arg arg = { .ts = (uint64_t)&span };

	return kept_call(SYS_io_uring_enter, p[0], 0, 1,
			 IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
			 (long)&arg, sizeof(arg));
}

/* --- the checks ------------------------------------------------------------- */

static const struct timed queues[] = {
	TIMED(sigtimedwait, SYS_rt_sigtimedwait, make_nothing, -EAGAIN),
	TIMED(semtimedop, SYS_semtimedop, make_sem, -EAGAIN),
	TIMED_BY(CLOCK_REALTIME, mq_receive, SYS_mq_timedreceive, make_mq,
		 -ETIMEDOUT),
	TIMED(io_getevents, SYS_io_getevents, make_aio, 0),
	TIMED(io_pgetevents, SYS_io_pgetevents, make_aio, 0),
	TIMED(io_uring, SYS_io_uring_enter, make_ring, -ETIME),
};

static const struct timed_group groups[] = {
	GROUP(queues, "the timeouts of a target's waits for events go on"),
};

PLAY_TABLE(timed, groups)
{
	play_timed();
	remove_ipc();
}

/* Where a process waits: the number of the call, and the instruction. */
static void waits_at(pid_t pid, long *nr, unsigned long *ip)
{
	char name[32], text[256], *last;
	int fd;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/syscall", pid);
	fd = must(open(name, O_RDONLY | O_CLOEXEC));
	n = must(read(fd, text, sizeof(text) - 1));
	close(fd);
	text[n] = 0;
	last = strrchr(text, ' ');
	expect(last);
	*nr = strtol(text, NULL, 10);
	*ip = strtoul(last, NULL, 16);
}

static long do_semtimedop(struct msg *m)
{
	struct sembuf op = { .sem_op = -1 };
	struct timespec far = { 1000, 0 };

	(void)m;
	return kept_call(SYS_semtimedop, sem, (long)&op, 1, (long)&far, 0, 0);
}

PLAY_DOCUMENTED(shown, "what a target is shown to wait in is the same afterwards",
		"code behind the vdso's waits in its place")
{
	struct sembuf op = { .sem_op = 1 };
	unsigned long ip, ip_after;
	long nr, nr_after;
	struct actor t, k;

	make_sem();
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, do_semtimedop);
	wait_blocked(&t, SYS_semtimedop);
	waits_at(t.pid, &nr, &ip);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 0);
	wait_asleep(&t);
	waits_at(t.pid, &nr_after, &ip_after);
	must(semop(sem, &op, 1));
	expect_eq(actor_finish(&t), 0);
	remove_ipc();
	expect_eq(nr_after, nr);
	expect_eq(ip_after, ip);
}
