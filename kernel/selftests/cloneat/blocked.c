// SPDX-License-Identifier: GPL-2.0
/*
 * A target that is blocked in input or output: the call succeeds, and what the
 * target was doing ends later with the right result (see busy.h).
 */
#include "busy.h"
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static long in_read(struct msg *m)
{
	char c = 0;

	(void)m;
	return read(p[0], &c, 1) == 1 ? c : -errno;
}

static long in_recv(struct msg *m)
{
	char c = 0;

	(void)m;
	return recv(p[0], &c, 1, 0) == 1 ? c : -errno;
}

static long in_recv_timeout(struct msg *m)
{
	struct timeval far = { 1000, 0 };

	setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &far, sizeof(far));
	return in_recv(m);
}

static long in_recvmsg(struct msg *m)
{
	char c = 0;
	struct iovec iov = { &c, 1 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };

	(void)m;
	return recvmsg(p[0], &h, 0) == 1 ? c : -errno;
}

static long in_accept(struct msg *m)
{
	int fd = accept(p[0], NULL, NULL);

	(void)m;
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static long in_accept_timeout(struct msg *m)
{
	struct timeval far = { 1000, 0 };

	setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &far, sizeof(far));
	return in_accept(m);
}

static long in_write(struct msg *m)
{
	char c = 'x';

	(void)m;
	return errno_of(write(p[1], &c, 1));
}

static long in_eventfd(struct msg *m)
{
	eventfd_t v = 0;

	(void)m;
	return eventfd_read(p[0], &v) ? -errno : (long)v;
}

static long in_timerfd(struct msg *m)
{
	uint64_t n = 0;

	(void)m;
	return read(p[0], &n, sizeof(n)) == sizeof(n) ? (long)n : -errno;
}

/* --- how they are prepared and released --------------------------------- */

static void make_listener(void)
{
	make_named(SOCK_STREAM);
	must(listen(p[0], 1));
}

static void make_eventfd(void)
{
	p[0] = must(eventfd(0, 0));
}

static void make_timerfd(void)
{
	struct itimerspec far = { .it_value.tv_sec = 100000 };

	p[0] = must(timerfd_create(CLOCK_MONOTONIC, 0));
	must(timerfd_settime(p[0], 0, &far, NULL));
}

static void do_connect(struct actor *t)
{
	int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));

	(void)t;
	must(connect(fd, (struct sockaddr *)&name, name_len));
}

static void add_five(struct actor *t)
{
	(void)t;
	must(eventfd_write(p[0], 5));
}

static void expire(struct actor *t)
{
	struct itimerspec now = { .it_value.tv_nsec = 1 };

	(void)t;
	must(timerfd_settime(p[0], 0, &now, NULL));
}

/* --- the checks --------------------------------------------------------- */

static const struct block blocks[] = {
	BLOCK(recv, SYS_recvfrom, make_sockets, send_byte, 'b'),
	BLOCK(recv_timeout, SYS_recvfrom, make_sockets, send_byte, 'b'),
	BLOCK(recvmsg, SYS_recvmsg, make_sockets, send_byte, 'b'),
	BLOCK(accept, SYS_accept, make_listener, do_connect, 0),
	BLOCK(accept_timeout, SYS_accept, make_listener, do_connect, 0),
	BLOCK(read, SYS_read, make_pipe, send_byte, 'b'),
	BLOCK(write, SYS_write, make_full_pipe, drain, 1),
	BLOCK(eventfd, SYS_read, make_eventfd, add_five, 5),
	BLOCK(timerfd, SYS_read, make_timerfd, expire, 1),
};

PLAY_TABLE(blocked, blocks)
{
	play_block();
}
