// SPDX-License-Identifier: Apache-2.0
/* What is to be seen of the memory in which programs make mappings. */
#include "interp.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROOM (1 << 16)

/* Flags that every kernel shows, and that a program has chosen. */
static const char *const flags[] = {
	"mr", "mw", "me", "sh", "lo", "rr", "sr", "dc", "dd", "wf", "nr",
	"gd",
};

struct mapping {
	unsigned long from, to;
	char what[128];		/* all but its place */
};

static void add_flags(struct mapping *m, const char *line)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const char *at = strstr(line, flags[i]);

		if (at && at < line + strcspn(line, "\n"))
			sprintf(m->what + strlen(m->what), "+%s", flags[i]);
	}
}

/* Neighbours that are alike may be one mapping or two: that is the kernel's. */
static void add_mapping(struct text *t, struct mapping *last,
			const struct mapping *m)
{
	if (m && last->to == m->from && !strcmp(last->what, m->what)) {
		last->to = m->to;
		return;
	}
	if (last->to)
		add(t, " map=%lu-%lu:%s", (last->from - MEM) / 4096,
		    (last->to - MEM) / 4096, last->what);
	if (m)
		*last = *m;
}

/* The pages of a file are named by where the mapping's page 0 would be. */
static void add_mappings(struct text *t, char *smaps)
{
	struct mapping last = { 0 }, m;
	unsigned long offset;
	char perms[8], name[64];

	for (char *line = strtok(smaps, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, "%lx-%lx %7s %lx %*s %*s%63[^\n]", &m.from, &m.to,
			   perms, &offset, name) < 4 ||
		    m.from < MEM || m.to > MEM + MEM_PAGES * 4096)
			continue;
		snprintf(m.what, sizeof(m.what), "%s", perms);
		if (strstr(line, "memfd:"))
			sprintf(m.what + strlen(m.what), "@%ld",
				(long)(offset - (m.from - MEM)) / 4096);
		else if (strstr(line, "/SYSV"))
			strcat(m.what, "@shm");
		else if (strchr(line, '/'))
			strcat(m.what, "@zero");
		while (line && strncmp(line, "VmFlags:", 8))
			line = strtok(NULL, "\n");
		if (!line)
			break;
		add_flags(&m, line + 8);
		add_mapping(t, &last, &m);
	}
	add_mapping(t, &last, NULL);
}

/* As the actor itself could read them, if it could. */
static void add_pages(struct text *t, const struct who *w)
{
	long value;

	add(t, " pages=");
	for (unsigned long i = 0; i < MEM_PAGES; i++) {
		struct iovec to = { &value, sizeof(value) };
		struct iovec from = { (void *)(MEM + i * 4096), sizeof(value) };

		if (process_vm_readv(w->tid, &to, 1, &from, 1, 0) < 0)
			add(t, "%s-", i ? "," : "");
		else
			add(t, "%s%ld", i ? "," : "", value);
	}
}

void describe_memory(struct text *t, const struct who *w)
{
	static char buf[ROOM];
	int fd = open_of(w, "smaps");
	size_t n = 0;
	ssize_t got;

	while (fd >= 0 && (got = read(fd, buf + n, ROOM - 1 - n)) > 0)
		n += got;
	buf[n] = '\0';
	if (fd >= 0)
		close(fd);
	add_mappings(t, buf);
	add_pages(t, w);
}
