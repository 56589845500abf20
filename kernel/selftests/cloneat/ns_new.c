// SPDX-License-Identifier: GPL-2.0
/*
 * CLONE_NEW*: made on top of the target's namespaces, with the rights of the
 * caller.
 *
 *	check
 *	  +-- target    in namespaces of its own
 *	        +-- kid      one kind is new, all others are the target's
 */
#include "scene.h"

struct new_kind {
	const char *name;
	const char *verdict;
	const char *ns;
	uint64_t flag;
	uint64_t target;	/* how the target is made */
};

#define ELSEWHERE (CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET | \
		   CLONE_NEWCGROUP | CLONE_NEWPID | ACTOR_PROC)

#define NEW(ns, flag)							\
	{ "new_" #ns, "a new " #ns " namespace below a plain target",	\
	  #ns, flag, 0 },						\
	{ "new_" #ns "_on_top", "a new " #ns " namespace on top of the "	\
	  "target's others", #ns, flag, ELSEWHERE }

static const struct new_kind kinds[] = {
	NEW(uts, CLONE_NEWUTS),
	NEW(ipc, CLONE_NEWIPC),
	NEW(mnt, CLONE_NEWNS),
	NEW(net, CLONE_NEWNET),
	NEW(cgroup, CLONE_NEWCGROUP),
	NEW(time, EXT(CLONEXT_NEWTIME)),
	NEW(pid, CLONE_NEWPID),
};

PLAY_TABLE(new_on_top, kinds)
{
	const struct new_kind *kind = ct_arg();
	struct actor t, k;

	if (!ns_id(getpid(), kind->ns))
		ct_skip("this kernel has no %s namespaces", kind->ns);
	spawn(&me, &t, kind->target);
	expect_ok(cl(&me, &k, t.pid, 0, kind->flag));
	expect(ns_id(k.pid, kind->ns) != ns_id(t.pid, kind->ns));
	expect(ns_id(k.pid, kind->ns) != ns_id(getpid(), kind->ns));
	same_ns(k.pid, t.pid, kind->ns);
	expect_eq(proc_ppid(k.pid), t.pid);
	expect_eq(ns_id(k.pid, "user"), ns_id(getpid(), "user"));
	expect_eq(end(&k, &t, 5), EXITED(5));
}

static const struct new_kind self_kinds[] = {
	{ "self_uts", "a new uts namespace, to self", "uts", CLONE_NEWUTS, 0 },
	{ "self_ipc", "a new ipc namespace, to self", "ipc", CLONE_NEWIPC, 0 },
	{ "self_mnt", "a new mnt namespace, to self", "mnt", CLONE_NEWNS, 0 },
	{ "self_net", "a new net namespace, to self", "net", CLONE_NEWNET, 0 },
	{ "self_cgroup", "a new cgroup namespace, to self", "cgroup",
	  CLONE_NEWCGROUP, 0 },
	{ "self_time", "a new time namespace, to self", "time",
	  EXT(CLONEXT_NEWTIME), 0 },
	{ "self_pid", "a new pid namespace, to self", "pid", CLONE_NEWPID, 0 },
	{ "self_user", "a new user namespace, to self", "user", CLONE_NEWUSER,
	  0 },
};

PLAY_TABLE(new_self, self_kinds)
{
	const struct new_kind *kind = ct_arg();
	struct actor k;

	if (!ns_id(getpid(), kind->ns))
		ct_skip("this kernel has no %s namespaces", kind->ns);
	expect_ok(cl(&me, &k, getpid(), 0, kind->flag));
	expect(ns_id(k.pid, kind->ns) != ns_id(getpid(), kind->ns));
	same_ns(k.pid, getpid(), kind->ns);
	expect_eq(end(&k, &me, 5), EXITED(5));
}

PLAY(all_new, "all kinds at once below a target in a container")
{
	struct actor t, k;

	spawn(&me, &t, ELSEWHERE);
	expect_ok(cl(&me, &k, t.pid, 0, ELSEWHERE & 0xffffffff));
	for (int i = 0; ns_names[i]; i++)
		if (strcmp(ns_names[i], "time"))
			expect(ns_id(k.pid, ns_names[i]) !=
			       ns_id(t.pid, ns_names[i]));
	expect_eq(sys(&k, SYS_getpid), 1);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(newpid_numbers, "CLONE_NEWPID: 1 in the new, a number in each above")
{
	struct actor t, k;
	pid_t ids[8], base[8];
	int above;

	spawn(&me, &t, CLONE_NEWPID);
	above = proc_nspid(getpid(), base, 8) - 1;
	expect_ok(cl(&me, &k, t.pid, 0, CLONE_NEWPID));
	expect_eq(proc_nspid(k.pid, ids, 8), above + 3);
	expect_eq(ids[above], k.vpid);
	expect_eq(ids[above + 2], 1);
	expect_eq(sys(&k, SYS_getpid), 1);
	expect_eq(sys(&k, SYS_getppid), 0);
}

PLAY(newpid_hint, "CLONE_NEWPID: the hint is the number in the target's")
{
	struct actor t, k;
	pid_t ids[8], base[8];
	int above;

	spawn(&me, &t, CLONE_NEWPID);
	above = proc_nspid(getpid(), base, 8) - 1;
	expect_ok(cl(&me, &k, t.pid, 88, CLONE_NEWPID));
	expect_eq(proc_nspid(k.pid, ids, 8), above + 3);
	expect_eq(ids[above + 1], 88);
	expect_eq(sys(&k, SYS_getpid), 1);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(newpid_init, "the child of CLONE_NEWPID is an init: it adopts")
{
	struct actor t, k, a, b;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, CLONE_NEWPID));
	spawn(&k, &a, 0);
	spawn(&a, &b, 0);
	expect_eq(end(&a, &k, 0), EXITED(0));
	expect_eq(sys(&b, SYS_getppid), 1);
}

PLAY(newuser_target, "CLONE_NEWUSER with another target: EINVAL")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(cl(&me, &k, t.pid, 0, CLONE_NEWUSER), -EINVAL);
	expect_eq(cl(&me, &k, t.pid, 0, CLONE_NEWUSER | CLONE_NEWPID), -EINVAL);
	expect_eq(cl(&me, &k, t.pid, 0, EXT(CLONEXT_NEWUSER)), -EINVAL);
}

/* clone(2) makes the user namespace with the credentials, before it counts. */
PLAY(newuser_chrooted, "CLONE_NEWUSER in a chroot: EPERM wins over EAGAIN")
{
	static const struct rlimit none;
	struct actor a, k;

	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_chroot, (long)"/proc"), 0);
	expect_eq(on(&a, do_become, 1236), 0);
	expect_eq(sys(&a, SYS_prlimit64, 0, RLIMIT_NPROC,
		      (long)&none, 0), 0);
	expect_eq(sys(&a, SYS_clone, CLONE_NEWUSER | SIGCHLD), -EPERM);
	expect_eq(cl(&a, &k, a.pid, 0, CLONE_NEWUSER), -EPERM);
	expect_eq(cl(&a, &k, a.pid, 0, 0), -EAGAIN);
}

