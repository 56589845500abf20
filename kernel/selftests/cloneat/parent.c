// SPDX-License-Identifier: GPL-2.0
/*
 * Whose child it is: the real parent, who is told, who can wait, who adopts,
 * and whom a caller may name.
 *
 *	check (caller)
 *	  +-- target
 *	        +-- kid    made by the caller, a child of the target
 */
#include <sys/ptrace.h>
#include "actor.h"

#define EXITED(code) ((code) << 8)

/* The target is told of the kid's end, and nobody else can wait for it. */
static void child_of(struct actor *t)
{
	struct actor k;

	expect_ok(cl(&me, &k, t->pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t->vpid);
	expect_eq(proc_ppid(k.pid), t->pid);
	expect_eq(end(&k, t, 7), EXITED(7));
	expect_eq(proc_state(k.pid), 0);
}

/* A thread of the actor a, which stays alive. */
static void thread_of(struct actor *a, struct actor *thread)
{
	expect_ok(spawn(a, thread, ACTOR_THREAD));
}

/* The leader of a ends alone: what is left are its threads. */
static long do_exit_thread(struct msg *m)
{
	ct_exit_thread(m->arg[0]);
	return 0;
}

static void kill_leader(struct actor *a)
{
	start(a, do_exit_thread, 0);
	wait_state(a->pid, 'Z');
}

/* check -> target with leader dead, thread alive */
static void dead_leader(struct actor *t, struct actor *thread)
{
	spawn(&me, t, 0);
	thread_of(t, thread);
	kill_leader(t);
}

/* --- who is the parent -------------------------------------------------- */

/* check -> kid */
PLAY(self, "pid == the caller: the child is the caller's, as after fork")
{
	struct actor k;

	expect_ok(cl(&me, &k, getpid(), 0, 0));
	expect_eq(sys(&k, SYS_getppid), getpid());
	expect_eq(end(&k, &me, 3), EXITED(3));
}

/* check -> target -> kid */
PLAY(forked, "the child's parent is the forked target")
{
	struct actor t;

	spawn(&me, &t, 0);
	child_of(&t);
}

/* check -> target (another program) -> kid */
PLAY(executed, "the child's parent is the executed target")
{
	struct actor t;

	spawn(&me, &t, ACTOR_EXEC);
	child_of(&t);
}

/* check -> a -> target -> kid */
PLAY(grandchild, "a grandchild is a target")
{
	struct actor a, t;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	child_of(&t);
}

/* check -> a -> b -> c -> d -> target -> kid */
PLAY(deep, "a descendant five generations down is a target")
{
	struct actor a[5];

	spawn(&me, &a[0], 0);
	for (int i = 1; i < 5; i++)
		spawn(&a[i - 1], &a[i], i & 1 ? ACTOR_EXEC : 0);
	child_of(&a[4]);
}

/* check -> target (shares the memory of check) -> kid */
PLAY(shares_vm, "a target that shares the caller's memory is the parent")
{
	struct actor t;

	spawn(&me, &t, CLONE_VM);
	child_of(&t);
}

/* check -> target (leader + thread) -> kid */
PLAY(threaded, "in a threaded target the leader is the real parent")
{
	struct actor t, th, k;

	spawn(&me, &t, 0);
	thread_of(&t, &th);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.pid);
	quit(&k, 1);
	expect_eq(on(&th, do_wait4, k.pid, __WNOTHREAD), -ECHILD);
	expect_eq(on(&t, do_wait4, k.pid, __WNOTHREAD), k.pid);
}

/* check -> target (leader + thread) -> kid */
PLAY(threaded_wait, "any thread of the target may reap the child")
{
	struct actor t, th, k;

	spawn(&me, &t, 0);
	thread_of(&t, &th);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(end(&k, &th, 4), EXITED(4));
}

