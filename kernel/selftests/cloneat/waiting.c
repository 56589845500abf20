// SPDX-License-Identifier: GPL-2.0
/*
 * Who can wait: the target, and nobody else.
 *
 *	check (caller)
 *	  +-- target
 *	        +-- kid    made by the caller, a child of the target
 */
#include "scene.h"

/* Enough for the kernel's approximate counters of resident pages to see it. */
static long do_touch(struct msg *m)
{
	const size_t size = 4 << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)m;
	if (p == MAP_FAILED)
		return -errno;
	memset(p, 1, size);
	return 0;
}

PLAY(wait4_status, "wait4 of the target gives the exit status and rusage")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_touch), 0);
	quit(&k, 99);
	expect_eq(on(&t, do_wait4, -1, 0), k.pid);
	expect_eq(status_of(&t), EXITED(99));
	expect(rusage_of(&t)->ru_minflt > 0);
	expect(rusage_of(&t)->ru_maxrss > 0);
}

PLAY(wait4_killed, "wait4 of the target tells the signal that killed")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	must(kill(k.pid, SIGTERM));
	wait_end(k.pid);
	expect_eq(on(&t, do_wait4, k.pid, 0), k.pid);
	expect_eq(status_of(&t), SIGTERM);
}

PLAY(wait4_stopped, "the target sees its child stop and go on")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	must(kill(k.pid, SIGSTOP));
	expect_eq(on(&t, do_wait4, k.pid, WUNTRACED), k.pid);
	expect(WIFSTOPPED(status_of(&t)));
	must(kill(k.pid, SIGCONT));
	expect_eq(on(&t, do_wait4, k.pid, WCONTINUED), k.pid);
	expect(WIFCONTINUED(status_of(&t)));
	expect_eq(end(&k, &t, 1), EXITED(1));
}

PLAY(waitid_pid, "waitid P_PID of the target; WNOWAIT leaves the zombie")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 12);
	expect_eq(on(&t, do_waitid, P_PID, k.pid, WEXITED | WNOWAIT), 0);
	expect_eq(siginfo_of(&t)->si_status, 12);
	expect_eq(proc_state(k.pid), 'Z');
	expect_eq(on(&t, do_waitid, P_PID, k.pid, WEXITED), 0);
	expect_eq(siginfo_of(&t)->si_pid, k.pid);
	expect_eq(proc_state(k.pid), 0);
}

PLAY(waitid_group, "waitid P_PGID of the target finds the child")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 12);
	expect_eq(on(&t, do_waitid, P_PGID, getpgrp(), WEXITED), 0);
	expect_eq(siginfo_of(&t)->si_pid, k.pid);
}

static long do_waitid_pidfd(struct msg *m)
{
	int fd = syscall(SYS_pidfd_open, m->arg[0], 0);

	if (fd < 0)
		return -errno;
	m->arg[0] = 3;	/* P_PIDFD */
	m->arg[1] = fd;
	return do_waitid(m);
}

PLAY(waitid_pidfd, "waitid P_PIDFD of the target; ECHILD at the caller")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 12);
	expect_eq(on(&me, do_waitid_pidfd, k.pid, 0, WEXITED), -ECHILD);
	expect_eq(on(&t, do_waitid_pidfd, k.pid, 0, WEXITED), 0);
	expect_eq(siginfo_of(&t)->si_status, 12);
}

PLAY(caller_wait4, "the caller's wait4 for the child is ECHILD")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&me, do_wait4, k.pid, WNOHANG | __WALL), -ECHILD);
	quit(&k, 0);
	expect_eq(on(&me, do_wait4, k.pid, __WALL), -ECHILD);
	expect_eq(proc_state(k.pid), 'Z');
	expect_eq(on(&t, do_wait4, k.pid, 0), k.pid);
}

PLAY(caller_waitid, "the caller's waitid for the child is ECHILD")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 0);
	expect_eq(on(&me, do_waitid, P_PID, k.pid, WEXITED), -ECHILD);
	expect_eq(on(&t, do_waitid, P_PID, k.pid, WEXITED), 0);
}

PLAY(caller_wait_any, "the caller's wait for anyone does not take the child")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 0);
	expect_eq(on(&me, do_wait4, -1, WNOHANG | __WALL), 0);
	expect_eq(end(&t, &me, 3), EXITED(3));
	expect_eq(on(&me, do_wait4, -1, __WALL), -ECHILD);
}

/* One that nobody waits for is dead (X) for a moment, and then gone. */
static void leaves_no_zombie(pid_t pid)
{
	while (proc_state(pid) == 'X')
		sched_yield();
	expect_eq(proc_state(pid), 0);
}

PLAY(target_ignores, "a target that ignores SIGCHLD leaves no zombie")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 1);
	expect_eq(on(&t, do_wait4, k.pid, 0), -ECHILD);
	leaves_no_zombie(k.pid);
}

PLAY(target_nocldwait, "a target with SA_NOCLDWAIT leaves no zombie")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 1), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 1);
	expect_eq(on(&t, do_wait4, k.pid, 0), -ECHILD);
	leaves_no_zombie(k.pid);
}

PLAY(caller_ignores, "a caller that ignores SIGCHLD: the target still waits")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&me, do_ignore_sigchld, 0), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(end(&k, &t, 2), EXITED(2));
}

static long do_children_faults(struct msg *m)
{
	struct rusage ru;

	(void)m;
	return getrusage(RUSAGE_CHILDREN, &ru) ? -errno : ru.ru_minflt;
}

PLAY(rusage_children, "the child's use is added to the target's children")
{
	struct actor t, k;
	long before, mine;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	before = on(&t, do_children_faults);
	mine = on(&me, do_children_faults);
	expect_eq(end(&k, &t, 2), EXITED(2));
	expect(on(&t, do_children_faults) > before);
	expect_eq(on(&me, do_children_faults), mine);
}

/* Has it had children that are reaped, and have used anything? */
static long do_children_used(struct msg *m)
{
	static const struct rusage nothing;
	struct rusage ru;

	(void)m;
	return getrusage(RUSAGE_CHILDREN, &ru) ? -errno : !!memcmp(&ru, &nothing, sizeof(ru));
}

#define ADDED "what the emulator needed to make the child has been reaped"

PLAY_DOCUMENTED(rusage_failed, "a call that fails adds nothing to it", ADDED)
{
	const struct extra nowhere = { .ptid = 8 };
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(cl_extra(&me, &k, t.pid, 0, CLONE_PIDFD, &nowhere), -EFAULT);
	expect_eq(on(&t, do_children_used), 0);
}

PLAY_DOCUMENTED(rusage_caller, "nor does any to the caller's (target: init)", ADDED)
{
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWPID);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&me, do_children_used), 0);
}
