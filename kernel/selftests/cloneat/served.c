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
#include "scene.h"
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/uio.h>

enum { HELD, MET, BEFORE, SLOTS }; /* what is not answered; it has come; how many are */
static volatile long *slot;	/* a scene's own */
enum { TOP = FUSE_ROOT_ID, DIR_INO, FILE_INO };

static char at[] = "/tmp/cloneat-XXXXXX";
static char dir[64], file[64];

/* --- the server -------------------------------------------------------------------------- */

static int dev;

static void reply(const struct fuse_in_header *in, int err, const void *data,
		  size_t len)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + len, .error = err, .unique = in->unique,
	};
	struct iovec iov[2] = {
		{ .iov_base = &out, .iov_len = sizeof(out) }, { .iov_base = (void *)data, .iov_len = len },
	};

	if (writev(dev, iov, len ? 2 : 1) < 0 && errno != ENOENT)
		ct_exit(1);	/* ENOENT: nobody waits for it any more */
}

static struct fuse_attr attr_of(uint64_t ino)
{
	struct fuse_attr attr = {
		.ino = ino, .nlink = 1, .blksize = PAGE,
		.mode = ino == FILE_INO ? S_IFREG | 0755 : S_IFDIR | 0755,
	};
	struct stat st;

	if (ino == FILE_INO && !stat("/proc/self/exe", &st))
		attr.size = st.st_size;
	return attr;
}

static void look_up(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out e = { 0 };

	e.nodeid = !strcmp(name, "dir") ? DIR_INO :
		   !strcmp(name, "file") ? FILE_INO : 0;
	e.attr = attr_of(e.nodeid);
	reply(in, e.nodeid ? 0 : -ENOENT, &e, e.nodeid ? sizeof(e) : 0);
}

static void read_file(const struct fuse_in_header *in, const struct fuse_read_in *r)
{
	static char data[1 << 18];
	int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(exe, data, r->size, r->offset);

	close(exe);
	reply(in, n < 0 ? -EIO : 0, data, n < 0 ? 0 : n);
}

static void answer(const struct fuse_in_header *in)
{
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION,
		.max_write = PAGE, .max_readahead = 1 << 17,
	};
	struct fuse_attr_out attr = { .attr = attr_of(in->nodeid) };
	struct fuse_open_out open_out = { .fh = 1, .open_flags = FOPEN_KEEP_CACHE };

	switch (in->opcode) {
	case FUSE_INIT:
		return reply(in, 0, &init, sizeof(init));
	case FUSE_LOOKUP:
		return look_up(in, (const char *)(in + 1));
	case FUSE_GETATTR:
		return reply(in, 0, &attr, sizeof(attr));
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return reply(in, 0, &open_out, sizeof(open_out));
	case FUSE_READ:
		return read_file(in, (const void *)(in + 1));
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_ACCESS:
		return reply(in, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	}
	reply(in, -ENOSYS, NULL, 0);
}

/* What is not answered yet. */
static struct fuse_in_header late[64];
static size_t n_late;

/* Is it to wait?  Its answer says nothing but that it is done. */
static bool hold_back(const struct fuse_in_header *in)
{
	if (in->opcode != (uint32_t)slot[HELD] || n_late == ct_count(late))
		return false;
	if (slot[BEFORE]) {
		slot[BEFORE]--;
		return false;
	}
	late[n_late++] = *in;
	slot[MET] = 1;
	return true;
}

static void __noreturn serve(void)
{
	static char buf[1 << 17];
	struct pollfd p = { .fd = dev, .events = POLLIN };

	for (;;) {
		while (n_late && !slot[HELD])
			answer(&late[--n_late]);
		if (!poll(&p, 1, n_late ? 10 : -1))
			continue;
		if (read(dev, buf, sizeof(buf)) < 0)
			ct_exit(0);
		if (!hold_back((const void *)buf))
			answer((const void *)buf);
	}
}

