// SPDX-License-Identifier: GPL-2.0
/* Timeouts of targets: see timed.h. */
#include "timed.h"

const struct timespec span = { 0, SPAN };

struct timespec from_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += SPAN;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

void limit_socket(int fd, int option)
{
	struct timeval tv = { 0, SPAN / 1000 };

	must(setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv)));
}

void make_receiver(void)
{
	make_sockets();
	limit_socket(p[0], SO_RCVTIMEO);
}

void fill_sender(void)
{
	char page[4096] = "";

	while (send(p[1], page, sizeof(page), MSG_DONTWAIT) > 0)
		;
	limit_socket(p[1], SO_SNDTIMEO);
}

/* --- a run --------------------------------------------------------------- */

static long long read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The least that the call may take by its clock. */
static long long least(const struct timed *call)
{
	struct timespec tick;

	if (call->clock != CLOCK_MONOTONIC_COARSE)
		return SPAN;
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return SPAN - 2 * tick.tv_nsec;
}

/* In the target: the result, and how long that took. */
static long do_timed(struct msg *m)
{
	const struct timed *call = (const void *)m->arg[0];
	long long begin = read_clock(call->clock);
	long ret = call->fn();

	m->arg[1] = read_clock(call->clock) - begin;
	return ret;
}

void begin_timed(const struct timed *call, struct actor *t)
{
	expect_eq(on(t, do_ignore_sigchld, 0), 0);
	start(t, do_timed, (long)call);
	wait_blocked(t, call->nr);
}

void finish_timed(const struct timed *call, struct actor *t)
{
	long ret = actor_finish(t);

	if (ret != call->result)
		fail("%s: expected %ld, got %ld", call->name, call->result,
		     ret);
	if (t->m.arg[1] < least(call))
		fail("%s ended after %ld ns, before its time of %lld",
		     call->name, t->m.arg[1], least(call));
}

/*
 * A target that runs, if only to be stopped, when its time is over gets on with
 * it, whatever else this machine has to do: it is late only if it went back to
 * sleep, and that more often than a timer can be late.
 */
#define LATE 100

/* Uses the target; true if its call has ended. */
static bool use(const struct timed *call, struct run *r, long long due)
{
	struct actor k;
	long sleeps;

	expect_ok(cl(&me, &k, r->pid, 0, 0));
	quit(&k, 0);
	sleeps = proc_field(r->t.pid, "voluntary_ctxt_switches");
	if (ct_clock() > due && sleeps != r->sleeps && !answered(&r->t) &&
	    ++r->late > LATE)
		fail("%s: its timeout does not end", call->name);
	r->sleeps = sleeps;
	return answered(&r->t);
}

void use_timed(const struct timed *call, struct run *r, int n)
{
	long long due = ct_clock() + 2 * SPAN;
	int left = 0;

	for (int i = 0; i < n; i++)
		left += !r[i].ended;
	while (left) {
		for (int i = 0; i < n; i++) {
			if (r[i].ended || !use(&call[i], &r[i], due))
				continue;
			finish_timed(&call[i], &r[i].t);
			r[i].ended = true;
			left--;
		}
	}
}

/* A call that this kernel may be too old for. */
static bool missing(long nr)
{
#ifdef SYS_epoll_pwait2
	if (nr == SYS_epoll_pwait2)
		return ct_syscall6(nr, -1, 0, 0, 0, 0, 0) == -ENOSYS;
#endif
	return false;
}

static void play(const struct timed *call, int n)
{
	struct run r[GROUP_MAX] = { 0 };

	for (int i = 0; i < n; i++) {
		if (missing(call[i].nr)) {
			r[i].ended = true;
			continue;
		}
		call[i].make();
		spawn(&me, &r[i].t, 0);
		r[i].pid = r[i].t.pid;
		begin_timed(&call[i], &r[i].t);
	}
	use_timed(call, r, n);
}

void play_timed(void)
{
	const struct timed_group *g = ct_arg();

	play(g->call, g->n);
}
