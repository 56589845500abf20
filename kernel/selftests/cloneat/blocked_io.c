// SPDX-License-Identifier: GPL-2.0
/*
 * A target that is blocked in input or output of the rarer kinds: see busy.h.
 * No register of its call is changed, besides.
 */
#include "busy.h"
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/signalfd.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <time.h>

static int q[2];	/* another pipe */
static char path[] = "/tmp/cloneat-XXXXXX";

/* Far away on a clock. */
static struct timespec far_on(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += 1000;
	return t;
}

/* --- pipes --------------------------------------------------------------- */

static void make_two_pipes(void)
{
	make_pipe();
	must(pipe(q));
}

static long in_splice(struct msg *m)
{
	(void)m;
	return kept_call(SYS_splice, p[0], 0, q[1], 0, 10, 0);
}

static long in_tee(struct msg *m)
{
	(void)m;
	return kept_call(SYS_tee, p[0], q[1], 10, 0, 0, 0);
}

static long in_vmsplice(struct msg *m)
{
	struct iovec iov = { m->buf, 1 };

	return kept_call(SYS_vmsplice, p[1], (long)&iov, 1, 0, 0, 0);
}

static long in_readv(struct msg *m)
{
	struct iovec iov[2] = { { m->buf, 0 }, { m->buf, 10 } };

	return kept_call(SYS_readv, p[0], (long)iov, 2, 0, 0, 0);
}

/* --- sockets -------------------------------------------------------------- */

static void make_listener(void)
{
	make_named(SOCK_STREAM);
	must(listen(p[0], 0));
	p[1] = must(socket(AF_UNIX, SOCK_STREAM, 0));
}

static void connect_one(struct actor *t)
{
	(void)t;
	must(connect(p[1], (struct sockaddr *)&name, name_len));
}

static long in_accept4(struct msg *m)
{
	long fd = kept_call(SYS_accept4, p[0], 0, 0, SOCK_CLOEXEC, 0, 0);

	(void)m;
	if (fd < 0)
		return fd;
	return fcntl(fd, F_GETFD) == FD_CLOEXEC ? close(fd) : -EBADMSG;
}

/* The queue of the listener is full: the next one has to wait. */
static void make_full_listener(void)
{
	make_listener();
	connect_one(NULL);
}

static long in_connect(struct msg *m)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	long ret = kept_call(SYS_connect, fd, (long)&name, name_len, 0, 0, 0);

	(void)m;
	close(fd);
	return ret;
}

static void accept_one(struct actor *t)
{
	(void)t;
	must(accept(p[0], NULL, NULL));
}

static void make_full_sockets(void)
{
	char page[4096] = "";

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p));
	while (write(p[1], page, sizeof(page)) > 0)
		;
	must(fcntl(p[1], F_SETFL, 0));
}

static long in_sendmsg(struct msg *m)
{
	struct iovec iov = { m->buf, 1 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };

	return kept_call(SYS_sendmsg, p[1], (long)&h, 0, 0, 0, 0);
}

static long in_send_timeout(struct msg *m)
{
	struct timeval far = { 1000, 0 };

	setsockopt(p[1], SOL_SOCKET, SO_SNDTIMEO, &far, sizeof(far));
	return kept_call(SYS_sendto, p[1], (long)m->buf, 1, 0, 0, 0);
}

static long recvmmsg_one(struct msg *m, struct timespec *far)
{
	struct iovec iov = { m->buf, 1 };
	struct mmsghdr h = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };

	return kept_call(SYS_recvmmsg, p[0], (long)&h, 1, 0, (long)far, 0);
}

static long in_recvmmsg(struct msg *m)
{
	return recvmmsg_one(m, NULL);
}

static long in_recvmmsg_timeout(struct msg *m)
{
	struct timespec far = { 1000, 0 };

	return recvmmsg_one(m, &far);
}

/* --- descriptors that are no files ---------------------------------------- */

static void make_signalfd(void)
{
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	p[0] = must(signalfd(-1, &usr1, 0));
	sigprocmask(SIG_BLOCK, &usr1, NULL);
}

static long in_signalfd(struct msg *m)
{
	struct signalfd_siginfo *si = (void *)m->buf;
	long n = kept_call(SYS_read, p[0], (long)si, sizeof(*si), 0, 0, 0);

	return n == sizeof(*si) ? (long)si->ssi_signo : n;
}

static void make_inotify(void)
{
	mkdir("/tmp", 01777);
	must(close(mkstemp(path)));
	p[0] = must(inotify_init1(IN_CLOEXEC));
	must(inotify_add_watch(p[0], path, IN_ATTRIB));
}

static long in_inotify(struct msg *m)
{
	struct inotify_event *e = (void *)m->buf;
	long n = kept_call(SYS_read, p[0], (long)e, sizeof(m->buf), 0, 0, 0);

	return n > 0 ? (long)e->mask : n;
}

