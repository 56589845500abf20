// SPDX-License-Identifier: GPL-2.0
/*
 * The timeouts of a target's sleeps, polls and futexes go on while it is used
 * (see timed.h).
 */
#include "timed.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <linux/futex.h>

/* --- sleeping ------------------------------------------------------------- */

static long in_nanosleep(void)
{
	return kept_call(SYS_nanosleep, (long)&span, 0, 0, 0, 0, 0);
}

static long in_clock_nanosleep(void)
{
	return kept_call(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, (long)&span,
			 0, 0, 0);
}

static long in_clock_absolute(void)
{
	struct timespec end = from_now(CLOCK_MONOTONIC);

	return kept_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME,
			 (long)&end, 0, 0, 0);
}

/* A timer of its own, which nothing interrupts. */
static long in_timerfd(void)
{
	struct itimerspec it = { .it_value = span };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t n = 0;
	long ret;

	timerfd_settime(fd, 0, &it, NULL);
	ret = kept_call(SYS_read, fd, (long)&n, sizeof(n), 0, 0, 0);
	close(fd);
	return ret == sizeof(n) ? (long)n : ret;
}

static void nop_handler(int sig)
{
	(void)sig;
}

static long in_itimer(void)
{
	struct itimerval it = { .it_value.tv_usec = SPAN / 1000 };

	signal(SIGALRM, nop_handler);
	setitimer(ITIMER_REAL, &it, NULL);
	return ct_syscall6(SYS_ppoll, 0, 0, 0, 0, 0, 0);
}

/* --- polling ---------------------------------------------------------------- */

#ifdef SYS_poll
static long in_poll(void)
{
	struct pollfd f = { .fd = p[0], .events = POLLIN };

	return kept_call(SYS_poll, (long)&f, 1, SPAN_MS, 0, 0, 0);
}

static long in_select(void)
{
	struct timeval tv = { 0, SPAN / 1000 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(p[0], &set);
	return kept_call(SYS_select, p[0] + 1, (long)&set, 0, 0, (long)&tv, 0);
}

static long in_epoll_wait(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC);
	long ret;

	epoll_ctl(fd, EPOLL_CTL_ADD, p[0], &e);
	ret = kept_call(SYS_epoll_wait, fd, (long)&e, 1, SPAN_MS, 0, 0);
	close(fd);
	return ret;
}
#endif

static long in_ppoll(void)
{
	struct pollfd f = { .fd = p[0], .events = POLLIN };
	struct timespec left = span;
	sigset_t mask;

	sigemptyset(&mask);
	return kept_call(SYS_ppoll, (long)&f, 1, (long)&left, (long)&mask, 8,
			 0);
}

/* The kernel cannot write the rest into this one. */
static long in_ppoll_const(void)
{
	struct pollfd f = { .fd = p[0], .events = POLLIN };

	return kept_call(SYS_ppoll, (long)&f, 1, (long)&span, 0, 0, 0);
}

static long in_pselect(void)
{
	struct timespec left = span;
	sigset_t mask;
	struct { sigset_t *set; size_t size; } sig = { &mask, 8 };

	sigemptyset(&mask);
	return kept_call(SYS_pselect6, 0, 0, 0, 0, (long)&left, (long)&sig);
}

static long in_epoll_pwait(void)
{
	struct epoll_event e;
	sigset_t mask;
	int fd = epoll_create1(EPOLL_CLOEXEC);
	long ret;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTTIN);
	ret = kept_call(SYS_epoll_pwait, fd, (long)&e, 1, SPAN_MS, (long)&mask,
			8);
	close(fd);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, SIGTTIN) ? -EBADMSG : ret;
}

#ifdef SYS_epoll_pwait2
static long in_epoll_pwait2(void)
{
	struct epoll_event e;
	int fd = epoll_create1(EPOLL_CLOEXEC);
	long ret = kept_call(SYS_epoll_pwait2, fd, (long)&e, 1, (long)&span, 0,
			     0);

	close(fd);
	return ret;
}
#endif

