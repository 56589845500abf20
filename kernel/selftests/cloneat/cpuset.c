// SPDX-License-Identifier: GPL-2.0
/*
 * The processors that the child may run on are the caller's: what it has chosen
 * (sched_setaffinity()), of what the cpuset of its control group leaves.  That
 * changes in the moment of a call, and afterwards, for both alike.
 *
 *	check      changes the cpuset
 *	  +-- a         calls, in that group
 *	        +-- t        the target, in that group, which has chosen
 */
#include "busy.h"
#include "group.h"

#define ROUNDS 25

static struct actor a, t, k;
static struct hierarchy h = { .controller = "cpuset" };
static char group[250];
static int cpu[2];		/* two processors that there are */

static int put(const char *file, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return ct_write(path, "%s", text);
}

/* The cpuset has these two processors, which may be one. */
static void leave(int one, int other)
{
	char text[32];

	snprintf(text, sizeof(text), "%d,%d", one, other);
	expect_eq(put("cpuset.cpus", text), 0);
}

static void find_processors(void)
{
	cpu_set_t may;
	int n = 0;

	must(sched_getaffinity(0, sizeof(may), &may));
	for (int i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET(i, &may))
			cpu[n++] = i;
	if (n < 2)
		ct_skip("one processor alone");
}

static void make_group(void)
{
	find_processors();
	find_hierarchy(&h);
	new_group(h.path, "cloneat", group, sizeof(group));
	expect_eq(put("cpuset.mems", "0"), 0);
	leave(cpu[0], cpu[1]);
}

static void enter_group(struct actor *who)
{
	char num[16];

	snprintf(num, sizeof(num), "%d", who->pid);
	expect_eq(put("cgroup.procs", num), 0);
}

static void choose(struct actor *who, int one)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(one, &set);
	must(sched_setaffinity(who->pid, sizeof(set), &set));
}

static void same_processors(struct actor *one, struct actor *other)
{
	cpu_set_t of[2];

	must(sched_getaffinity(one->pid, sizeof(of[0]), &of[0]));
	must(sched_getaffinity(other->pid, sizeof(of[1]), &of[1]));
	expect(CPU_EQUAL(&of[0], &of[1]));
}

/* A kid, while the cpuset goes from one processor to the other. */
static void call_meanwhile(void)
{
	cl_start(&a, t.pid, 0, 0);
	for (int i = 0; i < 12; i++) {
		leave(cpu[i % 2], cpu[i % 2]);
		usleep(rand() % 400);
	}
	leave(cpu[0], cpu[1]);
	expect_ok(cl_finish(&a, &k));
	expect(k.pid > 0);
}

struct row {
	const char *name;
	const char *verdict;
	uint64_t target;	/* how it is made; SELF_TARGET: none is */
};

#define SELF_TARGET (1ULL << 63)

static const struct row changed_table[] = {
	{ "changed_self", "the cpuset changes meanwhile (self)", SELF_TARGET },
	{ "changed_init", "the cpuset changes meanwhile (init)", CLONE_NEWPID },
	{ "changed_shared", "the cpuset changes meanwhile (shared memory)",
	  CLONE_VM },
	{ "changed_forked", "the cpuset changes meanwhile (forked)", 0 },
	{ "changed_executed", "the cpuset changes meanwhile (executed)",
	  ACTOR_EXEC },
};

PLAY_TABLE(changed, changed_table)
{
	const struct row *row = ct_arg();

	srand(getpid());
	make_group();
	spawn(&me, &a, 0);
	enter_group(&a);
	t = a;
	if (row->target != SELF_TARGET) {
		spawn(&a, &t, row->target);
		choose(&t, cpu[0]);
	}
	for (int i = 0; i < ROUNDS; i++) {
		call_meanwhile();
		same_processors(&k, &a);
		expect_eq(end(&k, &t, 3), EXITED(3));
	}
}

/* A caller that has chosen one, where the cpuset leaves both. */
PLAY(chosen, "what the caller has chosen stays chosen when the cpuset changes")
{
	make_group();
	spawn(&me, &a, 0);
	enter_group(&a);
	spawn(&a, &t, 0);
	choose(&t, cpu[0]);
	choose(&a, cpu[1]);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_processors(&k, &a);
	leave(cpu[0], cpu[0]);
	same_processors(&k, &a);
	leave(cpu[0], cpu[1]);
	same_processors(&k, &a);
}

PLAY_DOCUMENTED(chosen_alone, "so does what is all that the cpuset leaves",
		"nobody can ask whether a thread has chosen what it has")
{
	make_group();
	leave(cpu[0], cpu[0]);
	spawn(&me, &a, 0);
	enter_group(&a);
	spawn(&a, &t, 0);
	choose(&a, cpu[0]);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	leave(cpu[0], cpu[1]);
	same_processors(&k, &a);
}