static void change_file(struct actor *t)
{
	(void)t;
	must(chmod(path, 0400));
}

#ifdef SYS_epoll_pwait2
static void make_pwait2(void)
{
	if (ct_syscall6(SYS_epoll_pwait2, -1, 0, 0, 0, 0, 0) == -ENOSYS)
		ct_skip("this kernel has no epoll_pwait2");
	make_pipe();
}

static long in_epoll_pwait2(struct msg *m)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct timespec far = { 1000, 0 };
	int fd = epoll_create1(EPOLL_CLOEXEC);
	long ret;

	(void)m;
	epoll_ctl(fd, EPOLL_CTL_ADD, p[0], &e);
	ret = kept_call(SYS_epoll_pwait2, fd, (long)&e, 1, (long)&far, 0, 0);
	close(fd);
	return ret;
}
#endif

/* --- locks ----------------------------------------------------------------- */

static void make_ofd_lock(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char self[64];

	p[0] = must(memfd_create("lock", 0));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", p[0]);
	p[1] = must(open(self, O_RDWR));
	must(fcntl(p[1], F_OFD_SETLK, &l));
}

static long in_ofd_setlkw(struct msg *m)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	(void)m;
	return kept_call(SYS_fcntl, p[0], F_OFD_SETLKW, (long)&l, 0, 0, 0);
}

static void unlock_ofd(struct actor *t)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	(void)t;
	must(fcntl(p[1], F_OFD_SETLK, &l));
}

/* --- message queues -------------------------------------------------------- */

static void make_full_mq(void)
{
	make_mq();
	must(mq_send(p[0], "a", 1, 0));
}

static long in_mq_receive(struct msg *m)
{
	struct timespec far = far_on(CLOCK_REALTIME);
	long n = kept_call(SYS_mq_timedreceive, p[0], (long)m->buf, 1, 0,
			   (long)&far, 0);

	return n == 1 ? *m->buf : n;
}

static long in_mq_send(struct msg *m)
{
	struct timespec far = far_on(CLOCK_REALTIME);

	return kept_call(SYS_mq_timedsend, p[0], (long)m->buf, 1, 0,
			 (long)&far, 0);
}

static void mq_send_one(struct actor *t)
{
	(void)t;
	must(mq_send(p[0], "b", 1, 0));
}

static void mq_receive_one(struct actor *t)
{
	char c;

	(void)t;
	expect_eq(must(mq_receive(p[0], &c, 1, NULL)), 1);
}

struct text {
	long type;
	char c[8192];
};

static struct text text = { .type = 1 };

static void make_full_queue(void)
{
	make_queue();
	while (!msgsnd(queue, &text, sizeof(text.c), IPC_NOWAIT))
		;
}

static long in_msgsnd(struct msg *m)
{
	(void)m;
	return kept_call(SYS_msgsnd, queue, (long)&text, sizeof(text.c), 0, 0,
			 0);
}

static void take_text(struct actor *t)
{
	(void)t;
	expect_eq(must(msgrcv(queue, &text, sizeof(text.c), 0, 0)),
		  sizeof(text.c));
}

/* --- asynchronous input and output ------------------------------------------ */

/* A context belongs to one memory: the target makes its own. */
static long aio_poll_of(aio_context_t *ctx)
{
	static struct iocb cb;
	struct iocb *list[] = { &cb };
	long ret = ct_syscall3(SYS_io_setup, 1, ctx, 0);

	if (ret)
		return ret;
	cb.aio_lio_opcode = IOCB_CMD_POLL;
	cb.aio_fildes = p[0];
	cb.aio_buf = POLLIN;
	ret = ct_syscall3(SYS_io_submit, *ctx, 1, list);
	return ret == 1 ? 0 : ret < 0 ? ret : -EIO;
}

static long aio_wait(long nr)
{
	struct timespec far = { 1000, 0 };
	struct io_event e;
	aio_context_t ctx = 0;
	long ret = aio_poll_of(&ctx);

	if (!ret)
		ret = kept_call(nr, ctx, 1, 1, (long)&e, (long)&far, 0);
	ct_syscall3(SYS_io_destroy, ctx, 0, 0);
	return ret;
}

static void make_aio(void)
{
	if (ct_syscall3(SYS_io_setup, 0, 0, 0) == -ENOSYS)
		ct_skip("this kernel has no asynchronous I/O");
	make_pipe();
}

static long in_io_getevents(struct msg *m)
{
	(void)m;
	return aio_wait(SYS_io_getevents);
}

static long in_io_pgetevents(struct msg *m)
{
	(void)m;
	return aio_wait(SYS_io_pgetevents);
}

/* A ring that check and target share. */
static struct {
	unsigned int *tail, *mask, *array;
	struct io_uring_sqe *sqe;
	int fd;
} ring;

