// SPDX-License-Identifier: GPL-2.0
/* A signal to the caller's process group, in which its child is to be. */
#include "race.h"

/* a -> t, each in a group of its own */
static void cast_groups(int sig, uint64_t flags)
{
	spawn(&me, &a, 0);
	expect_eq(on(&a, do_count_hits, sig), 0);
	spawn(&a, &t, flags);
	expect_eq(on(&t, do_count_hits, sig), 0);
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
		expect_eq(latest_child(t.pid), 0);
	}
	expect_eq(on(&t, do_hits), 0);
}

PLAY(signalled, "a signal to the caller's group does not miss the child")
{
	signal_group(SIGUSR1, 0);
}

PLAY(signalled_init, "nor does it below a container's init")
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

PLAY(signalled_self, "nor a child of the caller's own")
{
	signal_own_group(0);
}

PLAY(signalled_self_flags, "nor one that shares something with it")
{
	signal_own_group(CLONE_FS);
}

PLAY(alarmed, "nor does one that timers send as well")
{
	signal_group(SIGALRM, 0);
}

PLAY(realtime, "nor does a real-time signal")
{
	signal_group(SIGRTMIN, 0);
}

/* The only child, if there is one, has been killed. */
static void await_child_end(pid_t parent)
{
	pid_t child = latest_child(parent);

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

PLAY(killed, "what kills the caller's group does not miss the child")
{
	kill_group(0);
}

PLAY(killed_init, "nor does it below a container's init")
{
	kill_group(CLONE_NEWPID);
}

/* The same where caller and target share their descriptors. */
PLAY(killed_files, "nor does it leave anybody else to an adopter")
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
		child = latest_child(t.pid);
		expect(!child || stops(child));
		must(kill(-a.pid, SIGCONT));
		expect_ok(cl_finish(&a, &k));
		expect_eq(end(&k, &t, 3), EXITED(3));
	}
}

PLAY(stopped, "a stop of the caller's group does not miss the child")
{
	stop_group(0);
}

PLAY(stopped_init, "nor does it below a container's init")
{
	stop_group(CLONE_NEWPID);
}

/* Likewise for a child of the caller's own. */
PLAY(stopped_self, "nor a child of the caller's own")
{
	pid_t child;

	spawn(&me, &a, 0);
	expect_eq(on(&a, do_count_hits, SIGUSR1), 0);
	for (int i = 0; i < 8 * ROUNDS; i++) {
		cl_start(&a, a.pid, 0, i % 2 ? CLONE_FS : 0);
		usleep(rand() % 500);
		must(kill(-a.pid, SIGSTOP));
		wait_state(a.pid, 'T');
		child = latest_child(a.pid);
		expect(!child || stops(child));
		must(kill(-a.pid, SIGCONT));
		expect_ok(cl_finish(&a, &k));
		expect_eq(end(&k, &a, 3), EXITED(3));
	}
}
