// SPDX-License-Identifier: GPL-2.0
/*
 * Whose child it is: the real parent of what cloneat() makes.
 *
 *	check (caller)
 *	  +-- target
 *	        +-- kid    made by the caller, a child of the target
 */
#include "scene.h"
#include <sys/ioctl.h>

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

/* The same for a target that is born with flags: other ways lead to its kid. */
static void dead_leader_with(uint64_t flags, uint64_t of_kid)
{
	struct actor t, th, k;

	spawn(&me, &t, flags);
	thread_of(&t, &th);
	kill_leader(&t);
	expect_ok(cl(&me, &k, t.pid, 0, of_kid));
	expect_eq(sys(&k, SYS_getppid), flags & CLONE_NEWPID ? 1 : t.pid);
	expect((ns_id(k.pid, "pid") != ns_id(getpid(), "pid")) ==
	       !!(flags & CLONE_NEWPID));
	quit(&k, 5);
	expect_eq(on(&th, do_wait4, -1, __WNOTHREAD), flags & CLONE_NEWPID ? 3 : k.pid);
	expect_eq(status_of(&th), EXITED(5));
}

PLAY(dead_leader_init, "the dead leader was the init of a pid namespace")
{
	dead_leader_with(CLONE_NEWPID, 0);
}

PLAY(dead_leader_init_others, "the same in other namespaces, too")
{
	dead_leader_with(CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWNS, CLONE_NEWIPC);
}

PLAY(dead_leader_memory, "the target with the dead leader shares the caller's memory")
{
	dead_leader_with(CLONE_VM, 0);
	dead_leader_with(CLONE_VM, CLONE_VM);
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
	while (!tgkill(a.pid, th.pid, 0))
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

/* check -> a (leader, thread with files of its own) -> target -> kid */
PLAY(thread_own_files, "the files are the calling thread's, not its leader's")
{
	struct actor a, th, t, k;
	long fd;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	spawn(&th, &t, 0);
	expect_eq(sys(&th, SYS_unshare, CLONE_FILES), 0);
	fd = expect_ok(sys(&th, SYS_eventfd2, 5, 0));
	expect_eq(sys(&th, SYS_dup3, fd, 400, 0), 400);
	fd = expect_ok(sys(&a, SYS_eventfd2, 5, 0));
	expect_eq(sys(&a, SYS_dup3, fd, 401, 0), 401);
	expect_ok(cl(&th, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_fcntl, 400, F_GETFD), 0);
	expect_eq(sys(&k, SYS_fcntl, 401, F_GETFD), -EBADF);
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
		"what a target that called setsid() makes cannot leave its session")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(sys(&t, SYS_setsid), t.pid);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getsid, 0), getsid(0));
	expect_eq(sys(&k, SYS_getpgid, 0), getpgrp());
}

/* Makes a terminal the controlling one of this session. */
static long do_take_terminal(struct msg *m)
{
	int unlocked = 0, fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)m;
	if (fd < 0 || ioctl(fd, TIOCSPTLCK, &unlocked))
		return -errno;
	fd = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 || ioctl(fd, TIOCSCTTY, 0) ? -errno : 0;
}

static long do_has_terminal(struct msg *m)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	(void)m;
	close(fd);
	return fd >= 0;
}

/* check -> a (leads a session, takes a terminal) -> target -> kid */
PLAY_DOCUMENTED(terminal, "the child has the caller's controlling terminal",
		"a terminal is taken by a session's leader alone")
{
	struct actor a, t, k;
	long ret;

	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_setsid), a.pid);
	spawn(&a, &t, 0);
	ret = on(&a, do_take_terminal);
	if (ret == -ENOENT || ret == -ENXIO)
		ct_skip("no terminals here: %s", ct_errname(-ret));
	expect_eq(ret, 0);
	expect_eq(on(&a, do_has_terminal), 1);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_has_terminal), 1);
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
