// SPDX-License-Identifier: GPL-2.0
/*
 * A target that waits for a signal, a child, or its time to come: see busy.h.
 */
#include "busy.h"
#include <time.h>

/* arm64 has no pause(2). */
#ifndef SYS_pause
#define SYS_pause SYS_ppoll
#endif

static volatile int handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

/* Without SA_RESTART: the call ends with EINTR. */
static void catch_usr1(void)
{
	struct sigaction sa = { .sa_handler = handler };

	sigaction(SIGUSR1, &sa, NULL);
}

static long in_pause(struct msg *m)
{
	(void)m;
	catch_usr1();
	pause();
	return handled == 1 ? -errno : handled;
}

static long in_sigsuspend(struct msg *m)
{
	sigset_t usr1, none, now;
	long ret;

	(void)m;
	catch_usr1();
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	ret = errno_of(sigsuspend(&none));
	sigprocmask(SIG_BLOCK, NULL, &now);
	return handled == 1 && sigismember(&now, SIGUSR1) ? ret : -EBADMSG;
}

static long in_sigwait(struct msg *m)
{
	struct timespec far = { 1000, 0 };
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	return errno_of(m->arg[0] ? sigtimedwait(&usr1, NULL, &far) :
			sigwaitinfo(&usr1, NULL));
}

static long in_sigtimedwait(struct msg *m)
{
	m->arg[0] = 1;
	return in_sigwait(m);
}

static long in_sigwaitinfo(struct msg *m)
{
	m->arg[0] = 0;
	return in_sigwait(m);
}

static long in_nanosleep(struct msg *m)
{
	struct timespec far = { 1000, 0 }, rest = { 0, 0 };
	long ret;

	(void)m;
	catch_usr1();
	ret = ct_syscall3(SYS_nanosleep, &far, &rest, 0);
	return rest.tv_sec > 0 && rest.tv_sec <= 1000 ? ret : -EBADMSG;
}

static long in_clock_nanosleep(struct msg *m)
{
	struct timespec far;

	(void)m;
	catch_usr1();
	clock_gettime(CLOCK_MONOTONIC, &far);
	far.tv_sec += 1000;
	return ct_syscall6(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME,
			   (long)&far, 0, 0, 0);
}

/* Ends by itself, never before its time. */
static long in_short_sleep(struct msg *m)
{
	struct timespec a, b, t = { 0, 300000000 };
	long ret;

	(void)m;
	clock_gettime(CLOCK_MONOTONIC, &a);
	ret = ct_syscall3(SYS_nanosleep, &t, NULL, 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec <
	    t.tv_nsec)
		return -EBADMSG;
	return ret;
}

/* A child of the target's own, which lasts until slot 1 is set. */
static long in_wait(struct msg *m)
{
	long pid = clone_words(SIGCHLD);

	if (!pid) {
		slot_wait(1, 1);
		ct_exit(21);
	}
	if (m->arg[0])
		return ct_syscall6(SYS_waitid, P_PID, pid, (long)m->buf,
				   WEXITED, 0, 0) ?: 21;
	if (ct_syscall6(SYS_wait4, pid, (long)m->buf, 0, 0, 0, 0) != pid)
		return -ECHILD;
	return WEXITSTATUS(*(int *)(void *)m->buf);
}

static long in_wait4(struct msg *m)
{
	m->arg[0] = 0;
	return in_wait(m);
}

static long in_waitid(struct msg *m)
{
	m->arg[0] = 1;
	return in_wait(m);
}

/* --- the checks --------------------------------------------------------- */

static const struct block blocks[] = {
	BLOCK(pause, SYS_pause, make_nothing, signal_usr1, -EINTR),
	BLOCK(sigsuspend, SYS_rt_sigsuspend, make_nothing, signal_usr1,
	      -EINTR),
	BLOCK(sigtimedwait, SYS_rt_sigtimedwait, make_nothing, signal_usr1,
	      SIGUSR1),
	BLOCK(sigwaitinfo, SYS_rt_sigtimedwait, make_nothing, signal_usr1,
	      SIGUSR1),
	BLOCK(nanosleep, SYS_nanosleep, make_nothing, signal_usr1, -EINTR),
	BLOCK(clock_nanosleep, SYS_clock_nanosleep, make_nothing, signal_usr1,
	      -EINTR),
	BLOCK(short_sleep, SYS_nanosleep, make_nothing, nothing, 0),
	BLOCK(wait4, SYS_wait4, make_nothing, wake, 21),
	BLOCK(waitid, SYS_waitid, make_nothing, wake, 21),
};

PLAY_TABLE(blocked, blocks)
{
	play_block();
}

/* The target waits for any child: the kid is one. */
static long in_wait_any(struct msg *m)
{
	long pid = clone_words(SIGCHLD), ret;

	if (!pid) {
		slot_wait(1, 1);
		ct_exit(21);
	}
	ret = ct_syscall6(SYS_wait4, -1, (long)m->buf, 0, 0, 0, 0);
	slot_set(1, 1);
	return ret;
}

PLAY(wait_any, "the target waits for anyone: the kid's end ends its wait")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	start(&t, in_wait_any, 0);
	wait_blocked(&t, SYS_wait4);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_busy(&t);
	quit(&k, 13);
	expect_eq(actor_finish(&t), k.pid);
	expect_eq(status_of(&t), EXITED(13));
}
