// SPDX-License-Identifier: GPL-2.0
/*
 * Control groups that limit the number of tasks (pids.max): the child counts in
 * the caller's group, and the limits of that group alone decide.
 *
 *	check -> a (caller, in the group "ours") -> target (in "theirs") -> kid
 *
 * A limit is of no account where a process is moved, so that the groups can be
 * filled and emptied at will.
 */
#include "group.h"
#include "scene.h"

#define ROUNDS 25
#define ROOM_FOR_PATH 250

struct group {
	char path[ROOM_FOR_PATH];
};

static struct actor a, t, k;
static struct group above, ours, theirs, full;
static struct hierarchy tasks = { .controller = "pids" };

/* --- groups ------------------------------------------------------------- */

static int put(struct group *g, const char *file, long value)
{
	char path[ROOM_FOR_PATH + 32];

	snprintf(path, sizeof(path), "%s/%s", g->path, file);
	return ct_write(path, "%ld", value);
}

static void limit(struct group *g, long most)
{
	expect_eq(put(g, "pids.max", most), 0);
}

static void move(struct actor *who, struct group *g)
{
	expect_eq(put(g, "cgroup.procs", who->pid), 0);
}

static long count(struct group *g)
{
	char path[ROOM_FOR_PATH + 32];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/pids.current", g->path);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%ld", &n) != 1)
		fail("no number in %s", path);
	fclose(f);
	return n;
}

/* Who was waited for may be on its way out still. */
static void await_count(struct group *g, long n)
{
	while (count(g) != n)
		usleep(1000);
}

/* The limit of the groups in there can be set. */
static int divide(const char *path)
{
	return divide_groups(&tasks, path);
}

static void make_group(const char *in, struct group *g)
{
	new_group(in, g == &ours ? "in" : "cloneat", g->path, sizeof(g->path));
}

static void make_groups(void)
{
	find_hierarchy(&tasks);
	make_group(tasks.path, &above);
	expect_eq(divide(above.path), 0);
	make_group(above.path, &ours);
	make_group(tasks.path, &theirs);
	make_group(tasks.path, &full);
	limit(&full, 0);
}

/* --- scenes ------------------------------------------------------------- */

/* The target's kind, as spawn() takes it; SELF_KIND: the caller itself. */
#define SELF_KIND ~0ULL

struct row {
	const char *name;
	const char *verdict;
	uint64_t kind;
	void (*play)(struct actor *target);
};

static void end_all(struct actor *target)
{
	if (target != &a)
		expect_eq(end(target, &a, 0), EXITED(0));
	expect_eq(end(&a, &me, 0), EXITED(0));
	await_count(&ours, 0);
	await_count(&above, 0);
	await_count(&theirs, 0);
}

static void on_stage(uint64_t kind, void (*play)(struct actor *target))
{
	struct actor *target = kind == SELF_KIND ? &a : &t;

	make_groups();
	spawn(&me, &a, 0);
	a.vpid = a.pid;
	if (target == &t) {
		spawn(&a, &t, kind);
		move(&t, &theirs);
	}
	move(&a, &ours);
	await_count(&ours, 1);
	play(target);
	end_all(target);
}

/* The call's result; a kid is the target's, and in the caller's group. */
static long call_for(struct actor *target)
{
	long ret = cl(&a, &k, target->vpid, 0, 0);

	if (ret > 0)
		expect_eq(proc_ppid(k.pid), target->pid);
	return ret;
}

static void end_kid(struct actor *target)
{
	expect_eq(end(&k, target, 3), EXITED(3));
}

