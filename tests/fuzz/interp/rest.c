// SPDX-License-Identifier: Apache-2.0
/*
 * The world comes to rest: nothing of what an operation set off is under way.
 *
 * An actor rests if it waits for a command, sleeps until its vfork child is
 * through, is stopped, is a zombie, or is gone and its number free.  That it
 * does so is not read from its state alone, which is set before it sleeps:
 * /proc/PID/syscall says where a thread is that has left the processor, and
 * "running" otherwise (task_current_syscall(), wait_task_inactive()).  That is
 * later than all that a stop tells the parent.
 *
 * The dying are the only ones that act upon others: exit signals, orphaned
 * groups, the members of a pid namespace.  They do so under tasklist_lock, in
 * the same hold that makes them zombies (exit_notify()), but a zombie can be
 * seen before that hold is over:
 *
 *	controller		P4 exits		P2, its parent
 *	P2 sleeps
 *				EXIT_ZOMBIE
 *	P4 is a zombie
 *	P2 sleeps
 *				sends exit signal 10	is killed
 *
 * So each pass over the actors begins by taking that lock, and the last pass is
 * one that finds all at rest and nobody other than the pass before: whatever a
 * death seen then was the cause of, had happened before this pass began.
 */
#include "interp.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/sched.h>

#define KILLED 0x100UL		/* SIGKILL waits for it */
#define PF_EXITING 4UL		/* include/linux/sched.h */

/* Lets others run, and sleeps if that was no use. */
void pause_briefly(int round)
{
	const struct timespec t = { 0, 50000 };

	if (round < 10)
		sched_yield();
	else
		nanosleep(&t, NULL);
}

/* Reads /proc/PID/stat: numbers are fields of proc(5). */
struct stat_line read_stat(const struct who *w)
{
	struct stat_line s = w->stat;
	unsigned long flags = 0, pending = 0;
	char buf[1024], *paren = NULL, state = 'X';

	if (again(w->stat_fd, buf, sizeof(buf)))
		paren = strrchr(buf, ')');
	s.state = state;
	if (!paren)
		return s;
	/* 3 to 6, 9, 31 and 38. */
	sscanf(paren + 2, "%c %d %d %d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d "
	       "%*d %*d %*d %*d %*d %*u %*u %*d %*u %*u %*u %*u %*u %*u %lu "
	       "%*u %*u %*u %*u %*u %*u %d", &state, &s.ppid, &s.pgrp,
	       &s.session, &flags, &pending, &s.exit_signal);
	if (state != 'Z' && state != 'X' &&
	    ((flags & PF_EXITING) || (pending & KILLED)))
		state = 'E';
	s.state = state;
	return s;
}

/* The call that w sleeps in, and its first argument; false if it runs. */
static bool asleep_in(const struct who *w, long *nr, long *arg)
{
	char buf[256];

	*nr = *arg = -1;
	return again(w->syscall_fd, buf, sizeof(buf)) &&
	       sscanf(buf, "%ld %li", nr, arg) >= 1;
}

static bool in_vfork(const struct who *w)
{
	const struct who *child = vfork_child_of(w);

	return child && !child->dead && !child->released;
}

/*
 * The init of a pid namespace cannot end before a zombie in it is reaped whose
 * parent is outside (zap_pid_ns_processes()).
 */
static bool held_by_zombie(const struct who *init)
{
	int at = init->depth - 1;

	for (int i = 0; i < MAX_ACTORS; i++) {
		const struct who *w = &who[i];

		if (w != init && w->born && w->stat.state == 'Z' &&
		    w->depth > at && w->chain[at] == init->chain[at])
			return true;
	}
	return false;
}

/* A tracer hears of a death first, and the parent when the tracer knows. */
static bool is_traced(const struct who *w)
{
	char buf[4096];

	return slurp(w, "status", buf, sizeof(buf)) &&
	       strtol(field(buf, "\nTracerPid:"), NULL, 10);
}

/* Ignored by default, or the process stops, goes on, or dumps core. */
#define BIT(sig) (1ULL << ((sig) - 1))
#define NOT_KILLING							\
	(BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGWINCH) | BIT(SIGURG) |	\
	 BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU) |	\
	 BIT(SIGQUIT) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGABRT) |	\
	 BIT(SIGFPE) | BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGSYS) |	\
	 BIT(SIGXCPU) | BIT(SIGXFSZ))