/* check -> target (dead leader, thread) -> kid */
PLAY(dead_leader_parent, "with a dead leader the live thread is the parent")
{
	struct actor t, th, k;

	dead_leader(&t, &th);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.pid);
	quit(&k, 5);
	expect_eq(on(&th, do_wait4, k.pid, __WNOTHREAD), k.pid);
	expect_eq(status_of(&th), EXITED(5));
}

/* check -> target (dead leader, threads 1 2) -> kid */
PLAY(dead_leader_first, "with a dead leader the FIRST live thread is it")
{
	struct actor t, th[2], k;

	spawn(&me, &t, 0);
	thread_of(&t, &th[0]);
	thread_of(&t, &th[1]);
	kill_leader(&t);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 5);
	expect_eq(on(&th[1], do_wait4, k.pid, __WNOTHREAD), -ECHILD);
	expect_eq(on(&th[0], do_wait4, k.pid, __WNOTHREAD), k.pid);
}

/* check -> a (leader + thread) -> kid, made by the thread */
PLAY(self_thread, "a thread may clone to its own process and is the parent")
{
	struct actor a, th, k;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	expect_ok(cl(&th, &k, a.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), a.pid);
	quit(&k, 6);
	expect_eq(on(&a, do_wait4, k.pid, __WNOTHREAD), -ECHILD);
	expect_eq(on(&th, do_wait4, k.pid, __WNOTHREAD), k.pid);
}

/* check -> a (leader + thread) -> kid */
PLAY(self_thread_alone, "only the calling thread is in the child")
{
	struct actor a, th, k;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	expect_ok(cl(&th, &k, a.pid, 0, 0));
	expect_eq(proc_field(k.pid, "Threads"), 1);
	expect_eq(sys(&k, SYS_gettid), k.pid);
	expect_eq(sys(&k, SYS_getpid), k.pid);
}

/* check -> a (dead leader, thread) -> kid, made by the thread */
PLAY(self_dead_leader, "the thread of a dead leader may clone to itself")
{
	struct actor a, th, k;

	dead_leader(&a, &th);
	expect_ok(cl(&th, &k, a.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), a.pid);
	expect_eq(end(&k, &th, 2), EXITED(2));
}

