/* SPDX-License-Identifier: GPL-2.0 */
/* Calls for a struct target, and what their children do. */
#ifndef TARGET_H
#define TARGET_H

#include "cloneat_test.h"

/* The call with a stack for the child; no child may come of it. */
long target_refused(struct target *t, unsigned int word0, unsigned int word1);
/* Expects a child that ran fn(arg) and exited with 5, as the target saw it. */
void expect_below(struct target *t, unsigned int word0, unsigned int word1,
		  long (*fn)(void *), void *arg);

/* A variable that starts as 1, and a child that sets it to arg. */
extern int value;
long set_value(void *arg);

/*
 * A child by CLONEXT_CLEAR_SIGHAND of a caller with a handler, which stays, and
 * an ignored signal: it exits with 5 if that alone is left.
 */
long without_handlers(pid_t target);

#endif /* TARGET_H */
