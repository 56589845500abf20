// SPDX-License-Identifier: Apache-2.0
/* What is to be seen of an actor: namespaces, memory, files, what it shares. */
#include "interp.h"
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KNOWN 512	/* identities of one program */

/* The number in a link such as "uts:[4026531838]", or 0. */
static uint64_t identity(const struct who *w, const char *file)
{
	char target[64], *at;

	link_of(w, file, target, sizeof(target));
	at = strchr(target, '[');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/*
 * Namespaces are only equal or not: they get small numbers, by first
 * appearance.  A known one is kept alive, or its inode might come again.
 */
static int class_of(char kind, const struct who *w, const char *file)
{
	uint64_t id = identity(w, file);
	static struct { char kind; uint64_t id; } known[KNOWN];
	static int n;
	int count = 0;

	if (!id)
		return -1;
	for (int i = 0; i < n; i++) {
		if (known[i].kind != kind)
			continue;
		if (known[i].id == id)
			return count;
		count++;
	}
	if (n < KNOWN) {
		open_of(w, file);
		known[n].kind = kind;
		known[n++].id = id;
	}
	return count;
}

static void add_namespaces(struct text *t, const struct who *w)
{
	static const char *const ns[] = {
		"user", "pid", "pid_for_children", "mnt", "uts", "ipc", "net",
		"cgroup", "time", "time_for_children",
	};
	static const char kind[] = "uppmUingTT";
	char file[32];

	add(t, " ns=");
	for (int i = 0; i < 10; i++) {
		snprintf(file, sizeof(file), "ns/%s", ns[i]);
		add(t, "%s%d", i ? "," : "", class_of(kind[i], w, file));
	}
	add(t, " depth=%d", w->depth);
}

static void add_cells(struct text *t, const struct who *w)
{
	const unsigned long where[CELLS] = {
		(unsigned long)&data_cell, PRIVATE_CELL, SHARED_CELL, FILE_CELL,
	};
	int fd = open_of(w, "mem"), tid[TIDS];
	char name[16];
	long value;

	add(t, " cells=");
	for (int i = 0; i < CELLS; i++) {
		if (pread(fd, &value, sizeof(value), where[i]) != sizeof(value))
			add(t, "%s-", i ? "," : "");
		else
			add(t, "%s%ld", i ? "," : "", value);
	}
	if (pread(fd, tid, sizeof(tid), (unsigned long)tids) == sizeof(tid)) {
		for (int i = 0; i < TIDS; i++) {
			name_of(w, tid[i], name, sizeof(name));
			add(t, "%s%s", i ? "," : " tids=", name);
		}
	}
	if (fd >= 0)
		close(fd);
}

/* Which of do_open()'s files. */
static char letter(const char *target)
{
	return strstr(target, "memfd") ? 'm' : strstr(target, "eventfd") ? 'e' :
	       strstr(target, "timerfd") ? 't' :
	       strstr(target, "eventpoll") ? 'p' :
	       strstr(target, "pidfd") ? 'i' :
	       strstr(target, "socket") ? 's' :
	       strstr(target, "interp") ? 'x' : 'd';
}

/* The first other actor that has the very same open file at this number. */
static const char *file_sharer(const struct who *w, int fd)
{
	static char name[8];

	for (int i = 0; i < MAX_ACTORS; i++) {
		if (!who[i].born || who[i].dead || &who[i] == w)
			continue;
		if (syscall(SYS_kcmp, w->tid, who[i].tid, KCMP_FILE, fd, fd))
			continue;
		snprintf(name, sizeof(name), "~P%d", i);
		return name;
	}
	return "";
}

static void add_files(struct text *t, const struct who *w)
{
	char file[32], buf[1024], target[64];
	long flags, pos;

	add(t, " fds=");
	for (int fd = OPEN_FD; fd < OPEN_FD + OPEN_FDS; fd++) {
		snprintf(file, sizeof(file), "fd/%d", fd);
		if (!link_of(w, file, target, sizeof(target))) {
			add(t, "-");
			continue;
		}
		snprintf(file, sizeof(file), "fdinfo/%d", fd);
		flags = pos = -1;
		if (slurp(w, file, buf, sizeof(buf))) {
			flags = strtol(field(buf, "flags:"), NULL, 8);
			pos = strtol(field(buf, "pos:"), NULL, 10);
		}
		add(t, "%c%lo@%ld%s,", letter(target), flags, pos,
		    file_sharer(w, fd));
	}
}

static void add_paths(struct text *t, const struct who *w)
{
	char target[128];

	link_of(w, "cwd", target, sizeof(target));
	add(t, " cwd=%s", target);
	link_of(w, "root", target, sizeof(target));
	add(t, " root=%s", target);
}

/* What w shares with an actor of a lower number, as the lowest such. */
static void add_sharing(struct text *t, const struct who *w)
{
	static const struct { int what; char letter; } kinds[] = {
		{ KCMP_VM, 'v' }, { KCMP_FILES, 'f' }, { KCMP_FS, 'c' },
		{ KCMP_SIGHAND, 's' }, { KCMP_IO, 'i' }, { KCMP_SYSVSEM, 'u' },
	};

	for (int k = 0; k < 6; k++) {
		for (int i = 0; &who[i] != w; i++) {
			if (!who[i].born || who[i].dead)
				continue;
			if (syscall(SYS_kcmp, w->tid, who[i].tid, kinds[k].what, 0, 0))
				continue;
			add(t, " %c~P%d", kinds[k].letter, i);
			break;
		}
	}
}

void describe_resources(struct text *t, const struct who *w)
{
	add_namespaces(t, w);
	add_cells(t, w);
	add_files(t, w);
	add_paths(t, w);
	add_sharing(t, w);
}
