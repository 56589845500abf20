// SPDX-License-Identifier: GPL-2.0
/*
 * Races, a bounded number of rounds each: whatever happens to caller, target
 * and arguments while a call is served, the result is one that some order of
 * events explains, and nothing is left over.
 *
 *	check      disturbs
 *	  +-- a         calls, again and again
 *	        +-- target
 */
#include "scene.h"
#include <pthread.h>
#include <sys/ptrace.h>

#define ROUNDS 25

static struct actor a, t, k;

static void cast(void)
{
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
}

/* The result is one of these: success (0) and errnos, -1 at the end. */
static void expect_among(long ret, const int *allowed)
{
	for (; *allowed >= 0; allowed++)
		if (ret == -*allowed || (ret > 0 && !*allowed))
			return;
	fail("unexpected result %ld (%s)", ret,
	     ret < 0 ? ct_errname(-ret) : "a child");
}

#define AMONG(...) ((const int[]) { __VA_ARGS__, -1 })

/* The kid is whole: it answers, has our memory's contents, and ends. */
static long canary = 0x636c6f6e656174;

static long do_canary(struct msg *m)
{
	(void)m;
	return canary;
}

static void whole(struct actor *kid)
{
	if (kid->fd < 0 || kid->pid < 0)
		return;
	expect_eq(on(kid, do_canary), canary);
	quit(kid, 0);
}

static void close_all(void)
{
	settle();
	close(a.fd);
	close(t.fd);
}

/* --- the target --------------------------------------------------------- */

static long do_exit_group(struct msg *m)
{
	ct_exit(m->arg[0]);
	return 0;
}