/* No process is left of a call that failed. */
static void nothing_left(struct actor *target)
{
	await_count(&ours, 1);
	await_count(&theirs, target == &a ? 0 : 1);
	expect_eq(on(target, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}

static void expect_in_ours(void)
{
	char got[4 * PATH_MAX];

	groups_of(k.pid, got, sizeof(got));
	expect(strstr(got, strrchr(ours.path, '/')));
}

/* --- who is charged ----------------------------------------------------- */

static void counted(struct actor *target)
{
	expect_ok(call_for(target));
	expect_in_ours();
	await_count(&ours, 2);
	await_count(&above, 2);
	await_count(&theirs, target == &a ? 0 : 1);
	end_kid(target);
	await_count(&ours, 1);
}

static void ours_full(struct actor *target)
{
	limit(&ours, 1);
	expect_eq(call_for(target), -EAGAIN);
	nothing_left(target);
	limit(&ours, 0);
	expect_eq(call_for(target), -EAGAIN);
	nothing_left(target);
	limit(&ours, 100);
	expect_ok(call_for(target));
	end_kid(target);
}

/* There is room for the child, and for nothing that helps to make it. */
static void one_place(struct actor *target)
{
	struct actor first;

	limit(&ours, 2);
	expect_ok(call_for(target));
	first = k;
	expect_eq(call_for(target), -EAGAIN);
	k = first;
	await_count(&ours, 2);
	end_kid(target);
	expect_ok(call_for(target));
	end_kid(target);
}

/* The same for one that shares its descriptors. */
static void one_place_shared(struct actor *target)
{
	limit(&ours, 2);
	expect_ok(cl(&a, &k, target->vpid, 0, CLONE_FILES));
	await_count(&ours, 2);
	end_kid(target);
}

static void above_full(struct actor *target)
{
	limit(&above, 1);
	expect_eq(call_for(target), -EAGAIN);
	nothing_left(target);
	limit(&above, 100);
	expect_ok(call_for(target));
	end_kid(target);
}

/* Both are in one group. */
static void both_full(struct actor *target)
{
	move(target, &ours);
	limit(&ours, 2);
	expect_eq(call_for(target), -EAGAIN);
	await_count(&ours, 2);
	limit(&ours, 3);
	expect_ok(call_for(target));
	expect_in_ours();
	end_kid(target);
}

/* A number that is in use wins over a group that is full. */
static void hint_first(struct actor *target)
{
	pid_t taken = number_in(target, target);

	limit(&ours, 1);
	expect_eq(cl(&a, &k, target->vpid, taken, 0), -EEXIST);
	nothing_left(target);
	limit(&ours, 100);
	expect_eq(cl(&a, &k, target->vpid, taken, 0), -EEXIST);
	nothing_left(target);
}

/* How many of its own control groups are not the root of their hierarchy. */
static long do_count_below(struct msg *m)
{
	char text[ACTOR_BUF], *line;
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	long below = 0;

	(void)m;
	if (n < 0)
		return -errno;
	text[n] = 0;
	close(fd);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		below += strcmp(line + strlen(line) - 2, ":/") != 0;
	return below;
}

/* The new namespace begins at the child's group, which is the caller's. */
static void new_namespace(struct actor *target)
{
	expect_ok(cl(&a, &k, target->vpid, 0, CLONE_NEWCGROUP));
	expect_in_ours();
	expect_eq(on(&k, do_count_below), 0);
	end_kid(target);
}

static void theirs_full(struct actor *target)
{
	limit(&theirs, 1);
	expect_ok(call_for(target));
	expect_in_ours();
	await_count(&theirs, 1);
	end_kid(target);
}

/* --- while calls are made ------------------------------------------------ */

/* Leaves some time to the others: a move waits for every fork under way. */
static bool again(void)
{
	usleep(200);
	return !ct_slot[1];
}

/* Sets two limits in turn, until slot 1 is set. */
static long do_flip_limit(struct msg *m)
{
	for (int i = 0; again(); i++)
		if (put(&ours, "pids.max", m->arg[i & 1]))
			return -EIO;
	return 0;
}

/* Moves the process arg[0] to and fro: the caller, or the target. */
static long do_flip_group(struct msg *m)
{
	struct group *at[] = { &full, m->arg[1] ? &theirs : &ours };

	for (int i = 0; again(); i++)
		if (put(at[i & 1], "cgroup.procs", m->arg[0]))
			return -EIO;
	return 0;
}

static void until_flipped(struct actor *h)
{
	slot_set(1, 1);
	expect_eq(actor_finish(h), 0);
	expect_eq(end(h, &me, 0), EXITED(0));
}

/* A child or EAGAIN, and what is made is counted and comes to its end. */
static void call_often(struct actor *target)
{
	for (int i = 0; i < ROUNDS; i++) {
		long ret = call_for(target);

		if (ret == -EAGAIN)
			continue;
		expect_ok(ret);
		expect_in_ours();
		end_kid(target);
	}
	expect_eq(on(target, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}

static void limit_moves(struct actor *target)
{
	struct actor h;

	spawn(&me, &h, 0);
	start(&h, do_flip_limit, 1, 2);
	call_often(target);
	until_flipped(&h);
	await_count(&ours, 1);
}

/* In the group that is full it gets none. */
static void caller_moves(struct actor *target)
{
	struct actor h;

	spawn(&me, &h, 0);
	start(&h, do_flip_group, a.pid, 0);
	call_often(target);
	until_flipped(&h);
	move(&a, &ours);
	await_count(&ours, 1);
	await_count(&full, 0);
}

static void target_moves(struct actor *target)
{
	struct actor h;

	limit(&full, 100);
	spawn(&me, &h, 0);
	start(&h, do_flip_group, target->pid, 1);
	for (int i = 0; i < ROUNDS; i++) {
		expect_ok(call_for(target));
		expect_in_ours();
		end_kid(target);
	}
	until_flipped(&h);
	move(target, &theirs);
	await_count(&ours, 1);
	await_count(&full, 0);
}

#define CALLERS 6
#define ROOM 3

/* Several threads of the caller call at once; there is room for some. */
static void many_calls(struct actor *target)
{
	struct actor th[CALLERS], kid[CALLERS];

	for (int i = 0; i < CALLERS; i++)
		thread_of(&a, &th[i]);
	limit(&ours, 1 + CALLERS + ROOM);
	for (int round = 0; round < 3; round++) {
		int made = 0;

		for (int i = 0; i < CALLERS; i++)
			cl_start(&th[i], target->vpid, 0, 0);
		for (int i = 0; i < CALLERS; i++) {
			long ret = cl_finish(&th[i], &kid[i]);

			if (ret == -EAGAIN)
				continue;
			expect_ok(ret);
			made++;
		}
		if (made < 1 || made > ROOM)
			fail("%d children, and room for %d", made, ROOM);
		for (int i = 0; i < CALLERS; i++)
			if (kid[i].pid > 0)
				expect_eq(end(&kid[i], target, 3), EXITED(3));
		await_count(&ours, 1 + CALLERS);
	}
	for (int i = 0; i < CALLERS; i++)
		close(th[i].fd);
}

/* --- the checks --------------------------------------------------------- */

#define ROW(fn, kind, flags, text) { #fn "_" #kind, text, flags, fn }
#define OTHERS(fn, text)						\
	ROW(fn, forked, 0, text " (target: forked)"),			\
	ROW(fn, executed, ACTOR_EXEC, text " (target: executed)"),	\
	ROW(fn, shared, CLONE_VM, text " (target: shares memory)"),	\
	ROW(fn, init, CLONE_NEWPID, text " (target: init)")
#define ALL(fn, text)							\
	ROW(fn, self, SELF_KIND, text " (target: self)"), OTHERS(fn, text)

static const struct row rows[] = {
	ALL(counted, "the child counts in the caller's group"),
	ALL(ours_full, "pids.max of the caller's group is reached: EAGAIN"),
	ALL(one_place, "room for one: one child"),
	ALL(above_full, "the limit of a group above the caller's: EAGAIN"),
	OTHERS(both_full, "caller and target share a group that is full: EAGAIN"),
	ALL(hint_first, "a number in use and a full group: EEXIST"),
	ALL(new_namespace, "a new cgroup namespace begins at the caller's group"),
	ALL(limit_moves, "the limit changes meanwhile: a child or EAGAIN"),
	ALL(caller_moves, "the caller is moved meanwhile: a child of that group"),
	OTHERS(target_moves, "the target is moved meanwhile: the caller's group"),
	ALL(many_calls, "many calls at once: never more than the limit"),
	ROW(theirs_full, init, CLONE_NEWPID,
	    "the target's group is full: no matter (target: init)"),
};

PLAY_TABLE(limits, rows)
{
	const struct row *row = ct_arg();

	on_stage(row->kind, row->play);
}

#define IN_TARGET "the target's own clone, from which the child is built, counts there"

PLAY_DOCUMENTED(theirs_full_forked, "the target's group is full: no matter (target: forked)",
		IN_TARGET)
{
	on_stage(0, theirs_full);
}

PLAY_DOCUMENTED(theirs_full_shared, "the target's group is full: no matter (target: shares memory)",
		IN_TARGET)
{
	on_stage(CLONE_VM, theirs_full);
}

PLAY_DOCUMENTED(one_place_files,
		"room for one, CLONE_FILES: one child (target: shares descriptors)",
		"another process works with descriptors for the child")
{
	on_stage(CLONE_FILES, one_place_shared);
}
