// SPDX-License-Identifier: GPL-2.0
/*
 * The caller goes to another group in the moment of a call, or its own is frozen
 * (see engine.h).
 */
#include "engine.h"
#include "group.h"

/* --- the process group -------------------------------------------------- */

static void group(void)
{
	struct actor other[2];
	pid_t old, new;
	bool after;
	long us;

	for (int i = 0; i < 2; i++) {
		spawn(&me, &other[i], 0);
		expect_eq(sys(&other[i], SYS_setpgid, 0, 0), 0);
	}
	cast_engine();
	must(setpgid(a.pid, other[0].pid));
	us = measure_call();
	for (int i = 0; i < TIMES; i++) {
		old = getpgid(a.pid);
		new = other[~i & 1].pid;
		call();
		moment(us);
		must(setpgid(a.pid, new));
		after = unborn();
		finish();
		if (after)
			expect_eq(getpgid(k.pid), new);
		else
			expect(getpgid(k.pid) == new || getpgid(k.pid) == old);
		bury();
	}
}

/* --- control groups ----------------------------------------------------- */

static void frozen(void)
{
	long us;

	spawn(&me, &a, 0);
	give_group(&a);
	cast_target();
	us = measure_call();
	for (int i = 0; i < TIMES; i++) {
		call();
		moment(us);
		freeze(true);
		if (i % 10 == 0)
			usleep(50000);
		freeze(false);
		finish();
		bury();
	}
	quit_target();
	remove_group(&a);
}

/* The caller goes from one group to another and back. */
static void resettled(void)
{
	char num[16], old[512], new[512], is[512];
	bool after;
	long us;

	spawn(&me, &a, 0);
	give_group(&a);
	cast_target();
	us = measure_call();
	snprintf(num, sizeof(num), "%d", a.pid);
	for (int i = 0; i < TIMES; i++) {
		groups_of(a.pid, old, sizeof(old));
		call();
		moment(us);
		expect_eq(in_group(i & 1 ? "cgroup.procs" : "../cgroup.procs",
				   num), 0);
		after = unborn();
		groups_of(a.pid, new, sizeof(new));
		finish();
		groups_of(k.pid, is, sizeof(is));
		expect(!strcmp(is, new) || (!after && !strcmp(is, old)));
		bury();
	}
	quit_target();
	remove_group(&a);
}

/* --- the checks --------------------------------------------------------- */

static const struct engine engines[] = {
	ENGINES(group, "setpgid(2) for the caller"),
	ENGINES(frozen, "the caller's control group is frozen and thawed"),
	ENGINES(resettled, "the caller goes to another control group"),
};

PLAY_TABLE(play, engines)
{
	play_engine();
}
