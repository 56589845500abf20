/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What others do to the caller, the target or what they share in the moment of
 * a call: the child has the state before it or the one behind it, and nobody
 * loses an event.
 *
 *	check      acts
 *	  +-- a         calls, again and again
 *	        +-- t        the target, or a itself
 *	        +-- s        shares something with a
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "race.h"

#define TIMES 60

/* Who makes the child, each in a way of its own. */
struct engine {
	const char *name;
	const char *verdict;
	void (*play)(void);
	uint64_t target;	/* how it is made; SELF_TARGET: none is */
	uint64_t flags;		/* of the call */
};

#define SELF_TARGET (1ULL << 63)

#define SELF(fn, text)							\
	{ #fn "_self", text " (self)", fn, SELF_TARGET, 0 },		\
	{ #fn "_flags", text " (self, CLONE_FS)", fn, SELF_TARGET,	\
	  CLONE_FS }
#define INIT(fn, text)							\
	{ #fn "_init", text " (init)", fn, CLONE_NEWPID, 0 }
#define SHARED(fn, text)						\
	{ #fn "_shared", text " (shared memory)", fn, CLONE_VM, 0 }
#define COPIED(fn, text)						\
	{ #fn "_forked", text " (forked)", fn, 0, 0 },			\
	{ #fn "_executed", text " (executed)", fn, ACTOR_EXEC, 0 }
#define OTHERS(fn, text)						\
	INIT(fn, text), SHARED(fn, text), COPIED(fn, text)
#define ENGINES(fn, text) SELF(fn, text), OTHERS(fn, text)

#define ENGINE(fn, how)	((struct engine){ .play = fn, .target = how })

extern struct actor s;

/* Whose play it is. */
const struct engine *engine(void);
/* The body of a PLAY_TABLE of struct engine. */
void play_engine(void);
/* One of a check without a table. */
void play_one(struct engine e);

/* a and t, or t alone. */
void cast_engine(void);
void cast_target(void);
void quit_target(void);
/* a calls; the child is there; it ends. */
void call(void);
void finish(void);
void bury(void);
/* The target has no child yet. */
bool unborn(void);

/* How long a call takes here, the shortest of three. */
long measure_call(void);
/* A moment of the call. */
void moment(long us);

#endif /* ENGINE_H */
