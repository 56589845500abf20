// SPDX-License-Identifier: GPL-2.0
/*
 * The child's namespaces are the target's, kind by kind; its user namespace is
 * the caller's.
 *
 *	check
 *	  +-- target    in a namespace of its own
 *	        +-- kid      is in it too, and elsewhere where check is
 */
#include "scene.h"
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/utsname.h>
#include <time.h>

/* --- each kind ---------------------------------------------------------- */

struct ns_kind {
	const char *name;
	const char *verdict;
	const char *ns;
	unsigned int flag;
	int generation;		/* the target, its child, its grandchild */
	uint64_t how;
};

#define NS(ns, flag)							\
	{ #ns "_target", "target in a " #ns " namespace of its own",	\
	  #ns, flag, 0, 0 },						\
	{ #ns "_child", "target is a child in such a " #ns " namespace", \
	  #ns, flag, 1, 0 },						\
	{ #ns "_executed", "an executed target in a " #ns " namespace",	\
	  #ns, flag, 1, ACTOR_EXEC }

static const struct ns_kind kinds[] = {
	NS(uts, CLONE_NEWUTS),
	NS(ipc, CLONE_NEWIPC),
	NS(mnt, CLONE_NEWNS),
	NS(net, CLONE_NEWNET),
	NS(cgroup, CLONE_NEWCGROUP),
	NS(time, CLONE_NEWTIME),
	NS(pid, CLONE_NEWPID),
};

static void spawn_in(const struct ns_kind *kind, struct actor *t)
{
	static struct actor first;

	if (kind->flag == CLONE_NEWTIME)
		spawn_in_time(kind->generation ? &first : t);
	else
		spawn(&me, kind->generation ? &first : t, kind->flag);
	if (kind->generation)
		spawn(&first, t, kind->how);
}

static void for_children_equal(pid_t pid)
{
	expect_eq(ns_id(pid, "pid_for_children"), ns_id(pid, "pid"));
	expect_eq(ns_id(pid, "time_for_children"), ns_id(pid, "time"));
}

PLAY_TABLE(one_kind, kinds)
{
	const struct ns_kind *kind = ct_arg();
	struct actor t, k;

	if (!ns_id(getpid(), kind->ns))
		ct_skip("this kernel has no %s namespaces", kind->ns);
	spawn_in(kind, &t);
	expect(ns_id(t.pid, kind->ns) != ns_id(getpid(), kind->ns));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, kind->ns), ns_id(t.pid, kind->ns));
	same_ns(k.pid, getpid(), kind->ns);
	same_ns(k.pid, t.pid, "none");
	expect_eq(ns_id(k.pid, "user"), ns_id(getpid(), "user"));
	for_children_equal(k.pid);
	expect_eq(proc_ppid(k.pid), t.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* --- all of them -------------------------------------------------------- */

#define ALL_NS (CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET | \
		CLONE_NEWCGROUP | CLONE_NEWPID)

PLAY(all_kinds, "a target that differs in all kinds: all are its")
{
	struct actor t, k;

	spawn(&me, &t, ALL_NS | ACTOR_PROC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	same_ns(k.pid, t.pid, "none");
	expect_eq(ns_id(k.pid, "user"), ns_id(getpid(), "user"));
	for_children_equal(k.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(no_kind, "a target that differs in nothing: all are the caller's")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	same_ns(k.pid, getpid(), "none");
	for_children_equal(k.pid);
}

PLAY(caller_moved, "a caller in namespaces of its own: the target's win")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	expect_eq(sys(&a, SYS_unshare, CLONE_NEWUTS | CLONE_NEWIPC |
		      CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWCGROUP), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_ns(k.pid, t.pid, "none");
	same_ns(k.pid, getpid(), "none");
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(unshared_later, "a target that unshares later keeps its older child out")
{
	struct actor t, k1, k2;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k1, t.pid, 0, 0));
	expect_eq(sys(&t, SYS_unshare, CLONE_NEWUTS), 0);
	expect_ok(cl(&me, &k2, t.pid, 0, 0));
	expect_eq(ns_id(k1.pid, "uts"), ns_id(getpid(), "uts"));
	expect_eq(ns_id(k2.pid, "uts"), ns_id(t.pid, "uts"));
	expect(ns_id(k1.pid, "uts") != ns_id(k2.pid, "uts"));
}

PLAY(kid_passes_on, "children of the child are in its namespaces")
{
	struct actor t, k, f;

	spawn(&me, &t, ALL_NS | ACTOR_PROC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	spawn(&k, &f, 0);
	same_ns(f.pid, t.pid, "none");
}

/* A second thread of the target is elsewhere: the leader's count. */
PLAY(target_thread, "a threaded target: the leader's namespaces count")
{
	struct actor t, th, k;

	spawn(&me, &t, 0);
	thread_of(&t, &th);
	expect_eq(sys(&th, SYS_unshare, CLONE_NEWUTS), 0);
	expect(ns_id(th.pid, "uts") != ns_id(t.pid, "uts"));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, "uts"), ns_id(t.pid, "uts"));
}

PLAY(target_dead_leader, "a dead leader: the first live thread's count")
{
	struct actor t, th, k;

	dead_leader(&t, &th);
	expect_eq(sys(&th, SYS_unshare, CLONE_NEWUTS), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, "uts"), ns_id(th.pid, "uts"));
	expect(ns_id(k.pid, "uts") != ns_id(getpid(), "uts"));
}

PLAY(caller_thread, "a threaded caller: the calling thread's are compared")
{
	struct actor a, th, t, k;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	spawn(&a, &t, 0);
	expect_eq(sys(&th, SYS_unshare, CLONE_NEWUTS), 0);
	expect_ok(cl(&th, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, "uts"), ns_id(t.pid, "uts"));
}

PLAY(caller_thread_self, "to self: the calling thread's, as clone")
{
	struct actor a, th, k;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	expect_eq(sys(&th, SYS_unshare, CLONE_NEWUTS), 0);
	expect_ok(cl(&th, &k, a.pid, 0, 0));
	expect_eq(ns_id(k.pid, "uts"), ns_id(th.pid, "uts"));
	expect(ns_id(k.pid, "uts") != ns_id(a.pid, "uts"));
}

/* --- what a namespace is good for --------------------------------------- */

static long do_uname(struct msg *m)
{
	struct utsname u;

	if (uname(&u))
		return -errno;
	snprintf(m->buf, sizeof(m->buf), "%s", u.nodename);
	return 0;
}

static long do_set_hostname(struct msg *m)
{
	(void)m;
	return sethostname("cloneat", 7) ? -errno : 0;
}

PLAY(hostname, "the child reads the target's host name")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWUTS);
	expect_eq(on(&t, do_set_hostname), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_uname), 0);
	expect(!strcmp(k.m.buf, "cloneat"));
	expect_eq(on(&me, do_uname), 0);
	expect(strcmp(me.m.buf, "cloneat"));
}

