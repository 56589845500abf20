/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets that are blocked in calls with a timeout are used again and again
 * until the timeouts end the calls.  A timeout that began anew each time would
 * never end; one that were cut short is found by the target's own clock.
 *
 *	check (caller)
 *	  +-- target, target ...     each blocked in another call for SPAN
 *	        +-- kid, kid, kid ...
 */
#ifndef TIMED_H
#define TIMED_H

#include "busy.h"
#include <time.h>

#define SPAN_MS 400
#define SPAN (SPAN_MS * 1000000LL)	/* ns */

/* A span is not to be written into. */
extern const struct timespec span;

/* The end of a span that begins now. */
struct timespec from_now(clockid_t clock);

struct timed {
	const char *name;
	long nr;
	void (*make)(void);
	long (*fn)(void);
	long result;		/* of a call that timed out */
	clockid_t clock;	/* that its timeout is measured by */
};

#define TIMED_BY(clock, what, nr, make, result) \
	{ #what, nr, make, in_##what, result, clock }
#define TIMED(what, nr, make, result) \
	TIMED_BY(CLOCK_MONOTONIC, what, nr, make, result)

/*
 * A timeout that is counted in ticks begins with the tick before it: it is
 * shorter than its name by up to one, and by more where the tick was late, as
 * in a virtual machine that had to wait.  The coarse clock is moved by the
 * same tick.
 */
#define TICKED(what, nr, make, result) \
	TIMED_BY(CLOCK_MONOTONIC_COARSE, what, nr, make, result)

/* Calls that targets make at the same time. */
struct timed_group {
	const char *name;
	const char *verdict;
	const struct timed *call;
	int n;
};

#define GROUP(calls, text) { #calls, text, calls, ct_count(calls) }
#define GROUP_MAX 10

/* The body of a PLAY_TABLE of struct timed_group. */
void play_timed(void);

/* A target and how it does. */
struct run {
	struct actor t;
	pid_t pid;		/* of its process */
	long sleeps;		/* how often it went to sleep */
	int late;
	bool ended;
};

/* The target makes the call, and has ended it as it should. */
void begin_timed(const struct timed *call, struct actor *t);
void finish_timed(const struct timed *call, struct actor *t);
/* Uses n of them until their calls have ended. */
void use_timed(const struct timed *call, struct run *r, int n);

/* Sockets whose calls end after a span: SO_RCVTIMEO, SO_SNDTIMEO. */
void limit_socket(int fd, int option);
void make_receiver(void);	/* p[0] */
void fill_sender(void);		/* p[1], which has no room then */

#endif /* TIMED_H */
