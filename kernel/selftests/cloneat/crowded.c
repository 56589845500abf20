// SPDX-License-Identifier: GPL-2.0
/*
 * Address space without room: reservations (PROT_NONE) of all that is not mapped
 * but for one hole.
 *
 *	check
 *	  +-- a         may have filled its address space
 *	        +-- target    may have filled its own
 *	              +-- kid      has what a has
 */
#include "scene.h"

#define HIGHEST ((1UL << 47) - PAGE)
#define LOW_HOLE (3UL << 30)	/* above a heap, which is up to a gigabyte above the program */
#define HIGH_HOLE (5UL << 44)
#define OTHER_HOLE (6UL << 44)

static long reserve(unsigned long from, unsigned long to)
{
	void *at;

	if (from >= to)
		return 0;
	at = mmap((void *)from, to - from, PROT_NONE, MAP_PRIVATE |
		  MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	return at == MAP_FAILED ? -errno : 0;
}

/* vm.mmap_min_addr */
static unsigned long lowest(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/vm/mmap_min_addr", O_RDONLY | O_CLOEXEC);
	unsigned long at;

	if (fd < 0)
		return PAGE;
	at = read(fd, text, sizeof(text) - 1) > 0 ? strtoul(text, NULL, 10) : 0;
	close(fd);
	return at > PAGE ? at : PAGE;
}

/* Reserve what is free in a range, but for the hole. */
static long reserve_around(unsigned long from, unsigned long to, const long *hole)
{
	unsigned long start = hole[0], end = hole[0] + hole[1];
	long ret;

	if (start < from || to < end)
		return reserve(from, to);
	ret = reserve(from, start);
	return ret ? ret : reserve(end, to);
}

/* All is reserved but arg[1] bytes at arg[0]. */
static long do_fill(struct msg *m)
{
	unsigned long start, end, at = lowest();
	static char maps[1 << 16];
	size_t n = 0;
	ssize_t got;
	long ret;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while ((got = read(fd, maps + n, sizeof(maps) - 1 - n)) > 0)
		n += got;
	close(fd);
	maps[n] = 0;
	for (char *s = strtok(maps, "\n"); s && at < HIGHEST; s = strtok(NULL, "\n")) {
		if (sscanf(s, "%lx-%lx", &start, &end) != 2)
			return -EBADMSG;
		ret = reserve_around(at, start < HIGHEST ? start : HIGHEST, m->arg);
		if (ret)
			return ret;
		at = end > at ? end : at;
	}
	return reserve_around(at, HIGHEST, m->arg);
}

/* What a fork has, too: nothing can be mapped but in the hole. */
static long do_full(struct msg *m)
{
	const size_t size = m->arg[1];
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at != (void *)m->arg[0])
		return at == MAP_FAILED ? -errno : -EEXIST;
	at[0] = 1;
	if (mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		return -EEXIST;
	return munmap(at, size) ? -errno : 0;
}

static struct actor a, t, k;

static void fill(struct actor *who, unsigned long hole, size_t size)
{
	expect_eq(on(who, do_fill, hole, size), 0);
	expect_eq(on(who, do_full, hole, size), 0);
}

/* The caller's is filled; so is the target's, which is its fork, if forked. */
static void of_caller(unsigned long hole, size_t size, bool forked)
{
	spawn(&me, &a, 0);
	if (!forked)
		spawn(&a, &t, 0);
	fill(&a, hole, size);
	if (forked)
		spawn(&a, &t, 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_full, hole, size), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

struct row {
	const char *name, *verdict;
	unsigned long hole;
	size_t size;
	bool forked;
};

static const struct row rows[] = {
	{ "low", "there is room in the caller, but far below", LOW_HOLE, 64UL << 20, false },
	{ "low_forked", "in both, but far below", LOW_HOLE, 64UL << 20, true },
	{ "tight", "there is little room in the caller", HIGH_HOLE, 600UL << 10, false },
	{ "tight_forked", "in both", HIGH_HOLE, 600UL << 10, true },
	{ "tight_low", "little, and far below", LOW_HOLE, 600UL << 10, false },
};

PLAY_TABLE(caller, rows)
{
	const struct row *row = ct_arg();

	of_caller(row->hole, row->size, row->forked);
}

PLAY(target, "there is no room in the target")
{
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	fill(&t, LOW_HOLE, PAGE);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&t, do_full, LOW_HOLE, PAGE), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(apart, "the little room in the target is elsewhere than in the caller")
{
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	fill(&a, HIGH_HOLE, 600UL << 10);
	fill(&t, OTHER_HOLE, 600UL << 10);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_full, HIGH_HOLE, 600UL << 10), 0);
	expect_eq(on(&t, do_full, OTHER_HOLE, 600UL << 10), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY_DOCUMENTED(none, "there is no room in the caller",
		"it has no room for the questions about it: EOPNOTSUPP")
{
	of_caller(HIGH_HOLE, PAGE, false);
}