/* check -> a (leader + thread) -> target -> kid, called by the thread */
PLAY(thread_calls, "any thread of the caller's process may name a target")
{
	struct actor a, th, t, k;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	spawn(&a, &t, 0);
	expect_ok(cl(&th, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(end(&k, &t, 2), EXITED(2));
}

/* check -> a (leader + thread), thread -> target -> kid, called by leader */
PLAY(thread_forked_target, "a child of another thread of ours is a target")
{
	struct actor a, th, t, k;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	spawn(&th, &t, 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(end(&k, &t, 2), EXITED(2));
}

/* check -> a (leader, dead thread) -> target -> kid */
PLAY(thread_gone, "a child of an ended thread of ours is a target still")
{
	struct actor a, th, t, k;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	spawn(&th, &t, 0);
	start(&th, do_exit_thread, 0);
	while (proc_state(th.pid))
		sched_yield();
	expect_eq(sys(&t, SYS_getppid), a.pid);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(end(&k, &t, 2), EXITED(2));
}

/* check -> a (dead leader, thread) -> target -> kid */
PLAY(dead_leader_calls, "the thread of a dead leader may name a target")
{
	struct actor a, th, t, k;

	dead_leader(&a, &th);
	spawn(&th, &t, 0);
	expect_ok(cl(&th, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(end(&k, &t, 2), EXITED(2));
}

/* check -> target -> kid 1, kid 2, kid 3 */
PLAY(several, "several children of one target are siblings")
{
	struct actor t, k[3];

	spawn(&me, &t, 0);
	for (int i = 0; i < 3; i++)
		expect_ok(cl(&me, &k[i], t.pid, 0, 0));
	for (int i = 0; i < 3; i++)
		expect(proc_child(t.pid, k[i].pid));
	for (int i = 2; i >= 0; i--)
		expect_eq(end(&k[i], &t, i), EXITED(i));
}

/* check -> t1 -> kid 1;  check -> t2 -> kid 2 */
PLAY(two_targets, "each child goes below the target that its call named")
{
	struct actor t[2], k[2];

	for (int i = 0; i < 2; i++)
		spawn(&me, &t[i], 0);
	for (int i = 0; i < 2; i++)
		expect_ok(cl(&me, &k[i], t[i].pid, 0, 0));
	expect_eq(sys(&k[0], SYS_getppid), t[0].pid);
	expect_eq(sys(&k[1], SYS_getppid), t[1].pid);
}

/* check -> target -> k0 -> k1 -> k2, each made by check */
PLAY(chain, "a child of cloneat is a target itself: a chain is built")
{
	struct actor t, k[4];

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k[0], t.pid, 0, 0));
	for (int i = 1; i < 4; i++) {
		expect_ok(cl(&me, &k[i], k[i - 1].pid, 0, 0));
		expect_eq(sys(&k[i], SYS_getppid), k[i - 1].pid);
	}
	for (int i = 3; i > 0; i--)
		expect_eq(end(&k[i], &k[i - 1], i), EXITED(i));
	expect_eq(end(&k[0], &t, 0), EXITED(0));
}

/* check -> target -> kid -> k2, made by kid to itself */
PLAY(kid_calls_self, "a child of cloneat may call it for itself")
{
	struct actor t, k, k2;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_ok(cl(&k, &k2, k.pid, 0, 0));
	expect_eq(sys(&k2, SYS_getppid), k.pid);
	expect_eq(end(&k2, &k, 9), EXITED(9));
}

/* check -> target -> kid -> t2 -> k2, made by kid */
PLAY(kid_calls_down, "a child of cloneat may name a descendant of its own")
{
	struct actor t, k, t2, k2;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	spawn(&k, &t2, 0);
	expect_ok(cl(&k, &k2, t2.pid, 0, 0));
	expect_eq(sys(&k2, SYS_getppid), t2.pid);
	expect_eq(end(&k2, &t2, 9), EXITED(9));
}

/* check -> target -> kid -> child of fork */
PLAY(kid_forks, "a child of cloneat forks and waits like anyone")
{
	struct actor t, k, f;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	spawn(&k, &f, 0);
	expect_eq(sys(&f, SYS_getppid), k.pid);
	expect_eq(end(&f, &k, 8), EXITED(8));
}

static long do_execute_loop(struct msg *m)
{
	char num[16], *argv[] = { "actor", "--actor", num, NULL };

	snprintf(num, sizeof(num), "%d", m->own);
	execv("/proc/self/exe", argv);
	return -errno;
}

/* check -> target -> kid, which executes a program */
PLAY(kid_executes, "an exec in the child leaves it the target's child")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	start(&k, do_execute_loop, 0);
	expect_eq(actor_finish(&k), k.pid);
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(end(&k, &t, 6), EXITED(6));
}

/* check -> target -> kid; the target executes a program meanwhile */
PLAY(target_executes, "an exec in the target leaves it the child's parent")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	start(&t, do_execute_loop, 0);
	expect_eq(actor_finish(&t), t.pid);
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(end(&k, &t, 6), EXITED(6));
}

/* check -> target -> kid */
PLAY(children_file, "/proc/PID/children lists the child at the target only")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect(proc_child(t.pid, k.pid));
	expect(!proc_child(getpid(), k.pid));
	expect(proc_child(getpid(), t.pid));
}

/* check -> target -> kid */
PLAY(session_group, "session and process group are the caller's")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getpgid, 0), getpgrp());
	expect_eq(sys(&k, SYS_getsid, 0), getsid(0));
}

