// SPDX-License-Identifier: GPL-2.0
/* What a target hears of children that are killed at once, or never made. */
#include "race.h"

/*
 * Reaps until it is told to end and has no child any more: how many.  A dead one is
 * not to be had as long as it is traced.
 */
static long do_count_reaped(struct msg *m)
{
	long n = 0, ret;

	(void)m;
	for (;;) {
		bool last = ct_slot[2];

		ret = ct_syscall6(SYS_wait4, -1, 0, WNOHANG, 0, 0, 0);
		if (ret > 0)
			n++;
		else if (last && ret == -ECHILD)
			return n;
	}
}

static long do_call_often(struct msg *m)
{
	long ret;

	for (int i = 0; i < 2 * ROUNDS; i++) {
		ret = cloneat_fork(m->arg[0], 0);
		while (!ret)
			pause();
		if (ret < 0)
			return ret;
		kill(ret, SIGKILL);
		wait_end(ret);
	}
	return 0;
}

PLAY(killed_unborn, "the target's children are killed at once: one for each call")
{
	pid_t pid, before = 0;

	cast();
	start(&t, do_count_reaped, 0);
	start(&a, do_call_often, t.pid);
	while (!answered(&a)) {
		pid = latest_child(t.pid);

		/* Each second one: a call whose children are all killed gives up. */
		usleep(pid == before ? 0 : rand() % 10000);
		if (pid & 1)
			kill(pid, SIGKILL);
		before = pid;
	}
	expect_eq(actor_finish(&a), 0);
	slot_set(2, 1);
	expect_eq(actor_finish(&t), 2 * ROUNDS);
}

/* Calls that fail late, where there may be a child already. */
static long do_fail_often(struct msg *m)
{
	struct ct_args args;
	long ret;

	for (int i = 0; i < 4 * ROUNDS; i++) {
		ct_args(&args, SIGCHLD | CLONE_PIDFD, 0)->parent_tid_ptr = 8;
		ret = cloneat(m->arg[0], 0, &args.a);
		if (!ret)
			ct_exit(0);
		if (ret != -EFAULT)
			return ret;
	}
	return 0;
}

/* The target is sent SIGSTOP and SIGCONT all the time. */
PLAY(failed_stopped, "no stop shows the target a child of a call that fails")
{
	cast();
	expect_eq(on(&t, do_count_hits, SIGCHLD), 0);
	start(&a, do_fail_often, t.pid);
	while (!answered(&a)) {
		usleep(rand() % 500);
		must(kill(t.pid, SIGSTOP));
		usleep(rand() % 200);
		must(kill(t.pid, SIGCONT));
	}
	expect_eq(actor_finish(&a), 0);
	expect_eq(on(&t, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
	expect_eq(on(&t, do_hits), 0);
}

static volatile sig_atomic_t over;

static void set_over(int sig)
{
	(void)sig;
	over = 1;
}

/* Waits for signals until SIGUSR1 comes. */
static long do_suspend(struct msg *m)
{
	sigset_t usr1, none;

	(void)m;
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &usr1, NULL));
	signal(SIGUSR1, set_over);
	slot_set(2, 1);
	while (!over)
		sigsuspend(&none);
	return hits;
}

PLAY(failed_suspended, "nor does a target in sigsuspend() hear of it")
{
	cast();
	expect_eq(on(&t, do_count_hits, SIGCHLD), 0);
	start(&t, do_suspend, 0);
	slot_wait(2, 1);
	expect_eq(on(&a, do_fail_often, t.pid), 0);
	must(kill(t.pid, SIGUSR1));
	expect_eq(actor_finish(&t), 0);
	expect_eq(on(&t, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}
