// SPDX-License-Identifier: GPL-2.0
/*
 * How the child is scheduled: as a fork of the caller, whatever the target is.
 *
 *	check
 *	  +-- a
 *	        +-- target
 *	              +-- kid
 */
#include "scene.h"
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sched.h>
#if defined(__x86_64__) && __has_include("sys/rseq.h")
#include <sys/rseq.h>
#define HAVE_RSEQ
#endif

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif
#define RESET_ON_FORK 0x01
#define UTIL_CLAMP 0x60
#define MS 1000000ULL

/* struct sched_attr as of Linux 5.3. */
struct attr {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
	uint32_t util_min;
	uint32_t util_max;
};

static long do_set(struct msg *m)
{
	struct attr *a = (void *)m->buf;

	a->size = sizeof(*a);
	return ct_syscall3(SYS_sched_setattr, 0, a, 0);
}

static long do_get(struct msg *m)
{
	return ct_syscall6(SYS_sched_getattr, 0, (long)m->buf, sizeof(struct attr), 0,
			   0, 0);
}

static void set(struct actor *who, const struct attr *attr)
{
	long ret;

	memcpy(who->m.buf, attr, sizeof(*attr));
	ret = on(who, do_set);
	if (ret == -EINVAL)
		ct_skip("this kernel cannot schedule so");
	expect_eq(ret, 0);
}

static void get(struct actor *who, struct attr *attr)
{
	expect_eq(on(who, do_get), 0);
	memcpy(attr, who->m.buf, sizeof(*attr));
}

/* --- the scenes -------------------------------------------------------------------- */

static const struct target_kind {
	const char *name;
	uint64_t flags;
} kinds[] = {
	{ "self", 0 }, { "forked", 0 }, { "executed", ACTOR_EXEC },
	{ "init", CLONE_NEWPID }, { "shared", CLONE_VM },
};

/* me -> a -> t, or a and t are one. */
static void two(struct actor *a, struct actor *t, int kind)
{
	spawn(&me, a, 0);
	if (kind)
		spawn(a, t, kinds[kind].flags);
	else
		*t = *a;
}