/* check -> target (own group) -> kid */
PLAY(group_of_target, "a target's own process group is not the child's")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(sys(&t, SYS_setpgid, 0, 0), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getpgid, 0), getpgrp());
	expect_eq(sys(&k, SYS_getsid, 0), getsid(0));
}

/* check -> target (own session) -> kid */
PLAY_DOCUMENTED(session_of_target, "a target's own session is not the child's",
		"setsid() cannot be undone: a process made by a target that left the session cannot come back")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(sys(&t, SYS_setsid), t.pid);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getsid, 0), getsid(0));
	expect_eq(sys(&k, SYS_getpgid, 0), getpgrp());
}

/* check -> a (own group and session) -> target -> kid, called by a */
PLAY(session_of_leader, "a caller that leads a session: its child is in it")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_setsid), a.pid);
	spawn(&a, &t, 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getsid, 0), a.pid);
	expect_eq(sys(&k, SYS_getpgid, 0), a.pid);
}

/* --- who is told -------------------------------------------------------- */

/* Blocks SIGCHLD and SIGUSR1, so that they can be looked for. */
static long do_block(struct msg *m)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	(void)m;
	return sigprocmask(SIG_BLOCK, &set, NULL) ? -errno : 0;
}

/* Takes the signal arg[0] if it is pending: -EAGAIN if not. */
static long do_take_signal(struct msg *m)
{
	struct timespec now = { 0, 0 };
	sigset_t set;
	long ret;

	sigemptyset(&set);
	sigaddset(&set, m->arg[0]);
	ret = sigtimedwait(&set, (siginfo_t *)m->buf, &now);
	return ret < 0 ? -errno : ret;
}

