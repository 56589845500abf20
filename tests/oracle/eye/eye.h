/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The eye: code that makes the process it runs in rich, clones it twice, by
 * fork(2) and by cloneat(2), and lets either child write down what it sees of
 * itself.
 *
 * It is one flat image for a fixed address, without a C library, made of raw
 * system calls alone, so that any program can be the caller: C of every shape,
 * Python by ctypes, Go, however many threads it has. It runs on a stack of its
 * own, and touches nothing of the program's, which is therefore the same in
 * both children.
 *
 *	caller (any program)
 *	  |  maps the image, calls eye(target, dir, options)
 *	  +-- target ...	made before (or, for "twin", after) the caller is rich
 *	  |     +-- child by cloneat --+
 *	  +-- child by fork -----------+-- text on the board (shared memory)
 *
 * The caller then prints the lines in which the two texts differ.
 */
#ifndef EYE_H
#define EYE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define EYE_BASE 0x10000000000
#define EYE_SIZE 0x200000
#define BOARD_BASE 0x11000000000
#define TEXT_SIZE (48UL << 20)
/* Pages that a busy thread of the caller writes to in this order. */
#define COUNTERS_BASE 0x12000000000
#define COUNTERS 16
struct counters { volatile unsigned long page[COUNTERS][512]; };
#define PROC_FD 100	/* /proc of the caller, in both children */

/* Options. */
#define OPT_OWN_ONLY 1	/* contents of our own mappings only: threads write */
#define OPT_RUNTIME 2	/* a language's runtime: leave it what it lives by */
#define OPT_FDS 4	/* 20,000 more descriptors */
#define OPT_MAPS 8	/* 30,000 more mappings */
#define OPT_FILTER 16	/* its own seccomp filter and no_new_privs */
#define OPT_USER 32	/* without privileges */
#define OPT_MEMORY 64	/* memory of the size of option bits 32.. (MiB) */
#define OPT_CHILD 128	/* the caller is a child of cloneat itself */
#define OPT_DUMP 256	/* print both texts whole */

struct xsave {
	uint8_t byte[16384];
} __attribute__((aligned(64)));

struct board {
	int state[2];		/* of each child: LOOKING, LOOKED, LEAVE */
	int pidfd;
	long told;		/* by a helper process */
	size_t len[2];
	int lost[2];		/* lines that did not fit */
	char text[2][TEXT_SIZE];
};

enum { LOOKING, LOOKED, LEAVE };

#define board ((struct board *)BOARD_BASE)

/* --- system calls: the result, or -errno --------------------------------- */

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define SYS_N(a, b, c, d, e, f, g, ...) \
	sys6((long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f), (long)(g))
#define sys(...) SYS_N(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* --- strings ------------------------------------------------------------- */

size_t str_len(const char *s);
int str_eq(const char *a, const char *b);
int starts(const char *s, const char *with);
long number(const char *s);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
/* %s, %d (long), %u (unsigned long), %x (the same); the length. */
size_t form(char *to, size_t size, const char *format, ...);
size_t vform(char *to, size_t size, const char *format, va_list ap);
/* Prints on standard output. */
void say(const char *format, ...);

/* --- the report of one child --------------------------------------------- */

/* "key<TAB>value": begins a line with a key, appends to it, ends it. */
void key(const char *format, ...);
void value(const char *format, ...);
void value_bytes(const void *p, size_t n);	/* text, other bytes as %xx */
void value_hex(const void *p, size_t n);
void end(void);
#define line(k, ...) (key("%s", k), value(__VA_ARGS__), end())

/* --- files --------------------------------------------------------------- */

/* Opens below /proc/self of whoever asks, in the caller's /proc. */
int open_self(const char *name, int flags);
/* The whole file into a buffer; the length, or -errno. Ends in a 0 byte. */
long slurp(const char *name, char *buf, size_t size);
/* The next line of *text, cut off, or NULL. */
char *next_line(char **text);
/* Calls fn with the name of each entry of the directory, then closes it. */
void each_entry(int dir, void (*fn)(const char *name, void *arg), void *arg);
#define BUF_SIZE (24UL << 20)
extern char *big_buf;		/* of that size, for whole files */

/* --- the parts ----------------------------------------------------------- */

struct own { unsigned long start, end; };
#define MAX_OWN 64
extern struct own own_maps[MAX_OWN];
extern int num_own;
extern unsigned long options;
extern const char *dir;		/* where the programs are */
extern char scratch[256];	/* a directory of this run */
extern long rseq_at, rseq_size;	/* the registered area, or 0 */

extern int port_allowed;	/* ioperm(2) worked */

void rich_early(void);		/* what a target must have, too */
void rich_memory(void);
void rich_memory_more(void);	/* kinds of newer kernels, or of root */
void rich_files(void);
void rich_sockets(void);
void rich_self(void);
void rich_rights(void);
void rich_filter(void);
void rich_size(void);
/* Notes whether a step of the above worked: told at the end. */
long did(const char *what, long ret);
void tell_lacking(void);

void look_registers(void);
void look_signals(void);
void look_rights(void);
void look_prctl(void);
void look_scheduling(void);
void look_files(void);
void look_proc(void);
void look_memory(void);
void look_threads(void);
void look_probes(void);
/* What the caller sees of a child that waits. */
void look_from_outside(int pid);

/* Makes the target; its pid in the caller's pid namespace, or -errno. */
long make_target(const char *kind);
void end_target(void);
/* Clones the caller with patterns in all registers: 0 in the child. */
long clone_patterned(long nr, long a, long b, long c);
long fork_raw(void);

void print_differences(void);

#endif
