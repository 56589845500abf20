// SPDX-License-Identifier: GPL-2.0
/*
 * The target changes between the moment in which it is judged and the one in
 * which the child is made: the child is of one moment.
 *
 *	check
 *	  +-- a         calls
 *	        +-- t        leaves what it shares with a, or its namespaces, or
 *	                     chooses where its children are born
 */
#include "busy.h"
#include <linux/kcmp.h>

#define ROUNDS 60
#define MOMENTS 5000		/* us: within a call, or around it */

static struct actor a, t, k;

static volatile long mark;

static long do_mark(struct msg *m)
{
	return mark = m->arg[0];
}

static long do_read_mark(struct msg *m)
{
	(void)m;
	return mark;
}

static void wait_until(long long clock)
{
	while (ct_clock() < clock)
		;
}

static long long some_moment(void)
{
	return ct_clock() + rand() % (MOMENTS * 1000);
}

static long same(pid_t pid, pid_t other, int type)
{
	return syscall(SYS_kcmp, pid, other, type, 0, 0);
}

/* --- what it shares ----------------------------------------------------- */

/* What a target shares with the caller, and leaves. */
struct share {
	const char *name;
	const char *verdict;
	uint64_t shared;	/* by the target */
	uint64_t flag;		/* of the call, which the target leaves */
	int type;		/* of kcmp(2) */
	long (*leave)(struct msg *m);
};

static long do_unshare_at(struct msg *m)
{
	wait_until(m->arg[1]);
	return ct_syscall3(SYS_unshare, m->arg[0], 0, 0);
}

static long do_execute_at(struct msg *m)
{
	wait_until(m->arg[1]);
	return do_execute_loop(m);
}

#define LEAVES(what, shared, flag)					\
	{ "unshares_" #what, "the target unshares " #flag, shared,	\
	  flag, KCMP_##what, do_unshare_at }
#define EXECUTES(what, shared, flag)					\
	{ "executes_" #what, "the target executes, the call has " #flag, \
	  shared, flag, KCMP_##what, do_execute_at }

static const struct share share_table[] = {
	LEAVES(FILES, CLONE_FILES, CLONE_FILES),
	LEAVES(FS, CLONE_FS, CLONE_FS),
	LEAVES(SYSVSEM, CLONE_SYSVSEM, CLONE_SYSVSEM),
	EXECUTES(FILES, CLONE_FILES, CLONE_FILES),
	EXECUTES(FS, CLONE_FS, CLONE_FS),
	EXECUTES(VM, CLONE_VM, CLONE_VM),
	EXECUTES(SIGHAND, CLONE_VM | CLONE_SIGHAND, CLONE_VM | CLONE_SIGHAND),
	{ "executes", "the target has the caller's memory, and executes",
	  CLONE_VM, 0, 0, do_execute_at },
};

/* A child that shares it with the caller, or none. */
static void judge_share(const struct share *s, long ret)
{
	if (s->flag && ret == -EINVAL)
		return;
	expect_ok(ret);
	expect(k.pid > 0);
	if (s->flag)
		expect_eq(same(k.pid, a.pid, s->type), 0);
	else
		expect_eq(on(&k, do_read_mark), 7);
	kill_end(k.pid);
	close(k.fd);
}

PLAY_TABLE(share, share_table)
{
	const struct share *s = ct_arg();

	srand(getpid());
	spawn(&me, &a, 0);
	expect_eq(on(&a, do_mark, 7), 7);
	for (int i = 0; i < ROUNDS; i++) {
		spawn(&a, &t, s->shared);
		start(&t, s->leave, s->flag, some_moment());
		cl_start(&a, t.pid, 0, s->flag);
		judge_share(s, cl_finish(&a, &k));
		expect(actor_finish(&t) >= 0);
		kill_end(t.pid);
		expect_eq(on(&a, do_wait4, t.pid, 0), t.pid);
		close(t.fd);
	}
}

/* --- where its children are born ---------------------------------------- */

static int other_ns;

/* Chooses the other namespace for its children, and its own again. */
static long do_choose(struct msg *m)
{
	int own = open(m->buf, O_RDONLY | O_CLOEXEC);

	if (own < 0)
		return -errno;
	while (!ct_slot[1])
		if (setns(other_ns, m->arg[0]) || setns(own, m->arg[0]))
			return -errno;
	return 0;
}

/* unshare(2), unless those that were left are still too many. */
static int leave(int kinds)
{
	int ret = unshare(kinds);

	return ret && errno == ENOSPC ? 0 : ret;
}

static long do_choose_time(struct msg *m)
{
	int own = open(m->buf, O_RDONLY | O_CLOEXEC);

	if (own < 0)
		return -errno;
	while (!ct_slot[1])
		if (leave(CLONE_NEWTIME) || setns(own, CLONE_NEWTIME))
			return -errno;
	return 0;
}

/* The child is where the target is; a refusal is documented where @may_refuse. */
static void born_with(const char *kind, actor_fn choose, bool may_refuse)
{
	int made = 0;
	long ret;

	snprintf(t.m.buf, sizeof(t.m.buf), "/proc/self/ns/%s", kind);
	start(&t, choose, CLONE_NEWPID);
	for (int i = 0; i < 2 * ROUNDS; i++) {
		cl_start(&a, t.pid, 0, 0);
		ret = cl_finish(&a, &k);
		if (may_refuse && ret == -EOPNOTSUPP)
			continue;
		expect_ok(ret);
		expect_eq(ns_id(k.pid, kind), ns_id(t.pid, kind));
		expect_eq(proc_ppid(k.pid), t.pid);
		kill_end(k.pid);
		close(k.fd);
		made++;
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&t), 0);
	expect(made > 0);
}

static void in_turn(uint64_t target)
{
	struct actor init;
	char path[64];

	spawn(&me, &init, CLONE_NEWPID);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init.pid);
	other_ns = must(open(path, O_RDONLY));
	spawn(&me, &a, 0);
	spawn(&a, &t, target);
	born_with("pid", do_choose, true);
}