/* Waits for the signal arg[0]. */
static long do_wait_signal(struct msg *m)
{
	sigset_t set;
	long ret;

	sigemptyset(&set);
	sigaddset(&set, m->arg[0]);
	do {
		ret = sigwaitinfo(&set, (siginfo_t *)m->buf);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

/* check (SIGCHLD blocked) -> target (SIGCHLD blocked) -> kid */
static void listening(struct actor *t, struct actor *k)
{
	spawn(&me, t, 0);
	expect_eq(on(t, do_block), 0);
	expect_eq(on(&me, do_block), 0);
	expect_ok(cl(&me, k, t->pid, 0, 0));
}

PLAY(sigchld_exit, "the target gets SIGCHLD with pid, uid, status: CLD_EXITED")
{
	struct actor t, k;

	listening(&t, &k);
	quit(&k, 42);
	expect_eq(on(&t, do_wait_signal, SIGCHLD), SIGCHLD);
	expect_eq(siginfo_of(&t)->si_code, CLD_EXITED);
	expect_eq(siginfo_of(&t)->si_pid, k.pid);
	expect_eq(siginfo_of(&t)->si_uid, getuid());
	expect_eq(siginfo_of(&t)->si_status, 42);
}

PLAY(sigchld_kill, "a killed child: the target gets SIGCHLD, CLD_KILLED")
{
	struct actor t, k;

	listening(&t, &k);
	kill_end(k.pid);
	expect_eq(on(&t, do_wait_signal, SIGCHLD), SIGCHLD);
	expect_eq(siginfo_of(&t)->si_code, CLD_KILLED);
	expect_eq(siginfo_of(&t)->si_pid, k.pid);
	expect_eq(siginfo_of(&t)->si_status, SIGKILL);
}

PLAY(sigchld_stop, "a stopped child: the target gets SIGCHLD, CLD_STOPPED")
{
	struct actor t, k;

	listening(&t, &k);
	must(kill(k.pid, SIGSTOP));
	expect_eq(on(&t, do_wait_signal, SIGCHLD), SIGCHLD);
	expect_eq(siginfo_of(&t)->si_code, CLD_STOPPED);
	expect_eq(siginfo_of(&t)->si_pid, k.pid);
}

PLAY(sigchld_caller, "the caller gets no SIGCHLD for a child of a target")
{
	struct actor t, k;

	listening(&t, &k);
	quit(&k, 1);
	expect_eq(on(&t, do_wait_signal, SIGCHLD), SIGCHLD);
	expect_eq(on(&me, do_take_signal, SIGCHLD), -EAGAIN);
}

PLAY(sigchld_birth, "a call sends no signal to caller and target")
{
	struct actor t, k;

	listening(&t, &k);
	expect_eq(on(&t, do_take_signal, SIGCHLD), -EAGAIN);
	expect_eq(on(&me, do_take_signal, SIGCHLD), -EAGAIN);
}

PLAY(sigchld_self, "pid == the caller: the caller gets the SIGCHLD")
{
	struct actor k;

	expect_eq(on(&me, do_block), 0);
	expect_ok(cl(&me, &k, getpid(), 0, 0));
	quit(&k, 11);
	expect_eq(on(&me, do_wait_signal, SIGCHLD), SIGCHLD);
	expect_eq(siginfo_of(&me)->si_pid, k.pid);
	expect_eq(siginfo_of(&me)->si_status, 11);
}

PLAY(exit_signal_self, "to self any exit signal is sent, and wait needs __WALL")
{
	struct actor k;

	expect_eq(on(&me, do_block), 0);
	expect_ok(cl(&me, &k, getpid(), 0, SIGUSR1));
	quit(&k, 1);
	expect_eq(on(&me, do_wait_signal, SIGUSR1), SIGUSR1);
	expect_eq(siginfo_of(&me)->si_pid, k.pid);
	expect_eq(on(&me, do_take_signal, SIGCHLD), -EAGAIN);
	expect_eq(on(&me, do_wait4, k.pid, 0), -ECHILD);
	expect_eq(on(&me, do_wait4, k.pid, __WCLONE), k.pid);
}

PLAY(exit_signal_none, "to self no exit signal at all is allowed")
{
	struct actor k;

	expect_eq(on(&me, do_block), 0);
	expect_ok(cl(&me, &k, getpid(), 0, NOSIGNAL));
	quit(&k, 1);
	expect_eq(on(&me, do_take_signal, SIGCHLD), -EAGAIN);
	expect_eq(on(&me, do_wait4, k.pid, __WALL), k.pid);
}

/* --- who can wait ------------------------------------------------------- */

PLAY(wait4_status, "wait4 of the target gives the exit status and rusage")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
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

static long do_ignore_sigchld(struct msg *m)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	if (m->arg[0]) {
		sa.sa_handler = SIG_DFL;
		sa.sa_flags = SA_NOCLDWAIT;
	}
	return sigaction(SIGCHLD, &sa, NULL) ? -errno : 0;
}

PLAY(target_ignores, "a target that ignores SIGCHLD leaves no zombie")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 1);
	expect_eq(on(&t, do_wait4, k.pid, 0), -ECHILD);
	expect_eq(proc_state(k.pid), 0);
}

PLAY(target_nocldwait, "a target with SA_NOCLDWAIT leaves no zombie")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 1), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 1);
	expect_eq(on(&t, do_wait4, k.pid, 0), -ECHILD);
	expect_eq(proc_state(k.pid), 0);
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

/* --- what happens when the target dies ---------------------------------- */

