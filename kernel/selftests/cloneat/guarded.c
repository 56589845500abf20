// SPDX-License-Identifier: GPL-2.0
/*
 * Memory with marks in its page tables: pages that nobody may touch
 * (MADV_GUARD_INSTALL), and pages whose use userfaultfd(2) tells of.
 *
 *	check      has marked it
 *	  +-- target
 *	        +-- kid
 */
#include "scene.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif

#define PAGES 4

static char *area;

static char *map(int flags)
{
	char *at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			flags | MAP_ANONYMOUS, -1, 0);

	expect(at != MAP_FAILED);
	return at;
}

static void guard(long page)
{
	if (madvise(area + page * PAGE, PAGE, MADV_GUARD_INSTALL)) {
		expect_eq(errno, EINVAL);
		ct_skip("this kernel has no guard regions, or not in such memory");
	}
}

/* Can the kernel read there?  -EFAULT if not. */
static long do_probe(struct msg *m)
{
	int p[2];
	long ret;

	if (pipe(p))
		return -errno;
	ret = ct_syscall3(SYS_write, p[1], area + m->arg[0] * PAGE, 1);
	close(p[0]);
	close(p[1]);
	return ret;
}

static long do_read(struct msg *m)
{
	return area[m->arg[0] * PAGE];
}

/* Does VmFlags say that there may be guards?  Never before Linux 6.19. */
static long do_marked(struct msg *m)
{
	return vma_flag((unsigned long)area + m->arg[0] * PAGE, " gu");
}

static void kept(enum kind kind, int flags)
{
	struct actor k;

	area = map(flags);
	area[0] = 1;
	guard(1);
	area[2 * PAGE] = 2;
	kid_of(kind, &k);
	expect_eq(on(&k, do_probe, 1), -EFAULT);
	expect_eq(on(&k, do_read, 0), 1);
	expect_eq(on(&k, do_read, 2), 2);
	expect_eq(on(&k, do_marked, 0), on(&me, do_marked, 0));
}

static void kept_private(enum kind kind)
{
	kept(kind, MAP_PRIVATE);
}

static void kept_shared(enum kind kind)
{
	kept(kind, MAP_SHARED);
}

/* Where there was one the kernel remembers for good that there may be others. */
static void removed(enum kind kind)
{
	struct actor k;

	area = map(MAP_PRIVATE);
	guard(0);
	must(madvise(area, PAGE, MADV_GUARD_REMOVE));
	area[0] = 1;
	area[2 * PAGE] = 2;
	kid_of(kind, &k);
	expect_eq(on(&k, do_read, 0), 1);
	expect_eq(on(&k, do_read, 2), 2);
	expect_eq(on(&k, do_marked, 0), on(&me, do_marked, 0));
}

/* A child gets none of the page tables, and so no guards. */
static void wiped(enum kind kind)
{
	struct actor k;

	area = map(MAP_PRIVATE);
	area[0] = 1;
	guard(1);
	must(madvise(area, PAGES * PAGE, MADV_WIPEONFORK));
	kid_of(kind, &k);
	expect_eq(on(&k, do_probe, 1), 1);
	expect_eq(on(&k, do_read, 0), 0);
	expect_eq(on(&k, do_marked, 0), on(&me, do_marked, 0));
}

/* Does a mapping begin at page 1? */
static long do_starts(struct msg *m)
{
	unsigned long at = (unsigned long)area + PAGE, from;
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	long found = 0;

	(void)m;
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		found |= sscanf(line, "%lx-", &from) == 1 && from == at;
	fclose(f);
	return found;
}

/* Both have pages of their own, which a guard in one of them does not change. */
static void neighbours(enum kind kind)
{
	struct actor k;

	area = map(MAP_PRIVATE);
	must(madvise(area + PAGE, PAGE, MADV_DONTDUMP));
	must(munmap(area + 2 * PAGE, 2 * PAGE));
	area[0] = 1;
	area[PAGE] = 1;
	must(madvise(area + PAGE, PAGE, MADV_DODUMP));
	guard(0);
	expect_eq(on(&me, do_starts), 1);
	kid_of(kind, &k);
	expect_eq(on(&k, do_starts), 1);
	expect_eq(on(&k, do_probe, 0), -EFAULT);
	expect_eq(on(&k, do_read, 1), 1);
}