/* --- futexes ------------------------------------------------------------------ */

#define WORD ((long)&ct_slot[1])

static long in_futex(void)
{
	return kept_call(SYS_futex, WORD, FUTEX_WAIT, 0, (long)&span, 0, 0);
}

static long in_futex_bitset(void)
{
	struct timespec end = from_now(CLOCK_MONOTONIC);

	return kept_call(SYS_futex, WORD, FUTEX_WAIT_BITSET, 0, (long)&end, 0,
			 FUTEX_BITSET_MATCH_ANY);
}

#define HELD ((long)&ct_slot[2])

static void make_held(void)
{
	expect_eq(ct_syscall6(SYS_futex, HELD, FUTEX_LOCK_PI, 0, 0, 0, 0), 0);
}

static long in_futex_lock_pi(void)
{
	struct timespec end = from_now(CLOCK_REALTIME);

	return kept_call(SYS_futex, HELD, FUTEX_LOCK_PI, 0, (long)&end, 0, 0);
}

/* --- the checks ------------------------------------------------------------- */

static const struct timed sleeps[] = {
	TIMED(nanosleep, SYS_nanosleep, make_nothing, 0),
	TIMED_BY(CLOCK_BOOTTIME, clock_nanosleep, SYS_clock_nanosleep,
		 make_nothing, 0),
	TIMED(clock_absolute, SYS_clock_nanosleep, make_nothing, 0),
	TIMED(timerfd, SYS_read, make_nothing, 1),
	TIMED(itimer, SYS_ppoll, make_nothing, -EINTR),
	TIMED(futex, SYS_futex, make_nothing, -ETIMEDOUT),
	TIMED(futex_bitset, SYS_futex, make_nothing, -ETIMEDOUT),
	TIMED_BY(CLOCK_REALTIME, futex_lock_pi, SYS_futex, make_held,
		 -ETIMEDOUT),
};

static const struct timed polls[] = {
#ifdef SYS_poll
	TIMED(poll, SYS_poll, make_pipe, 0),
	TIMED(select, SYS_select, make_pipe, 0),
	TIMED(epoll_wait, SYS_epoll_wait, make_pipe, 0),
#endif
	TIMED(ppoll, SYS_ppoll, make_pipe, 0),
	TIMED(ppoll_const, SYS_ppoll, make_pipe, 0),
	TIMED(pselect, SYS_pselect6, make_nothing, 0),
	TIMED(epoll_pwait, SYS_epoll_pwait, make_nothing, 0),
#ifdef SYS_epoll_pwait2
	TIMED(epoll_pwait2, SYS_epoll_pwait2, make_nothing, 0),
#endif
};

static const struct timed_group groups[] = {
	GROUP(sleeps, "the timeouts of a target's sleeps and futexes go on"),
	GROUP(polls, "the timeouts of a target's polls go on"),
};

PLAY_TABLE(timed, groups)
{
	play_timed();
}

/* Catches SIGUSR1 and waits, longer than the check lasts. */
static long do_caught(struct msg *m)
{
	struct sigaction sa = { .sa_handler = nop_handler };
	struct epoll_event e;
	int fd = epoll_create1(EPOLL_CLOEXEC);
	long ret;

	(void)m;
	sigaction(SIGUSR1, &sa, NULL);
	ret = kept_call(SYS_epoll_pwait, fd, (long)&e, 1, 1000000, 0, 8);
	close(fd);
	return ret;
}

PLAY(caught, "a handler ends a timed wait of the target that was used: EINTR")
{
	struct actor t, kid[KIDS];

	spawn(&me, &t, 0);
	start(&t, do_caught, 0);
	wait_blocked(&t, SYS_epoll_pwait);
	use_target(&t, kid);
	end_kids(kid);
	wait_asleep(&t);
	expect_busy(&t);
	must(kill(t.pid, SIGUSR1));
	expect_eq(actor_finish(&t), -EINTR);
	reap_kids(&t);
}
