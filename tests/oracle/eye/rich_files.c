// SPDX-License-Identifier: Apache-2.0
/* Descriptors of every kind, from 200 on; 210 is an epoll set. */
#include "eye.h"
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>

static int next_fd;

/* Moves a descriptor to the next number; every third closes on exec. */
static long place(const char *what, long fd)
{
	if (did(what, fd) < 0)
		return fd;
	sys(__NR_dup3, fd, next_fd, next_fd % 3 ? 0 : O_CLOEXEC);
	sys(__NR_close, fd);
	return next_fd++;
}

static long file(const char *name, int flags)
{
	char path[300];

	form(path, sizeof(path), "%s/%s", scratch, name);
	return sys(__NR_open, path, flags | O_CREAT, 0640);
}

static void rich_plain(void)
{
	long fd = place("file", file("plain", O_RDWR | O_APPEND));
	struct { short type, whence; int pad; long start, len; int pid, pad2; } lock = { .type = F_WRLCK, .len = 9 };

	sys(__NR_write, fd, "0123456789abcdef", 16);
	sys(__NR_lseek, fd, 5, 0);
	did("posix lock", sys(__NR_fcntl, place("locked", file("plain", O_RDWR)), F_SETLK, &lock));
	place("same description", sys(__NR_dup, fd));
	fd = place("other description", file("plain", O_RDONLY | O_NOATIME));
	sys(__NR_lseek, fd, 3, 0);
	did("flock", sys(__NR_flock, fd, LOCK_SH));
	place("O_PATH", sys(__NR_open, scratch, O_PATH));
	place("directory", sys(__NR_open, "/etc", O_RDONLY | O_DIRECTORY));
	fd = place("ofd lock", file("ofd", O_RDWR));
	did("ofd lock", sys(__NR_fcntl, fd, F_OFD_SETLK, &lock));
	fd = place("lease", file("lease", O_RDONLY));
	did("lease", sys(__NR_fcntl, fd, 1024, F_RDLCK));
	next_fd = 210;
}

/* Nothing of this is left behind. */
static void unlink_all(void)
{
	static const char *const names[] = { "plain", "ofd", "lease" };
	char path[300];

	for (int i = 0; i < 3; i++) {
		form(path, sizeof(path), "%s/%s", scratch, names[i]);
		sys(__NR_unlink, path);
	}
}

static void rich_events(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u64 = 0x1234567890 };
	long set = place("epoll", sys(__NR_epoll_create1, 0)), fd;
	struct { long isec, insec, sec, nsec; } later = { 3, 4, 4500000, 0 };
	unsigned long mask = 1UL << 20;

	fd = place("eventfd", sys(__NR_eventfd2, 7, EFD_SEMAPHORE | EFD_NONBLOCK));
	sys(__NR_epoll_ctl, set, EPOLL_CTL_ADD, fd, &e);
	e.events = EPOLLOUT | EPOLLONESHOT;
	fd = place("timerfd", sys(__NR_timerfd_create, 1, 0));
	sys(__NR_timerfd_settime, fd, 0, &later, 0);
	sys(__NR_epoll_ctl, set, EPOLL_CTL_ADD, fd, &e);
	fd = place("signalfd", sys(__NR_signalfd4, -1, &mask, 8, 0));
	sys(__NR_epoll_ctl, set, EPOLL_CTL_ADD, fd, &e);
	fd = place("nested epoll", sys(__NR_epoll_create1, 0));
	sys(__NR_epoll_ctl, set, EPOLL_CTL_ADD, fd, &e);
	fd = place("inotify", sys(__NR_inotify_init1, 0));
	did("inotify", sys(__NR_inotify_add_watch, fd, scratch, 0x100));
	place("pidfd", sys(__NR_pidfd_open, sys(__NR_getpid), 0));
	place("fanotify", sys(__NR_fanotify_init, 0, 0));
	place("userfaultfd", sys(__NR_userfaultfd, 1));
}

static void rich_special(void)
{
	static struct io_uring_params ring;
	char tty[64];
	int n = 0, unlock = 0;
	long fd = place("pty", sys(__NR_open, "/dev/ptmx", O_RDWR | O_NOCTTY));

	if (fd >= 0) {
		sys(__NR_ioctl, fd, TIOCSPTLCK, &unlock);
		sys(__NR_ioctl, fd, TIOCGPTN, &n);
		form(tty, sizeof(tty), "/dev/pts/%d", (long)n);
		place("terminal", sys(__NR_open, tty, O_RDWR | O_NOCTTY));
	}
	place("/dev/null", sys(__NR_open, "/dev/null", O_WRONLY));
	place("namespace", sys(__NR_open, "/proc/self/ns/net", O_RDONLY));
	place("proc file", sys(__NR_open, "/proc/sys/kernel/ostype", O_RDONLY));
	place("io_uring", sys(__NR_io_uring_setup, 4, &ring));
	fd = place("memfd", sys(__NR_memfd_create, "open", 2));
	sys(__NR_write, fd, "rich", 4);
	did("seal", sys(__NR_fcntl, fd, 1033, 2));
	place("mqueue", sys(__NR_mq_open, "oracle", O_RDWR | O_CREAT, 0600, 0));
	sys(__NR_mq_unlink, "oracle");
	if (!(options & OPT_FDS))
		sys(__NR_dup3, fd, 900, 0);
}

void rich_files(void)
{
	next_fd = 200;
	rich_plain();
	rich_events();
	rich_special();
	unlink_all();
}