PLAY(orphan_subreaper, "the target dies: the nearest subreaper adopts")
{
	struct actor s, t, k;

	spawn(&me, &s, 0);
	expect_eq(sys(&s, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
	spawn(&s, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(end(&t, &s, 0), EXITED(0));
	expect_eq(sys(&k, SYS_getppid), s.pid);
	expect_eq(end(&k, &s, 5), EXITED(5));
}

PLAY(orphan_caller, "the target dies: a caller that is a subreaper adopts")
{
	struct actor t, k;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(end(&t, &me, 0), EXITED(0));
	expect_eq(sys(&k, SYS_getppid), getpid());
	expect_eq(end(&k, &me, 5), EXITED(5));
}

PLAY(orphan_above, "the target dies: not the caller but the reaper above")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(end(&t, &me, 0), EXITED(0));
	expect_eq(sys(&k, SYS_getppid), getppid());
	expect_eq(on(&me, do_wait4, k.pid, WNOHANG | __WALL), -ECHILD);
}

PLAY(orphan_zombie, "a zombie child goes to the reaper when its parent dies")
{
	struct actor t, k;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 5);
	expect_eq(end(&t, &me, 0), EXITED(0));
	expect_eq(on(&me, do_wait4, k.pid, 0), k.pid);
	expect_eq(status_of(&me), EXITED(5));
}

/* check -> init of a pid namespace -> target -> kid */
PLAY(orphan_container, "in a container its init adopts")
{
	struct actor i, t, k;

	spawn(&me, &i, CLONE_NEWPID);
	spawn(&i, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.vpid);
	expect_eq(end(&t, &i, 0), EXITED(0));
	expect_eq(sys(&k, SYS_getppid), 1);
	expect_eq(proc_ppid(k.pid), i.pid);
}

/* check -> target (leader + thread) -> kid; the leader ends */
PLAY(orphan_thread, "the leader dies: another thread of the target adopts")
{
	struct actor t, th, k;

	spawn(&me, &t, 0);
	thread_of(&t, &th);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	kill_leader(&t);
	expect_eq(sys(&k, SYS_getppid), t.pid);
	quit(&k, 5);
	expect_eq(on(&th, do_wait4, k.pid, __WNOTHREAD), k.pid);
}

PLAY(pdeathsig, "PR_SET_PDEATHSIG in the child is about the target")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_block), 0);
	expect_eq(sys(&k, SYS_prctl, PR_SET_PDEATHSIG, SIGUSR1), 0);
	expect_eq(end(&t, &me, 0), EXITED(0));
	expect_eq(on(&k, do_wait_signal, SIGUSR1), SIGUSR1);
}

PLAY(kid_orphans, "the child dies: its own children go to the reaper")
{
	struct actor t, k, f;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	spawn(&k, &f, 0);
	expect_eq(end(&k, &t, 0), EXITED(0));
	expect_eq(sys(&f, SYS_getppid), getpid());
}

/* The caller dies at once: the child stays where it is. */
PLAY(caller_dies, "the caller's death does not touch the target's child")
{
	struct actor a, t, k;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(end(&a, &me, 0), EXITED(0));
	expect_eq(sys(&t, SYS_getppid), getpid());
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* --- whom one may name -------------------------------------------------- */

static void refused(struct actor *by, pid_t pid, int err)
{
	struct actor k;

	expect_eq(cl(by, &k, pid, 0, 0), -err);
	expect_eq(cl(by, &k, pid, 0, CLONE_NEWUTS), -err);
}

PLAY(own_parent, "the caller's parent is no target: EPERM")
{
	refused(&me, getppid(), EPERM);
}

PLAY(own_grandparent, "the caller's grandparent is no target: EPERM")
{
	struct actor a;

	spawn(&me, &a, 0);
	refused(&a, getppid(), EPERM);
	refused(&a, getpid(), EPERM);
}

PLAY(init_process, "init of the pid namespace is no target of others: EPERM")
{
	refused(&me, 1, EPERM);
}

/* check -> init -> a; a names 1 */
PLAY(init_container, "init of a container is no target from inside: EPERM")
{
	struct actor i, a;

	spawn(&me, &i, CLONE_NEWPID);
	spawn(&i, &a, 0);
	refused(&a, 1, EPERM);
}

/* check -> a, sibling; a names its sibling */
PLAY(sibling, "a sibling is no target: EPERM")
{
	struct actor a, b;

	spawn(&me, &a, 0);
	spawn(&me, &b, 0);
	refused(&a, b.pid, EPERM);
}

/* check -> a, b -> c; a names c */
PLAY(niece, "a child of a sibling is no target: EPERM")
{
	struct actor a, b, c;

	spawn(&me, &a, 0);
	spawn(&me, &b, 0);
	spawn(&b, &c, 0);
	refused(&a, c.pid, EPERM);
}

/* check -> target -> kid; kid names the target, the check */
PLAY(kid_names_up, "the child may name neither its parent nor the caller")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	refused(&k, t.pid, EPERM);
	refused(&k, getpid(), EPERM);
}

