// SPDX-License-Identifier: GPL-2.0
/* A server of files: see fuse.h. */
#include "fuse.h"
#include <sys/mount.h>
#include <sys/uio.h>

volatile long *server;
char served_dir[64], served_file[64];

enum { TOP = FUSE_ROOT_ID, DIR_INO, FILE_INO };

static char at[] = "/tmp/cloneat-XXXXXX";
static int dev;

static void reply(const struct fuse_in_header *in, int err, const void *data,
		  size_t len)
{
	struct fuse_out_header out = {
		.len = sizeof(out) + len, .error = err, .unique = in->unique,
	};
	struct iovec iov[2] = {
		{ .iov_base = &out, .iov_len = sizeof(out) },
		{ .iov_base = (void *)data, .iov_len = len },
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
	if (in->opcode != (uint32_t)server[HELD] || n_late == ct_count(late))
		return false;
	if (server[BEFORE]) {
		server[BEFORE]--;
		return false;
	}
	late[n_late++] = *in;
	server[MET] = 1;
	return true;
}

static void __noreturn serve(void)
{
	static char buf[1 << 17];
	struct pollfd p = { .fd = dev, .events = POLLIN };

	for (;;) {
		while (n_late && !server[HELD])
			answer(&late[--n_late]);
		if (!poll(&p, 1, n_late ? 10 : -1))
			continue;
		if (read(dev, buf, sizeof(buf)) < 0) {
			if (errno == EINTR || errno == ENOENT)
				continue;
			ct_exit(0);	/* nobody has it mounted any more */
		}
		if (!hold_back((const void *)buf))
			answer((const void *)buf);
	}
}

void make_place(void)
{
	if (access("/dev/fuse", R_OK | W_OK))
		ct_skip("no FUSE here: %s", ct_errname(errno));
	mkdir("/tmp", 01777);
	expect(mkdtemp(at));
	ct_remove_later(at);
}

void mount_server(int scene)
{
	char options[128];

	server = ct_slot + scene * SERVER_SLOTS;
	dev = must(open("/dev/fuse", O_RDWR | O_CLOEXEC));
	ct_unshare(CLONE_NEWNS);
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", dev);
	if (mount("none", at, "fuse", 0, options))
		ct_skip("nothing can be mounted here: %s", ct_errname(errno));
	snprintf(served_dir, sizeof(served_dir), "%s/dir", at);
	snprintf(served_file, sizeof(served_file), "%s/file", at);
	if (!must(fork()))
		serve();
	close(dev);		/* the file system ends with its server */
}