#define ALL(what, text)							\
	{ #what "_self", text " (target: self)", 0, what },		\
	{ #what "_forked", text " (target: forked)", 1, what },	\
	{ #what "_executed", text " (target: executed)", 2, what },	\
	{ #what "_init", text " (target: init)", 3, what },		\
	{ #what "_shared", text " (target: shared)", 4, what }

static const struct attr deadline = {
	.policy = SCHED_DEADLINE, .runtime = 5 * MS, .deadline = 10 * MS,
	.period = 10 * MS,
};

/* fork() knows no deadline for a child (sched_fork()). */
static void deadline_caller(int kind)
{
	struct actor a, t, k;

	two(&a, &t, kind);
	set(&a, &deadline);
	expect_eq(sys(&a, SYS_fork), -EAGAIN);
	expect_eq(cl(&a, &k, t.vpid, 0, 0), -EAGAIN);
}

static void looks(struct actor *k, const struct attr *want)
{
	struct attr has;

	get(k, &has);
	expect_eq(has.policy, want->policy);
	expect_eq(has.flags & RESET_ON_FORK, want->flags & RESET_ON_FORK);
	expect_eq(has.nice, want->nice);
	expect_eq(has.priority, want->priority);
	if (want->runtime)
		expect_eq(has.runtime, want->runtime);
	if (want->util_max) {
		expect_eq(has.util_min, want->util_min);
		expect_eq(has.util_max, want->util_max);
	}
}

/* A caller that has `mine`, a target that has `theirs`: so is the child. */
static void child_of_both(int kind, const struct attr *mine,
			  const struct attr *theirs, const struct attr *kids)
{
	struct actor a, t, k;

	two(&a, &t, kind);
	set(&a, mine);
	if (kind)
		set(&t, theirs);
	expect_ok(cl(&a, &k, t.vpid, 0, 0));
	looks(&k, kids);
	looks(&a, mine);
	if (kind)
		looks(&t, theirs);
}

static const struct attr normal = { .policy = SCHED_OTHER };

static void deadline_reset(int kind)
{
	struct attr mine = deadline;

	mine.flags = RESET_ON_FORK;
	child_of_both(kind, &mine, &normal, &normal);
}

static void deadline_target(int kind)
{
	static const struct attr mine = { .policy = SCHED_BATCH, .nice = 3 };

	child_of_both(kind, &mine, &deadline, &mine);
}

static void fifo_reset(int kind)
{
	static const struct attr mine = {
		.policy = SCHED_FIFO, .priority = 7, .flags = RESET_ON_FORK,
	};
	static const struct attr theirs = { .policy = SCHED_OTHER, .nice = 4 };

	child_of_both(kind, &mine, &theirs, &normal);
}

static void nice_reset(int kind)
{
	static const struct attr mine = {
		.policy = SCHED_BATCH, .nice = -5, .flags = RESET_ON_FORK,
	};
	static const struct attr kids = { .policy = SCHED_BATCH };

	child_of_both(kind, &mine, &normal, &kids);
}

static void target_resets(int kind)
{
	static const struct attr mine = { .policy = SCHED_RR, .priority = 3 };
	static const struct attr theirs = {
		.policy = SCHED_FIFO, .priority = 7, .flags = RESET_ON_FORK,
	};

	child_of_both(kind, &mine, &theirs, &mine);
}

/* A nice value that the policy makes no use of. */
static void unused_nice(int kind, const struct attr *mine)
{
	struct actor a, t, k;

	two(&a, &t, kind);
	if (kind)
		expect_eq(sys(&t, SYS_setpriority, PRIO_PROCESS, 0, 4), 0);
	expect_eq(sys(&a, SYS_setpriority, PRIO_PROCESS, 0, 6), 0);
	set(&a, mine);
	expect_ok(cl(&a, &k, t.vpid, 0, 0));
	expect_eq(sys(&k, SYS_getpriority, PRIO_PROCESS, 0), 20 - 6);
}

static void nice_realtime(int kind)
{
	static const struct attr mine = { .policy = SCHED_RR, .priority = 3 };

	unused_nice(kind, &mine);
}

static void nice_idle(int kind)
{
	static const struct attr mine = { .policy = SCHED_IDLE, .nice = 6 };

	unused_nice(kind, &mine);
}

static void slice(int kind)
{
	static const struct attr mine = { .runtime = 20 * MS };
	static const struct attr theirs = { .runtime = 30 * MS };
	struct attr has;

	get(&me, &has);
	if (!has.runtime)
		ct_skip("a slice is nobody's own before Linux 6.12");
	child_of_both(kind, &mine, &theirs, &mine);
}

static void need_clamps(void)
{
	struct attr has;

	get(&me, &has);
	if (!has.util_max)
		ct_skip("this kernel does not clamp utilization");
}

static void clamped(int kind)
{
	static const struct attr mine = {
		.flags = UTIL_CLAMP, .util_min = 100, .util_max = 900,
	};
	static const struct attr theirs = {
		.flags = UTIL_CLAMP, .util_min = 200, .util_max = 800,
	};

	need_clamps();
	child_of_both(kind, &mine, &theirs, &mine);
}

static void clamped_reset(int kind)
{
	static const struct attr mine = {
		.flags = RESET_ON_FORK | UTIL_CLAMP, .util_min = 100,
		.util_max = 900,
	};
	static const struct attr theirs = {
		.flags = UTIL_CLAMP, .util_min = 200, .util_max = 800,
	};
	static const struct attr kids = { .util_max = 1024 };

	need_clamps();
	child_of_both(kind, &mine, &theirs, &kids);
}

static void clamped_target(int kind)
{
	static const struct attr mine = { .util_max = 1024 };
	static const struct attr theirs = {
		.flags = UTIL_CLAMP, .util_min = 200, .util_max = 800,
	};

	need_clamps();
	child_of_both(kind, &mine, &theirs, &mine);
}

#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#define PR_SCHED_CORE_GET 0
#define PR_SCHED_CORE_CREATE 1
#endif

static long do_create_cookie(struct msg *m)
{
	(void)m;
	return ct_syscall6(SYS_prctl, PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, 0, 0, 0);
}

static long do_get_cookie(struct msg *m)
{
	return ct_syscall6(SYS_prctl, PR_SCHED_CORE, PR_SCHED_CORE_GET, 0, 0,
			   (long)m->buf, 0);
}

static uint64_t cookie(struct actor *who)
{
	expect_eq(on(who, do_get_cookie), 0);
	return *(uint64_t *)(void *)who->m.buf;
}

/* Who has one shares a core with those alone that have the same one. */
static void cookies(int kind, bool mine, bool theirs)
{
	struct actor a, t, k;
	uint64_t has;
	long ret;

	two(&a, &t, kind);
	ret = on(&a, do_get_cookie);
	if (ret == -ENODEV || ret == -EINVAL)
		ct_skip("no core here has two threads that a kernel tells apart");
	if (mine)
		expect_eq(on(&a, do_create_cookie), 0);
	if (theirs && kind)
		expect_eq(on(&t, do_create_cookie), 0);
	has = cookie(&a);
	expect(!has == !mine);
	expect_ok(cl(&a, &k, t.vpid, 0, 0));
	expect_eq(cookie(&k), has);
	expect_eq(cookie(&a), has);
	expect(!kind || !cookie(&t) == !theirs);
	expect(cookie(&me) == 0);
}

static void cookie_both(int kind)
{
	cookies(kind, true, true);
}

static void cookie_caller(int kind)
{
	cookies(kind, true, false);
}

static void cookie_target(int kind)
{
	cookies(kind, false, true);
}

/* --- slices that are extended on demand -------------------------------------------- */

#define SLICE_EXTENSION 79	/* a request of prctl(2), and what it is to do */
#define SLICE_GET 1
#define SLICE_SET 2
#define RSEQ_SIGNATURE 0x53053053
#define AUXV_RSEQ_SIZE 27

static long do_rseq(void *area, long size, long flags)
{
	return ct_syscall6(SYS_rseq, (long)area, size, flags, RSEQ_SIGNATURE,
			   0, 0);
}

/* Asks for them: only an area with all that the kernel knows may have that. */
static long do_extend(struct msg *m)
{
	static char area[1024] __attribute__((aligned(256)));
	long ret;

	(void)m;
#ifdef HAVE_RSEQ
	if (__rseq_size)
		do_rseq((char *)__builtin_thread_pointer() + __rseq_offset,
			__rseq_size < 32 ? 32 : __rseq_size, 1);
#endif
	if (getauxval(AUXV_RSEQ_SIZE) > sizeof(area))
		return -E2BIG;
	ret = do_rseq(area, sizeof(area), 0);
	if (ret)
		return ret;
	return ct_syscall6(SYS_prctl, SLICE_EXTENSION, SLICE_SET, 1, 0, 0, 0);
}

static long extends(struct actor *who)
{
	return sys(who, SYS_prctl, SLICE_EXTENSION, SLICE_GET, 0, 0, 0);
}

static void extended(int kind)
{
	struct actor a, t, k;
	long ret = extends(&me);

	if (ret == -EINVAL || ret == -ENOTSUPP)
		ct_skip("no PR_RSEQ_SLICE_EXTENSION in this kernel");
	two(&a, &t, kind);
	expect_eq(on(&a, do_extend), 0);
	expect_eq(extends(&a), 1);
	expect_ok(cl(&a, &k, t.vpid, 0, 0));
	expect_eq(extends(&k), 1);
	expect_eq(extends(&a), 1);
	expect(!kind || extends(&t) == 0);
}

/* --- the checks ---------------------------------------------------------------------- */

static const struct row {
	const char *name;
	const char *verdict;
	int kind;
	void (*play)(int kind);
} rows[] = {
	ALL(deadline_caller, "a caller with a deadline: EAGAIN, as fork()"),
	ALL(deadline_reset, "a caller with a deadline that is not inherited"),
	ALL(deadline_target, "a target with a deadline"),
	ALL(fifo_reset, "a caller whose priority is not inherited"),
	ALL(nice_reset, "a caller whose nice value is not inherited"),
	ALL(nice_realtime, "a realtime caller with a nice value"),
	ALL(nice_idle, "a caller with a nice value and the policy for idle times"),
	ALL(target_resets, "a target whose priority is not inherited"),
	ALL(slice, "a caller with slices of its own length"),
	ALL(extended, "a caller whose slices are extended on demand"),
	ALL(clamped, "a caller whose utilization is clamped"),
	ALL(clamped_reset, "a caller whose clamps are not inherited"),
	ALL(cookie_both, "caller and target with cores of their own"),
	ALL(cookie_caller, "a caller with cores of its own"),
	ALL(cookie_target, "a target with cores of its own"),
	ALL(clamped_target, "a target whose utilization is clamped"),
};

PLAY_TABLE(row, rows)
{
	const struct row *row = ct_arg();

	row->play(row->kind);
}