PLAY(target_exits, "the target exits: a child or ESRCH")
{
	for (int i = 0; i < ROUNDS; i++) {
		cast();
		cl_start(&a, t.pid, 0, 0);
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
	for (int i = 0; i < ROUNDS; i++) {
		cast();
		if (i & 1)
			must(kill(t.pid, SIGKILL));
		cl_start(&a, t.pid, 0, 0);
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
	for (int i = 0; i < ROUNDS; i++) {
		cast();
		expect_eq(on(&a, do_ignore_sigchld, 0), 0);
		cl_start(&a, t.pid, 0, 0);
		must(kill(t.pid, SIGKILL));
		expect_among(cl_finish(&a, &k), AMONG(0, ESRCH));
		whole(&k);
		close_all();
	}
}

static long now_us(void)
{
	struct timespec ts;

	must(clock_gettime(CLOCK_MONOTONIC, &ts));
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* How long a call takes here. */
static long measure_shared(struct actor *caller, uint64_t flags)
{
	long start = now_us();

	expect_ok(cl(caller, &k, t.pid, 0, flags));
	start = now_us() - start;
	expect_eq(end(&k, &t, 3), EXITED(3));
	return start + 1;
}

static long measure(struct actor *caller)
{
	return measure_shared(caller, 0);
}

/* A target of a's is killed at any moment of a call; its child is the adopter's. */
static void leave_once(struct actor *adopter)
{
	long us, ret;

	spawn(&a, &t, 0);
	us = measure(&a);
	cl_start(&a, t.pid, 0, 0);
	usleep(rand() % us);
	must(kill(t.pid, SIGKILL));
	ret = cl_finish(&a, &k);
	expect_among(ret, AMONG(0, ESRCH));
	expect_eq(on(&a, do_wait4, t.pid, 0), t.pid);
	if (ret > 0) {
		must(kill(k.pid, SIGKILL));
		expect_eq(on(adopter, do_wait4, k.pid, 0), k.pid);
	}
	close(k.fd);
}

/*
 * check -> a (caller) -> target; adopter, one of both, has the target's orphans
 */
static void leave(struct actor *adopter)
{
	for (int i = 0; i < 4 * ROUNDS; i++) {
		spawn(&me, &a, 0);
		expect_eq(sys(adopter, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
		leave_once(adopter);
		expect_eq(on(&a, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
		quit(&a, 0);
		expect_eq(on(&me, do_wait4, a.pid, 0), a.pid);
		expect_eq(on(&me, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
		close_all();
	}
}

PLAY(target_leaves, "a target that is killed leaves a child to its adopter, or nothing")
{
	leave(&me);
}

PLAY(target_leaves_caller, "the same where the caller is the adopter")
{
	leave(&a);
}

/* check -> a (caller) -> target; company, which shares a's memory */
PLAY(target_leaves_company, "a target that is killed: who shares the caller's memory lives on")
{
	struct actor company;
	long us;

	for (int i = 0; i < 4 * ROUNDS; i++) {
		cast();
		spawn(&a, &company, CLONE_VM);
		us = measure(&a);
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		must(kill(t.pid, SIGKILL));
		expect_among(cl_finish(&a, &k), AMONG(0, ESRCH));
		whole(&k);
		expect_eq(end(&company, &a, 3), EXITED(3));
		close_all();
	}
}

/* check -> adopter -> a (caller) -> target */
PLAY(target_leaves_sharer, "the same where the adopter shares the caller's memory")
{
	struct actor adopter;

	for (int i = 0; i < 4 * ROUNDS; i++) {
		spawn(&me, &adopter, 0);
		expect_eq(sys(&adopter, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
		spawn(&adopter, &a, CLONE_VM);
		leave_once(&adopter);
		expect_eq(end(&a, &adopter, 3), EXITED(3));
		expect_eq(on(&adopter, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
		close(adopter.fd);
		close_all();
	}
}

/* check -> adopter, traced -> a (caller) -> target */
PLAY_DOCUMENTED(target_leaves_traced, "the same where the adopter is traced",
		"a process has one tracer, so that the emulator leaves it a child that has ended")
{
	struct actor adopter, tracer;
	long us, ret;

	for (int i = 0; i < ROUNDS; i++) {
		spawn(&me, &adopter, 0);
		expect_eq(sys(&adopter, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
		spawn(&adopter, &a, 0);
		spawn(&a, &t, 0);
		us = measure(&a);
		spawn(&me, &tracer, 0);
		expect_eq(sys(&tracer, SYS_ptrace, PTRACE_SEIZE, adopter.pid, 0, 0), 0);
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		must(kill(t.pid, SIGKILL));
		ret = cl_finish(&a, &k);
		/* The adopter would stop for its tracer at SIGCHLD: let it go. */
		expect_eq(end(&tracer, &me, 3), EXITED(3));
		expect_eq(on(&a, do_wait4, t.pid, 0), t.pid);
		if (ret > 0) {
			must(kill(k.pid, SIGKILL));
			expect_eq(on(&adopter, do_wait4, k.pid, 0), k.pid);
		}
		close(k.fd);
		expect_eq(on(&adopter, do_wait4, -1, WNOHANG | __WALL), 0);
		close(adopter.fd);
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
	long ret;

	spawn(&me, &init, CLONE_NEWPID);
	spawn(&init, &a, 0);
	spawn(&init, &other, 0);
	expect_eq(on(&init, do_ignore_sigchld, 0), 0);
	expect_eq(on(&a, do_ignore_sigchld, 0), 0);
	for (int i = 0; i < ROUNDS; i++) {
		spawn(&a, &t, 0);
		cl_start(&a, t.vpid, 0, 0);
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

	for (int i = 0; i < ROUNDS; i++) {
		spawn(&me, &a, 0);
		spawn(&a, &between, 0);
		spawn(&between, &t, 0);
		cl_start(&a, t.pid, 0, 0);
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

PLAY(namespace_dies, "the target's pid namespace dies: a child, ESRCH, ENOMEM")
{
	struct actor init;

	for (int i = 0; i < ROUNDS; i++) {
		spawn(&me, &a, 0);
		spawn(&a, &init, CLONE_NEWPID);
		spawn(&init, &t, 0);
		cl_start(&a, i & 1 ? t.pid : init.pid, 0, 0);
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

/* --- the caller --------------------------------------------------------- */

/* Waits for one child of the target after the other: how many ended badly. */
static long do_reap_all(struct msg *m)
{
	int status, bad = 0;
	long ret;

	(void)m;
	while ((ret = ct_syscall6(SYS_wait4, -1, (long)&status, __WALL, 0, 0,
				  0)) > 0)
		bad += status != 0 && status != SIGKILL;
	return ret == -ECHILD ? bad : ret;
}

PLAY(caller_killed, "the caller is killed in the call: a whole child or none")
{
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < ROUNDS; i++) {
		cast();
		cl_start(&a, t.pid, 0, 0);
		for (int n = 0; n < i * 20; n++)
			__asm__ volatile("");
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
PLAY(caller_execs, "another thread of the caller executes: a child or none")
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

PLAY(caller_killed_often, "a caller that calls without end is killed")
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

PLAY(caller_killed_helper, "a caller that is killed leaves its own children alone")
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
PLAY(caller_killed_headless, "the same of a caller whose leader has exited")
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

PLAY_DOCUMENTED(caller_signalled, "signals to the caller: never EINTR, every child whole",
		"a signal may come before the supervisor has taken the call")
{
	cast();
	expect_eq(on(&a, do_catch), 0);
	for (int i = 0; i < ROUNDS; i++) {
		cl_start(&a, t.pid, 0, 0);
		must(kill(a.pid, SIGUSR1));
		must(kill(a.pid, SIGUSR1));
		expect_ok(cl_finish(&a, &k));
		expect_eq(on(&k, do_canary), canary);
		expect_eq(end(&k, &t, 3), EXITED(3));
	}
	expect_eq(on(&t, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}

static volatile sig_atomic_t hits;

static void hit(int sig)
{
	(void)sig;
	hits++;
}

/* Leads a process group, and counts the signals arg[0] that it gets. */
static long do_count_hits(struct msg *m)
{
	struct sigaction act = { .sa_handler = hit, .sa_flags = SA_RESTART };

	if (sigaction(m->arg[0], &act, NULL) || setpgid(0, 0))
		return -errno;
	return 0;
}

static long do_hits(struct msg *m)
{
	(void)m;
	return hits;
}

/* a -> t, each in a group of its own */
static void cast_groups(int sig, uint64_t flags)
{
	spawn(&me, &a, 0);
	expect_eq(on(&a, do_count_hits, sig), 0);
	spawn(&a, &t, flags);
	expect_eq(on(&t, do_count_hits, sig), 0);
}

/* The latest child of a process, or 0. */
static pid_t last_child(pid_t pid)
{
	char path[64];
	int child = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "r");
	while (f && fscanf(f, "%d", &child) == 1)
		;
	if (f)
		fclose(f);
	return child;
}

/* The only child of a process, or 0. */
static pid_t child_under(pid_t pid)
{
	char path[64];
	int child = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (!f)
		ct_skip("no %s here", path);
	if (fscanf(f, "%d", &child) != 1)
		child = 0;
	fclose(f);
	return child;
}

/* A signal to the caller's group comes before the child, or is the child's too. */
static void signal_group(int sig, uint64_t flags)
{
	cast_groups(sig, flags);
	for (int i = 0; i < 2 * ROUNDS; i++) {
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % 4000);
		must(kill(-a.pid, sig));
		expect_ok(cl_finish(&a, &k));
		expect_eq(on(&k, do_hits), on(&a, do_hits));
		expect_eq(end(&k, &t, 3), EXITED(3));
		expect_eq(child_under(t.pid), 0);
	}
	expect_eq(on(&t, do_hits), 0);
}

PLAY(group_signalled, "a signal to the caller's group does not miss the child")
{
	signal_group(SIGUSR1, 0);
}

PLAY(group_signalled_init, "nor does it below a container's init")
{
	signal_group(SIGUSR1, CLONE_NEWPID);
}

/* Likewise for a child of the caller's own. */
static void signal_own_group(uint64_t flags)
{
	spawn(&me, &a, 0);
	expect_eq(on(&a, do_count_hits, SIGUSR1), 0);
	for (int i = 0; i < 8 * ROUNDS; i++) {
		cl_start(&a, a.pid, 0, flags);
		usleep(rand() % 500);
		must(kill(-a.pid, SIGUSR1));
		expect_ok(cl_finish(&a, &k));
		expect_eq(on(&k, do_hits), on(&a, do_hits));
		expect_eq(end(&k, &a, 3), EXITED(3));
	}
}

PLAY(group_signalled_self, "nor a child of the caller's own")
{
	signal_own_group(0);
}

PLAY(group_signalled_self_flags, "nor one that shares something with it")
{
	signal_own_group(CLONE_FS);
}

PLAY(group_alarmed, "nor does one that timers send as well")
{
	signal_group(SIGALRM, 0);
}

PLAY(group_realtime, "nor does a real-time signal")
{
	signal_group(SIGRTMIN, 0);
}

/* The only child, if there is one, has been killed. */
static void await_child_end(pid_t parent)
{
	pid_t child = child_under(parent);

	while (child && proc_state(child) && proc_state(child) != 'Z')
		usleep(1000);
}

/* The caller's group is killed: with the child, or before there is one. */
static void kill_group(uint64_t flags)
{
	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < 2 * ROUNDS; i++) {
		cast_groups(SIGUSR1, flags);
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % 4000);
		must(kill(-a.pid, SIGKILL));
		wait_end(a.pid);
		await_child_end(t.pid);
		expect_eq(on(&t, do_reap_all), 0);
		quit(&t, 0);
		close_all();
	}
}

PLAY(group_killed, "what kills the caller's group does not miss the child")
{
	kill_group(0);
}

PLAY(group_killed_init, "nor does it below a container's init")
{
	kill_group(CLONE_NEWPID);
}

/* The same where caller and target share their descriptors. */
PLAY(group_killed_files, "nor does it leave anybody else to an adopter")
{
	pid_t pid;
	long us;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < 4 * ROUNDS; i++) {
		spawn(&me, &a, 0);
		expect_eq(on(&a, do_count_hits, SIGUSR1), 0);
		spawn(&a, &t, CLONE_FILES);
		expect_eq(on(&t, do_count_hits, SIGUSR1), 0);
		us = measure_shared(&a, CLONE_FILES);
		cl_start(&a, t.pid, 0, CLONE_FILES);
		usleep(rand() % us);
		must(kill(-a.pid, SIGKILL));
		wait_end(a.pid);
		await_child_end(t.pid);
		expect_eq(on(&t, do_reap_all), 0);
		quit(&t, 0);
		while ((pid = waitpid(-1, NULL, __WALL)) > 0)
			expect(pid == a.pid || pid == t.pid);
		close_all();
	}
}

/* It is stopped, or is about to be. */
static bool stops(pid_t pid)
{
	const unsigned long stop = 1UL << (SIGSTOP - 1);

	return (proc_mask(pid, "SigPnd") | proc_mask(pid, "ShdPnd")) & stop ||
	       proc_state(pid) == 'T';
}

/* The caller's group is stopped: with the child, or before there is one. */
static void stop_group(uint64_t flags)
{
	pid_t child;

	cast_groups(SIGUSR1, flags);
	for (int i = 0; i < 2 * ROUNDS; i++) {
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % 4000);
		must(kill(-a.pid, SIGSTOP));
		wait_state(a.pid, 'T');
		child = child_under(t.pid);
		expect(!child || stops(child));
		must(kill(-a.pid, SIGCONT));
		expect_ok(cl_finish(&a, &k));
		expect_eq(end(&k, &t, 3), EXITED(3));
	}
}

PLAY(group_stopped, "a stop of the caller's group does not miss the child")
{
	stop_group(0);
}

PLAY(group_stopped_init, "nor does it below a container's init")
{
	stop_group(CLONE_NEWPID);
}

/* Likewise for a child of the caller's own. */
PLAY(group_stopped_self, "nor a child of the caller's own")
{
	pid_t child;

	spawn(&me, &a, 0);
	expect_eq(on(&a, do_count_hits, SIGUSR1), 0);
	for (int i = 0; i < 8 * ROUNDS; i++) {
		cl_start(&a, a.pid, 0, i % 2 ? CLONE_FS : 0);
		usleep(rand() % 500);
		must(kill(-a.pid, SIGSTOP));
		wait_state(a.pid, 'T');
		child = child_under(a.pid);
		expect(!child || stops(child));
		must(kill(-a.pid, SIGCONT));
		expect_ok(cl_finish(&a, &k));
		expect_eq(end(&k, &a, 3), EXITED(3));
	}
}

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
		pid = last_child(t.pid);

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

PLAY(caller_stopped, "the caller is stopped and continued: no harm")
{
	cast();
	for (int i = 0; i < ROUNDS; i++) {
		cl_start(&a, t.pid, 0, 0);
		must(kill(a.pid, SIGSTOP));
		must(kill(a.pid, SIGCONT));
		expect_ok(cl_finish(&a, &k));
		expect_eq(on(&k, do_canary), canary);
		expect_eq(end(&k, &t, 3), EXITED(3));
	}
}

/* --- hints -------------------------------------------------------------- */

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

PLAY(hint_in_storm, "a hint under a storm of forks: exact, or EEXIST")
{
	struct actor init, storm, c;
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
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&storm), 0);
}

/* check -> init -> storm, target without rights; check asks for a number */
PLAY_DOCUMENTED(hint_cursor, "hints below a target without rights, in a storm: ids go on",
		"ns_last_pid is set for the target, and others fork meanwhile")
{
	struct actor init, storm, last;
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
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&storm), 0);
	expect(spawn(&init, &last, 0) < 30000);
}

/* --- rights ------------------------------------------------------------- */

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

/* --- the arguments ------------------------------------------------------ */

static struct ct_args flipped;
static volatile bool flipping;

/* Turns what is good into what is not and back. */
static void *flip(void *arg)
{
	long how = (long)arg;
	/* One byte differs: a copy that tears the pointer has one or the other. */
	void *unmapped = (void *)((long)flipped.flags ^ 1L << 44);

	for (unsigned int n = 0; flipping; n++) {
		if (how == 0)
			flipped.a.flags_size = n & 1 ? 8 : 7;
		if (how == 1)
			*(volatile int *)&flipped.flags[0] =
				n & 1 ? SIGCHLD : SIGCHLD | CLONE_NEWUTS;
		if (how == 2)
			flipped.a.child_stack_size = n & 1 ? 0 : 4096;
		if (how == 3)
			flipped.a.flags = n & 1 ? flipped.flags : unmapped;
		__asm__ volatile("" : : : "memory");
	}
	return NULL;
}

/* arg: target, how, the errno that is allowed.  0 if nothing else came. */
static long do_flip(struct msg *m)
{
	pthread_t thread;
	long pid, ret = 0;

	ct_args(&flipped, SIGCHLD, 0);
	flipping = true;
	if (pthread_create(&thread, NULL, flip, (void *)m->arg[1]))
		return -EAGAIN;
	for (int i = 0; i < 4 * ROUNDS && !ret; i++) {
		pid = cloneat(m->arg[0], 0, &flipped.a);
		if (!pid)
			ct_exit(7);
		if (pid < 0 && pid != -m->arg[2])
			ret = pid;
	}
	flipping = false;
	pthread_join(thread, NULL);
	return ret;
}

/* All that were made ended with 7. */
static long do_reap_sevens(struct msg *m)
{
	int status, bad = 0;

	(void)m;
	while (ct_syscall6(SYS_wait4, -1, (long)&status, 0, 0, 0, 0) > 0)
		bad += status != EXITED(7);
	return bad;
}

static void arguments(long how, int err)
{
	cast();
	expect_eq(on(&a, do_flip, t.pid, how, err), 0);
	expect_eq(on(&t, do_reap_sevens), 0);
	expect_eq(on(&a, do_flip, a.pid, how, err), 0);
	expect_eq(on(&a, do_wait4, t.pid, WNOHANG), 0);
	quit(&t, 7);
	expect_eq(on(&a, do_reap_sevens), 0);
}

PLAY(args_size, "flags_size changes meanwhile: as before or as after")
{
	arguments(0, EINVAL);
}

PLAY(args_flags, "the flags change meanwhile: read once")
{
	arguments(1, 0);
}

PLAY(args_stack, "the stack's size changes meanwhile: as before or as after")
{
	arguments(2, EINVAL);
}

PLAY(args_pointer, "the pointer to the flags changes meanwhile")
{
	arguments(3, EFAULT);
}

/* --- many at once ------------------------------------------------------- */

#define MANY 8

PLAY(many_callers, "many callers at once: each gets its own child")
{
	struct actor c[MANY], kid[MANY];

	for (int i = 0; i < MANY; i++)
		spawn(&me, &c[i], 0);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < MANY; i++)
			cl_start(&c[i], c[i].pid, 0, 0);
		for (int i = 0; i < MANY; i++)
			expect_ok(cl_finish(&c[i], &kid[i]));
		for (int i = 0; i < MANY; i++) {
			expect_eq(sys(&kid[i], SYS_getppid), c[i].pid);
			expect_eq(end(&kid[i], &c[i], i), EXITED(i));
		}
	}
}

/* check -> a (MANY threads, all call) -> target -> kids */
PLAY(one_target, "many threads call for one target at once")
{
	struct actor th[MANY], kid[MANY];

	cast();
	for (int i = 0; i < MANY; i++)
		thread_of(&a, &th[i]);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < MANY; i++)
			cl_start(&th[i], t.pid, 0, 0);
		for (int i = 0; i < MANY; i++)
			expect_ok(cl_finish(&th[i], &kid[i]));
		for (int i = 0; i < MANY; i++) {
			expect_eq(sys(&kid[i], SYS_getppid), t.pid);
			expect_eq(end(&kid[i], &t, i), EXITED(i));
		}
	}
	expect_eq(on(&t, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}

/* check -> c0 -> c1 -> c2 -> c3 -> target: all four call for the target */
PLAY(ancestors_at_once, "all ancestors call for one target at once")
{
	struct actor c[4], kid[4];

	spawn(&me, &c[0], 0);
	for (int i = 1; i < 4; i++)
		spawn(&c[i - 1], &c[i], 0);
	spawn(&c[3], &t, 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < 4; i++)
			cl_start(&c[i], t.pid, 0, 0);
		for (int i = 0; i < 4; i++)
			expect_ok(cl_finish(&c[i], &kid[i]));
		for (int i = 0; i < 4; i++) {
			expect_eq(sys(&kid[i], SYS_getppid), t.pid);
			expect_eq(end(&kid[i], &t, i), EXITED(i));
		}
	}
	expect_eq(on(&t, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}

/* check -> a -> b -> c -> d: each calls for the one below */
PLAY(chain_of_callers, "a caller that is a target: all get their children")
{
	struct actor c[5], kid[4];

	spawn(&me, &c[0], 0);
	for (int i = 1; i < 5; i++)
		spawn(&c[i - 1], &c[i], 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < 4; i++)
			cl_start(&c[i], c[i + 1].pid, 0, 0);
		for (int i = 0; i < 4; i++)
			expect_ok(cl_finish(&c[i], &kid[i]));
		for (int i = 0; i < 4; i++) {
			expect_eq(sys(&kid[i], SYS_getppid), c[i + 1].pid);
			expect_eq(end(&kid[i], &c[i + 1], i), EXITED(i));
		}
	}
}

/* check names a, and a names itself, both at once */
PLAY(caller_is_target, "a caller and its user at once")
{
	struct actor kid[2];

	spawn(&me, &a, 0);
	spawn(&me, &t, 0);
	for (int i = 0; i < ROUNDS; i++) {
		cl_start(&a, a.pid, 0, 0);
		expect_ok(cl(&me, &kid[1], a.pid, 0, 0));
		expect_ok(cl_finish(&a, &kid[0]));
		expect_eq(sys(&kid[0], SYS_getppid), a.pid);
		expect_eq(sys(&kid[1], SYS_getppid), a.pid);
		expect_eq(end(&kid[0], &a, 1), EXITED(1));
		expect_eq(end(&kid[1], &a, 2), EXITED(2));
	}
}

/* Kids of kids of kids, all alive, and then all gone. */
PLAY(long_chain, "a chain of 20 children, each made by the check, and its end")
{
	struct actor c[20];

	spawn(&me, &c[0], 0);
	for (int i = 1; i < 20; i++) {
		expect_ok(cl(&me, &c[i], c[i - 1].pid, 0, 0));
		expect_eq(sys(&c[i], SYS_getppid), c[i - 1].pid);
	}
	for (int i = 19; i > 0; i--)
		expect_eq(end(&c[i], &c[i - 1], i), EXITED(i));
	expect_eq(end(&c[0], &me, 0), EXITED(0));
	expect_eq(settle(), 0);
}
