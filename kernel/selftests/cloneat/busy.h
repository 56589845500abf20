/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets that are busy: blocked in a call, in a handler, spinning ...  Kids
 * are made below them meanwhile, and they must not notice.
 *
 *	check (caller) ----- releases ----+
 *	  +-- target     blocked in a call <-
 *	        +-- kids  made meanwhile
 */
#ifndef BUSY_H
#define BUSY_H

#include "scene.h"
#include <sys/socket.h>
#include <sys/un.h>

/* What target and check share: made before the target is. */
extern int p[2];	/* a pipe, or a pair of sockets */
extern struct sockaddr_un name; /* of that socket */
extern socklen_t name_len;
extern int sem, queue;	/* of System V, or -1 */

/* A call to be blocked in. */
struct block {
	const char *name;
	const char *verdict;
	long nr;			/* what it is blocked in */
	void (*make)(void);		/* by the check, before the target */
	long (*fn)(struct msg *m);	/* the target */
	void (*release)(struct actor *t); /* the check ends the wait */
	long result;			/* what fn then returns */
};

#define BLOCK(what, nr, make, release, result)				\
	{ #what, "the target is blocked in " #what, nr, make, in_##what, \
	  release, result }

/* The body of a PLAY_TABLE of struct block. */
void play_block(void);

void make_nothing(void);
void make_pipe(void);
void make_sockets(void);
void make_full_pipe(void);
void make_mq(void);	/* p[0] is a queue, with room for one byte */
void make_sem(void);
void make_queue(void);
void remove_ipc(void);	/* sem and queue */
void make_named(int type); /* p[0] is a socket with a name of its own */
void nothing(struct actor *t);	/* it ends by itself */
void wake(struct actor *t);	/* sets slot 1 */
void send_byte(struct actor *t);	/* a 'b' */
void drain(struct actor *t);
void signal_usr1(struct actor *t);

static inline long errno_of(long ret)
{
	return ret < 0 ? -errno : ret;
}

/*
 * A system call whose caller sees that no register is changed but the result,
 * and those that the instruction itself changes: else -EBADMSG.
 */
long kept_call(long nr, long a, long b, long c, long d, long e, long f);

/* Handlers, masks, pending signals and memory of a process, as one text. */
void portrait(pid_t pid, char *text, size_t size);

/* Adds /proc/PID/NAME, or its lines that begin with one of these words. */
void add_file(pid_t pid, const char *name, const char *const *keep, char *text,
	      size_t size);

/* What a target looks like before and after it was used. */
void expect_alike(const char *before, const char *after);

/*
 * For an actor and whom it spawns: ppoll(2) and sendto(2) are deadly. Nobody
 * here makes them but in place of another call.
 */
long do_forbid(struct msg *m);

#define KIDS 3
/* Kids are made below the busy target, and it stays as it was. */
void use_target(struct actor *t, struct actor kid[KIDS]);
void end_kids(struct actor kid[KIDS]);
/* The target, idle again, finds these kids and nobody else. */
void reap_kids(struct actor *t);

#endif /* BUSY_H */
