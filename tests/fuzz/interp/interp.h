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
 * what to do, waits until that is done and everybody rests, and writes down
 * what is then to be seen in /proc.  An actor is a loop around its end of a
 * socket pair.  All pairs are made beforehand, at the same descriptors in
 * everybody, so that whoever is born has its channel already.
 *
 * Actors may share memory without having a thread area of their own: code in
 * actor.c uses raw system calls and its stack, never libc's errno.
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
#define TIDS 2		/* words for parent_tid_ptr and child_tid_ptr */

#define EXE_FD 90	/* this program, open in every actor */
#define CHANNEL_FD 100	/* + i: actor i's end of its channel */
#define CONTROL_FD 140	/* + i: the controller's */
#define OPEN_FD 10	/* the descriptors that programs open and close */
#define OPEN_FDS 4

#define PRIVATE_CELL 0x20000000UL
#define SHARED_CELL 0x21000000UL
#define FILE_CELL 0x22000000UL

enum kind {
	DO_SYSCALL,	/* arg: number and six arguments */
	DO_CLONE,	/* arg: flags */
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
};

/* How the arguments of a cloneat() are wrong, or not. */
enum fault {
	OK, NULL_STRUCT, NULL_FLAGS, RESERVED1, RESERVED2, RESERVED3, NO_BASE,
	NO_SIZE, WRAPS, BAD_TLS, BAD_POINTERS, THIRD_WORD, HIGH_WORD, FAULTS
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
};

extern volatile long data_cell;
extern volatile int tids[TIDS];
extern bool planted;		/* break something, for the test of the test */

void __attribute__((noreturn)) actor(int i);
void actor_memory(void);
long raw(long nr, long a, long b, long c, long d, long e, long f);

/* One program: runs ops up to the end of the text, its words into out. */
void __attribute__((noreturn)) control(const char *text, char *out,
				       size_t size);

/* --- the text of operations --- */

struct who;

extern const char *cursor;	/* what is read next */
const char *word(void);
int actor_word(void);
bool read_words(struct command *c, const char *op, const struct who *by);
void need(bool ok, const char *what);

/* --- the controller's parts ---------------------------------------------- */

struct who {
	bool born, dead, reaped, stopped;
	char state;		/* the latest, see settle() */
	bool owes;		/* an answer: it waits in vfork or is stopped */
	int vfork_child;	/* whose end it waits for, or -1 */
	int pidfd;
	int pid, tid;		/* in the controller's namespace */
	int depth;		/* of pid namespaces, the controller's is 1 */
	int num[MAX_DEPTH];	/* its number in each of them */
	uint64_t chain[MAX_DEPTH];
	char last[1024];	/* the latest description */
};

extern struct who who[MAX_ACTORS + 1];	/* the last stands for the controller */

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void identify(struct who *w, int pid, int tid);
int number_in(const struct who *viewer, const struct who *w);
void name_of(const struct who *viewer, int number, char *name, size_t size);
void settle(void);
void await_exit(struct who *w);
void look(const char *operation);

#endif
