// SPDX-License-Identifier: Apache-2.0
/* Draws the processes below one, as /proc shows them. */
#include "demo.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
	pid_t pid, ppid, inner;	/* inner: its number in its own namespace */
	char comm[32];
};

/* Processes in the order of their birth, which pids are not in. */
static pid_t births[32];
static int n_births;

void born(pid_t pid)
{
	must(n_births < 32, "few births");
	births[n_births++] = pid;
}

static int rank(pid_t pid)
{
	int i = 0;

	while (i < n_births && births[i] != pid)
		i++;
	return i;
}

static int by_birth(const void *a, const void *b)
{
	return rank(((const struct process *)a)->pid) - rank(((const struct process *)b)->pid);
}

/* Colours only where somebody looks at them. */
const char *paint(const char *sgr)
{
	return isatty(1) ? sgr : "";
}

static bool look(pid_t pid, struct process *p)
{
	char path[64], line[256];
	FILE *f;

	memset(p, 0, sizeof(*p));
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	p->pid = pid;
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "Name:\t%31s", p->comm);
		sscanf(line, "PPid:\t%d", &p->ppid);
		if (!strncmp(line, "NSpid:", 6))
			p->inner = atoi(strrchr(line, '\t'));
	}
	fclose(f);
	return true;
}

pid_t parent_of(pid_t pid)
{
	struct process p;

	return look(pid, &p) ? p.ppid : -1;
}

/* The children of a process, the oldest first; returns how many. */
static int children(pid_t of, struct process *out, int max)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	int n = 0;

	must(proc, "/proc");
	while (n < max && (e = readdir(proc)))
		if (atoi(e->d_name) > 0 && look(atoi(e->d_name), &out[n]) &&
		    out[n].ppid == of)
			n++;
	closedir(proc);
	qsort(out, n, sizeof(*out), by_birth);
	return n;
}

static void annotate(const struct process *p, int column, const struct call *calls, int n)
{
	for (int i = 0; i < n; i++) {
		const struct call *c = &calls[i];

		if (c->result != p->pid)
			continue;
		printf("%*s%s<- cloneat(%d, %d)  %s, %s%s", 30 - column, "", paint("\033[32m"),
		       c->target, c->hint, c->engine, c->took, paint("\033[0m"));
	}
}

static void draw(const struct process *p, const char *indent, const char *joint,
		 const struct call *calls, int n)
{
	struct process kids[32];
	char deeper[128];
	int count, column;

	/* A joint is three columns wide, whatever its bytes. */
	column = printf("%s %d", p->comm, p->pid);
	if (p->inner != p->pid)
		column += printf(" (%d inside)", p->inner);
	annotate(p, column + (*joint ? 3 : 0) + (*indent ? 3 : 0), calls, n);
	putchar('\n');

	count = children(p->pid, kids, 32);
	for (int i = 0; i < count; i++) {
		bool last = i == count - 1;

		printf("  %s%s", indent, last ? "└─ " : "├─ ");
		snprintf(deeper, sizeof(deeper), "%s%s", indent, last ? "   " : "│  ");
		draw(&kids[i], deeper, "├─ ", calls, n);
	}
}

void draw_tree(pid_t root, const struct call *calls, int n)
{
	struct process p;

	must(look(root, &p), "the caller in /proc");
	printf("  ");
	draw(&p, "", "", calls, n);
	putchar('\n');
}
