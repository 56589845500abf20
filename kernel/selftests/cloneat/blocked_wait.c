// SPDX-License-Identifier: GPL-2.0
/*
 * A target that waits for a process or a futex, in all the ways there are: see
 * busy.h.  Its kids are of the caller's making and end when its wait is over.
 */
#include "busy.h"
#include <sys/ptrace.h>
#include <linux/futex.h>
#include <time.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* --- waitid ---------------------------------------------------------------- */

enum what { EXITS, STOPS, CONTINUES };

struct wait {
	const char *name;
	const char *verdict;
	idtype_t idtype;
	int options;
	enum what what;		/* what the child then does */
};

#define WAIT(name, idtype, options, what)				\
	{ name, "the target is blocked in waitid " #idtype " " #options, \
	  idtype, options, what }

static const struct wait waits[] = {
	WAIT("all_exited", P_ALL, WEXITED, EXITS),
	WAIT("pid_exited", P_PID, WEXITED, EXITS),
	WAIT("pgid_exited", P_PGID, WEXITED, EXITS),
	WAIT("pidfd_exited", P_PIDFD, WEXITED, EXITS),
	WAIT("pid_nowait", P_PID, WEXITED | WNOWAIT, EXITS),
	WAIT("pid_wall", P_PID, WEXITED | __WALL, EXITS),
	WAIT("pid_wnothread", P_PID, WEXITED | __WNOTHREAD, EXITS),
	WAIT("pid_stopped", P_PID, WSTOPPED, STOPS),
	WAIT("all_stopped", P_ALL, WSTOPPED, STOPS),
	WAIT("pgid_stopped", P_PGID, WSTOPPED | WNOWAIT, STOPS),
	WAIT("pidfd_stopped", P_PIDFD, WSTOPPED | WEXITED, STOPS),
	WAIT("pid_continued", P_PID, WCONTINUED, CONTINUES),
	WAIT("all_continued", P_ALL, WCONTINUED, CONTINUES),
	WAIT("pidfd_any", P_PIDFD, WEXITED | WSTOPPED | WCONTINUED, CONTINUES),
};

static const char happens[] = { SIGKILL, SIGSTOP, SIGCONT };

/* The target's own child, whose number is in slot 2. */
static long own_child(enum what what)
{
	siginfo_t si;
	long pid = clone_words(SIGCHLD);

	if (!pid)
		for (;;)
			slot_wait(1, 1);
	if (what == CONTINUES) {
		kill(pid, SIGSTOP);
		waitid(P_PID, pid, &si, WSTOPPED);
	}
	slot_set(2, pid);
	return pid;
}

/* What it was told: the code and the status. */
static long in_waitid(struct msg *m)
{
	siginfo_t si = { 0 };
	long pid = own_child(m->arg[2]), id = pid, ret;

	if (m->arg[0] == P_PIDFD)
		id = ct_open_pidfd(pid);
	if (m->arg[0] == P_PGID)
		id = getpgrp();
	if (m->arg[0] == P_ALL)
		id = 0;
	ret = kept_call(SYS_waitid, m->arg[0], id, (long)&si, m->arg[1], 0, 0);
	if (!ret && si.si_pid == pid)
		ret = si.si_code << 8 | si.si_status;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return ret;
}

PLAY_TABLE(blocked_waitid, waits)
{
	static const int code[] = { CLD_KILLED, CLD_STOPPED, CLD_CONTINUED };
	const struct wait *w = ct_arg();
	struct actor t, kid[KIDS];

	spawn(&me, &t, 0);
	start(&t, in_waitid, w->idtype, w->options, w->what);
	while (!ct_slot[2])
		sched_yield();
	wait_blocked(&t, SYS_waitid);
	use_target(&t, kid);
	wait_asleep(&t);
	expect_busy(&t);
	must(kill(ct_slot[2], happens[w->what]));
	expect_eq(actor_finish(&t), code[w->what] << 8 | happens[w->what]);
	end_kids(kid);
	reap_kids(&t);
}

/* --- a tracer ---------------------------------------------------------------- */

/* Waits for its tracee, which sends itself a signal when slot 1 is set. */
static long in_tracer(struct msg *m)
{
	long pid = clone_words(SIGCHLD), ret;
	int status;

	(void)m;
	if (!pid) {
		slot_wait(1, 1);
		kill(ct_pid(), SIGUSR1);
		ct_exit(0);
	}
	if (ptrace(PTRACE_SEIZE, pid, 0, 0))
		return -errno;
	ret = kept_call(SYS_wait4, pid, (long)&status, __WALL, 0, 0, 0);
	if (ret != pid || !WIFSTOPPED(status))
		return ret < 0 ? ret : -EBADMSG;
	ret = WSTOPSIG(status);
	if (ptrace(PTRACE_DETACH, pid, 0, 0) || waitpid(pid, NULL, 0) != pid)
		return -errno;
	return ret;
}

