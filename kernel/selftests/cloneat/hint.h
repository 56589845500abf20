/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls that ask for an id.
 *
 * Most checks run in a pid namespace of their own, where ids are free:
 *
 *	check
 *	  +-- init of a new pid namespace: calls
 *	        +-- child with the id that was asked for
 */
#ifndef HINT_H
#define HINT_H

#include "cloneat_test.h"

/* Runs the body of a check as init of a new pid namespace. */
#define CHECK_IN_PIDNS(fn, text)					\
	static void fn##_inside(void *arg);				\
	CHECK(fn, text)							\
	{								\
		in_pidns(fn##_inside, NULL);				\
	}								\
	static void fn##_inside(void *arg __maybe_unused)

/* What a call to self with this hint returned: the child must have it. */
void expect_hinted(long pid, pid_t hint);
/* The same of a call that is made here. */
void expect_hint(pid_t hint);
/* Nobody is our child: a failed call left nothing behind. */
void expect_childless(void);
void expect_refused(pid_t target, pid_t hint, int want);

/* A child, or a thread whose id is in slot 0 then, that does nothing. */
pid_t start_pausing(void);
long pause_thread(void *arg);

#endif /* HINT_H */
