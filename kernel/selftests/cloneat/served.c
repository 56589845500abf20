// SPDX-License-Identifier: GPL-2.0
/*
 * Files of a server that does not answer (FUSE): fork() asks it nothing, and
 * nobody has to wait for it but whom the manual page names.
 *
 *	check
 *	  +-- server    of a directory with one file, this program
 *	  +-- a         the caller, which has something of it
 *	  |     +-- t         its target, executed
 *	  +-- other     somebody else's target
 */
#include "fuse.h"

/* --- what the caller has of it ----------------------------------------------------------- */

static long do_chroot(struct msg *m)
{
	return chroot(m->buf) ? -errno : 0;
}

static long do_open(struct msg *m)
{
	int fd = open(m->buf, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static long do_open_more(struct msg *m)
{
	long fd = do_open(m);

	return fd < 0 ? fd : do_open(m);
}

static long do_map(struct msg *m)
{
	int fd = open(m->buf, O_RDONLY | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return -errno;
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return p == MAP_FAILED ? -errno : 0;
}

/* All of the program is there: from here on it needs its server no more. */
static long do_lock(struct msg *m)
{
	(void)m;
	return mlockall(MCL_CURRENT) || munlockall() ? -errno : 0;
}

struct hold {
	const char *name, *verdict;
	actor_fn have;
	const char *what;
	long opcode, before;
	void (*play)(const struct hold *h);
};

static void have(struct actor *a, const struct hold *h)
{
	snprintf(a->m.buf, sizeof(a->m.buf), "%s", h->what);
	expect(on(a, h->have) >= 0);
	expect_eq(on(a, do_lock), 0);
}

/* check -> a, which has it -> t */
static void cast(struct actor *a, struct actor *t, const struct hold *h)
{
	spawn(&me, a, 0);
	spawn(a, t, ACTOR_EXEC);
	have(a, h);
	server[BEFORE] = h->before;
	server[HELD] = h->opcode;
}

#define HOLD(fn, text, have, what, opcode, before, play)		\
	{ #fn, "who serves the caller's " text, have, what, opcode, before, play }

/* --- who need not answer ----------------------------------------------------------------- */

static const struct hold unasked[] = {
	HOLD(root, "root is not asked what it is",
	     do_chroot, served_dir, FUSE_GETATTR, 0, NULL),
	HOLD(file, "open file is not asked what it is",
	     do_open, served_file, FUSE_GETATTR, 0, NULL),
	HOLD(mapped, "mapped file is not asked what it is",
	     do_map, served_file, FUSE_GETATTR, 0, NULL),
};

PLAY_TABLE(play_unasked, unasked)
{
	struct actor a, t, k;

	make_place();
	mount_server(0);
	cast(&a, &t, ct_arg());
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(end(&k, &t, 3), EXITED(3));
}

/* --- who is asked ------------------------------------------------------------------------ */

/* The call ends all the same, if only with EBUSY. */
static void call_silent(struct actor *a, struct actor *t, struct actor *k)
{
	long ret = cl(a, k, t->pid, 0, 0);

	if (ret == -EBUSY)
		expect_eq(server[MET], 1);
	else
		expect_ok(ret);
}

/* No child was ever the target's to see, when its server answers again. */
static void unseen(struct actor *t)
{
	server[HELD] = 0;
	expect_eq(on(t, do_wait4, -1, __WALL), -ECHILD);
}

/* Others have the target, and the caller can go, unless its own end asks. */
static void leave_silent(const struct hold *h)
{
	struct actor a, t, k;

	cast(&a, &t, h);
	call_silent(&a, &t, &k);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(end(&k, &t, 3), EXITED(3));
	if (h->opcode != FUSE_FLUSH)
		kill_reap(a.pid);
	unseen(&t);
}

/* The target's next child has its files for a moment, where its threads share them. */
static void leave_target(const struct hold *h)
{
	struct actor a, t, thread, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, ACTOR_EXEC);
	thread_of(&t, &thread);
	snprintf(t.m.buf, sizeof(t.m.buf), "%s", h->what);
	expect(on(&t, h->have) >= 0);
	server[HELD] = h->opcode;
	call_silent(&a, &t, &k);
	kill_reap(a.pid);
	unseen(&t);
}

/* Its caller is killed meanwhile, and its parent does not wait for long. */
static void kill_caller(const struct hold *h)
{
	struct actor a, t;

	cast(&a, &t, h);
	cl_start(&a, t.pid, 0, 0);
	while (!server[MET] && !answered(&a))
		sched_yield();
	kill_reap(a.pid);
	server[HELD] = 0;
}

static const struct hold asked[] = {
	HOLD(entered, "working directory", do_chdir, served_dir, FUSE_ACCESS, 0, leave_silent),
	HOLD(entered_root, "root", do_chroot, served_dir, FUSE_ACCESS, 0, leave_silent),
	HOLD(opened, "mapped file", do_map, served_file, FUSE_OPEN, 0, leave_silent),
	HOLD(opened_program, "program", do_execute, served_file, FUSE_OPEN, 0, leave_silent),
	HOLD(asked_program, "program", do_execute, served_file, FUSE_GETATTR, 0, leave_silent),
	HOLD(closed, "open file", do_open, served_file, FUSE_FLUSH, 0, leave_silent),
	HOLD(closed_more, "open files", do_open_more, served_file, FUSE_FLUSH, 0, leave_silent),
	HOLD(closed_mapped, "mapped file", do_map, served_file, FUSE_FLUSH, 0, leave_silent),
	HOLD(closed_program, "program", do_execute, served_file, FUSE_FLUSH, 0, leave_silent),
	/* The supervisor's has been closed; this is the child's. */
	HOLD(closed_there, "mapped file", do_map, served_file, FUSE_FLUSH, 1, leave_silent),
	HOLD(closed_target, "target's file", do_open, served_file, FUSE_FLUSH, 0, leave_target),
	HOLD(killed, "working directory", do_chdir, served_dir, FUSE_ACCESS, 0, kill_caller),
};

static void play_asked(int i)
{
	mount_server(i);
	asked[i].play(&asked[i]);
}

/* Each lasts as long as a server is waited for. */
PLAY(at_once, "who serves a file and does not answer holds nobody up for long")
{
	make_place();
	side_by_side(ct_count(asked), play_asked);
}

PLAY_DOCUMENTED(silent, "a server of the caller's directory need not answer",
		"the child enters it by itself: EBUSY")
{
	struct actor a, t, k;

	make_place();
	mount_server(0);
	cast(&a, &t, &asked[0]);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
}
