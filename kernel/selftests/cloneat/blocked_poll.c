// SPDX-License-Identifier: GPL-2.0
/*
 * A target that is blocked in poll(2), select(2) or epoll_wait(2): see busy.h.
 */
#include "busy.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

/* The calls that arm64 has under one name only. */
#ifndef SYS_poll
#define SYS_poll SYS_ppoll
#define SYS_epoll_wait SYS_epoll_pwait
#define NO_SELECT
#endif

static long in_poll(struct msg *m)
{
	struct pollfd f = { .fd = p[0], .events = POLLIN };

	(void)m;
	return errno_of(poll(&f, 1, 1000000));
}

static long in_poll_forever(struct msg *m)
{
	struct pollfd f = { .fd = p[0], .events = POLLIN };

	(void)m;
	return errno_of(poll(&f, 1, -1));
}

/* A mask of its own while it waits: it must be the old one afterwards. */
static long in_ppoll(struct msg *m)
{
	struct pollfd f = { .fd = p[0], .events = POLLIN };
	struct timespec far = { 1000, 0 };
	sigset_t none, now;
	long ret;

	(void)m;
	sigemptyset(&none);
	sigaddset(&none, SIGTTIN);
	ret = errno_of(ppoll(&f, 1, &far, &none));
	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGTTIN) ? -EBADMSG : ret;
}

#ifndef NO_SELECT
static long in_select(struct msg *m)
{
	struct timeval far = { 1000, 0 };
	fd_set set;

	(void)m;
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	return ct_syscall6(SYS_select, p[0] + 1, (long)&set, 0, 0, (long)&far,
			   0);
}
#endif

static long in_pselect(struct msg *m)
{
	sigset_t none;
	fd_set set;

	(void)m;
	sigemptyset(&none);
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	return errno_of(pselect(p[0] + 1, &set, NULL, NULL, NULL, &none));
}

static long epoll_of_pipe(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, p[0], &e);
	return fd;
}

static long in_epoll_wait(struct msg *m)
{
	struct epoll_event e;

	(void)m;
	return errno_of(epoll_wait(epoll_of_pipe(), &e, 1, -1));
}

static long in_epoll_timeout(struct msg *m)
{
	struct epoll_event e;

	(void)m;
	return errno_of(epoll_wait(epoll_of_pipe(), &e, 1, 1000000));
}

static long in_epoll_pwait(struct msg *m)
{
	struct epoll_event e;
	sigset_t none;

	(void)m;
	sigemptyset(&none);
	return errno_of(epoll_pwait(epoll_of_pipe(), &e, 1, -1, &none));
}

/* --- the checks --------------------------------------------------------- */

static const struct block blocks[] = {
	BLOCK(poll, SYS_poll, make_pipe, send_byte, 1),
	BLOCK(poll_forever, SYS_poll, make_pipe, send_byte, 1),
	BLOCK(ppoll, SYS_ppoll, make_pipe, send_byte, 1),
#ifndef NO_SELECT
	BLOCK(select, SYS_select, make_pipe, send_byte, 1),
#endif
	BLOCK(pselect, SYS_pselect6, make_pipe, send_byte, 1),
	BLOCK(epoll_wait, SYS_epoll_wait, make_pipe, send_byte, 1),
	BLOCK(epoll_timeout, SYS_epoll_wait, make_pipe, send_byte, 1),
	BLOCK(epoll_pwait, SYS_epoll_pwait, make_pipe, send_byte, 1),
};

PLAY_TABLE(blocked, blocks)
{
	play_block();
}
