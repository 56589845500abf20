// SPDX-License-Identifier: GPL-2.0
/*
 * Who shares descriptors or directories with the caller changes them in the moment
 * of a call, or a file that is mapped (see engine.h).
 */
#include "engine.h"

/* --- descriptors -------------------------------------------------------- */

#define HERE 100
#define THERE 101

/* A file that goes from one number to the other, and is always at one. */
static long do_shuffle(struct msg *m)
{
	m->ret = 0;
	while (!ct_slot[1]) {
		ct_syscall3(SYS_dup2, HERE, THERE, 0);
		ct_syscall3(SYS_close, HERE, 0, 0);
		ct_syscall3(SYS_dup2, THERE, HERE, 0);
		ct_syscall3(SYS_close, THERE, 0, 0);
	}
	return 0;
}

static void moved(void)
{
	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_dup2, 2, HERE), HERE);
	cast_target();
	spawn(&a, &s, CLONE_FILES);
	start(&s, do_shuffle, 0);
	for (int i = 0; i < TIMES; i++) {
		call();
		finish();
		if (sys(&k, SYS_fcntl, HERE, F_GETFD) < 0)
			expect_eq(sys(&k, SYS_fcntl, THERE, F_GETFD), 0);
		bury();
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&s), 0);
}

/* --- root and working directory ----------------------------------------- */

/* Into /proc as its root and out of it: it is never in there from outside. */
static long do_enter(struct msg *m)
{
	int top = open("/", O_RDONLY | O_CLOEXEC);

	(void)m;
	if (top < 0)
		return -errno;
	while (!ct_slot[1])
		if (chroot("/proc") || chdir("/") || fchdir(top) || chroot("."))
			return -errno;
	return 0;
}

static void rooted(void)
{
	const uint64_t outside = proc_link(getpid(), "root");
	const uint64_t inside = proc_link(getpid(), "root/proc");

	mkdir("/tmp", 01777);
	must(chdir("/tmp"));	/* the target stays here */
	cast_engine();
	spawn(&a, &s, CLONE_FS);
	start(&s, do_enter, 0);
	for (int i = 0; i < 4 * TIMES; i++) {
		call();
		finish();
		if (proc_link(k.pid, "cwd") == inside)
			expect(proc_link(k.pid, "root") != outside);
		bury();
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&s), 0);
}

/* --- files -------------------------------------------------------------- */

#define PAGES 64

static char name[] = "/tmp/cloneat-XXXXXX";
static char *mapped;

/* Every other page is a copy of its own. */
static long do_dirty(struct msg *m)
{
	(void)m;
	for (int i = 0; i < PAGES; i += 2)
		mapped[i * PAGE] = 1;
	return 0;
}

static void truncated(void)
{
	long us;
	int fd;

	mkdir("/tmp", 01777);
	fd = must(mkostemp(name, O_CLOEXEC));
	must(unlink(name));
	must(ftruncate(fd, PAGES * PAGE));
	mapped = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		      fd, 0);
	expect(mapped != MAP_FAILED);
	cast_engine();
	us = measure_call();
	for (int i = 0; i < TIMES; i++) {
		expect_eq(on(&a, do_dirty), 0);
		call();
		moment(us);
		must(ftruncate(fd, i & 1 ? 0 : PAGES / 2 * PAGE));
		finish();
		must(ftruncate(fd, PAGES * PAGE));
		bury();
	}
}

/* --- the checks --------------------------------------------------------- */

static const struct engine engines[] = {
	SELF(moved, "who shares the descriptors moves one"),
	INIT(moved, "who shares the descriptors moves one"),
	{ "rooted_self", "who shares the directories changes both (self)",
	  rooted, SELF_TARGET, 0 },
	INIT(rooted, "who shares the directories changes both"),
	ENGINES(truncated, "a file that is mapped is truncated"),
};

PLAY_TABLE(play, engines)
{
	play_engine();
}

PLAY_DOCUMENTED(moved_forked, "who shares the descriptors alone moves one (forked)",
		"they are copied one by one, and who shares them is not stopped")
{
	play_one(ENGINE(moved, 0));
}

PLAY_DOCUMENTED(moved_shared, "the same with a target that shares the memory",
		"they are copied one by one, and who shares them is not stopped")
{
	play_one(ENGINE(moved, CLONE_VM));
}

PLAY_DOCUMENTED(rooted_forked, "who shares the directories changes both (forked)",
		"they are read one by one, and who shares them is not stopped")
{
	play_one(ENGINE(rooted, 0));
}

PLAY_DOCUMENTED(rooted_shared, "the same with a target that shares the memory",
		"they are read one by one, and who shares them is not stopped")
{
	play_one(ENGINE(rooted, CLONE_VM));
}