/* check -> target -> kid 1, kid 2; kid 1 names kid 2 */
PLAY(kid_names_sibling, "the child may not name another child of its parent")
{
	struct actor t, k[2];

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k[0], t.pid, 0, 0));
	expect_ok(cl(&me, &k[1], t.pid, 0, 0));
	refused(&k[0], k[1].pid, EPERM);
}

/* check -> a -> b (orphan, goes above check) */
PLAY(reparented_away, "who was reparented away is no descendant: EPERM")
{
	struct actor a, b;

	spawn(&me, &a, 0);
	spawn(&a, &b, 0);
	expect_eq(end(&a, &me, 0), EXITED(0));
	expect_eq(sys(&b, SYS_getppid), getppid());
	refused(&me, b.pid, EPERM);
}

/* check (subreaper) -> a -> b (orphan, comes to check) */
PLAY(adopted, "whom a subreaper adopted is its descendant")
{
	struct actor a, b;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	spawn(&me, &a, 0);
	spawn(&a, &b, 0);
	expect_eq(end(&a, &me, 0), EXITED(0));
	child_of(&b);
}

/* check -> s (subreaper) -> a -> b; a dies */
PLAY(adopted_below, "adopted by a subreaper below the caller is a target")
{
	struct actor s, a, b;

	spawn(&me, &s, 0);
	expect_eq(sys(&s, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
	spawn(&s, &a, 0);
	spawn(&a, &b, 0);
	expect_eq(end(&a, &s, 0), EXITED(0));
	expect_eq(sys(&b, SYS_getppid), s.pid);
	child_of(&b);
}

/* check -> s (subreaper), a -> b: b comes to s when a, below s, dies */
PLAY(adopted_stranger, "whom a subreaper adopted, though never its child's")
{
	struct actor s, x, a, b;

	spawn(&me, &s, 0);
	expect_eq(sys(&s, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), 0);
	spawn(&s, &x, 0);
	spawn(&x, &a, 0);
	spawn(&a, &b, 0);
	refused(&b, a.pid, EPERM);
	expect_eq(end(&a, &x, 0), EXITED(0));
	refused(&x, b.pid, EPERM);
	expect_eq(sys(&b, SYS_getppid), s.pid);
}

PLAY(thread_id, "a thread's id is no target: EINVAL")
{
	struct actor t, th;

	spawn(&me, &t, 0);
	thread_of(&t, &th);
	refused(&me, th.pid, EINVAL);
}

PLAY(own_thread_id, "the id of another thread of ours is EINVAL")
{
	struct actor a, th;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	refused(&a, th.pid, EINVAL);
	refused(&th, th.pid, EINVAL);
}

/* check -> a, b (leader + thread); a names b's thread */
PLAY(stranger_thread_id, "a stranger's thread id: EINVAL comes before EPERM")
{
	struct actor a, b, th;

	spawn(&me, &a, 0);
	spawn(&me, &b, 0);
	thread_of(&b, &th);
	refused(&a, th.pid, EINVAL);
}

PLAY(zombie, "a zombie is no target: ESRCH")
{
	struct actor t;

	spawn(&me, &t, 0);
	quit(&t, 0);
	refused(&me, t.pid, ESRCH);
	expect_eq(on(&me, do_wait4, t.pid, 0), t.pid);
	refused(&me, t.pid, ESRCH);
}

/* check -> a, b (zombie); a names b */
PLAY(zombie_stranger, "a stranger's zombie: EPERM comes before ESRCH")
{
	struct actor a, b;

	spawn(&me, &a, 0);
	spawn(&me, &b, 0);
	quit(&b, 0);
	refused(&a, b.pid, EPERM);
}

/* check -> target (leader and thread dead) */
PLAY(zombie_group, "a dead leader whose last thread ended: ESRCH")
{
	struct actor t, th;

	dead_leader(&t, &th);
	start(&th, do_exit_thread, 0);
	wait_end(t.pid);
	refused(&me, t.pid, ESRCH);
}

PLAY(nobody, "a number that nobody has: ESRCH")
{
	struct actor t;

	spawn(&me, &t, 0);
	expect_eq(end(&t, &me, 0), EXITED(0));
	refused(&me, t.pid, ESRCH);
	refused(&me, ct_pid_max(), ESRCH);
	refused(&me, INT_MAX, ESRCH);
}

PLAY(not_positive, "pid 0 and negative numbers: EINVAL")
{
	refused(&me, 0, EINVAL);
	refused(&me, -1, EINVAL);
	refused(&me, -getpid(), EINVAL);
	refused(&me, INT_MIN, EINVAL);
}

/* check -> a -> b; a's number in another namespace means nothing */
PLAY(outer_number, "numbers are looked up in the caller's pid namespace")
{
	struct actor i, t;

	spawn(&me, &i, CLONE_NEWPID);
	spawn(&i, &t, 0);
	expect(t.pid != t.vpid);
	refused(&i, ct_pid_max() - 1, ESRCH);
	expect_eq(t.vpid, 2);
	refused(&i, 3, ESRCH);
}

/* --- signals and sharing that a foreign target forbids ------------------ */

PLAY(exit_signal_target, "another target: an exit signal but SIGCHLD is EINVAL")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(cl(&me, &k, t.pid, 0, SIGUSR1), -EINVAL);
	expect_eq(cl(&me, &k, t.pid, 0, SIGKILL), -EINVAL);
	expect_eq(cl(&me, &k, t.pid, 0, NOSIGNAL), -EINVAL);
}

PLAY(parent_thread_target, "another target: CLONE_PARENT, THREAD: EINVAL")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_VM | CLONE_SIGHAND | CLONE_FS | CLONE_FILES);
	expect_eq(cl(&me, &k, t.pid, 0, CLONE_PARENT), -EINVAL);
	expect_eq(cl(&me, &k, t.pid, 0,
		     CLONE_THREAD | CLONE_SIGHAND | CLONE_VM), -EINVAL);
}

