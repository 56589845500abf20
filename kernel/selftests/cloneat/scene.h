/* SPDX-License-Identifier: GPL-2.0 */
/* Scenes that many plays have. */
#ifndef SCENE_H
#define SCENE_H

#include "actor.h"

#define EXITED(code) ((code) << 8)
#define ENOTSUPP 524		/* which is not to be seen outside of kernels */

/* me puts a kid below t: t is its parent, is told of its end and reaps it. */
void child_of(struct actor *t);
/* The actor `by` may not name pid. */
void refused(struct actor *by, pid_t pid, int err);

/* A thread of the actor a. */
void thread_of(struct actor *a, struct actor *thread);
/* The leader of a ends, alone; its threads live on. */
void kill_leader(struct actor *a);
/* me -> t, whose leader is dead and whose thread lives. */
void dead_leader(struct actor *t, struct actor *thread);
/* The thread ends, with status arg[0]: to start(), there is no answer. */
long do_exit_thread(struct msg *m);

/* Blocks SIGCHLD and SIGUSR1, so that they can be looked for. */
long do_block(struct msg *m);
/* Takes the signal arg[0] if it is pending, else -EAGAIN: siginfo_of(). */
long do_take_signal(struct msg *m);
/* Waits for the signal arg[0]: siginfo_of(). */
long do_wait_signal(struct msg *m);

/* Ignores SIGCHLD; with arg[0] by SA_NOCLDWAIT. */
long do_ignore_sigchld(struct msg *m);
long do_drop(struct msg *m);	/* a capability, arg[0] */

/* Executes this program: the answer is its pid, from the new image. */
long do_execute_loop(struct msg *m);

/* The same with the copy of this program that buf names. */
long do_execute(struct msg *m);
/* Into the file of that name. */
void copy_program(const char *path, mode_t mode);

/* become(arg[0]) */
long do_become(struct msg *m);
long do_chdir(struct msg *m);	/* to the directory that buf names */

/*
 * A copy of this program that belongs to root and is set-user-ID.  Actors that
 * were made later know its name: do_execute_setuid() executes it, and the
 * answer is its pid, from the new image.  Whoever made it unlinks it.
 */
extern char setuid_path[];
void make_setuid_program(void);
long do_execute_setuid(struct msg *m);

/* A target in a time namespace of its own, with its clocks a day ahead. */
void spawn_in_time(struct actor *t);
/* Every namespace a and b are in, but those named, is the same. */
void same_ns(pid_t a, pid_t b, const char *but);
extern const char *const ns_names[];	/* all kinds but user; NULL at the end */

/* Plays n scenes at a time, each in a process of its own. */
void side_by_side(int n, void (*play)(int i));
/* Leads a process group, and counts the signals arg[0] that it gets. */
long do_count_hits(struct msg *m);
long do_hits(struct msg *m);
extern volatile sig_atomic_t hits;

/* The target kinds that every inherited thing is tried with. */
enum kind { SELF, FORKED, EXECUTED, SHARED };

/* One check for each kind, of a function fn(kind): rows of an array of these. */
struct kinds {
	const char *name;
	const char *verdict;
	enum kind kind;
	void (*play)(enum kind kind);
};

#define KINDS(fn, text)							\
	{ #fn "_self", text " (target: self)", SELF, fn },		\
	{ #fn "_forked", text " (target: forked)", FORKED, fn },	\
	{ #fn "_executed", text " (target: executed)", EXECUTED, fn }

/* The body of a PLAY_TABLE of struct kinds. */
void play_kind(void);

/* A target of that kind: in store, or me. */
struct actor *target_of(enum kind kind, struct actor *store);
/* A kid that me puts below a new target of that kind. */
void kid_of(enum kind kind, struct actor *kid);

#endif /* SCENE_H */