/* Holds a stopped tracee all the time, and single-steps it afterwards. */
static long in_stepper(struct msg *m)
{
	long pid = clone_words(SIGCHLD);
	int status, steps = 0;

	(void)m;
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		kill(ct_pid(), SIGUSR1);
		ct_exit(0);
	}
	waitpid(pid, &status, 0);
	slot_wait(1, 1);
	while (steps < 10 && WIFSTOPPED(status) &&
	       !ptrace(PTRACE_SINGLESTEP, pid, 0, 0) &&
	       waitpid(pid, &status, 0) == pid)
		steps += WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
	ptrace(PTRACE_DETACH, pid, 0, 0);
	waitpid(pid, NULL, 0);
	return steps;
}

/* --- futexes ------------------------------------------------------------------- */

#define WORD ((long)&ct_slot[1])
#define OTHER_WORD ((long)&ct_slot[3])

static struct timespec far_on(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += 1000;
	return t;
}

static long in_futex_forever(struct msg *m)
{
	(void)m;
	return kept_call(SYS_futex, WORD, FUTEX_WAIT, 0, 0, 0, 0);
}

static long in_futex_bitset(struct msg *m)
{
	struct timespec far = far_on(CLOCK_MONOTONIC);

	(void)m;
	return kept_call(SYS_futex, WORD, FUTEX_WAIT_BITSET, 0, (long)&far, 0,
			 FUTEX_BITSET_MATCH_ANY);
}

static long in_futex_realtime(struct msg *m)
{
	struct timespec far = far_on(CLOCK_REALTIME);

	(void)m;
	return kept_call(SYS_futex, WORD,
			 FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0,
			 (long)&far, 0, FUTEX_BITSET_MATCH_ANY);
}

static void make_held(void)
{
	expect_eq(ct_syscall6(SYS_futex, WORD, FUTEX_LOCK_PI, 0, 0, 0, 0), 0);
}

static long in_futex_lock_pi(struct msg *m)
{
	struct timespec far = far_on(CLOCK_REALTIME);
	long ret = kept_call(SYS_futex, WORD, FUTEX_LOCK_PI, 0, (long)&far, 0,
			     0);

	(void)m;
	return ret ?: ct_syscall6(SYS_futex, WORD, FUTEX_UNLOCK_PI, 0, 0, 0, 0);
}

static void unlock_pi(struct actor *t)
{
	(void)t;
	expect_eq(ct_syscall6(SYS_futex, WORD, FUTEX_UNLOCK_PI, 0, 0, 0, 0), 0);
}

static long in_futex_requeue_pi(struct msg *m)
{
	struct timespec far = far_on(CLOCK_MONOTONIC);
	long ret = kept_call(SYS_futex, WORD, FUTEX_WAIT_REQUEUE_PI, 0,
			     (long)&far, OTHER_WORD, 0);

	(void)m;
	return ret ?: ct_syscall6(SYS_futex, OTHER_WORD, FUTEX_UNLOCK_PI, 0, 0,
				  0, 0);
}

static void requeue_pi(struct actor *t)
{
	(void)t;
	expect_eq(ct_syscall6(SYS_futex, WORD, FUTEX_CMP_REQUEUE_PI, 1, 0,
			      OTHER_WORD, 0), 1);
}

struct waitv {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

static void make_waitv(void)
{
	if (ct_syscall6(SYS_futex_waitv, 0, 0, 0, 0, 0, 0) == -ENOSYS)
		ct_skip("this kernel has no futex_waitv");
}

static long in_futex_waitv(struct msg *m)
{
	struct timespec far = far_on(CLOCK_MONOTONIC);
	struct waitv v[2] = { { 0, OTHER_WORD, 2, 0 }, { 0, WORD, 2, 0 } };

	(void)m;
	return kept_call(SYS_futex_waitv, (long)v, 2, 0, (long)&far,
			 CLOCK_MONOTONIC, 0);
}

static const struct block blocks[] = {
	BLOCK(tracer, SYS_wait4, make_nothing, wake, SIGUSR1),
	BLOCK(stepper, SYS_futex, make_nothing, wake, 10),
	BLOCK(futex_forever, SYS_futex, make_nothing, wake, 0),
	BLOCK(futex_bitset, SYS_futex, make_nothing, wake, 0),
	BLOCK(futex_realtime, SYS_futex, make_nothing, wake, 0),
	BLOCK(futex_lock_pi, SYS_futex, make_held, unlock_pi, 0),
	BLOCK(futex_requeue_pi, SYS_futex, make_nothing, requeue_pi, 0),
	BLOCK(futex_waitv, SYS_futex_waitv, make_waitv, wake, 1),
};

PLAY_TABLE(blocked, blocks)
{
	play_block();
}
