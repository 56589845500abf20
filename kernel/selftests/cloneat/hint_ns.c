// SPDX-License-Identifier: GPL-2.0
/*
 * A hint in nested pid namespaces, from outside and from inside (see hint.h).
 */
#include "hint.h"

/*
 *	check  <-- calls
 *	  +-- target: init of a new pid namespace
 *	        +-- child: hint inside, another number outside
 */
CHECK(from_outside, "with a target in another namespace the hint is the id there")
{
	struct target t;
	pid_t ids[4];
	long pid;

	target_clone(&t, CLONE_NEWPID);
	pid = expect_ok(cloneat_fork(t.pid, 321));
	if (pid == 0)
		ct_exit(ct_pid() == 321 && ct_ppid() == 1 ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 2);
	expect_eq(ids[0], pid);
	expect_eq(ids[1], 321);
	expect_eq(WEXITSTATUS(target_wait(&t, 321)), 5);
	target_end(&t);
}

CHECK(from_outside_our_ids, "ids of the caller's namespace do not matter there")
{
	struct target t;
	pid_t self = ct_pid(), ids[4];
	long pid;

	target_clone(&t, CLONE_NEWPID);
	pid = expect_ok(cloneat_fork(t.pid, self));
	if (pid == 0)
		ct_exit(ct_pid() == self ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 2);
	expect_eq(ids[1], self);
	expect(pid != self);
	expect_eq(WEXITSTATUS(target_wait(&t, self)), 5);
	target_end(&t);
}

CHECK(from_outside_taken, "an id that is taken there is EEXIST")
{
	struct target t;

	target_clone(&t, CLONE_NEWPID);
	expect_refused(t.pid, 1, EEXIST);
	expect_errno(target_wait(&t, -1), ECHILD);
	target_end(&t);
}

CHECK(from_outside_no_hint, "without a hint, the number in each is a free one")
{
	struct target t;
	pid_t ids[4];
	long pid;

	target_clone(&t, CLONE_NEWPID);
	pid = expect_ok(cloneat_fork(t.pid, 0));
	if (pid == 0)
		ct_exit(5);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 2);
	expect_eq(ids[0], pid);
	expect(ids[1] > 1);
	expect_eq(WEXITSTATUS(target_wait(&t, ids[1])), 5);
	target_end(&t);
}

/* A process that waits, in the namespace of the init that runs this. */
static long fork_pausing(void *arg)
{
	(void)arg;
	return start_pausing();
}

static pid_t outside_pid(pid_t init, pid_t inside)
{
	char path[64];
	long pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", init, init);
	f = fopen(path, "re");
	if (!f)
		ct_skip("this kernel has no /proc/PID/task/TID/children");
	while (fscanf(f, "%ld", &pid) == 1) {
		pid_t ids[4];

		if (proc_nspid(pid, ids, 4) == 2 && ids[1] == inside)
			break;
	}
	fclose(f);
	return pid;
}

CHECK(from_outside_no_init, "a target in a namespace that is not its init")
{
	struct target t;
	pid_t ids[4], inside, target;
	long pid;

	target_clone(&t, CLONE_NEWPID);
	inside = expect_ok(target_do(&t, fork_pausing, NULL));
	target = outside_pid(t.pid, inside);
	pid = expect_ok(cloneat_fork(target, 432));
	if (pid == 0)
		ct_exit(ct_pid() == 432 && ct_ppid() == inside ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 2);
	expect_eq(ids[1], 432);
	expect_eq(proc_ppid(pid), target);
	target_end(&t);
}

/* Two levels down, called from the top and from the middle. */
struct level {
	struct target t;
	pid_t hint;
};

static long call_below(void *arg)
{
	struct level *level = arg;
	long pid = cloneat_fork(level->t.pid, level->hint);

	if (pid == 0)
		ct_exit(ct_pid() == level->hint ? 5 : 9);
	return pid;
}

static long start_below(void *arg)
{
	struct level *level = arg;

	target_clone(&level->t, CLONE_NEWPID);
	return level->t.pid;
}

static long wait_below(void *arg)
{
	struct level *level = arg;

	return target_wait(&level->t, level->hint);
}

static long end_below(void *arg)
{
	target_end(&((struct level *)arg)->t);
	return 0;
}

CHECK(two_levels, "called in the middle: the id below, and in the middle another")
{
	static struct level level = { .hint = 222 };
	struct target middle;
	pid_t inner, ids[4];
	long pid;

	target_clone(&middle, CLONE_NEWPID);
	inner = expect_ok(target_do(&middle, start_below, &level));
	expect(inner > 1);
	pid = expect_ok(target_do(&middle, call_below, &level));
	expect(pid > 1 && pid != 222);
	expect_eq(WEXITSTATUS(target_do(&middle, wait_below, &level)), 5);
	pid = expect_ok(cloneat_fork(outside_pid(middle.pid, inner), 333));
	if (pid == 0)
		ct_exit(ct_pid() == 333 ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 4), 3);
	expect_eq(ids[0], pid);
	expect_eq(ids[2], 333);
	expect_ok(target_do(&middle, end_below, &level));
	target_end(&middle);
}
