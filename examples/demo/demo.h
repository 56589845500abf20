/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of the demo: see demo.c for the story. */
#ifndef DEMO_H
#define DEMO_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <sys/types.h>

/* What a child of cloneat() finds out about itself. */
struct report {
	pid_t pid, ppid;	/* as the child itself sees them */
	unsigned long secret;	/* the caller's memory */
	char host[65];
};

/* A call and what became of it. */
struct call {
	const char *what;
	pid_t target, hint;
	long result;		/* pid, or -errno */
	char engine[32];	/* from the trace; "kernel" without one */
	char took[32];
	struct report said;
};

/* actors.c: the processes that the caller clones itself into. */
struct actor {
	pid_t pid;
	int to, from;		/* the caller's ends of its pipes */
};

struct actor start_forked(void);
struct actor start_cat(void);
struct actor start_container(void);
bool cat_echoes(struct actor *cat);
int reaped_by(struct actor *target, pid_t child);
pid_t free_pid(void);

/* trace.c: the supervisor's own account of each call. */
void trace_open(const char *path);
void trace_next(struct call *call, double ms);

/* tree.c: drawing. */
void born(pid_t pid);
void draw_tree(pid_t root, const struct call *calls, int n);
pid_t parent_of(pid_t pid);
const char *paint(const char *sgr);

_Noreturn void fatal(const char *what);
void must(bool ok, const char *what);

#endif
