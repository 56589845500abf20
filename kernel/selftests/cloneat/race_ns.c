// SPDX-License-Identifier: GPL-2.0
/* A pid namespace dies in a call for somebody in it, or who is born there does. */
#include "race.h"

PLAY(namespace_dies, "the target's pid namespace dies: a child, ESRCH, ENOMEM")
{
	struct actor init;
	long us;

	for (int i = 0; i < ROUNDS; i++) {
		spawn(&me, &a, 0);
		spawn(&a, &init, CLONE_NEWPID);
		spawn(&init, &t, 0);
		us = measure(&a);
		cl_start(&a, i & 1 ? t.pid : init.pid, 0, 0);
		usleep(rand() % us);
		must(kill(init.pid, SIGKILL));
		expect_among(cl_finish(&a, &k), AMONG(0, ESRCH, ENOMEM));
		wait_end(init.pid);
		wait_end(t.pid);
		if (k.pid > 0)
			wait_end(k.pid);
		close(k.fd);
		close(init.fd);
		close_all();
	}
}

/* Kills all others of a new pid namespace but its init, until slot 1 is set. */
static long do_kill_all(struct msg *m)
{
	(void)m;
	if (ct_pid() != 2)
		return -EPERM;	/* no new namespace */
	while (!ct_slot[1])
		ct_syscall3(SYS_kill, -1, SIGKILL, 0);
	return 0;
}

/* check -> a (caller) -> init -> killer */
PLAY(killed_at_birth, "whoever is born there is killed at once: nothing is left")
{
	struct actor init, killer;

	spawn(&me, &a, 0);
	spawn(&a, &init, CLONE_NEWPID);
	expect_eq(on(&init, do_ignore_sigchld, 0), 0);
	spawn(&init, &killer, 0);
	start(&killer, do_kill_all, 0);
	for (int i = 0; i < ROUNDS; i++) {
		cl_start(&a, init.pid, 0, 0);
		expect_among(cl_finish(&a, &k), AMONG(0, ESRCH));
		close(k.fd);
		expect_eq(on(&a, do_wait4, -1, WNOHANG | __WALL), 0);
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&killer), 0);
	must(kill(init.pid, SIGKILL));
	wait_end(init.pid);
}

/* check -> a (caller) -> init; killer, born into the namespace of init */
PLAY(own_killed_at_birth, "to self, born elsewhere and killed at once: a's zombies")
{
	struct actor init, killer;
	long ret;

	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_unshare, CLONE_NEWPID), 0);
	spawn(&a, &init, 0);
	spawn(&a, &killer, 0);
	start(&killer, do_kill_all, 0);
	for (int i = 0; i < ROUNDS; i++) {
		cl_start(&a, a.pid, 0, 0);
		ret = expect_ok(cl_finish(&a, &k));
		close(k.fd);
		expect_eq(on(&a, do_wait4, ret, 0), ret);
		expect_eq(on(&a, do_wait4, -1, WNOHANG | __WALL), 0);
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&killer), 0);
	expect_eq(end(&killer, &a, 3), EXITED(3));
	must(kill(init.pid, SIGKILL));
	wait_end(init.pid);
}

/*
 * Makes pid namespaces below arg[0] without end, and leaves their init
 * processes there.  Slot 2 counts up to arg[1]; what ended it is the answer.
 */
static long do_fill(struct msg *m)
{
	long pid;

	for (;;) {
		pid = cloneat_words(m->arg[0], 0, CLONE_NEWPID | SIGCHLD, 0);
		if (!pid)
			for (;;)
				pause();
		if (pid < 0)
			return pid;
		slot_count(2, m->arg[1]);
	}
}

/*
 * A new namespace hangs below the one that dies, and the caller is in neither:
 * whoever comes too late for being killed must not come at all.
 *
 * check -> a (two threads call) -> init -> target -> kids, each an init
 */
PLAY(namespace_below_dies, "new pid namespaces below one that dies: none outlives it")
{
	struct actor init, th[2];
	int pidfd;

	for (int i = 0; i < 10; i++) {
		slot_set(2, 0);
		spawn(&me, &a, 0);
		expect_eq(on(&a, do_ignore_sigchld, 0), 0);
		thread_of(&a, &th[0]);
		thread_of(&a, &th[1]);
		spawn(&a, &init, CLONE_NEWPID);
		pidfd = expect_ok(ct_open_pidfd(init.pid));
		spawn(&init, &t, 0);
		for (int j = 0; j < 2; j++)
			start(&th[j], do_fill, j & i ? init.pid : t.pid, 1 + i % 5);
		slot_wait(2, 1 + i % 5);
		must(kill(init.pid, SIGKILL));
		for (int j = 0; j < 2; j++)
			expect_among(actor_finish(&th[j]), AMONG(ESRCH, ENOMEM));
		while (!syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0))
			usleep(1000);	/* a has no zombies */
		close(pidfd);
		quit(&a, 0);
		expect_eq(on(&me, do_wait4, a.pid, 0), a.pid);
		expect_eq(settle(), 0);
		for (int j = 0; j < 2; j++)
			close(th[j].fd);
		close(init.fd);
		close(t.fd);
		close(a.fd);
	}
}
