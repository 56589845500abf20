// SPDX-License-Identifier: GPL-2.0
/* The caller is killed, executes, is signalled or stopped in its call. */
#include "race.h"

PLAY(killed, "the caller is killed in the call: a whole child or none")
{
	long us;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < ROUNDS; i++) {
		cast();
		us = measure(&a);
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		must(kill(a.pid, SIGKILL));
		wait_end(a.pid);
		/* A kid without a commander ends by itself. */
		close(a.fd);
		expect_eq(sys(&t, SYS_getpid), t.pid);
		expect_eq(on(&t, do_reap_all), 0);
		quit(&t, 0);
		settle();
	}
}

/*
 * check -> a (its leader calls, another thread executes) -> target, in every
 *          other round the init of a pid namespace
 */
PLAY(execs, "another thread of the caller executes: a child or none")
{
	struct actor th[3];

	for (int i = 0; i < ROUNDS; i++) {
		spawn(&me, &a, 0);
		spawn(&a, &t, i & 1 ? CLONE_NEWPID : 0);
		for (int j = 0; j < 3; j++)
			thread_of(&a, &th[j]);
		cl_start(&a, t.pid, 0, 0);
		for (int n = 0; n < i * 20000; n++)
			__asm__ volatile("");
		start(&th[2], do_execute_loop, 0);
		expect_eq(actor_finish(&th[2]), a.pid);
		/* A kid without a commander ends by itself. */
		close(a.fd);
		expect_eq(on(&t, do_reap_all), 0);
		/* The target is the only child that the new program has. */
		expect_eq(on(&th[2], do_wait4, -1, WNOHANG | __WALL), 0);
		quit(&t, 0);
		for (int j = 0; j < 3; j++)
			close(th[j].fd);
		settle();
	}
}

/* Calls and reaps for ever. */
static long do_call_forever(struct msg *m)
{
	long pid;

	for (;;) {
		pid = cloneat_fork(m->arg[0], 0);
		if (!pid)
			ct_exit(0);
		if (pid < 0)
			return pid;
		slot_count(2, 5);
	}
}

PLAY(killed_often, "a caller that calls without end is killed")
{
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < 5; i++) {
		slot_set(2, 0);
		cast();
		expect_eq(on(&t, do_ignore_sigchld, 0), 0);
		start(&a, do_call_forever, t.pid);
		slot_wait(2, 5);
		must(kill(a.pid, SIGKILL));
		wait_end(a.pid);
		expect_eq(on(&t, do_reap_all), 0);
		expect_eq(sys(&t, SYS_getpid), t.pid);
		close_all();
	}
}

PLAY(killed_helper, "a caller that is killed leaves its own children alone")
{
	pid_t pid;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < ROUNDS; i++) {
		slot_set(2, 0);
		spawn(&me, &a, 0);
		spawn(&a, &t, CLONE_NEWPID);
		expect_eq(on(&t, do_ignore_sigchld, 0), 0);
		start(&a, do_call_forever, t.pid);
		slot_wait(2, 5);
		must(kill(a.pid, SIGKILL));
		wait_end(a.pid);
		kill_end(t.pid);
		while ((pid = waitpid(-1, NULL, __WALL)) > 0)
			expect(pid == a.pid || pid == t.pid);
		close_all();
	}
}

/* check -> a (its leader has exited) -> target */
PLAY(killed_headless, "the same of a caller whose leader has exited")
{
	struct actor th;
	pid_t pid;
	long us;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < 4 * ROUNDS; i++) {
		slot_set(2, 0);
		cast();
		thread_of(&a, &th);
		start(&a, do_exit_thread, 0);
		us = measure(&th);
		expect_eq(on(&t, do_ignore_sigchld, 0), 0);
		start(&th, do_call_forever, t.pid);
		slot_wait(2, 5);
		usleep(rand() % us);
		must(kill(a.pid, SIGKILL));
		wait_end(a.pid);
		expect_eq(on(&t, do_reap_all), 0);
		kill_end(t.pid);
		while ((pid = waitpid(-1, NULL, __WALL)) > 0)
			expect(pid == a.pid || pid == t.pid);
		close(th.fd);
		close_all();
	}
}

static void handler(int sig)
{
	(void)sig;
}

/* Catches SIGUSR1, without SA_RESTART. */
static long do_catch(struct msg *m)
{
	struct sigaction sa = { .sa_handler = handler };

	(void)m;
	return sigaction(SIGUSR1, &sa, NULL) ? -errno : 0;
}

PLAY_DOCUMENTED(signalled, "signals to the caller: never EINTR, every child whole",
		"a signal may come before the supervisor has taken the call")
{
	long us;

	cast();
	expect_eq(on(&a, do_catch), 0);
	us = measure(&a);
	for (int i = 0; i < ROUNDS; i++) {
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		must(kill(a.pid, SIGUSR1));
		must(kill(a.pid, SIGUSR1));
		expect_ok(cl_finish(&a, &k));
		expect_eq(on(&k, do_canary), canary);
		expect_eq(end(&k, &t, 3), EXITED(3));
	}
	expect_eq(on(&t, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}

PLAY(stopped, "the caller is stopped and continued: no harm")
{
	long us;

	cast();
	us = measure(&a);
	for (int i = 0; i < ROUNDS; i++) {
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		must(kill(a.pid, SIGSTOP));
		must(kill(a.pid, SIGCONT));
		expect_ok(cl_finish(&a, &k));
		expect_eq(on(&k, do_canary), canary);
		expect_eq(end(&k, &t, 3), EXITED(3));
	}
}