static void make_place(void)
{
	if (access("/dev/fuse", R_OK | W_OK))
		ct_skip("no FUSE here: %s", ct_errname(errno));
	mkdir("/tmp", 01777);
	expect(mkdtemp(at));
	ct_remove_later(at);
}

/* Every scene has its own there. */
static void mount_server(int scene)
{
	char options[128];
	pid_t server;

	slot = ct_slot + scene * SLOTS;
	dev = must(open("/dev/fuse", O_RDWR | O_CLOEXEC));
	ct_unshare(CLONE_NEWNS);
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", dev);
	must(mount("none", at, "fuse", 0, options));
	snprintf(dir, sizeof(dir), "%s/dir", at);
	snprintf(file, sizeof(file), "%s/file", at);
	server = must(fork());
	if (!server)
		serve();
	close(dev);
}

/* --- what the caller has of it ----------------------------------------------------------- */

static long do_chdir(struct msg *m)
{
	return chdir(m->buf) ? -errno : 0;
}

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
	strcpy(a->m.buf, h->what);
	expect(on(a, h->have) >= 0);
	expect_eq(on(a, do_lock), 0);
}

/* check -> a, which has it -> t */
static void cast(struct actor *a, struct actor *t, const struct hold *h)
{
	spawn(&me, a, 0);
	spawn(a, t, ACTOR_EXEC);
	have(a, h);
	slot[BEFORE] = h->before;
	slot[HELD] = h->opcode;
}

#define HOLD(fn, text, have, what, opcode, before, play)		\
	{ #fn, "who serves the caller's " text, have, what, opcode, before, play }

/* --- who need not answer ----------------------------------------------------------------- */

static const struct hold unasked[] = {
	HOLD(root, "root is not asked what it is",
	     do_chroot, dir, FUSE_GETATTR, 0, NULL),
	HOLD(file, "open file is not asked what it is",
	     do_open, file, FUSE_GETATTR, 0, NULL),
	HOLD(mapped, "mapped file is not asked what it is",
	     do_map, file, FUSE_GETATTR, 0, NULL),
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
		expect_eq(slot[MET], 1);
	else
		expect_ok(ret);
}

/* No child was ever the target's to see, when its server answers again. */
static void unseen(struct actor *t)
{
	slot[HELD] = 0;
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
	strcpy(t.m.buf, h->what);
	expect(on(&t, h->have) >= 0);
	slot[HELD] = h->opcode;
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
	while (!slot[MET] && !answered(&a))
		sched_yield();
	kill_reap(a.pid);
	slot[HELD] = 0;
}

static const struct hold asked[] = {
	HOLD(entered, "working directory", do_chdir, dir, FUSE_ACCESS, 0, leave_silent),
	HOLD(entered_root, "root", do_chroot, dir, FUSE_ACCESS, 0, leave_silent),
	HOLD(opened, "mapped file", do_map, file, FUSE_OPEN, 0, leave_silent),
	HOLD(opened_program, "program", do_execute, file, FUSE_OPEN, 0, leave_silent),
	HOLD(asked_program, "program", do_execute, file, FUSE_GETATTR, 0, leave_silent),
	HOLD(closed, "open file", do_open, file, FUSE_FLUSH, 0, leave_silent),
	HOLD(closed_more, "open files", do_open_more, file, FUSE_FLUSH, 0, leave_silent),
	HOLD(closed_mapped, "mapped file", do_map, file, FUSE_FLUSH, 0, leave_silent),
	HOLD(closed_program, "program", do_execute, file, FUSE_FLUSH, 0, leave_silent),
	/* The supervisor's has been closed; this is the child's. */
	HOLD(closed_there, "mapped file", do_map, file, FUSE_FLUSH, 1, leave_silent),
	HOLD(closed_target, "target's file", do_open, file, FUSE_FLUSH, 0, leave_target),
	HOLD(killed, "working directory", do_chdir, dir, FUSE_ACCESS, 0, kill_caller),
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
