// SPDX-License-Identifier: GPL-2.0
/*
 * Control groups that count memory: the child's is charged to the caller's
 * group, as after fork(2), and the target's group has no part in it.  Nor is
 * the caller charged anew for what it has already.
 *
 *	check (caller, has touched memory) -> target (in "theirs") -> kid
 */
#include "group.h"
#include "scene.h"

#define MEMORY (32UL << 20)
#define SLACK (MEMORY / 4)	/* stack, tables, what a processor has in stock */

static struct hierarchy memory_groups = { .controller = "memory" };
static char theirs[256];

static void make_group(void)
{
	find_hierarchy(&memory_groups);
	new_group(memory_groups.path, "cloneat", theirs, sizeof(theirs));
}

static unsigned long used(void)
{
	unsigned long n = 0;
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", theirs,
		 memory_groups.unified ? "memory.current" : "memory.usage_in_bytes");
	f = fopen(path, "re");
	if (!f || fscanf(f, "%lu", &n) != 1)
		fail("no number in %s", path);
	fclose(f);
	return n;
}

static void charged(uint64_t flags)
{
	char *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct actor t, k;
	unsigned long before;
	char path[300];

	expect(memory != MAP_FAILED);
	make_group();
	spawn(&me, &t, flags);
	snprintf(path, sizeof(path), "%s/cgroup.procs", theirs);
	expect_eq(ct_write(path, "%d", t.pid), 0);
	memset(memory, 7, MEMORY);
	before = used();
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect(used() < before + SLACK);
	expect_eq(end(&k, &t, 4), EXITED(4));
	expect_eq(end(&t, &me, 0), EXITED(0));
}

static long do_touch(struct msg *m)
{
	char *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)m;
	if (memory == MAP_FAILED)
		return -errno;
	memset(memory, 7, MEMORY);
	return 0;
}

PLAY(forked, "nothing is charged to a forked target's group")
{
	charged(0);
}

PLAY(executed, "nor to that of a target that executed a program")
{
	charged(ACTOR_EXEC);
}

PLAY(init, "nor to that of a container's init")
{
	charged(CLONE_NEWPID);
}

/*
 * What the caller has together with an earlier child stays one memory: who makes
 * many children must not have a copy for each.
 */
PLAY(caller_shares, "memory that the caller shares is not copied for it")
{
	char *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct actor other, t, k;
	char line[64];

	expect(memory != MAP_FAILED);
	memset(memory, 7, MEMORY);
	spawn(&me, &other, 0);
	spawn(&me, &t, ACTOR_EXEC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_ok(vma_line((unsigned long)memory, "Shared_Dirty:", line,
			   sizeof(line)));
	expect(strtoul(line, NULL, 10) > (MEMORY - SLACK) / 1024);
	expect_eq(end(&k, &t, 4), EXITED(4));
	expect_eq(end(&t, &me, 0), EXITED(0));
	expect_eq(end(&other, &me, 0), EXITED(0));
}

/*
 * check -> a (in the group, which has half of the room that a copy needs) -> t
 * What the call comes to; all but the kid are as they were.
 */
static long call_near_limit(struct actor *k, struct actor *t, struct actor *a)
{
	char path[300];

	make_group();
	spawn(&me, a, 0);
	spawn(a, t, 0);
	snprintf(path, sizeof(path), "%s/cgroup.procs", theirs);
	expect_eq(ct_write(path, "%d", a->pid), 0);
	expect_eq(on(a, do_touch), 0);
	snprintf(path, sizeof(path), "%s/%s", theirs,
		 memory_groups.unified ? "memory.max" : "memory.limit_in_bytes");
	expect_eq(ct_write(path, "%lu", used() + MEMORY / 2), 0);
	return cl(a, k, t->pid, 0, 0);
}

PLAY(no_room, "no room for a child's memory: ENOMEM, and nobody is ended for it")
{
	struct actor a, t, k;
	long ret = call_near_limit(&k, &t, &a);

	if (ret < 0)
		expect_eq(ret, -ENOMEM);
	else
		expect_eq(end(&k, &t, 4), EXITED(4));
	expect_eq(end(&t, &a, 0), EXITED(0));
	expect_eq(end(&a, &me, 0), EXITED(0));
}

PLAY_DOCUMENTED(near_limit, "a caller near the limit of its group gets its child",
		"the child has a copy of the caller's memory")
{
	struct actor a, t, k;

	expect_ok(call_near_limit(&k, &t, &a));
	expect_eq(end(&k, &t, 4), EXITED(4));
	expect_eq(end(&t, &a, 0), EXITED(0));
	expect_eq(end(&a, &me, 0), EXITED(0));
}
