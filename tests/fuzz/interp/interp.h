/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter of random programs.  Processes of one program:
 *
 *	main ---- controller (init of a pid namespace of its own, "I")
 *	            +-- actor P0
 *	            |     +-- actors P1, P2 ... wherever the program puts them
 *	            +-- whatever lost its parent
 *
 * The controller carries out one operation after the other: it tells one actor
 * what to do, waits until that is done and everybody rests (rest.c), and writes
 * down what is then to be seen in /proc.  An actor is a loop around its end of
 * a socket pair.  All pairs are made beforehand, at the same descriptors in
 * everybody, so that whoever is born has its channel already.
 *
 *	main.c		programs side by side
 *	control.c	one program, operation by operation
 *	words.c		an operation's text
 *	channel.c	to actors and back
 *	birth.c		who is born, and under which name
 *	await.c		what comes of an operation
 *	result.c	and its words
 *	names.c		who is who, in nested namespaces
 *	rest.c		until nothing is under way
 *	proc.c		small files in /proc
 *	look.c		what has changed
 *	describe.c	family, credentials, signals
 *	resources.c	namespaces, memory, files; what is shared
 *	memory.c	mappings
 *	report.c	what only the actor itself can tell
 *	actor.c		the other end
 *	make.c, deeds.c, traits.c	what an actor does
 *
 * Actors may share memory without having a thread area of their own: their code
 * uses raw system calls and its stack, never libc's errno.
 */
#ifndef INTERP_H
#define INTERP_H

#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_ACTORS 24
#define MAX_DEPTH 8
#define CELLS 4
#define TEXT 4096	/* of a description */
#define TIDS 2		/* words for parent_tid_ptr and child_tid_ptr */

#define EXE_FD 90	/* this program, open in every actor */
#define CHANNEL_FD 100	/* + i: actor i's end of its channel */
#define CONTROL_FD 140	/* + i: the controller's */
#define OPEN_FD 10	/* the descriptors that programs open and close */
#define OPEN_FDS 4

#define PRIVATE_CELL 0x100000UL
#define SHARED_CELL 0x110000UL
#define FILE_CELL 0x120000UL
#define MEM 0x130000UL /* where programs make mappings */
#define MEM_PAGES 8UL
#define SEM_KEY 77
#define SHM_KEY 78
#define REPORTS 25	/* what an actor tells of itself */

/* --- what the controller tells an actor, and hears ------------------------ */

enum kind {
	DO_SYSCALL,	/* arg: number and six arguments */
	DO_CLONE,	/* arg: flags */
	DO_CLONE3,	/* arg: flags, numbers: the innermost first */
	DO_CLONEAT,	/* arg: pid, hint; the rest in at */
	DO_EXEC,
	DO_WAIT,	/* arg: pid; extra: the status */
	DO_WRITE,	/* arg: cell, value */
	DO_OPEN,	/* arg: descriptor, what */
	DO_SETID,	/* arg: id */
	DO_CAPS,	/* arg: what stays: 64 bits */
	DO_SIGNAL,	/* arg: number, 0 default, 1 ignore, 2 handler */
	DO_BLOCK,	/* arg: mask */
	DO_SETNS,	/* arg: pid, flags */
	DO_RLIMIT,	/* arg: resource, value */
	DO_REPORT,	/* the traits into report */
	DO_SCHED,	/* arg: policy, priority, niceness, flags; here: traits.c */
	DO_ALTSTACK,	/* arg: address, size, flags */
	DO_CAPSETS,	/* arg: effective, permitted, inheritable */
	DO_FILTER,	/* arg: a call's number, its error or 0 */
	DO_KEYRING,	/* arg: name */
	DO_TIMER,	/* arg: seconds */
	DO_PATH,	/* arg: chdir or chroot, which path */
	DO_MOUNT,	/* arg: flags */
	DO_OOM,		/* arg: oom_score_adj */
	DO_IDMAP,
	DO_SOFTLIMIT,	/* arg: resource, value */
	DO_COMM,	/* arg: name */
	DO_POKE,	/* arg: page, value */
	DO_SEM,		/* arg: what is added to the semaphore, until the end */
	DO_SHM,		/* arg: attach, detach or remove; page, flags */
	DO_BRK,		/* arg: by how many pages */
	DO_LOCK,	/* arg: descriptor, fcntl(2)'s command, type */
};