static long do_msgget(struct msg *m)
{
	int id = msgget(0x636c6f6e, m->arg[0] | 0600);

	return id < 0 ? -errno : id;
}

PLAY(message_queue, "the child finds the target's System V queue")
{
	struct actor t, k;
	long id;

	spawn(&me, &t, CLONE_NEWIPC);
	id = on(&t, do_msgget, IPC_CREAT);
	if (id == -ENOSYS)
		ct_skip("this kernel has no System V queues");
	expect_ok(id);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_msgget, 0), id);
	expect_eq(on(&me, do_msgget, 0), -ENOENT);
}

static long do_mount(struct msg *m)
{
	(void)m;
	mkdir("/tmp", 01777);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) ||
	    mkdir("/tmp/cloneat-was-here", 0700))
		return -errno;
	return 0;
}

static long do_look(struct msg *m)
{
	(void)m;
	return access("/tmp/cloneat-was-here", F_OK) ? -errno : 0;
}

PLAY(mounts, "the child sees the target's mounts")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWNS);
	expect_eq(on(&t, do_mount), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_look), 0);
	expect_eq(on(&me, do_look), -ENOENT);
}

/* Seconds of a clock, by the vdso if arg[1] is 0, else by the call. */
static long do_clock(struct msg *m)
{
	struct timespec t;

	if (m->arg[1])
		ct_syscall3(SYS_clock_gettime, m->arg[0], &t, 0);
	else
		clock_gettime(m->arg[0], &t);
	return t.tv_sec;
}

/* A day ahead is more than a check can last. */
static void ahead(struct actor *a, int clock)
{
	for (int call = 0; call < 2; call++)
		expect(on(a, do_clock, clock, call) >
		       on(&me, do_clock, clock, call) + 80000);
}

