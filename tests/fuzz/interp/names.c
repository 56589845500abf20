// SPDX-License-Identifier: Apache-2.0
/* Who is who: numbers in nested pid namespaces, and names for them. */
#include "interp.h"
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct who who[MAX_ACTORS + 1] = { [MAX_ACTORS] = { .depth = 1 } };

/* The pid namespaces of w, outermost (the controller's) first. */
static void read_chain(struct who *w)
{
	uint64_t up[MAX_DEPTH];
	int fd = open_of(w, "ns/pid"), parent, n = 0;
	struct stat st;

	while (fd >= 0 && n < MAX_DEPTH && !fstat(fd, &st)) {
		up[n++] = st.st_ino;
		parent = ioctl(fd, NS_GET_PARENT);
		close(fd);
		fd = parent;
	}
	for (int i = 0; i < w->depth && i < n; i++)
		w->chain[i] = up[w->depth - 1 - i];
}

static void read_numbers(struct who *w, const char *status)
{
	const char *at = field(status, "\nNSpid:");
	char *end;

	w->depth = 0;
	while (w->depth < MAX_DEPTH) {
		w->num[w->depth] = strtol(at, &end, 10);
		if (end == at || memchr(at, '\n', end - at))
			break;
		at = end;
		w->depth++;
	}
}

static void reopen(const struct who *w, const char *file, int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = open_of(w, file);
}

void identify(struct who *w, int pid, int tid)
{
	char buf[4096];

	w->pid = pid;
	w->tid = tid;
	w->depth = 0;
	reopen(w, "stat", &w->stat_fd);
	reopen(w, "syscall", &w->syscall_fd);
	if (!slurp(w, "status", buf, sizeof(buf)))
		return;
	read_numbers(w, buf);
	read_chain(w);
}

int number_in(const struct who *viewer, const struct who *w)
{
	int at = viewer->depth - 1;

	if (!w->born || w->depth < viewer->depth || at < 0 ||
	    w->chain[at] != viewer->chain[at])
		return 0;
	return w->num[at];
}

static int index_of(const struct who *viewer, int number)
{
	int old = -1;

	for (int i = MAX_ACTORS - 1; i >= 0; i--) {
		if (number_in(viewer, &who[i]) != number)
			continue;
		if (!who[i].reaped)
			return i;
		if (old < 0)
			old = i;
	}
	return old;
}

/* P3, I for the controller, ? for a number that says nothing. */
void name_of(const struct who *viewer, int number, char *name, size_t size)
{
	int i = number > 0 ? index_of(viewer, number) : -1;

	if (i >= 0)
		snprintf(name, size, "P%d", i);
	else if (number == 1 && viewer->depth == 1)
		snprintf(name, size, "I");
	else if (number > 300 || number <= 1)
		snprintf(name, size, "%d", number);
	else
		snprintf(name, size, "?");
}