static void make_ring(void)
{
	struct io_uring_params par = { 0 };
	char *sq;

	ring.fd = syscall(SYS_io_uring_setup, 4, &par);
	if (ring.fd < 0 && (errno == ENOSYS || errno == EPERM))
		ct_skip("no io_uring here: %s", ct_errname(errno));
	must(ring.fd);
	sq = mmap(NULL, par.sq_off.array + par.sq_entries * sizeof(int),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
		  IORING_OFF_SQ_RING);
	ring.sqe = mmap(NULL, par.sq_entries * sizeof(*ring.sqe),
			PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
			IORING_OFF_SQES);
	expect(sq != MAP_FAILED && ring.sqe != MAP_FAILED);
	ring.tail = (void *)(sq + par.sq_off.tail);
	ring.mask = (void *)(sq + par.sq_off.ring_mask);
	ring.array = (void *)(sq + par.sq_off.array);
}

/* An entry that does nothing, to be submitted. */
static void queue_nop(void)
{
	unsigned int at = *ring.tail & *ring.mask;

	memset(&ring.sqe[at], 0, sizeof(ring.sqe[at]));
	ring.sqe[at].opcode = IORING_OP_NOP;
	ring.array[at] = at;
	__atomic_store_n(ring.tail, *ring.tail + 1, __ATOMIC_RELEASE);
}

static void submit_nop(struct actor *t)
{
	(void)t;
	queue_nop();
	expect_eq(ct_syscall6(SYS_io_uring_enter, ring.fd, 1, 0, 0, 0, 0), 1);
}

static long in_io_uring_enter(struct msg *m)
{
	(void)m;
	return kept_call(SYS_io_uring_enter, ring.fd, 0, 1,
			 IORING_ENTER_GETEVENTS, 0, 0);
}

/* One is submitted and two are waited for. */
static long in_io_uring_submit(struct msg *m)
{
	(void)m;
	queue_nop();
	return kept_call(SYS_io_uring_enter, ring.fd, 1, 2,
			 IORING_ENTER_GETEVENTS, 0, 0);
}

/* Its arguments are of 32 bits: nobody has to clear the others. */
static long in_io_uring_wide(struct msg *m)
{
	const long high = 0x5a5aL << 32;

	(void)m;
	queue_nop();
	return kept_call(SYS_io_uring_enter, high | ring.fd, high | 1, high | 2,
			 high | IORING_ENTER_GETEVENTS, 0, 0);
}

/* --- the checks -------------------------------------------------------------- */

static const struct block blocks[] = {
	BLOCK(splice, SYS_splice, make_two_pipes, send_byte, 1),
	BLOCK(tee, SYS_tee, make_two_pipes, send_byte, 1),
	BLOCK(vmsplice, SYS_vmsplice, make_full_pipe, drain, 1),
	BLOCK(readv, SYS_readv, make_pipe, send_byte, 1),
	BLOCK(accept4, SYS_accept4, make_listener, connect_one, 0),
	BLOCK(connect, SYS_connect, make_full_listener, accept_one, 0),
	BLOCK(sendmsg, SYS_sendmsg, make_full_sockets, drain, 1),
	BLOCK(send_timeout, SYS_sendto, make_full_sockets, drain, 1),
	BLOCK(recvmmsg, SYS_recvmmsg, make_sockets, send_byte, 1),
	BLOCK(recvmmsg_timeout, SYS_recvmmsg, make_sockets, send_byte, 1),
	BLOCK(signalfd, SYS_read, make_signalfd, signal_usr1, SIGUSR1),
	BLOCK(inotify, SYS_read, make_inotify, change_file, IN_ATTRIB),
#ifdef SYS_epoll_pwait2
	BLOCK(epoll_pwait2, SYS_epoll_pwait2, make_pwait2, send_byte, 1),
#endif
	BLOCK(ofd_setlkw, SYS_fcntl, make_ofd_lock, unlock_ofd, 0),
	BLOCK(mq_receive, SYS_mq_timedreceive, make_mq, mq_send_one, 'b'),
	BLOCK(mq_send, SYS_mq_timedsend, make_full_mq, mq_receive_one, 0),
	BLOCK(msgsnd, SYS_msgsnd, make_full_queue, take_text, 0),
	BLOCK(io_getevents, SYS_io_getevents, make_aio, send_byte, 1),
	BLOCK(io_pgetevents, SYS_io_pgetevents, make_aio, send_byte, 1),
	BLOCK(io_uring_enter, SYS_io_uring_enter, make_ring, submit_nop, 0),
	BLOCK(io_uring_submit, SYS_io_uring_enter, make_ring, submit_nop, 1),
	BLOCK(io_uring_wide, SYS_io_uring_enter, make_ring, submit_nop, 1),
};

PLAY_TABLE(blocked, blocks)
{
	play_block();
	unlink(path);
}
