// SPDX-License-Identifier: GPL-2.0
/*
 * How the kernel describes a process's memory, and what of it is named, comes
 * from the caller, whoever the target is (see property.h).
 */
#include "property.h"

static long hash_of(const char *path)
{
	unsigned char buf[4096];
	unsigned long h = 5381;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			h = h * 33 + buf[i];
	close(fd);
	return h >> 1;
}

static long get_cmdline(struct msg *m)
{
	(void)m;
	return hash_of("/proc/self/cmdline");
}

static long get_environ(struct msg *m)
{
	(void)m;
	return hash_of("/proc/self/environ");
}

static long get_auxv(struct msg *m)
{
	(void)m;
	return hash_of("/proc/self/auxv");
}

static long get_maps(struct msg *m)
{
	(void)m;
	return hash_of("/proc/self/maps");
}

static long get_exe(struct msg *m)
{
	struct stat st;

	(void)m;
	return stat("/proc/self/exe", &st) ? -errno : (long)st.st_ino;
}

/* Counted from where it was. */
static char *heap_end;

static long get_brk(struct msg *m)
{
	(void)m;
	return (char *)sbrk(0) - heap_end;
}

static long put_brk(struct msg *m)
{
	heap_end = sbrk(m->arg[0]);
	return heap_end == (void *)-1 ? -errno : 0;
}

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static char *named;

/* -EINVAL: this kernel knows no names (CONFIG_ANON_VMA_NAME). */
static long put_name(struct msg *m)
{
	char name[16];

	if (!named)
		named = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	snprintf(name, sizeof(name), "cloneat %ld", m->arg[0]);
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named + PAGE, PAGE,
		     m->arg[0] ? name : NULL) ? -errno : 0;
}

/* Of that page alone. */
static long get_name(struct msg *m)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[256];
	long number = 0;

	(void)m;
	while (f && fgets(line, sizeof(line), f)) {
		char *name = strstr(line, "[anon:cloneat ");

		if (!name)
			continue;
		if (strtoul(line, NULL, 16) != (unsigned long)named + PAGE ||
		    number)
			number = -EBADMSG;
		else
			number = atol(name + strlen("[anon:cloneat "));
	}
	if (f)
		fclose(f);
	return number;
}

#define get_name_only get_name
#define put_name_only put_name
#define get_name_none get_name
#define put_name_none put_name

static const struct property properties[] = {
	PROPERTY(name, "the name of memory", 17, 18),
	PROPERTY(name_only, "the name of memory that the target has not named", 17, 0),
	PROPERTY(name_none, "no name for memory that the target has named", 0, 18),
	PROPERTY(brk, "the end of the heap", 4096, 40960),
	SEEN(cmdline, "/proc/self/cmdline"),
	SEEN(environ, "/proc/self/environ"),
	SEEN(auxv, "/proc/self/auxv"),
	SEEN(maps, "/proc/self/maps, to the letter"),
	SEEN(exe, "/proc/self/exe"),
};

PLAY_TABLE(property, properties)
{
	const struct property *p = ct_arg();

	if (p->get == get_name && on(&me, put_name, 1) == -EINVAL)
		ct_skip("this kernel has no names for memory");
	play_property();
}
