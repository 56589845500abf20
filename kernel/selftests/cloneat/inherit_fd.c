// SPDX-License-Identifier: GPL-2.0
/*
 * The child's descriptors are the caller's: the same open files at the same
 * numbers, and none of the target's.
 *
 *	check      opens
 *	  +-- target    has files of its own at the same numbers
 *	        +-- kid      uses what check opened
 */
#include "scene.h"
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static int p[2];	/* numbers of descriptors: the kid has the same */

static long do_read_fd(struct msg *m)
{
	long n = read(m->arg[0], m->buf, m->arg[1]);

	return n < 0 ? -errno : n;
}

static long do_write_fd(struct msg *m)
{
	long n = write(m->arg[0], m->buf, m->arg[1]);

	return n < 0 ? -errno : n;
}

static long write_by(struct actor *a, int fd, const char *text)
{
	snprintf(a->m.buf, sizeof(a->m.buf), "%s", text);
	return on(a, do_write_fd, fd, strlen(text));
}

/* Bits of the descriptors that are open, below 512. */
static long do_open_set(struct msg *m)
{
	long n = 0;

	memset(m->buf, 0, 64);
	for (int fd = 0; fd < 512; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		m->buf[fd / 8] |= 1 << fd % 8;
		n++;
	}
	return n;
}

/* Puts a file of its own on each of the numbers 0..299. */
static long do_occupy(struct msg *m)
{
	int fd = memfd_create("theirs", 0);

	for (int i = 0; i < 300; i++)
		if (i != m->own && i != fd && fcntl(i, F_GETFD) < 0)
			dup2(fd, i);
	return fd < 0 ? -errno : 0;
}

/* Made before the files of the check are opened, so that it holds none. */
static struct actor *target;

static void kid_of_busy(enum kind kind, struct actor *kid)
{
	if (kind != SELF)
		expect_eq(on(target, do_occupy), 0);
	expect_ok(cl(&me, kid, target->pid, 0, 0));
}

static void fd_pipe(enum kind kind)
{
	struct actor k;
	char c;

	must(pipe(p));
	kid_of_busy(kind, &k);
	expect_eq(write_by(&k, p[1], "hello"), 5);
	expect_eq(read(p[0], &c, 1), 1);
	expect_eq(c, 'h');
	expect_eq(on(&k, do_read_fd, p[0], 4), 4);
	expect(!memcmp(k.m.buf, "ello", 4));
}

/* The writing end closes with its last holder, the kid. */
static void fd_end_of_file(enum kind kind)
{
	struct actor k;
	struct pollfd f;
	char c;

	must(pipe(p));
	kid_of_busy(kind, &k);
	must(close(p[1]));
	f = (struct pollfd){ .fd = p[0], .events = POLLIN };
	expect_eq(poll(&f, 1, 0), 0);
	quit(&k, 0);
	expect_eq(read(p[0], &c, 1), 0);
}

static void fd_offset(enum kind kind)
{
	struct actor k;

	p[0] = must(memfd_create("offset", 0));
	expect_eq(write(p[0], "0123456789", 10), 10);
	must(lseek(p[0], 4, SEEK_SET));
	kid_of_busy(kind, &k);
	expect_eq(sys(&k, SYS_lseek, p[0], 0, SEEK_CUR), 4);
	expect_eq(on(&k, do_read_fd, p[0], 2), 2);
	expect_eq(k.m.buf[0], '4');
	expect_eq(lseek(p[0], 0, SEEK_CUR), 6);
	must(lseek(p[0], 9, SEEK_SET));
	expect_eq(sys(&k, SYS_lseek, p[0], 0, SEEK_CUR), 9);
}

static void fd_status_flags(enum kind kind)
{
	struct actor k;

	must(pipe2(p, O_NONBLOCK));
	kid_of_busy(kind, &k);
	expect_eq(on(&k, do_read_fd, p[0], 1), -EAGAIN);
	expect_eq(sys(&k, SYS_fcntl, p[0], F_SETFL, 0), 0);
	expect_eq(fcntl(p[0], F_GETFL) & O_NONBLOCK, 0);
}

