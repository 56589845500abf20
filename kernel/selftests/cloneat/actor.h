/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Actors: the processes of a check, each doing what the check tells it.
 *
 *	check (me) ──socket──► actor ──► actor ...
 *
 * A check is written from one place only, the test process.  It draws a tree
 * of actors, lets any of them run a function (on()), and judges the results
 * itself.  Nobody sleeps and nobody guesses: a command has been carried out
 * when its answer arrives.  A function runs in the actor's process, so that it
 * must not rely on memory of the test process, only on its struct msg.
 *
 * An actor ends when its command socket closes, that is with the check.
 */
#ifndef ACTOR_H
#define ACTOR_H

#include "cloneat_test.h"

#define ACTOR_BUF 1024

/* A command and its answer. */
struct msg {
	long off;		/* the function, relative to actor_loop() */
	long arg[6];
	long ret;		/* what it returned: < 0 is -errno */
	int fd;			/* in an answer: a descriptor to hand over */
	int own;		/* in the actor: its command socket */
	char buf[ACTOR_BUF];	/* goes along both ways */
};

typedef long (*actor_fn)(struct msg *m);

struct actor {
	pid_t pid;		/* as the test process sees it */
	pid_t vpid;		/* as its creator was told */
	int fd;			/* commands; -1: the test process itself */
	struct msg m;		/* the latest answer */
};

/* The test process as an actor. */
extern struct actor me;

/* Run fn in the actor; the answer stays in a->m. */
long actor_on(struct actor *a, actor_fn fn, const long arg[6]);
void actor_start(struct actor *a, actor_fn fn, const long arg[6]);
long actor_finish(struct actor *a);
/* Is the answer there? */
bool answered(struct actor *a);
/* It is not: the actor is still about its command. */
#define expect_busy(a) (ct_at(CT_LINE), actor_busy(CT_LINE, a))
void actor_busy(int line, struct actor *a);
#define ARGS(...) ((const long[6]) { __VA_ARGS__ })
#define on(a, fn, ...) actor_on(a, fn, ARGS(__VA_ARGS__))
#define start(a, fn, ...) actor_start(a, fn, ARGS(__VA_ARGS__))
#define sys(a, nr, ...) actor_on(a, do_syscall, ARGS(nr, ##__VA_ARGS__))

/* A system call with up to five scalar arguments. */
long do_syscall(struct msg *m);
/* wait4(arg[0], , arg[1]): see status_of() and rusage_of(). */
long do_wait4(struct msg *m);
/* waitid(arg[0], arg[1], , arg[2]): see siginfo_of(). */
long do_waitid(struct msg *m);

static inline int status_of(struct actor *a)
{
	return *(int *)(void *)a->m.buf;
}

static inline struct rusage *rusage_of(struct actor *a)
{
	return (void *)(a->m.buf + 16);
}

static inline siginfo_t *siginfo_of(struct actor *a)
{
	return (void *)a->m.buf;
}

/* How an actor comes to be, besides the CLONE_* of its flags. */
#define ACTOR_EXEC (1ULL << 40)	/* then executes this program anew */
#define ACTOR_THREAD (1ULL << 41)	/* is a POSIX thread of its parent */
#define ACTOR_PROC (1ULL << 42)	/* with CLONE_NEWNS: mounts its own /proc */
#define ACTOR_MAPROOT (1ULL << 43)	/* with CLONE_NEWUSER: ids map 1:1 */

/*
 * Make an actor a below parent.  flags: CLONE_* and ACTOR_*.
 * Returns its id as the parent sees it, or -errno.
 */
long spawn(struct actor *parent, struct actor *a, uint64_t flags);

/* Word 1 of the flags, from a CLONEXT_* index. */
#define EXT(index) (1ULL << (index))
/* The classic mask, or'ed with EXT()s: what cl() takes as flags. */
#define FLAGS0(f) ((uint32_t)(f))
#define FLAGS1(f) ((uint32_t)((f) >> 32))

/* What is rarely asked for. */
struct extra {
	uint64_t stack, stack_size, ptid, ctid, tls;
};

/*
 * The actor `by` calls cloneat(); the child is the actor kid.  target is a
 * number in the pid namespace of `by`.  An exit signal of 0 in flags means
 * SIGCHLD, unless NOSIGNAL is set.  Returns what cloneat() returned, or -errno.
 */
#define NOSIGNAL (1ULL << 7)
long cl(struct actor *by, struct actor *kid, pid_t target, pid_t hint,
	uint64_t flags);
long cl_extra(struct actor *by, struct actor *kid, pid_t target, pid_t hint,
	      uint64_t flags, const struct extra *x);

/*
 * The same in two steps, while others do something.  kid->pid is -1 if the
 * child died before it said hello.
 */
void cl_start(struct actor *by, pid_t target, pid_t hint, uint64_t flags);
long cl_finish(struct actor *by, struct actor *kid);

/* End an actor: it exits with code.  Its parent has a zombie to reap. */
void quit(struct actor *a, int code);
/* The number that a has in the pid namespace of p, which is above or its own. */
pid_t number_in(struct actor *a, struct actor *p);
/* quit() and reap by the actor p; returns the wait status or -errno. */
long end(struct actor *a, struct actor *p, int code);

/* Identity of /proc/PID/FILE (a link), such as "ns/uts", "exe", "root"; or 0. */
uint64_t proc_link(pid_t pid, const char *file);
/* Is id listed in /proc/PID/task/PID/children? */
bool proc_child(pid_t pid, pid_t id);
/* The process's latest child, or 0. */
pid_t latest_child(pid_t pid);
/* Wait until the actor is blocked in system call nr, or has answered. */
void wait_blocked(struct actor *a, long nr);
/* Does it sleep in a system call? */
bool is_asleep(pid_t tid);
/*
 * The same in whatever call: one that was interrupted may go on as another,
 * such as restart_syscall().
 */
void wait_asleep(struct actor *a);

/*
 * A check in which actors play.  What still lives at its end is killed here,
 * so that a check has to quit() only those whose end it looks at.
 */
#define PLAY(fn, text) PLAY_BODY(CHECK, fn, text)
#define PLAY_DOCUMENTED(fn, text, why)					\
	static void fn##_play(void);					\
	CHECK_DOCUMENTED(fn, text, why)					\
	{								\
		fn##_play();						\
		settle();						\
	}								\
	static void fn##_play(void)
#define PLAY_BODY(kind, fn, arg)					\
	static void fn##_play(void);					\
	kind(fn, arg)							\
	{								\
		fn##_play();						\
		settle();						\
	}								\
	static void fn##_play(void)
#define PLAY_TABLE(fn, table) PLAY_BODY(CHECK_TABLE, fn, table)

/* Kill whatever lives below the keeper but us; how many there were. */
int settle(void);

/* What an actor does all its life. */
void actor_loop(int fd) __attribute__((noreturn));

#endif /* ACTOR_H */
