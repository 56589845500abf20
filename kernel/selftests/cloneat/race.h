/* SPDX-License-Identifier: GPL-2.0 */
/* A caller and its target, used again and again while somebody acts. */
#ifndef RACE_H
#define RACE_H

#include "scene.h"

#define ROUNDS 25

extern struct actor a, t, k;	/* caller, target, and the latest child */

/* check -> a -> t */
void cast(void);
void close_all(void);

/* The result is one of these: success (0) and errnos, -1 at the end. */
void expect_among(long ret, const int *allowed);
#define AMONG(...) ((const int[]) { __VA_ARGS__, -1 })

/* The kid, if there is one, is whole: it answers, has our memory's contents, and ends. */
extern long canary;
long do_canary(struct msg *m);
void whole(struct actor *kid);

/* Microseconds that a call takes here. */
long measure_shared(struct actor *caller, uint64_t flags);
long measure(struct actor *caller);

/* Waits for one child after the other: how many ended badly. */
long do_reap_all(struct msg *m);

#endif /* RACE_H */
