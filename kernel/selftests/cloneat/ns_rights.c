// SPDX-License-Identifier: GPL-2.0
/*
 * Which rights it takes to enter the target's namespaces: CAP_SYS_ADMIN over
 * each kind that differs and over the caller's own user namespace, for mnt
 * CAP_SYS_CHROOT as well.  A kind that is the same takes none.
 *
 *	check
 *	  +-- a         the caller, with fewer rights
 *	        +-- target    in a namespace of its own
 */
#include "scene.h"

static long do_drop_all(struct msg *m)
{
	(void)m;
	drop_all_caps();
	return prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

struct right {
	const char *name;
	const char *verdict;
	const char *ns;
	unsigned int flag;
	int cap;
};

#define RIGHT(ns, flag)							\
	{ #ns "_admin", "without CAP_SYS_ADMIN another " #ns		\
	  " namespace is EPERM", #ns, flag, CAP_SYS_ADMIN }

static const struct right rights[] = {
	RIGHT(uts, CLONE_NEWUTS),
	RIGHT(ipc, CLONE_NEWIPC),
	RIGHT(mnt, CLONE_NEWNS),
	RIGHT(net, CLONE_NEWNET),
	RIGHT(cgroup, CLONE_NEWCGROUP),
	RIGHT(pid, CLONE_NEWPID),
	RIGHT(time, CLONE_NEWTIME),
	{ "mnt_chroot", "without CAP_SYS_CHROOT another mnt namespace is EPERM",
	  "mnt", CLONE_NEWNS, CAP_SYS_CHROOT },
};

static long do_unshare_time(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_unshare, CLONE_NEWTIME, 0, 0);
}

/* a -> target in the namespace of that flag */
static void spawn_there(struct actor *a, struct actor *t, unsigned int flag)
{
	static struct actor between;

	if (flag != CLONE_NEWTIME) {
		spawn(a, t, flag);
		return;
	}
	spawn(a, &between, 0);
	expect_eq(on(&between, do_unshare_time), 0);
	spawn(&between, t, 0);
}

PLAY_TABLE(missing, rights)
{
	const struct right *right = ct_arg();
	struct actor a, t, same, k;

	if (!ns_id(getpid(), right->ns))
		ct_skip("this kernel has no %s namespaces", right->ns);
	spawn(&me, &a, 0);
	spawn_there(&a, &t, right->flag);
	spawn(&a, &same, 0);
	expect_eq(on(&a, do_drop, right->cap), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
	expect_ok(cl(&a, &k, same.pid, 0, 0));
}

PLAY(chroot_only_mnt, "without CAP_SYS_CHROOT other kinds are allowed")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
	      CLONE_NEWPID);
	expect_eq(on(&a, do_drop, CAP_SYS_CHROOT), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
}

PLAY(unprivileged_same, "without any right the caller's own namespaces do")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	expect_eq(on(&a, do_become, 1000), 0);
	spawn(&a, &t, 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getuid), 1000);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* a -> t, both without rights; t in a user namespace of its own */
PLAY(owner_of_user_ns, "all rights over the target's, none in one's own: EPERM")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	expect_eq(on(&a, do_become, 1000), 0);
	spawn(&a, &t, CLONE_NEWUSER | CLONE_NEWPID);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
}

PLAY(admin_own, "CAP_SYS_ADMIN over the target's alone does not do")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, CLONE_NEWUSER | ACTOR_MAPROOT | CLONE_NEWPID);
	expect_eq(on(&a, do_drop, CAP_SYS_ADMIN), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
}

/* a (in a user namespace, all rights there) -> t (uts of it) */
PLAY(root_of_user_ns, "root of a user namespace enters what that one owns")
{
	struct actor a, t, k;

	spawn(&me, &a, CLONE_NEWUSER | ACTOR_MAPROOT);
	spawn(&a, &t, CLONE_NEWUTS | CLONE_NEWPID);
	expect_ok(cl(&a, &k, t.vpid, 0, 0));
	expect_eq(ns_id(k.pid, "uts"), ns_id(t.pid, "uts"));
	expect_eq(on(&a, do_drop, CAP_SYS_ADMIN), 0);
	expect_eq(cl(&a, &k, t.vpid, 0, 0), -EPERM);
}

/* CLONE_NEW* is asked after the target's namespaces, with the same right. */
PLAY(new_without_admin, "CLONE_NEW* without CAP_SYS_ADMIN is EPERM")
{
	static const unsigned int flag[] = {
		CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWNET,
		CLONE_NEWCGROUP, CLONE_NEWPID,
	};
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	expect_eq(on(&a, do_drop, CAP_SYS_ADMIN), 0);
	for (size_t i = 0; i < ct_count(flag); i++) {
		expect_eq(cl(&a, &k, t.pid, 0, flag[i]), -EPERM);
		expect_eq(cl(&a, &k, a.pid, 0, flag[i]), -EPERM);
	}
}

PLAY(hint_without_right, "a hint without the right is EPERM, with it is not")
{
	struct actor a, t, k;

	spawn(&me, &a, CLONE_NEWPID);
	spawn(&a, &t, 0);
	expect_eq(on(&a, do_drop, CAP_SYS_ADMIN), 0);
	expect_eq(cl(&a, &k, t.vpid, 50, 0), 50);
	expect_eq(on(&a, do_drop, CAP_CHECKPOINT_RESTORE), 0);
	expect_eq(cl(&a, &k, t.vpid, 51, 0), -EPERM);
	expect_ok(cl(&a, &k, t.vpid, 0, 0));
}

PLAY(no_ptrace_right, "a target with more capabilities needs CAP_SYS_PTRACE")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	expect_eq(on(&a, do_drop_all), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
	expect_ok(cl(&a, &k, a.pid, 0, 0));
}