PLAY(newpid_foreign_user, "CLONE_NEWPID below another user namespace's: EINVAL")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWUSER | ACTOR_MAPROOT | CLONE_NEWPID);
	expect_eq(cl(&me, &k, t.pid, 0, CLONE_NEWPID), -EINVAL);
	expect_ok(cl(&me, &k, t.pid, 0, CLONE_NEWUTS));
}

/* check -> a (user ns) -> t (pid namespace owned by it) */
PLAY(newpid_own_user, "CLONE_NEWPID inside one user namespace is allowed")
{
	struct actor a, t, k;

	spawn(&me, &a, CLONE_NEWUSER | ACTOR_MAPROOT);
	spawn(&a, &t, CLONE_NEWPID);
	expect_ok(cl(&a, &k, t.vpid, 0, CLONE_NEWPID));
	expect_eq(sys(&k, SYS_getpid), 1);
}

/* The extended bits say the same as the classic ones. */
PLAY(extended_bits, "CLONEXT_NEW* make the same namespaces as CLONE_NEW*")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl(&me, &k, t.pid, 0, EXT(CLONEXT_NEWUTS) |
		     EXT(CLONEXT_NEWIPC) | EXT(CLONEXT_NEWNS) |
		     EXT(CLONEXT_NEWNET) | EXT(CLONEXT_NEWCGROUP) |
		     EXT(CLONEXT_NEWPID)));
	for (int i = 0; ns_names[i]; i++)
		if (strcmp(ns_names[i], "time"))
			expect(ns_id(k.pid, ns_names[i]) !=
			       ns_id(t.pid, ns_names[i]));
}

PLAY(newns_fs, "CLONE_NEWNS with CLONE_FS: EINVAL, as clone")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_FS);
	expect_eq(cl(&me, &k, t.pid, 0, CLONE_NEWNS | CLONE_FS), -EINVAL);
	expect_eq(cl(&me, &k, getpid(), 0, CLONE_NEWNS | CLONE_FS), -EINVAL);
}
