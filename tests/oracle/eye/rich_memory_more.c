// SPDX-License-Identifier: Apache-2.0
/* Mappings that want privileges, a newer kernel or a certain processor. */
#include "eye.h"
#include <asm/unistd.h>
#include <cpuid.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <linux/mount.h>
#include <sys/mman.h>

#define PAGE 4096UL

static unsigned long map(unsigned long pages, int flags, int fd)
{
	long at = sys(__NR_mmap, 0, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (at < 0 && at > -4096)
		return 0;
	for (unsigned long i = 0; i < pages; i++)
		*(volatile unsigned long *)(at + i * PAGE) = i + 77;
	if (num_own < MAX_OWN)
		own_maps[num_own++] = (struct own){ at, at + pages * PAGE };
	return at;
}

static unsigned long anon(unsigned long pages, int flags)
{
	return map(pages, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1);
}

/* A file on a mount that is in no mount namespace any more. */
static void rich_detached(void)
{
	long fs = sys(__NR_fsopen, "tmpfs", 1), mnt, fd;

	sys(__NR_fsconfig, fs, 6 /* CREATE */, 0, 0, 0);
	mnt = did("detached mount", sys(__NR_fsmount, fs, 1, 0));
	fd = sys(__NR_openat, mnt, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	sys(__NR_ftruncate, fd, 2 * PAGE);
	if (fd >= 0)
		map(2, MAP_SHARED, fd);
	sys(__NR_close, fd), sys(__NR_close, mnt), sys(__NR_close, fs);
}

static void rich_policies(void)
{
	unsigned long node = 1, at = anon(4, 0);

	did("mbind", sys(__NR_mbind, at, 4 * PAGE, MPOL_BIND, &node, 64, 0));
	at = anon(4, 0);
	did("mbind interleave", sys(__NR_mbind, at + PAGE, 2 * PAGE, MPOL_INTERLEAVE, &node, 64, 0));
}

static int has_pkeys(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c >> 4 & 1;
}

static void rich_newer(void)
{
	unsigned long at;
	long pkey;

	at = anon(4, 0);
	did("guard region", sys(__NR_madvise, at + PAGE, PAGE, 102));
	did("droppable", map(2, 8 | MAP_ANONYMOUS, -1) ? 0 : -22);
	/* Without the feature the call only breaks its own bookkeeping. */
	pkey = has_pkeys() ? did("pkey", sys(__NR_pkey_alloc, 0, 0)) : 0;
	at = anon(2, 0);
	if (pkey > 0)
		sys(__NR_pkey_mprotect, at, 2 * PAGE, PROT_READ | PROT_WRITE, pkey);
	at = anon(2, 0);
	did("mseal", sys(462 /* mseal */, at, 2 * PAGE, 0));
}

/* Where the machine has set huge pages aside: private, shared, of a memfd, of System V. */
static void rich_huge(void)
{
	const unsigned long pages = 512, size = 512 * PAGE;
	long id, at, fd;

	did("huge pages", anon(pages, MAP_HUGETLB) ? 0 : -12);
	did("shared huge pages", map(pages, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1) ? 0 : -12);
	fd = did("huge memfd", sys(__NR_memfd_create, "huge", 5 /* HUGETLB, CLOEXEC */));
	sys(__NR_ftruncate, fd, size);
	did("huge memfd", map(pages, MAP_PRIVATE, fd) && map(pages, MAP_SHARED, fd) ? 0 : -12);
	sys(__NR_close, fd);
	id = did("huge shmget", sys(__NR_shmget, 0, size, 05600 /* CREAT, HUGETLB */));
	if (id < 0)
		return;
	at = did("huge shmat", sys(__NR_shmat, id, 0, 0));
	if (at > 0 && num_own < MAX_OWN) {
		*(volatile unsigned long *)at = 88;
		own_maps[num_own++] = (struct own){ at, at + size };
	}
	sys(__NR_shmctl, id, 0, 0);
}

void rich_memory_more(void)
{
	rich_detached();
	rich_policies();
	rich_newer();
	rich_huge();
}

/* What makes the caller large. */
void rich_size(void)
{
	unsigned long mib = options >> 32;

	if (options & OPT_MAPS)
		for (int i = 0; i < 30000; i++) {
			long at = sys(__NR_mmap, 0, 2 * PAGE, i & 1 ? PROT_READ : PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (!(i & 1))
				*(volatile long *)at = i;
		}
	if (options & OPT_MEMORY)
		anon(mib << 8, 0);
	if (options & OPT_FDS) {
		unsigned long limit[2] = { 30000, 1 << 20 };

		sys(__NR_prlimit64, 0, 7, limit, 0);
		for (int i = 0; i < 20000; i++)
			sys(__NR_fcntl, PROC_FD, i % 3 ? F_DUPFD : F_DUPFD_CLOEXEC, 2000);
	}
}
