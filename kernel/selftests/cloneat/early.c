// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody sets something of a child as soon as it is seen: it stays set.
 *
 *	check      looks for the child, and acts on it
 *	  +-- a         calls
 *	        +-- t        the target
 */
#include "busy.h"

#define ROUNDS 20
#define NICE 5

static struct actor a, t, k;

static void reniced(struct actor *parent)
{
	pid_t child;

	for (int i = 0; i < ROUNDS; i++) {
		cl_start(&a, parent->pid, 0, 0);
		do {
			child = latest_child(parent->pid);
		} while (!child);
		must(setpriority(PRIO_PROCESS, child, NICE));
		expect_ok(cl_finish(&a, &k));
		expect_eq(k.pid, child);
		expect_eq(getpriority(PRIO_PROCESS, child), NICE);
		expect_eq(end(&k, parent, 3), EXITED(3));
	}
}

PLAY(self, "a child of the caller's own is reniced when it is seen")
{
	spawn(&me, &a, 0);
	reniced(&a);
}

PLAY_DOCUMENTED(forked, "so is that of another target",
		"it is seen before it is finished")
{
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	must(setpriority(PRIO_PROCESS, t.pid, 2));
	reniced(&t);
}
