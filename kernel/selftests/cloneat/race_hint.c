// SPDX-License-Identifier: GPL-2.0
/* Numbers that others take meanwhile. */
#include "race.h"

/* check -> init -> c1, c2: both ask for the same number */
PLAY(pid_taken, "two ask for one number: one gets it, the other EEXIST")
{
	struct actor init, c[2], kid[2];
	long ret[2];

	spawn(&me, &init, CLONE_NEWPID);
	spawn(&init, &c[0], 0);
	spawn(&init, &c[1], 0);
	for (int i = 0; i < ROUNDS; i++) {
		for (int j = 0; j < 2; j++)
			cl_start(&c[j], c[j].vpid, 50 + i, 0);
		for (int j = 0; j < 2; j++)
			ret[j] = cl_finish(&c[j], &kid[j]);
		if ((ret[0] != 50 + i || ret[1] != -EEXIST) &&
		    (ret[1] != 50 + i || ret[0] != -EEXIST))
			fail("two ask for %d: %ld and %ld", 50 + i, ret[0],
			     ret[1]);
		for (int j = 0; j < 2; j++)
			if (ret[j] > 0)
				expect_eq(end(&kid[j], &c[j], 3), EXITED(3));
		for (int j = 0; j < 2; j++)
			expect_eq(on(&c[j], do_wait4, -1, WNOHANG), -ECHILD);
	}
}

/* Forks and reaps for ever, until slot 1 is set. */
static long do_storm(struct msg *m)
{
	long pid;

	while (!ct_slot[1]) {
		pid = clone_words(SIGCHLD);
		if (!pid)
			ct_exit(0);
		m->arg[0] = pid;
		m->arg[1] = 0;
		do_wait4(m);
	}
	return 0;
}

PLAY(in_storm, "a hint under a storm of forks: exact, or EEXIST")
{
	struct actor init, storm, c;
	int exact = 0;
	long ret;

	spawn(&me, &init, CLONE_NEWPID);
	spawn(&init, &storm, 0);
	spawn(&init, &c, 0);
	start(&storm, do_storm, 0);
	for (int i = 0; i < ROUNDS; i++) {
		ret = cl(&c, &k, c.vpid, 2000 + 7 * i, 0);
		if (ret != 2000 + 7 * i && ret != -EEXIST)
			fail("asked for %d, got %ld", 2000 + 7 * i, ret);
		if (ret < 0)
			continue;
		expect_eq(sys(&k, SYS_getpid), ret);
		expect_eq(end(&k, &c, 3), EXITED(3));
		exact++;
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&storm), 0);
	expect(exact > 0);
}

/* check -> init -> storm, target without rights; check asks for a number */
PLAY_DOCUMENTED(cursor, "hints below a target without rights, in a storm: ids go on",
		"ns_last_pid is set for the target, and others fork meanwhile")
{
	struct actor init, storm, last;
	int exact = 0;
	long ret;

	spawn(&me, &init, CLONE_NEWPID);
	spawn(&init, &storm, 0);
	spawn(&init, &t, 0);
	expect_eq(on(&t, do_become, 1000), 0);
	start(&storm, do_storm, 0);
	for (int i = 0; i < 5; i++) {
		ret = cl(&me, &k, t.pid, 30000 + 7 * i, 0);
		expect_among(ret, AMONG(0, EEXIST));
		if (ret < 0)
			continue;
		expect_eq(sys(&k, SYS_getpid), 30000 + 7 * i);
		expect_eq(end(&k, &t, 3), EXITED(3));
		exact++;
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&storm), 0);
	expect(exact > 0);
	expect(spawn(&init, &last, 0) < 30000);
}