/* keeper -> check, kid: CLONE_PARENT to self makes a sibling */
PLAY(clone_parent_self, "to self CLONE_PARENT makes a sibling, as clone")
{
	struct actor a, k;

	spawn(&me, &a, 0);
	expect_ok(cl(&a, &k, a.pid, 0, CLONE_PARENT));
	expect_eq(sys(&k, SYS_getppid), getpid());
	expect_eq(end(&k, &me, 4), EXITED(4));
}

/* check -> a; kid is a child of check through a: descendant of check only */
PLAY(clone_parent_stranger, "a sibling made by CLONE_PARENT is no descendant")
{
	struct actor a, k;

	spawn(&me, &a, 0);
	expect_ok(cl(&a, &k, a.pid, 0, CLONE_PARENT));
	refused(&a, k.pid, EPERM);
	child_of(&k);
}

/* A traced target: the kernel's real parent is not the tracer. */
PLAY_DOCUMENTED(traced_target, "a traced target is the parent, not its tracer",
		"a process has one tracer, so the emulator answers EBUSY")
{
	struct actor t, k, tracer;

	spawn(&me, &t, 0);
	spawn(&me, &tracer, 0);
	expect_eq(sys(&tracer, SYS_ptrace, PTRACE_SEIZE, t.pid, 0, 0), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}
