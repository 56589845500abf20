// SPDX-License-Identifier: Apache-2.0
/* Mappings of every kind. */
#include "eye.h"
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define PAGE 4096UL
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

struct own own_maps[MAX_OWN];
int num_own;

static unsigned long note(const char *what, long at, unsigned long size)
{
	did(what, at < 0 && at > -4096 ? at : 0);
	if (at < 0 && at > -4096)
		return 0;
	if (num_own < MAX_OWN)
		own_maps[num_own++] = (struct own){ at, at + size };
	return at;
}

static unsigned long map(const char *what, unsigned long pages, int prot, int flags, int fd, long offset)
{
	return note(what, sys(__NR_mmap, 0, pages * PAGE, prot, flags, fd, offset), pages * PAGE);
}

static void fill(unsigned long at, unsigned long pages, unsigned long seed)
{
	for (unsigned long i = 0; at && i < pages * 512; i++)
		((volatile unsigned long *)at)[i] = (i + seed) * 0x9e3779b97f4a7c15UL;
}

static unsigned long anon(const char *what, unsigned long pages, int flags)
{
	unsigned long at = map(what, pages, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	fill(at, pages, at);
	return at;
}

static unsigned long advised(const char *what, int advice, int flags)
{
	unsigned long at = anon(what, 4, MAP_PRIVATE | flags);

	did(what, sys(__NR_madvise, at, 4 * PAGE, advice));
	return at;
}

/* Protections page by page, with contents below each of them. */
static void rich_protections(void)
{
	unsigned long at = anon("anonymous", 8, MAP_PRIVATE);

	sys(__NR_mprotect, at + PAGE, PAGE, PROT_READ);
	sys(__NR_mprotect, at + 2 * PAGE, PAGE, PROT_NONE);
	sys(__NR_mprotect, at + 3 * PAGE, PAGE, PROT_READ | PROT_EXEC);
	sys(__NR_mprotect, at + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	sys(__NR_madvise, at + 5 * PAGE, PAGE, MADV_DONTNEED);
	anon("shared", 4, MAP_SHARED);
	map("untouched", 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map("reservation", 16384, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	at = map("grows down", 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
	fill(at, 4, 3);
}

static void rich_advice(void)
{
	unsigned long at;

	advised("DONTFORK", MADV_DONTFORK, 0);
	advised("WIPEONFORK", MADV_WIPEONFORK, 0);
	advised("DONTDUMP", MADV_DONTDUMP, 0);
	advised("SEQUENTIAL", MADV_SEQUENTIAL, 0);
	advised("RANDOM", MADV_RANDOM, 0);
	advised("MERGEABLE", MADV_MERGEABLE, 0);
	advised("NOHUGEPAGE", MADV_NOHUGEPAGE, 0);
	at = map("HUGEPAGE", 1024, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	did("HUGEPAGE", sys(__NR_madvise, at, 1024 * PAGE, MADV_HUGEPAGE));
	fill(at + 700 * PAGE, 20, 8);
	at = anon("locked", 2, MAP_PRIVATE);
	did("mlock", sys(__NR_mlock, at, 2 * PAGE));
	at = anon("named", 2, MAP_PRIVATE);
	did("name", sys(__NR_prctl, 0x53564d41, 0, at, 2 * PAGE, "a rich name"));
}

/* Two neighbours that differ in nothing, but were never one. */
static void rich_neighbours(void)
{
	unsigned long at = map("neighbours", 4, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, rw = PROT_READ | PROT_WRITE;

	sys(__NR_mmap, at, PAGE, rw, flags, -1, 0);
	sys(__NR_mmap, at + 3 * PAGE, PAGE, rw, flags, -1, 0);
	fill(at, 1, 4), fill(at + 3 * PAGE, 1, 5);
	sys(__NR_mmap, at + PAGE, PAGE, rw, flags, -1, 0);
	fill(at + PAGE, 1, 6);
	sys(__NR_mmap, at + 2 * PAGE, PAGE, rw, flags, -1, 0);
	fill(at + 2 * PAGE, 1, 7);
}

static long file_of(unsigned long pages, const char *name, long fd)
{
	static unsigned long page[512];
	char path[300];

	if (fd < 0) {
		form(path, sizeof(path), "%s/%s", scratch, name);
		fd = sys(__NR_open, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		sys(__NR_unlink, path);
	}
	for (unsigned long i = 0; i < pages; i++) {
		for (int k = 0; k < 512; k++)
			page[k] = (i << 32 | k) * 0xff51afd7ed558ccdUL;
		sys(__NR_write, fd, page, PAGE);
	}
	return fd;
}

static void map_file(const char *what, long fd)
{
	unsigned long at = map(what, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PAGE);

	fill(at + PAGE, 1, 9);
	at = map(what, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fill(at + 2 * PAGE, 1, 10);
	map(what, 2, PROT_READ, MAP_SHARED, fd, 0);
	map(what, 2, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 2 * PAGE);
	sys(__NR_close, fd);
}

static void rich_mapped_files(void)
{
	char exe[200];
	long fd;

	map_file("deleted file", file_of(6, "mapped", -1));
	fd = sys(__NR_memfd_create, "rich", 2);
	file_of(6, NULL, fd);
	map_file("memfd", fd);
	fd = sys(__NR_memfd_create, "sealed", 2);
	file_of(2, NULL, fd);
	did("seal", sys(__NR_fcntl, fd, 1033, 0xe));
	map("sealed memfd", 2, PROT_READ, MAP_SHARED, fd, 0);
	sys(__NR_close, fd);
	form(exe, sizeof(exe), "%s/targets-static", dir);
	fd = sys(__NR_open, exe, O_RDONLY | O_CLOEXEC);
	map("program", 4, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	map("shared, read only", 4, PROT_READ, MAP_SHARED, fd, PAGE);
	sys(__NR_close, fd);
	fd = sys(__NR_open, "/dev/zero", O_RDWR | O_CLOEXEC);
	fill(map("private /dev/zero", 2, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), 1, 12);
	sys(__NR_close, fd);
}

static void rich_sysv(void)
{
	long id = did("shmget", sys(__NR_shmget, 0, 3 * PAGE, 01600)), at;

	at = sys(__NR_shmat, id, 0, 0);
	fill(note("shmat", at, 3 * PAGE), 3, 11);
	note("shmat, read only", sys(__NR_shmat, id, 0, 010000), 3 * PAGE);
	sys(__NR_shmctl, id, 0, 0);
}

void rich_memory(void)
{
	long brk = sys(__NR_brk, 0);

	sys(__NR_mkdir, scratch, 0700);
	rich_protections();
	rich_advice();
	rich_neighbours();
	rich_mapped_files();
	rich_sysv();
	if (!(options & OPT_RUNTIME))
		did("brk", sys(__NR_brk, brk + 5 * PAGE) < 0);
}
