// SPDX-License-Identifier: GPL-2.0
/*
 * The timeouts of a target's sockets go on while it is used (see timed.h).
 */
#include "timed.h"

static long in_recv(void)
{
	char c;

	return kept_call(SYS_recvfrom, p[0], (long)&c, 1, 0, 0, 0);
}

static long in_read(void)
{
	char c;

	return kept_call(SYS_read, p[0], (long)&c, 1, 0, 0, 0);
}

static long in_recvmsg(void)
{
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };

	return kept_call(SYS_recvmsg, p[0], (long)&h, 0, 0, 0, 0);
}

static void make_sender(void)
{
	make_sockets();
	fill_sender();
}

static long in_send(void)
{
	char c = 'x';

	return kept_call(SYS_sendto, p[1], (long)&c, 1, 0, 0, 0);
}

static void make_roomy_sender(void)
{
	make_sockets();
	limit_socket(p[1], SO_SNDTIMEO);
}

/* More than there is room for: 1 if a part was sent. */
static long in_send_part(void)
{
	static char much[1 << 20];
	long ret = kept_call(SYS_sendto, p[1], (long)much, sizeof(much), 0, 0,
			     0);

	return ret > 0 && ret < (long)sizeof(much) ? 1 : ret;
}

static void make_byte_receiver(void)
{
	make_receiver();
	expect_eq(write(p[1], "x", 1), 1);
}

static long in_recv_part(void)
{
	char c[2];

	return kept_call(SYS_recvfrom, p[0], (long)c, sizeof(c), MSG_WAITALL,
			 0, 0);
}

static void make_listener(void)
{
	make_named(SOCK_STREAM);
	must(listen(p[0], 0));
	limit_socket(p[0], SO_RCVTIMEO);
}

static long in_accept(void)
{
	return kept_call(SYS_accept4, p[0], 0, 0, 0, 0, 0);
}

static void make_full_listener(void)
{
	make_listener();
	p[1] = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(connect(p[1], (struct sockaddr *)&name, name_len));
	p[1] = must(socket(AF_UNIX, SOCK_STREAM, 0));
	limit_socket(p[1], SO_SNDTIMEO);
}

static long in_connect(void)
{
	return kept_call(SYS_connect, p[1], (long)&name, name_len, 0, 0, 0);
}

/* The queue that an address leads to is full. */
static void make_full_queue(void)
{
	make_named(SOCK_DGRAM);
	p[1] = must(socket(AF_UNIX, SOCK_DGRAM, 0));
	while (sendto(p[1], "", 1, MSG_DONTWAIT, (struct sockaddr *)&name,
		      name_len) > 0)
		;
	limit_socket(p[1], SO_SNDTIMEO);
}

static long in_sendto(void)
{
	return kept_call(SYS_sendto, p[1], (long)"", 1, 0, (long)&name,
			 name_len);
}

static long in_sendmsg(void)
{
	struct iovec iov = { "", 1 };
	struct msghdr h = {
		.msg_name = &name, .msg_namelen = name_len,
		.msg_iov = &iov, .msg_iovlen = 1,
	};

	return kept_call(SYS_sendmsg, p[1], (long)&h, 0, 0, 0, 0);
}

/* --- the checks ------------------------------------------------------------- */

static const struct timed sockets[] = {
	TICKED(recv, SYS_recvfrom, make_receiver, -EAGAIN),
	TICKED(read, SYS_read, make_receiver, -EAGAIN),
	TICKED(recvmsg, SYS_recvmsg, make_receiver, -EAGAIN),
	TICKED(recv_part, SYS_recvfrom, make_byte_receiver, 1),
	TICKED(send, SYS_sendto, make_sender, -EAGAIN),
	TICKED(send_part, SYS_sendto, make_roomy_sender, 1),
	TICKED(accept, SYS_accept4, make_listener, -EAGAIN),
	TICKED(connect, SYS_connect, make_full_listener, -EAGAIN),
	TICKED(sendto, SYS_sendto, make_full_queue, -EAGAIN),
	TICKED(sendmsg, SYS_sendmsg, make_full_queue, -EAGAIN),
};

static const struct timed_group groups[] = {
	GROUP(sockets, "the timeouts of a target's sockets go on"),
};

PLAY_TABLE(timed, groups)
{
	play_timed();
}

PLAY_DOCUMENTED(thread, "the timeout of a thread's socket goes on",
		"it is the socket's, which only Linux 6.9 gives away")
{
	static const struct timed call =
		TICKED(recv, SYS_recvfrom, make_receiver, -EAGAIN);
	struct run r = { 0 };
	struct actor t;

	call.make();
	dead_leader(&t, &r.t);
	r.pid = t.pid;
	begin_timed(&call, &r.t);
	use_timed(&call, &r, 1);
}

PLAY(filtered, "the timeout of a socket goes on where a filter forbids poll")
{
	static const struct timed call =
		TICKED(recv, SYS_recvfrom, make_receiver, -EAGAIN);
	struct actor a, t, k;

	call.make();
	spawn(&me, &a, 0);
	expect_eq(on(&a, do_forbid), 0);
	spawn(&a, &t, 0);
	begin_timed(&call, &t);
	do {
		expect_ok(cl(&a, &k, t.pid, 0, 0));
		quit(&k, 0);
	} while (!answered(&t));
	finish_timed(&call, &t);
}

static long do_connect(struct msg *m)
{
	(void)m;
	return in_connect();
}

static long do_sleep(struct msg *m)
{
	struct timespec t = { m->arg[0] / 1000, m->arg[0] % 1000 * 1000000 };

	return kept_call(SYS_nanosleep, (long)&t, 0, 0, 0, 0, 0);
}

static void use_once(const struct actor *t)
{
	struct actor k;

	expect_ok(cl(&me, &k, t->pid, 0, 0));
	quit(&k, 0);
}

PLAY(left_alone, "a target that was used late, and then left alone, is not late")
{
	struct timeval tv = { 2, 0 };
	struct timespec most = { 1, 800000000 };
	struct actor t, clock;

	make_full_listener();
	must(setsockopt(p[1], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	spawn(&me, &t, 0);
	spawn(&me, &clock, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, do_connect);
	wait_blocked(&t, SYS_connect);
	use_once(&t);
	nanosleep(&most, NULL);
	use_once(&t);
	/* It has 0.2 s left, or 2 if its time began anew. */
	start(&clock, do_sleep, 1300);
	while (!answered(&t)) {
		expect(!answered(&clock));
		sched_yield();
	}
	expect_eq(actor_finish(&t), -EAGAIN);
}