/* Two mappings that only advice keeps apart: what marks one does not mark the other. */
static void beside(enum kind kind, long marked, long advised)
{
	struct actor k;

	area = map(MAP_PRIVATE);
	for (long page = 0; page < PAGES; page++)
		area[page * PAGE] = 1;
	must(madvise(area + advised * PAGE, 2 * PAGE, MADV_RANDOM));
	guard(marked);
	must(madvise(area + marked * PAGE, PAGE, MADV_GUARD_REMOVE));
	area[marked * PAGE] = 2;
	kid_of(kind, &k);
	expect_eq(on(&k, do_marked, 0), on(&me, do_marked, 0));
	expect_eq(on(&k, do_marked, 2), on(&me, do_marked, 2));
	expect_eq(on(&k, do_read, marked), 2);
}

static void below_advised(enum kind kind)
{
	beside(kind, 0, 2);
}

static void above_advised(enum kind kind)
{
	beside(kind, 2, 0);
}

static void advised_below(enum kind kind)
{
	beside(kind, 0, 0);
}

static void advised_above(enum kind kind)
{
	beside(kind, 2, 2);
}

/* The same with a guard that is still there, below the other and above it. */
static void guarded_beside(enum kind kind)
{
	struct actor k;

	area = map(MAP_PRIVATE);
	area[0] = 1;
	area[3 * PAGE] = 1;
	must(madvise(area, PAGE, MADV_RANDOM));
	must(madvise(area + 3 * PAGE, PAGE, MADV_RANDOM));
	guard(1);
	kid_of(kind, &k);
	expect_eq(on(&k, do_probe, 1), -EFAULT);
	for (long page = 0; page < PAGES; page++)
		expect_eq(on(&k, do_marked, page), on(&me, do_marked, page));
}

static const struct kinds rows[] = {
	KINDS(below_advised, "who has had guards is below another that has not"),
	KINDS(above_advised, "who has had guards is above another that has not"),
	KINDS(advised_below, "memory with advice has had guards, the one above not"),
	KINDS(advised_above, "memory with advice has had guards, the one below not"),
	KINDS(guarded_beside, "a guard is between memory that never had one"),
	KINDS(kept_private, "a guard in private memory is the child's too"),
	KINDS(kept_shared, "a guard in shared memory is the child's too"),
	KINDS(removed, "memory that had a guard is the child's as it is"),
	KINDS(neighbours, "mappings do not become one for a guard"),
	KINDS(wiped, "memory to be wiped on fork has no guard in the child"),
};

PLAY_TABLE(guards, rows)
{
	play_kind();
}

#ifndef UFFDIO_REGISTER_MODE_RWP
#define UFFD_FEATURE_RWP	  (1 << 17)
#define UFFDIO_REGISTER_MODE_RWP  ((__u64)1 << 3)
#define UFFDIO_RWPROTECT	  _IOWR(UFFDIO, 0x09, struct uffdio_writeprotect)
#define UFFDIO_RWPROTECT_MODE_RWP ((__u64)1 << 0)
#endif

/* Who touches the area from now on waits until somebody allows it. */
static void track(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_RWP };
	struct uffdio_range all = { (uintptr_t)area, PAGES * PAGE };
	struct uffdio_register reg = { all, .mode = UFFDIO_REGISTER_MODE_RWP };
	struct uffdio_writeprotect rwp = { all, UFFDIO_RWPROTECT_MODE_RWP };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		ct_skip("no userfaultfd here: %s", ct_errname(errno));
	if (ioctl(fd, UFFDIO_API, &api)) {
		expect_eq(errno, EINVAL);
		ct_skip("before Linux 7.3 nothing tells of reading");
	}
	must(ioctl(fd, UFFDIO_REGISTER, &reg));
	must(ioctl(fd, UFFDIO_RWPROTECT, &rwp));
}

static void tracked_by(enum kind kind)
{
	struct actor store, *t, k;

	area = map(MAP_PRIVATE);
	area[0] = 1;
	t = target_of(kind, &store);
	track();
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	expect_eq(on(&k, do_read, 0), 1);
}

PLAY(tracked_self, "memory whose use userfaultfd tells of is copied, not used")
{
	tracked_by(SELF);
}

PLAY(tracked_forked, "memory of the target's that is tracked is the child's")
{
	tracked_by(FORKED);
}

PLAY_DOCUMENTED(tracked, "tracked memory that the target has not is copied",
		"to read it is to use it: EOPNOTSUPP")
{
	tracked_by(EXECUTED);
}
