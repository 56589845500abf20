/* SPDX-License-Identifier: GPL-2.0 */
/* Scenes that many plays have. */
#ifndef SCENE_H
#define SCENE_H

#include "actor.h"

#define EXITED(code) ((code) << 8)

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

/* Executes this program: the answer is its pid, from the new image. */
long do_execute_loop(struct msg *m);

#endif /* SCENE_H */
