// SPDX-License-Identifier: GPL-2.0
/*
 * Races, a bounded number of rounds each: whatever happens to caller, target
 * and arguments while a call is served, the result is one that some order of
 * events explains, and nothing is left over.  Here something happens to the
 * target, in race_* to others.
 *
 *	check      disturbs
 *	  +-- a         calls, again and again
 *	        +-- target
 */
#include "race.h"

static long do_exit_group(struct msg *m)
{
	ct_exit(m->arg[0]);
	return 0;
}

PLAY(target_exits, "the target exits: a child or ESRCH")
{
	long us;

	for (int i = 0; i < ROUNDS; i++) {
		cast();
		us = measure(&a);
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		start(&t, do_exit_group, 0);
		expect_among(cl_finish(&a, &k), AMONG(0, ESRCH));
		whole(&k);
		wait_end(t.pid);
		expect_eq(cl(&a, &k, t.pid, 0, 0), -ESRCH);
		close_all();
	}
}

PLAY(target_killed, "the target is killed: a child or ESRCH")
{
	long us;

	for (int i = 0; i < ROUNDS; i++) {
		cast();
		us = measure(&a);
		if (i & 1)
			must(kill(t.pid, SIGKILL));
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		if (!(i & 1))
			must(kill(t.pid, SIGKILL));
		expect_among(cl_finish(&a, &k), AMONG(0, ESRCH));
		whole(&k);
		close_all();
	}
}

/* A caller that ignores SIGCHLD: the target's number is free at once. */
PLAY(target_vanishes, "the target's number is freed: a child or ESRCH")
{
	long us;

	for (int i = 0; i < ROUNDS; i++) {
		cast();
		us = measure(&a);
		expect_eq(on(&a, do_ignore_sigchld, 0), 0);
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		must(kill(t.pid, SIGKILL));
		expect_among(cl_finish(&a, &k), AMONG(0, ESRCH));
		whole(&k);
		close_all();
	}
}

/*
 * check -> init -> a (caller) -> target
 *               -> other -> heir    with the number that the target had
 */
