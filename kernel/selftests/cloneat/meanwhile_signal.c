// SPDX-License-Identifier: GPL-2.0
/*
 * Dispositions, stops and signals to a group in the moment of a call (see
 * engine.h).
 */
#include "engine.h"

/* --- dispositions ------------------------------------------------------- */

struct action {
	unsigned long handler, flags, restorer, mask;
};

static long do_act(struct msg *m)
{
	struct action one = { 0 };

	(void)m;
	for (one.handler = 2; !ct_slot[1]; one.handler++) {
		ct_syscall6(SYS_rt_sigaction, SIGUSR1, (long)&one, 0, 8, 0, 0);
		ct_syscall6(SYS_rt_sigaction, SIGRTMAX, (long)&one, 0, 8, 0, 0);
	}
	return 0;
}

static long do_acts(struct msg *m)
{
	struct action one, two;

	(void)m;
	ct_syscall6(SYS_rt_sigaction, SIGUSR1, 0, (long)&one, 8, 0, 0);
	ct_syscall6(SYS_rt_sigaction, SIGRTMAX, 0, (long)&two, 8, 0, 0);
	return one.handler - two.handler;
}

static void acted(void)
{
	long ret;

	cast_engine();
	spawn(&a, &s, CLONE_VM | CLONE_SIGHAND);
	start(&s, do_act, 0);
	usleep(1000);
	for (int i = 0; i < TIMES; i++) {
		call();
		finish();
		ret = on(&k, do_acts);
		if (ret != 0 && ret != 1)
			fail("dispositions of %ld moments", ret);
		bury();
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&s), 0);
}

/* --- stops -------------------------------------------------------------- */

/* by, the parent of who, stops it, is told, continues it, and is told. */
static void stop_and_go(struct actor *by, struct actor *who)
{
	must(kill(who->pid, SIGSTOP));
	expect_eq(on(by, do_wait4, who->pid, WUNTRACED), who->pid);
	expect(WIFSTOPPED(status_of(by)));
	must(kill(who->pid, SIGCONT));
	expect_eq(on(by, do_wait4, who->pid, WCONTINUED), who->pid);
	expect(WIFCONTINUED(status_of(by)));
}

static void stopped(void)
{
	long us;

	cast_engine();
	us = measure_call();
	for (int i = 0; i < TIMES; i++) {
		call();
		moment(us);
		stop_and_go(&me, &a);
		finish();
		expect_eq(on(&me, do_wait4, a.pid,
			     WUNTRACED | WCONTINUED | WNOHANG), 0);
		bury();
	}
}

static void target_stopped(void)
{
	struct actor between;
	long us;

	spawn(&me, &a, 0);
	spawn(&a, &between, engine()->target == CLONE_VM ? CLONE_VM : 0);
	spawn(&between, &t, engine()->target);
	us = measure_call();
	for (int i = 0; i < TIMES; i++) {
		call();
		moment(us);
		stop_and_go(&between, &t);
		finish();
		expect_eq(on(&between, do_wait4, t.vpid,
			     WUNTRACED | WCONTINUED | WNOHANG), 0);
		bury();
	}
}

/* --- signals to the target's group -------------------------------------- */

static void others_group(void)
{
	const int sig[] = { SIGUSR1, SIGSTOP, SIGRTMIN };
	long us;

	spawn(&me, &a, 0);
	cast_target();
	for (int j = 0; j < 3; j += 2) {
		expect_eq(on(&a, do_count_hits, sig[j]), 0);
		expect_eq(on(&t, do_count_hits, sig[j]), 0);
	}
	us = measure_call();
	for (int i = 0; i < TIMES; i++) {
		call();
		moment(us);
		for (int j = 0; j < 3; j++)
			must(kill(-t.pid, sig[i % 3]));
		finish();
		expect(proc_state(k.pid) != 'T');
		must(kill(t.pid, SIGCONT));
		if (engine()->target != CLONE_VM)
			expect_eq(on(&k, do_hits), 0);
		bury();
	}
}

/* --- the checks --------------------------------------------------------- */

static const struct engine engines[] = {
	SELF(acted, "who shares the dispositions sets two"),
	INIT(acted, "who shares the dispositions sets two"),
	COPIED(acted, "who shares the dispositions sets two"),
	ENGINES(stopped, "the caller's parent hears of its stops"),
	OTHERS(target_stopped, "the target's parent hears of its stops"),
	INIT(others_group, "a signal to the target's group is not the child's"),
	SHARED(others_group, "a signal to the target's group is not the child's"),
	COPIED(others_group, "a signal to the target's group is not the child's"),
};

PLAY_TABLE(play, engines)
{
	play_engine();
}

PLAY_DOCUMENTED(acted_shared, "who shares the dispositions sets two (shared memory)",
		"they are copied one by one, and who shares them is not stopped")
{
	play_one(ENGINE(acted, CLONE_VM));
}