static void fd_cloexec(enum kind kind)
{
	struct actor k;

	must(pipe(p));
	must(fcntl(p[0], F_SETFD, FD_CLOEXEC));
	kid_of_busy(kind, &k);
	expect_eq(sys(&k, SYS_fcntl, p[0], F_GETFD), FD_CLOEXEC);
	expect_eq(sys(&k, SYS_fcntl, p[1], F_GETFD), 0);
	expect_eq(sys(&k, SYS_fcntl, p[1], F_SETFD, FD_CLOEXEC), 0);
	expect_eq(fcntl(p[1], F_GETFD), 0);
}

static void fd_eventfd(enum kind kind)
{
	struct actor k;

	p[0] = must(eventfd(5, EFD_NONBLOCK));
	kid_of_busy(kind, &k);
	expect_eq(on(&k, do_read_fd, p[0], 8), 8);
	expect_eq(*(long *)k.m.buf, 5);
	must(eventfd_write(p[0], 3));
	expect_eq(on(&k, do_read_fd, p[0], 8), 8);
	expect_eq(*(long *)k.m.buf, 3);
}

/* Epoll: what the kid adds, we get. */
static long do_epoll(struct msg *m)
{
	struct epoll_event e;
	int n = epoll_wait(m->arg[0], &e, 1, 0);

	return n < 0 ? -errno : n ? (long)e.data.u64 : 0;
}

static void fd_epoll(enum kind kind)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 4711 };
	int counter = must(eventfd(0, 0));
	struct actor k;

	p[0] = must(epoll_create1(0));
	must(epoll_ctl(p[0], EPOLL_CTL_ADD, counter, &e));
	kid_of_busy(kind, &k);
	expect_eq(on(&k, do_epoll, p[0]), 0);
	must(eventfd_write(counter, 1));
	expect_eq(on(&k, do_epoll, p[0]), 4711);
}

static void fd_socket(enum kind kind)
{
	struct actor k;
	char text[8] = "";

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	kid_of_busy(kind, &k);
	expect_eq(write_by(&k, p[1], "socket"), 6);
	expect_eq(read(p[0], text, 6), 6);
	expect(!strcmp(text, "socket"));
}

/* A listening socket in the abstract name space. */
static long do_accept(struct msg *m)
{
	int fd = accept(m->arg[0], NULL, NULL);

	if (fd < 0)
		return -errno;
	m->arg[0] = fd;
	m->arg[1] = 3;
	return do_read_fd(m);
}

static void fd_listener(enum kind kind)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
	socklen_t len = sizeof(name);
	struct actor k;

	p[0] = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind(p[0], (struct sockaddr *)&name, sizeof(sa_family_t)));
	must(listen(p[0], 4));
	must(getsockname(p[0], (struct sockaddr *)&name, &len));
	kid_of_busy(kind, &k);
	must(connect(fd, (struct sockaddr *)&name, len));
	expect_eq(write(fd, "abc", 3), 3);
	expect_eq(on(&k, do_accept, p[0]), 3);
	expect(!memcmp(k.m.buf, "abc", 3));
}

static void fd_timerfd(enum kind kind)
{
	struct itimerspec far = { .it_value.tv_sec = 100000 };
	struct itimerspec now = { .it_value.tv_nsec = 1 };
	struct actor k;

	p[0] = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	must(timerfd_settime(p[0], 0, &far, NULL));
	kid_of_busy(kind, &k);
	expect_eq(on(&k, do_read_fd, p[0], 8), -EAGAIN);
	must(fcntl(p[0], F_SETFL, 0));
	must(timerfd_settime(p[0], 0, &now, NULL));
	expect_eq(on(&k, do_read_fd, p[0], 8), 8);
	expect_eq(*(long *)k.m.buf, 1);
}

/* A signalfd reads the signals of the process that reads. */
static void fd_signalfd(enum kind kind)
{
	struct signalfd_siginfo *si;
	struct actor k;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	p[0] = must(signalfd(-1, &set, 0));
	kid_of_busy(kind, &k);
	must(kill(k.pid, SIGUSR2));
	expect_eq(on(&k, do_read_fd, p[0], sizeof(*si)), sizeof(*si));
	si = (void *)k.m.buf;
	expect_eq(si->ssi_signo, SIGUSR2);
	expect_eq(si->ssi_pid, getpid());
}