PLAY(target_reused, "the target's number is another's: no child of that one")
{
	struct actor init, other, heir;
	long ret, us;

	spawn(&me, &init, CLONE_NEWPID);
	spawn(&init, &a, 0);
	spawn(&init, &other, 0);
	expect_eq(on(&init, do_ignore_sigchld, 0), 0);
	expect_eq(on(&a, do_ignore_sigchld, 0), 0);
	for (int i = 0; i < ROUNDS; i++) {
		spawn(&a, &t, 0);
		us = now_us();
		expect_ok(cl(&a, &k, t.vpid, 0, 0));
		us = now_us() - us + 1;
		quit(&k, 3);
		cl_start(&a, t.vpid, 0, 0);
		usleep(rand() % us);
		must(kill(t.pid, SIGKILL));
		do {
			ret = cl(&other, &heir, other.vpid, t.vpid, 0);
		} while (ret == -EEXIST);
		expect_eq(ret, t.vpid);
		expect_among(cl_finish(&a, &k), AMONG(0, ESRCH, EPERM));
		expect_eq(on(&heir, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
		if (k.pid > 0 && k.fd >= 0)
			expect_eq(sys(&k, SYS_getppid), 1);
		whole(&k);
		expect_eq(cl(&a, &k, t.vpid, 0, 0), -EPERM);
		expect_eq(end(&heir, &other, 3), EXITED(3));
		close(t.fd);
	}
}

PLAY(target_execs, "the target executes: the child is its, before or after")
{
	cast();
	for (int i = 0; i < ROUNDS; i++) {
		start(&t, do_execute_loop, 0);
		cl_start(&a, t.pid, 0, 0);
		expect_ok(cl_finish(&a, &k));
		expect_eq(actor_finish(&t), t.pid);
		expect_eq(sys(&k, SYS_getppid), t.pid);
		expect_eq(on(&k, do_canary), canary);
		expect_eq(end(&k, &t, 3), EXITED(3));
	}
}

/* The child's parent is the target as it was before or is after. */
static void exec_by_thread(unsigned long flags)
{
	struct actor th;

	for (int i = 0; i < ROUNDS; i++) {
		cast();
		thread_of(&t, &th);
		start(&th, do_execute_loop, 0);
		cl_start(&a, t.pid, 0, flags);
		expect_ok(cl_finish(&a, &k));
		expect_eq(actor_finish(&th), t.pid);
		th.pid = t.pid;
		expect_eq(sys(&k, SYS_getppid), flags ? 0 : t.pid);
		expect_eq(end(&k, &th, 3), EXITED(3));
		close(th.fd);
		close_all();
	}
}

PLAY(thread_execs, "another thread of the target executes: the same")
{
	exec_by_thread(0);
}

PLAY(thread_execs_newpid, "the same, the child in a pid namespace of its own")
{
	exec_by_thread(CLONE_NEWPID);
}

PLAY(leader_exits, "the target's leader exits: the group is its parent still")
{
	struct actor th;

	for (int i = 0; i < ROUNDS; i++) {
		cast();
		thread_of(&t, &th);
		start(&t, do_exit_thread, 0);
		cl_start(&a, t.pid, 0, 0);
		expect_ok(cl_finish(&a, &k));
		expect_eq(sys(&k, SYS_getppid), t.pid);
		expect_eq(end(&k, &th, 3), EXITED(3));
		close(th.fd);
		close_all();
	}
}

/* check -> a (caller) -> between -> target; between dies */
PLAY(reparented, "the target is reparented away: a child or EPERM")
{
	struct actor between;
	long us;

	for (int i = 0; i < ROUNDS; i++) {
		spawn(&me, &a, 0);
		spawn(&a, &between, 0);
		spawn(&between, &t, 0);
		us = measure(&a);
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		must(kill(between.pid, SIGKILL));
		expect_among(cl_finish(&a, &k), AMONG(0, EPERM));
		if (k.pid > 0)
			expect_eq(sys(&k, SYS_getppid), t.pid);
		whole(&k);
		wait_end(between.pid);
		expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
		close(between.fd);
		close_all();
	}
}

PLAY(target_unshares, "the target unshares two kinds: both old or both new")
{
	unsigned long uts, ipc;

	cast();
	for (int i = 0; i < ROUNDS; i++) {
		uts = ns_id(t.pid, "uts");
		ipc = ns_id(t.pid, "ipc");
		start(&t, do_syscall, SYS_unshare, CLONE_NEWUTS | CLONE_NEWIPC);
		cl_start(&a, t.pid, 0, 0);
		expect_ok(cl_finish(&a, &k));
		expect_eq(actor_finish(&t), 0);
		if (ns_id(k.pid, "uts") != uts) {
			uts = ns_id(t.pid, "uts");
			ipc = ns_id(t.pid, "ipc");
		}
		expect_eq(ns_id(k.pid, "uts"), uts);
		expect_eq(ns_id(k.pid, "ipc"), ipc);
		expect_eq(end(&k, &t, 3), EXITED(3));
	}
}

/* Calls for arg[0] with the flags arg[1], until that fails with another errno. */
static long do_call_until(struct msg *m)
{
	long pid;

	do {
		pid = cloneat_words(m->arg[0], 0, m->arg[1] | SIGCHLD, 0);
		if (!pid)
			ct_exit(0);
		if (pid > 0 && m->arg[2])
			return pid;
		slot_count(2, 3);
	} while (pid > 0 || pid == -m->arg[2]);
	return pid;
}

/* The target ends while a calls: no more is said about it than that. */
static void call_to_the_end(uint64_t flags, int err)
{
	slot_set(2, 0);
	start(&a, do_call_until, t.pid, flags, err);
	slot_wait(2, 3);
	must(kill(t.pid, SIGKILL));
	expect_eq(actor_finish(&a), -ESRCH);
	close_all();
}

PLAY(sharing_target_exits, "a target that shares files exits: ESRCH, never EINVAL")
{
	for (int i = 0; i < ROUNDS; i++) {
		spawn(&me, &a, 0);
		spawn(&a, &t, CLONE_FILES);
		expect_eq(on(&t, do_ignore_sigchld, 0), 0);
		call_to_the_end(CLONE_FILES, 0);
	}
}

/* A thread that has given up its memory is not dumpable any less. */
PLAY(undumpable_exits, "a target that is not dumpable exits: EPERM, then ESRCH")
{
	for (int i = 0; i < ROUNDS; i++) {
		cast();
		expect_eq(on(&a, do_become, 1000), 0);
		expect_eq(on(&t, do_become, 1000), 0);
		expect_eq(sys(&t, SYS_prctl, PR_SET_DUMPABLE, 0), 0);
		call_to_the_end(0, EPERM);
	}
}

/* The child is the caller's double or there is none: never root. */
PLAY(setuid_exec, "the target executes a set-user-ID program: EPERM or ours")
{
	make_setuid_program();
	for (int i = 0; i < ROUNDS; i++) {
		cast();
		expect_eq(on(&a, do_become, 1000), 0);
		expect_eq(on(&t, do_become, 1000), 0);
		start(&t, do_execute_setuid, 0);
		cl_start(&a, t.pid, 0, 0);
		expect_among(cl_finish(&a, &k), AMONG(0, EPERM));
		if (k.pid > 0) {
			expect_eq(sys(&k, SYS_geteuid), 1000);
			expect_eq(sys(&k, SYS_setuid, 0), -EPERM);
			expect_eq(on(&k, do_canary), canary);
		}
		whole(&k);
		expect_eq(actor_finish(&t), t.pid);
		expect_eq(sys(&t, SYS_geteuid), 0);
		expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
		close_all();
	}
	must(unlink(setuid_path));
}

PLAY(changes_uid, "the target changes its uid meanwhile: EPERM or ours")
{
	for (int i = 0; i < ROUNDS; i++) {
		cast();
		expect_eq(on(&a, do_become, 1000), 0);
		start(&t, do_become, i & 1 ? 1000 : 2000);
		cl_start(&a, t.pid, 0, 0);
		expect_among(cl_finish(&a, &k),
			     i & 1 ? AMONG(0, EPERM) : AMONG(EPERM));
		if (k.pid > 0)
			expect_eq(sys(&k, SYS_geteuid), 1000);
		whole(&k);
		expect_eq(actor_finish(&t), 0);
		close_all();
	}
}