PLAY(clocks, "the child's clocks have the target's offsets, vdso as well")
{
	struct actor t, k;

	spawn_in_time(&t);
	ahead(&t, CLOCK_MONOTONIC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	ahead(&k, CLOCK_MONOTONIC);
	ahead(&k, CLOCK_BOOTTIME);
}

/* check -> t (a day ahead) -> a -> b (in a third time namespace) */
PLAY(clock_caller, "a caller ahead of the target: the child is not")
{
	struct actor t, a, b, k;

	spawn_in_time(&t);
	spawn(&t, &a, 0);
	expect_eq(sys(&a, SYS_unshare, CLONE_NEWTIME), 0);
	spawn(&a, &b, 0);
	expect_ok(cl(&t, &k, b.pid, 0, 0));
	expect_eq(ns_id(k.pid, "time"), ns_id(b.pid, "time"));
	expect(ns_id(k.pid, "time") != ns_id(t.pid, "time"));
	for_children_equal(k.pid);
}

/* --- active against for_children ---------------------------------------- */

PLAY_DOCUMENTED(target_pid_for_children, "the target's pid_for_children is not used",
		"a child cannot leave the namespace it is born in: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(sys(&t, SYS_unshare, CLONE_NEWPID), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, "pid"), ns_id(t.pid, "pid"));
	expect_eq(sys(&k, SYS_getpid), k.pid);
	for_children_equal(k.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(target_time_for_children, "the target's time_for_children is not used")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	if (sys(&t, SYS_unshare, CLONE_NEWTIME))
		ct_skip("this kernel has no time namespaces");
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, "time"), ns_id(t.pid, "time"));
	for_children_equal(k.pid);
}

PLAY(caller_pid_for_children, "nor the caller's, with another target")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	expect_eq(sys(&a, SYS_unshare, CLONE_NEWPID), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, "pid"), ns_id(getpid(), "pid"));
	expect_eq(sys(&k, SYS_getpid), k.pid);
	for_children_equal(k.pid);
}

PLAY(self_pid_for_children, "to self the caller's own pid_for_children is")
{
	struct actor a, k;

	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_unshare, CLONE_NEWPID), 0);
	expect_ok(cl(&a, &k, a.pid, 0, 0));
	expect_eq(sys(&k, SYS_getpid), 1);
	expect(ns_id(k.pid, "pid") != ns_id(a.pid, "pid"));
	expect_eq(end(&k, &a, 5), EXITED(5));
}

PLAY(self_time_for_children, "to self the caller's own time_for_children is")
{
	struct actor a, k;

	spawn(&me, &a, 0);
	if (sys(&a, SYS_unshare, CLONE_NEWTIME))
		ct_skip("this kernel has no time namespaces");
	expect_ok(cl(&a, &k, a.pid, 0, 0));
	expect_eq(ns_id(k.pid, "time"), ns_id(a.pid, "time_for_children"));
	expect(ns_id(k.pid, "time") != ns_id(a.pid, "time"));
}

/* --- user namespaces ---------------------------------------------------- */

PLAY(user_init, "init in another user namespace: the child stays in ours")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWUSER | ACTOR_MAPROOT | CLONE_NEWPID);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, "user"), ns_id(getpid(), "user"));
	expect_eq(ns_id(k.pid, "pid"), ns_id(t.pid, "pid"));
	expect_eq(sys(&k, SYS_getppid), 1);
	expect_eq(sys(&k, SYS_getuid), getuid());
}

PLAY(user_init_all, "the same with all kinds owned by that user namespace")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWUSER | ACTOR_MAPROOT | ALL_NS | ACTOR_PROC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, "user"), ns_id(getpid(), "user"));
	same_ns(k.pid, t.pid, "none");
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY_DOCUMENTED(user_non_init, "no init, in another user namespace: as well",
		"a child of the target cannot leave its user namespace: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWUSER | ACTOR_MAPROOT | CLONE_NEWUTS);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, "user"), ns_id(getpid(), "user"));
	expect_eq(ns_id(k.pid, "uts"), ns_id(t.pid, "uts"));
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* check -> a (in a user namespace) -> target (in its namespaces) */
PLAY(user_inside, "a caller and a target inside one user namespace")
{
	struct actor a, t, k;

	spawn(&me, &a, CLONE_NEWUSER | ACTOR_MAPROOT);
	spawn(&a, &t, CLONE_NEWUTS | CLONE_NEWIPC);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(ns_id(k.pid, "user"), ns_id(a.pid, "user"));
	same_ns(k.pid, t.pid, "none");
	expect_eq(end(&k, &t, 5), EXITED(5));
}