static void fd_inotify(enum kind kind)
{
	char dir[] = "/tmp/cloneat-XXXXXX";
	struct actor k;

	mkdir("/tmp", 01777);
	expect(mkdtemp(dir));
	p[0] = must(inotify_init1(0));
	must(inotify_add_watch(p[0], dir, IN_DELETE_SELF));
	kid_of_busy(kind, &k);
	must(rmdir(dir));
	expect(on(&k, do_read_fd, p[0], 64) > 0);
	expect_eq(((struct inotify_event *)k.m.buf)->mask & IN_DELETE_SELF,
		  IN_DELETE_SELF);
}

static void fd_opath(enum kind kind)
{
	struct actor k;

	p[0] = must(open("/proc", O_PATH | O_DIRECTORY));
	kid_of_busy(kind, &k);
	expect_eq(on(&k, do_read_fd, p[0], 1), -EBADF);
	expect_eq(sys(&k, SYS_fcntl, p[0], F_GETFL) & O_PATH, O_PATH);
	expect_eq(sys(&k, SYS_fchdir, p[0]), 0);
}

static void fd_pidfd(enum kind kind)
{
	struct actor other, k;

	spawn(&me, &other, 0);
	p[0] = expect_ok(ct_open_pidfd(other.pid));
	kid_of_busy(kind, &k);
	expect_eq(sys(&k, SYS_pidfd_send_signal, p[0], SIGKILL, 0, 0), 0);
	expect_eq(on(&me, do_wait4, other.pid, 0), other.pid);
	expect_eq(status_of(&me), SIGKILL);
}

static void fd_high_number(enum kind kind)
{
	struct actor k;
	char c;

	must(pipe(p));
	must(dup2(p[1], 500));
	kid_of_busy(kind, &k);
	expect_eq(write_by(&k, 500, "z"), 1);
	expect_eq(read(p[0], &c, 1), 1);
	expect_eq(c, 'z');
}

/* Two numbers of one open file are still one open file. */
static void fd_dup(enum kind kind)
{
	struct actor k;

	p[0] = must(memfd_create("dup", 0));
	p[1] = must(dup(p[0]));
	must(ftruncate(p[0], 100));
	kid_of_busy(kind, &k);
	expect_eq(sys(&k, SYS_lseek, p[0], 33, SEEK_SET), 33);
	expect_eq(sys(&k, SYS_lseek, p[1], 0, SEEK_CUR), 33);
}

static long do_flock(struct msg *m)
{
	int fd = open("/proc/self/fd/79", O_RDWR);
	long ret;

	(void)m;
	if (fd < 0)
		return -errno;
	ret = flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
	close(fd);
	return ret;
}

/* A lock of flock() is of the open file: it ends with its last holder. */
static void fd_flock(enum kind kind)
{
	struct actor k;
	int fd = must(memfd_create("lock", 0));

	must(dup2(fd, 79));
	must(close(fd));
	p[0] = must(open("/proc/self/fd/79", O_RDWR));
	must(flock(p[0], LOCK_EX));
	kid_of_busy(kind, &k);
	must(close(p[0]));
	expect_eq(on(&me, do_flock), -EWOULDBLOCK);
	expect_eq(sys(&k, SYS_close, p[0]), 0);
	expect_eq(on(&me, do_flock), 0);
}

static long do_getlk(struct msg *m)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(m->arg[0], F_GETLK, &l))
		return -errno;
	return l.l_type == F_UNLCK ? 0 : l.l_pid;
}

/* A lock of fcntl() is of the process: the kid has none and meets it. */
static void fd_posix_lock(enum kind kind)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct actor k;

	p[0] = must(memfd_create("lock", 0));
	must(fcntl(p[0], F_SETLK, &l));
	kid_of_busy(kind, &k);
	expect_eq(on(&k, do_getlk, p[0]), getpid());
	expect_eq(on(&me, do_getlk, p[0]), 0);
	expect_eq(sys(&k, SYS_close, p[0]), 0);
	expect_eq(on(&me, do_getlk, p[0]), 0);
}

