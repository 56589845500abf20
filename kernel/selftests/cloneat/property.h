/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Properties of a process that come from the caller, whoever the target is.
 *
 *	check      has the property, with the value "mine"
 *	  +-- target    has the value "theirs"
 *	        +-- kid      must have "mine"; the target keeps "theirs"
 */
#ifndef PROPERTY_H
#define PROPERTY_H

#include "scene.h"

struct property {
	const char *name;
	const char *verdict;
	enum kind kind;
	long (*get)(struct msg *m);
	long (*put)(struct msg *m);	/* to arg[0]; NULL: nothing to set */
	long mine, theirs;
};

/* The body of a PLAY_TABLE of struct property. */
void play_property(void);

#define PROPERTY(what, text, mine, theirs)				\
	{ #what "_self", text ": the caller's (target: self)",		\
	  SELF, get_##what, put_##what, mine, theirs },			\
	{ #what "_forked", text ": the caller's (target: forked)",	\
	  FORKED, get_##what, put_##what, mine, theirs },		\
	{ #what "_executed", text ": the caller's (target: executed)",	\
	  EXECUTED, get_##what, put_##what, mine, theirs }
/* Of the task's, so that who shares the caller's memory may have another. */
#define OF_TASK(what, text, mine, theirs)				\
	PROPERTY(what, text, mine, theirs),				\
	{ #what "_shared",						\
	  text ": the caller's (target: shares memory)",		\
	  SHARED, get_##what, put_##what, mine, theirs }
#define SEEN(what, text)						\
	{ #what "_self", text ": the caller's (target: self)",		\
	  SELF, get_##what, NULL, 0, 0 },				\
	{ #what "_forked", text ": the caller's (target: forked)",	\
	  FORKED, get_##what, NULL, 0, 0 },				\
	{ #what "_executed", text ": the caller's (target: executed)",	\
	  EXECUTED, get_##what, NULL, 0, 0 }

#endif /* PROPERTY_H */