static uint64_t signals(const char *status, const char *key)
{
	return strtoull(field(status, key), NULL, 16);
}

/*
 * A signal waits for it that would have killed it at once, were it not traced
 * (complete_signal()): the emulator finds it when it looks the next time.  It
 * does nothing to an init.
 */
static bool must_end(const struct who *w)
{
	char buf[4096];

	if (!slurp(w, "status", buf, sizeof(buf)))
		return true;
	return !(w->depth > 0 && w->num[w->depth - 1] == 1) &&
	       ((signals(buf, "\nSigPnd:") | signals(buf, "\nShdPnd:")) &
		~(signals(buf, "\nSigBlk:") | signals(buf, "\nSigIgn:") |
		  signals(buf, "\nSigCgt:") | NOT_KILLING));
}

static bool rests(const struct who *w)
{
	long nr, arg;

	switch (w->stat.state) {
	case 'Z':
		return w->dead || !is_traced(w);
	case 'X':
		return !again(w->stat_fd, (char[8]){ 0 }, 8);
	case 'T':
		return asleep_in(w, &nr, &arg);
	case 'E':
		return w->depth > 0 && w->num[w->depth - 1] == 1 && held_by_zombie(w) &&
		       asleep_in(w, &nr, &arg);
	case 'S':
		if (!asleep_in(w, &nr, &arg))
			return false;
		if (nr == SYS_recvfrom && arg == CHANNEL_FD + (w - who))
			return true;
		return in_vfork(w);
	case 'D':
		return in_vfork(w) && asleep_in(w, &nr, &arg);
	case 't':	/* the emulator holds it */
		/* In this order: if the signal is taken by now, it runs. */
		return in_vfork(w) && !must_end(w) && asleep_in(w, &nr, &arg);
	}
	return false;
}

/* One pass: true if all rest and are as they were. */
static bool pass(void)
{
	bool rest = true;

	waitid(P_ALL, 0, NULL, WNOHANG | WNOWAIT | WEXITED);
	for (int i = 0; i < MAX_ACTORS; i++) {
		struct who *w = &who[i];
		struct stat_line before = w->stat;

		if (!w->born || w->reaped)
			continue;
		w->stat = read_stat(w);
		if (!rests(w)) {
			rest = false;
			continue;
		}
		w->stopped = w->stat.state == 'T';
		w->dead = strchr("ZXE", w->stat.state);
		rest &= !memcmp(&before, &w->stat, sizeof(before));
	}
	return rest;
}

/* --- numbers -------------------------------------------------------------- */

/*
 * Since 6.15 a number becomes free after its process has gone from /proc
 * (free_pids() in release_task()).  A clone that must fail tells, and makes
 * nobody: the number comes first, then the bad address for the descriptor.
 */
static bool is_free(pid_t number)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_VM | CLONE_FS | CLONE_FILES |
			 CLONE_SIGHAND,
		.pidfd = 8,
		.set_tid = (uintptr_t)&number,
		.set_tid_size = 1,
	};

	need(syscall(SYS_clone3, &args, sizeof(args)) < 0 &&
	     (errno == EEXIST || errno == EFAULT), "probe of a number");
	return errno == EFAULT;
}

/* Somebody has it, as a number or as that of the group or session. */
static bool in_use(int number)
{
	for (int i = 0; i < MAX_ACTORS; i++) {
		const struct who *w = &who[i];

		if (w->born && !w->reaped && (w->tid == number ||
		    w->stat.pgrp == number || w->stat.session == number))
			return true;
	}
	return false;
}

static void await_numbers(void)
{
	for (int i = 0; i < MAX_ACTORS; i++) {
		struct who *w = &who[i];

		w->reaped = w->born && w->stat.state == 'X';
		if (!w->reaped || w->freed || in_use(w->num[0]))
			continue;
		for (int round = 0; !is_free(w->num[0]); round++)
			pause_briefly(round);
		w->freed = true;
	}
}

void settle(void)
{
	for (int round = 0; !pass(); round++)
		pause_briefly(round);
	await_numbers();
}