PLAY(born_forked, "the target's children are born here, and there: the child is here")
{
	in_turn(0);
}

PLAY(born_shared, "the same with a target that shares the caller's memory")
{
	in_turn(CLONE_VM);
}

PLAY(born_in_time, "the same with time namespaces")
{
	if (!ns_id(getpid(), "time"))
		ct_skip("this kernel has no time namespaces");
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	born_with("time", do_choose_time, false);
}

/* --- the namespaces that it is in --------------------------------------- */

#define SEVERAL (CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET)

static const char *const kinds[] = { "uts", "ipc", "mnt", "net" };

static void note_kinds(pid_t pid, unsigned long ids[4])
{
	for (size_t i = 0; i < ct_count(kinds); i++)
		ids[i] = ns_id(pid, kinds[i]);
}

/* The init of a container, in one namespace of its own, leaves all of them. */
PLAY(left_at_once, "an init leaves several namespaces at once: all old or all new")
{
	unsigned long was[4], is[4], its[4];

	srand(getpid());
	spawn(&me, &a, 0);
	for (int i = 0; i < ROUNDS; i++) {
		spawn(&a, &t, CLONE_NEWPID | CLONE_NEWUTS);
		note_kinds(t.pid, was);
		cl_start(&a, t.pid, 0, 0);
		wait_until(ct_clock() + rand() % 1000000);
		expect_eq(sys(&t, SYS_unshare, SEVERAL), 0);
		expect_ok(cl_finish(&a, &k));
		note_kinds(t.pid, is);
		note_kinds(k.pid, its);
		expect(!memcmp(its, was, sizeof(its)) ||
		       !memcmp(its, is, sizeof(its)));
		close(k.fd);
		kill_end(t.pid);
		expect_eq(on(&a, do_wait4, t.pid, 0), t.pid);
		close(t.fd);
	}
}

/* Leaves two, and comes back to one after the other. */
static long do_leave_and_return(struct msg *m)
{
	int uts = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	int ipc = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);

	(void)m;
	if (uts < 0 || ipc < 0)
		return -errno;
	while (!ct_slot[1])
		if (leave(CLONE_NEWUTS | CLONE_NEWIPC) || setns(ipc, 0) ||
		    setns(uts, 0))
			return -errno;
	return 0;
}

PLAY(left_and_back, "an init leaves two, and comes back: the child is where it was")
{
	unsigned long uts, ipc;

	spawn(&me, &a, 0);
	spawn(&a, &t, CLONE_NEWPID);
	uts = ns_id(a.pid, "uts");
	ipc = ns_id(a.pid, "ipc");
	start(&t, do_leave_and_return, 0);
	for (int i = 0; i < 2 * ROUNDS; i++) {
		cl_start(&a, t.pid, 0, 0);
		expect_ok(cl_finish(&a, &k));
		if (ns_id(k.pid, "uts") == uts)
			expect_eq(ns_id(k.pid, "ipc"), ipc);
		kill_end(k.pid);
		close(k.fd);
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&t), 0);
}

/* --- in which order ------------------------------------------------------ */

/* The filter is in the way of a supervisor without privileges alone. */
PLAY(filter_row_16, "row 16 (EPERM) decides where the target has a filter")
{
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	expect_eq(on(&t, do_forbid), 0);
	expect_eq(on(&a, do_drop, CAP_SYS_ADMIN), 0);
	expect_eq(cl(&a, &k, t.pid, 0, CLONE_NEWUTS), -EPERM);
}
