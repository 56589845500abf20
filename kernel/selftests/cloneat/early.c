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

/* The process's latest child, or 0. */
static pid_t latest_child(pid_t pid)
{
	char path[64];
	int child, last = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (!f)
		ct_skip("no %s here", path);
	while (fscanf(f, "%d", &child) == 1)
		last = child;
	fclose(f);
	return last;
}

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
		if (k.pid == child)
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
