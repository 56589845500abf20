// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody in user space on whom memory or files of the caller's depend does
 * not answer: it costs nobody else anything, and the call what it costs a fork.
 *
 *	check      provides pages; is served meanwhile
 *	  +-- server    of a file system (fuse(4)), which hangs
 *	  +-- a         calls
 *	  |     +-- t        the target
 *	  +-- other     a target of the check's
 */
#include "fault.h"
#include "fuse.h"
#include <sys/ioctl.h>

static struct actor a, t, k, other;

static void cast(void)
{
	make_place();
	mount_server(0);
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	spawn(&me, &other, ACTOR_EXEC);
}

/* --- what of the caller's is there -------------------------------------------- */

static long do_open_file(struct msg *m)
{
	int fd = open(m->buf, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static long do_map_file(struct msg *m)
{
	int fd = do_open_file(m);
	void *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	if (fd < 0 || at == MAP_FAILED)
		return -errno;
	close(fd);
	return 0;
}

/* Another call is served while this one waits, or not at all. */
static long call_while_it_hangs(int request)
{
	long ret;

	server[HELD] = request;
	cl_start(&a, t.pid, 0, 0);
	expect_ok(cl(&me, &k, other.pid, 0, 0));
	expect_eq(end(&k, &other, 3), EXITED(3));
	ret = cl_finish(&a, &k);
	server[HELD] = 0;
	return ret;
}

PLAY(cwd, "a caller whose working directory has a server that hangs")
{
	cast();
	snprintf(a.m.buf, sizeof(a.m.buf), "%s", served_dir);
	expect_eq(on(&a, do_chdir, 0), 0);
	expect_ok(call_while_it_hangs(FUSE_GETATTR));
	expect_eq(end(&k, &t, 3), EXITED(3));
}

PLAY_DOCUMENTED(closed, "a caller with an open file whose server hangs",
		"its duplicate is closed, of which the server is told: EBUSY")
{
	cast();
	snprintf(a.m.buf, sizeof(a.m.buf), "%s", served_file);
	expect(on(&a, do_open_file, 0) >= 0);
	expect_ok(call_while_it_hangs(FUSE_FLUSH));
}

PLAY_DOCUMENTED(mapped, "a caller that has mapped a file whose server hangs",
		"it is opened, to be mapped in the child, and closed: EBUSY")
{
	cast();
	snprintf(a.m.buf, sizeof(a.m.buf), "%s", served_file);
	expect_eq(on(&a, do_map_file, 0), 0);
	expect_ok(call_while_it_hangs(FUSE_FLUSH));
}

/* --- pages ---------------------------------------------------------------------- */

#define CROWD 70		/* more than a supervisor works for at once */

static long do_call_at(struct msg *m)
{
	return ct_syscall3(__NR_cloneat, m->arg[0], 0, m->arg[1]);
}

/* The page says nothing that is a valid call. */
static void provide(int uffd, char *at)
{
	struct uffdio_zeropage zero = { .range = { (uintptr_t)at, PAGE } };

	must(ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
}

PLAY(args, "callers whose arguments are on pages that do not come are in nobody's way")
{
	static struct actor crowd[CROWD];
	char *at[CROWD];
	int uffd[CROWD];

	spawn(&me, &other, ACTOR_EXEC);
	for (int i = 0; i < CROWD; i++) {
		struct pollfd f = { .events = POLLIN };

		spawn(&me, &crowd[i], 0);
		at[i] = missing_page(&crowd[i], 0, &uffd[i]);
		start(&crowd[i], do_call_at, ct_pid(), (long)at[i]);
		f.fd = uffd[i];
		expect_eq(poll(&f, 1, -1), 1);
	}
	expect_ok(cl(&me, &k, other.pid, 0, 0));
	expect_eq(end(&k, &other, 3), EXITED(3));
	for (int i = 0; i < CROWD; i++) {
		expect_busy(&crowd[i]);
		provide(uffd[i], at[i]);
		expect_eq(actor_finish(&crowd[i]), -EINVAL);
	}
}
