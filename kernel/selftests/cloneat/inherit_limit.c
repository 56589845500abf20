// SPDX-License-Identifier: GPL-2.0
/*
 * The limits of a process come from the caller, whoever the target is (see
 * property.h), and none of the target's binds the child.
 */
#include "property.h"

static long get_rlimit(struct msg *m)
{
	struct rlimit r;

	return getrlimit(m->arg[1], &r) ? -errno : (long)r.rlim_cur;
}

static long put_rlimit_of(int what, long value)
{
	struct rlimit r;

	if (getrlimit(what, &r))
		return -errno;
	r.rlim_cur = value;
	return setrlimit(what, &r) ? -errno : 0;
}

static long get_nofile(struct msg *m)
{
	m->arg[1] = RLIMIT_NOFILE;
	return get_rlimit(m);
}

static long put_nofile(struct msg *m)
{
	return put_rlimit_of(RLIMIT_NOFILE, m->arg[0]);
}

static long get_fsize(struct msg *m)
{
	m->arg[1] = RLIMIT_FSIZE;
	return get_rlimit(m);
}

static long put_fsize(struct msg *m)
{
	return put_rlimit_of(RLIMIT_FSIZE, m->arg[0]);
}

static const struct property properties[] = {
	OF_TASK(nofile, "RLIMIT_NOFILE", 300, 400),
	OF_TASK(fsize, "RLIMIT_FSIZE", 1 << 30, 1 << 29),
};

PLAY_TABLE(property, properties)
{
	play_property();
}

static long do_no_process(struct msg *m)
{
	struct rlimit none;

	(void)m;
	getrlimit(RLIMIT_NPROC, &none);
	none.rlim_cur = 0;
	return setrlimit(RLIMIT_NPROC, &none) ? -errno : 0;
}

static long do_never_process(struct msg *m)
{
	const struct rlimit none = { 0, 0 };

	(void)m;
	return setrlimit(RLIMIT_NPROC, &none) ? -errno : 0;
}

static long do_most_processes(struct msg *m)
{
	struct rlimit r;

	(void)m;
	return getrlimit(RLIMIT_NPROC, &r) ? -errno : (long)r.rlim_max;
}

PLAY(target_nproc, "the target's RLIMIT_NPROC does not decide")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	expect_eq(on(&a, do_become, 1234), 0);
	spawn(&a, &t, 0);
	expect_eq(on(&t, do_no_process), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(sys(&t, SYS_clone, SIGCHLD), -EAGAIN);
}

PLAY_DOCUMENTED(target_hard_nproc, "nor does a hard one, which the target has reached",
		"without CAP_SYS_RESOURCE it cannot be lifted: EOPNOTSUPP")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	expect_eq(on(&a, do_become, 1236), 0);
	spawn(&a, &t, 0);
	expect_eq(on(&t, do_never_process), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(sys(&t, SYS_clone, SIGCHLD), -EAGAIN);
	expect_eq(on(&t, do_most_processes), 0);
}

PLAY(caller_nproc, "the caller's RLIMIT_NPROC decides: EAGAIN")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	expect_eq(on(&a, do_become, 1235), 0);
	spawn(&a, &t, 0);
	expect_eq(on(&a, do_no_process), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EAGAIN);
	expect_eq(cl(&a, &k, a.pid, 0, 0), -EAGAIN);
}

/* --- hard limits, which only some may raise ------------------------------ */

/* Hard limits that the target lowered do not bind the child. */
static long do_lower_hard(struct msg *m)
{
	struct rlimit r = { m->arg[0], m->arg[0] };

	return setrlimit(RLIMIT_NOFILE, &r) ? -errno : 0;
}

static long do_hard(struct msg *m)
{
	struct rlimit r;

	(void)m;
	return getrlimit(RLIMIT_NOFILE, &r) ? -errno : (long)r.rlim_max;
}

PLAY_DOCUMENTED(target_hard_limit, "a hard limit that the target lowered is its own",
		"without CAP_SYS_RESOURCE it cannot be raised again: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	expect_eq(on(&t, do_lower_hard, 64), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_hard), on(&me, do_hard));
}

/* Emulated, the child needs room that the target has not. */
static void no_room(int resource)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit ours, its;
	struct actor t, k;

	must(getrlimit(resource, &ours));
	spawn(&me, &t, ACTOR_EXEC);
	must(prlimit(t.pid, resource, &none, NULL));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	must(prlimit(k.pid, resource, NULL, &its));
	expect(its.rlim_cur == ours.rlim_cur && its.rlim_max == ours.rlim_max);
}

PLAY_DOCUMENTED(target_hard_memory, "so is one on its memory that it has reached",
		"without CAP_SYS_RESOURCE it cannot be raised again: EOPNOTSUPP")
{
	no_room(RLIMIT_AS);
	no_room(RLIMIT_DATA);
}

static long do_open(struct msg *m)
{
	return fcntl(m->arg[0], F_GETFD) < 0 ? -errno : 0;
}

PLAY(highest_descriptor, "a descriptor by the highest number, above the target's limit")
{
	FILE *f = fopen("/proc/sys/fs/nr_open", "re");
	struct actor t, k;
	struct rlimit r;
	unsigned long all;

	expect(f && fscanf(f, "%lu", &all) == 1);
	fclose(f);
	r.rlim_cur = all;
	r.rlim_max = all;
	if (setrlimit(RLIMIT_NOFILE, &r))
		ct_skip("this root may not raise limits (CAP_SYS_RESOURCE)");
	spawn(&me, &t, ACTOR_EXEC);
	expect_eq(on(&t, do_lower_hard, 64), 0);
	expect(dup2(0, all - 1) == (int)all - 1);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_open, all - 1), 0);
}
