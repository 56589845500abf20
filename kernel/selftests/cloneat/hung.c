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
#include "scene.h"
#include <linux/fuse.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/uio.h>

enum { HANGS_AT };		/* slot: the request that is not answered, or 0 */

static const char dir[] = "/sys";	/* it is mounted there, for this check alone */
static int dev;			/* the server's */
static struct actor a, t, k, other;

/* --- the server ------------------------------------------------------------- */

#define ROOT 1			/* all other nodes are one file */
#define FILE_NODE 2

static void answer(uint64_t unique, int err, void *out, size_t size)
{
	struct fuse_out_header h = {
		.len = sizeof(h) + size, .error = -err, .unique = unique,
	};
	struct iovec v[] = { { &h, sizeof(h) }, { out, size } };

	if (writev(dev, v, 2) < 0 && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr) {
		.ino = node, .nlink = 1, .size = PAGE, .blksize = PAGE,
		.mode = node == ROOT ? S_IFDIR | 0755 : S_IFREG | 0755,
	};
}

static void serve_one(struct fuse_in_header *h)
{
	struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = PAGE };
	struct fuse_attr_out attr = { .attr = attr_of(h->nodeid) };
	struct fuse_entry_out entry = {
		.nodeid = FILE_NODE, .attr = attr_of(FILE_NODE),
	};
	struct fuse_open_out opened = { .fh = 1 };
	static char page[PAGE];

	switch (h->opcode) {
	case FUSE_INIT:
		return answer(h->unique, 0, &init, sizeof(init));
	case FUSE_GETATTR:
		return answer(h->unique, 0, &attr, sizeof(attr));
	case FUSE_LOOKUP:
		return answer(h->unique, 0, &entry, sizeof(entry));
	case FUSE_OPEN:
		return answer(h->unique, 0, &opened, sizeof(opened));
	case FUSE_READ:
		return answer(h->unique, 0, page, sizeof(page));
	case FUSE_ACCESS:
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		return answer(h->unique, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;		/* no answer is wanted */
	}
	answer(h->unique, ENOSYS, NULL, 0);
}

static void __noreturn serve(void)
{
	static char in[FUSE_MIN_READ_BUFFER + PAGE];
	struct fuse_in_header *h = (void *)in;

	for (;;) {
		ssize_t n = read(dev, in, sizeof(in));

		if (n < 0 && errno != EINTR && errno != ENOENT)
			_exit(0);	/* nobody has it mounted any more */
		if (n < 0)
			continue;
		if (ct_slot[HANGS_AT] == h->opcode)
			slot_wait(HANGS_AT, 0);
		serve_one(h);
	}
}

/* A file system with one file, which has any name. */
static void mount_served(void)
{
	char options[96];

	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (dev < 0 || unshare(CLONE_NEWNS))
		ct_skip("no file system of one's own here: %s", ct_errname(errno));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", dev);
	if (mount("fuse", dir, "fuse", 0, options))
		ct_skip("nothing can be mounted here: %s", ct_errname(errno));
	if (!must(fork()))
		serve();
	close(dev);		/* the file system ends with its server */
}

static void cast(void)
{
	mount_served();
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	spawn(&me, &other, ACTOR_EXEC);
}

/* --- what of the caller's is there -------------------------------------------- */

static long do_enter(struct msg *m)
{
	return chdir(m->buf) ? -errno : 0;
}

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

static void served_file(void)
{
	snprintf(a.m.buf, sizeof(a.m.buf), "%s/file", dir);
}

/* Another call is served while this one waits, or not at all. */
static long call_while_it_hangs(int request)
{
	long ret;

	ct_slot[HANGS_AT] = request;
	cl_start(&a, t.pid, 0, 0);
	expect_ok(cl(&me, &k, other.pid, 0, 0));
	expect_eq(end(&k, &other, 3), EXITED(3));
	ret = cl_finish(&a, &k);
	slot_set(HANGS_AT, 0);
	return ret;
}

PLAY(cwd, "a caller whose working directory has a server that hangs")
{
	cast();
	strcpy(a.m.buf, dir);
	expect_eq(on(&a, do_enter, 0), 0);
	expect_ok(call_while_it_hangs(FUSE_GETATTR));
	expect_eq(end(&k, &t, 3), EXITED(3));
}

PLAY_DOCUMENTED(closed, "a caller with an open file whose server hangs",
		"its duplicate is closed, of which the server is told: EBUSY")
{
	cast();
	served_file();
	expect(on(&a, do_open_file, 0) >= 0);
	expect_ok(call_while_it_hangs(FUSE_FLUSH));
}

PLAY_DOCUMENTED(mapped, "a caller that has mapped a file whose server hangs",
		"it is opened, to be mapped in the child, and closed: EBUSY")
{
	cast();
	served_file();
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