/* How the arguments of a cloneat() are wrong, or not. */
enum fault {
	OK, NULL_STRUCT, NULL_FLAGS, RESERVED1, RESERVED2, RESERVED3, NO_BASE,
	NO_SIZE, WRAPS, BAD_TLS, BAD_POINTERS, THIRD_WORD, HIGH_WORD,
	READ_ONLY, STRUCT_EDGE, ARRAY_EDGE, LONG_ARRAY, FAULTS
};

struct at {
	uint32_t word[2];
	int size;		/* bytes */
	enum fault fault;
};

struct command {
	enum kind kind;
	int child;		/* the actor that a birth makes */
	long arg[7];
	struct at at;
};

struct answer {
	long ret;		/* < 0: -errno */
	int tid;		/* as the actor itself sees it */
	int extra;
	long report[REPORTS];
};

/* --- actors --------------------------------------------------------------- */

extern volatile long data_cell;
extern long first_brk;
extern volatile int tids[TIDS];

void __attribute__((noreturn)) actor(int i);
void actor_memory(void);
long raw(long nr, long a, long b, long c, long d, long e, long f);
long do_clone(const struct command *c);
long do_clone3(const struct command *c);
long do_cloneat(const struct command *c, struct answer *answer);
long do_deed(int i, const struct command *c, struct answer *answer);
long do_trait(const struct command *c);
void do_report(long *report);
bool is_own(long fd);
bool is_tls(unsigned long at);	/* what CLONE_SETTLS gives a child */

/* --- the controller ------------------------------------------------------- */

/* What /proc/PID/stat says; numbers are those of the controller's namespace. */
struct stat_line {
	int state;		/* a letter; E: on its way out, X: gone */
	int ppid, pgrp, session, exit_signal;
};

struct who {
	bool born;
	bool dead;		/* a zombie, or E or X */
	bool reaped;		/* X */
	bool stopped;
	bool freed;		/* and its number is free */
	bool owes;		/* an answer: it waits in vfork or is stopped */
	bool early;		/* has answered already what it owes: early_ret */
	bool released;		/* executed: who made it by vfork goes on */
	long early_ret;
	int vfork_child;	/* whose end it waits for, or -1 */
	struct stat_line stat;	/* the latest of settle()'s passes */
	int stat_fd, syscall_fd, pidfd;
	int pid, tid;		/* in the controller's namespace */
	int depth;		/* of pid namespaces, the controller's is 1 */
	int num[MAX_DEPTH];	/* its number in each of them */
	uint64_t chain[MAX_DEPTH];
	char last[TEXT];	/* the latest description */
};

/* The last stands for the controller. */
extern struct who who[MAX_ACTORS + 1];
extern bool planted;		/* break something, for the test of the test */

/* One program: runs ops up to the end of the text, its words into out. */
void __attribute__((noreturn)) control(const char *text, char *out,
				       size_t size);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void need(bool ok, const char *what);

extern const char *cursor;	/* what is read next */
const char *word(void);
int actor_word(void);
bool read_words(struct command *c, const char *op, const struct who *by);

void make_channels(void);
void tell(int i, const struct command *c);
int hear(int i, struct answer *a);
bool readable(int i);

void first_actor(void);
void meet(int i);

void run(int i, const struct command *c);
bool await(int i, const struct command *c);
bool stops(const struct command *c);	/* sends SIGSTOP */
void collect(void);
bool makes_child(const struct command *c);
bool wants_pidfd(const struct command *c);

void say_number(int i, long number);
void say_result(int i, const struct command *c, const struct answer *a);
void check_pidfd(int i, int fd);

void identify(struct who *w, int pid, int tid);

/* The vfork child that w waits for, or NULL. */
static inline struct who *vfork_child_of(const struct who *w)
{
	return w->owes && w->vfork_child >= 0 ? &who[w->vfork_child] : NULL;
}
int number_in(const struct who *viewer, const struct who *w);
void name_of(const struct who *viewer, int number, char *name, size_t size);

void settle(void);
void pause_briefly(int round);
struct stat_line read_stat(const struct who *w);

int open_of(const struct who *w, const char *file);
char *slurp(const struct who *w, const char *file, char *buf, size_t room);
char *again(int fd, char *buf, size_t room);
const char *field(const char *status, const char *key);
bool link_of(const struct who *w, const char *file, char *target, size_t room);

/* --- descriptions --------------------------------------------------------- */

struct text {
	char buf[TEXT];
	size_t n;
};

void add(struct text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void describe(struct text *t, const struct who *w);
void describe_more(struct text *t, const struct who *w);
void describe_resources(struct text *t, const struct who *w);
void describe_memory(struct text *t, const struct who *w);
void describe_report(struct text *t, const struct who *w);
void look(const char *operation);

#endif