/* Tables are copies: what one closes or opens, the other does not see. */
static void fd_tables(enum kind kind)
{
	struct actor k;

	must(pipe(p));
	kid_of_busy(kind, &k);
	expect_eq(sys(&k, SYS_close, p[0]), 0);
	expect(fcntl(p[0], F_GETFD) >= 0);
	expect_eq(sys(&k, SYS_dup3, p[1], 499, 0), 499);
	expect_eq(fcntl(499, F_GETFD), -1);
}

/* The open numbers are ours and one more, the kid's command socket. */
static void fd_set_equal(enum kind kind)
{
	struct actor k;
	char mine[64];
	int more = 0;

	expect(on(&me, do_open_set) > 0);
	memcpy(mine, me.m.buf, sizeof(mine));
	kid_of_busy(kind, &k);
	expect(on(&k, do_open_set) > 0);
	for (int i = 0; i < 64; i++) {
		expect_eq(mine[i] & ~k.m.buf[i], 0);
		more += __builtin_popcount((k.m.buf[i] & ~mine[i]) & 0xff);
	}
	expect_eq(more, 1);
}

/* The target's own table is as it was. */
static void fd_target_unchanged(enum kind kind)
{
	char before[64];
	struct actor k;
	long n;

	n = on(target, do_open_set);
	memcpy(before, target->m.buf, sizeof(before));
	expect_ok(cl(&me, &k, target->pid, 0, 0));
	if (kind == SELF)
		close(k.fd);
	expect_eq(on(target, do_open_set), n);
	expect(!memcmp(before, target->m.buf, sizeof(before)));
}

static const struct kinds rows[] = {
	KINDS(fd_pipe, "both ends of a pipe"),
	KINDS(fd_end_of_file, "a pipe's end closes with its last holder"),
	KINDS(fd_offset, "the file offset is shared"),
	KINDS(fd_status_flags, "status flags are shared"),
	KINDS(fd_cloexec, "close-on-exec is copied"),
	KINDS(fd_eventfd, "an eventfd's counter is shared"),
	KINDS(fd_epoll, "an epoll set and what it watches"),
	KINDS(fd_socket, "a connected socket"),
	KINDS(fd_listener, "a listening socket"),
	KINDS(fd_timerfd, "a timerfd's timer is shared"),
	KINDS(fd_signalfd, "a signalfd"),
	KINDS(fd_inotify, "an inotify queue"),
	KINDS(fd_opath, "an O_PATH descriptor"),
	KINDS(fd_pidfd, "a pidfd"),
	KINDS(fd_high_number, "a high number stays high"),
	KINDS(fd_dup, "two numbers of one open file"),
	KINDS(fd_flock, "an flock() is held together"),
	KINDS(fd_posix_lock, "an fcntl() lock is not inherited"),
	KINDS(fd_tables, "the tables are separate"),
	KINDS(fd_set_equal, "the caller's numbers are open and no other"),
	KINDS(fd_target_unchanged, "the target's descriptors are as before"),
};

PLAY_TABLE(descriptors, rows)
{
	static struct actor store;
	const struct kinds *row = ct_arg();

	target = target_of(row->kind, &store);
	play_kind();
}

/* --- who waits for a message ----------------------------------------------- */

/*
 * The queue tells the process that asked, until that closes any descriptor of
 * it: -EBUSY as long as it does.
 */
static long ask_for_message(int queue)
{
	const struct sigevent event = { .sigev_notify = SIGEV_NONE };

	return mq_notify(queue, &event) ? -errno : 0;
}

static void message_kept(uint64_t flags)
{
	char name[32];
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 1 };
	struct actor t, k;
	int queue;

	snprintf(name, sizeof(name), "/cloneat%d", getpid());
	queue = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
	if (queue < 0 && errno == ENOSYS)
		ct_skip("this kernel has no message queues");
	must(queue);
	mq_unlink(name);
	spawn(&me, &t, flags);
	expect_eq(ask_for_message(queue), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(ask_for_message(queue), -EBUSY);
	mq_close(queue);
}

PLAY(message_asked, "the caller goes on to be told of a message (mq_notify)")
{
	message_kept(0);
	message_kept(ACTOR_EXEC);
	message_kept(CLONE_NEWPID);
}
