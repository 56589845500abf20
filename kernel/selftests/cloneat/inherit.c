// SPDX-License-Identifier: GPL-2.0
/*
 * What fork() hands down comes from the caller, whoever the target is: what its
 * memory holds, its files and directories (see property.h).
 */
#include "property.h"

/* --- memory ------------------------------------------------------------- */

static long data_word;
static __thread long tls_word;
static long *heap_word, *map_word;

static long get_data(struct msg *m)
{
	(void)m;
	return data_word;
}

static long put_data(struct msg *m)
{
	data_word = m->arg[0];
	return 0;
}

static long get_tls(struct msg *m)
{
	(void)m;
	return tls_word;
}

static long put_tls(struct msg *m)
{
	tls_word = m->arg[0];
	return 0;
}

static long get_heap(struct msg *m)
{
	(void)m;
	return heap_word ? *heap_word : -ENODATA;
}

static long put_heap(struct msg *m)
{
	if (!heap_word)
		heap_word = malloc(sizeof(long));
	*heap_word = m->arg[0];
	return 0;
}

static long get_map(struct msg *m)
{
	(void)m;
	return map_word ? *map_word : -ENODATA;
}

static long put_map(struct msg *m)
{
	if (!map_word)
		map_word = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map_word == MAP_FAILED)
		return -errno;
	*map_word = m->arg[0];
	return 0;
}

/* --- files and directories ---------------------------------------------- */

static long get_umask(struct msg *m)
{
	mode_t mask = umask(0);

	(void)m;
	umask(mask);
	return mask;
}

static long put_umask(struct msg *m)
{
	umask(m->arg[0]);
	return 0;
}

static long get_cwd(struct msg *m)
{
	char path[PATH_MAX];

	(void)m;
	if (!getcwd(path, sizeof(path)))
		return -errno;
	return !strcmp(path, "/proc") ? 1 : !strcmp(path, "/") ? 2 : 3;
}

static long put_cwd(struct msg *m)
{
	return chdir(m->arg[0] == 1 ? "/proc" : "/") ? -errno : 0;
}

/* Descriptor 77, told by the size of what it refers to. */
static long get_fd(struct msg *m)
{
	struct stat st;

	(void)m;
	return fstat(77, &st) ? -errno : st.st_size;
}

static long put_fd(struct msg *m)
{
	int fd = memfd_create("seventy-seven", 0);

	if (fd < 0 || ftruncate(fd, m->arg[0]) || dup2(fd, 77) < 0)
		return -errno;
	close(fd);
	return 0;
}

static long get_cloexec(struct msg *m)
{
	long flags = fcntl(78, F_GETFD);

	(void)m;
	return flags < 0 ? -errno : flags;
}

static long put_cloexec(struct msg *m)
{
	int fd = memfd_create("seventy-eight", 0);

	if (fd < 0 || dup2(fd, 78) < 0 || fcntl(78, F_SETFD, m->arg[0]))
		return -errno;
	close(fd);
	return 0;
}

/* 1 in /proc, 0 elsewhere. */
static long get_root(struct msg *m)
{
	(void)m;
	return !access("/self/stat", F_OK);
}

static long put_root(struct msg *m)
{
	return m->arg[0] && chroot("/proc") ? -errno : 0;
}

/* --- the checks --------------------------------------------------------- */

static const struct property properties[] = {
	PROPERTY(data, "a variable in the data segment", 11, 22),
	PROPERTY(tls, "a thread-local variable", 12, 23),
	PROPERTY(heap, "a variable on the heap", 13, 24),
	PROPERTY(map, "anonymous private memory", 14, 25),
	OF_TASK(umask, "umask", 0037, 0002),
	OF_TASK(cwd, "current directory in the same mount namespace", 1, 2),
	OF_TASK(fd, "what a descriptor refers to", 1000, 2000),
	OF_TASK(cloexec, "a descriptor's close-on-exec flag", FD_CLOEXEC, 0),
	PROPERTY(root, "root directory", 0, 1),
};

PLAY_TABLE(property, properties)
{
	play_property();
}

PLAY(target_memory, "memory that only the target had is not in the child")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, put_map, 99), 0);
	expect_eq(on(&t, put_heap, 98), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_map), -ENODATA);
	expect_eq(on(&k, get_heap), -ENODATA);
	expect_eq(on(&t, get_map), 99);
}

PLAY(target_fd, "a descriptor that only the target had is not the child's")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, put_fd, 500), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_fd), -EBADF);
	expect_eq(on(&t, get_fd), 500);
}
