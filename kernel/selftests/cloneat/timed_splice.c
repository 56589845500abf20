// SPDX-License-Identifier: GPL-2.0
/*
 * The timeouts of the sockets that a target splices go on while it is used (see
 * timed.h).
 */
#include "timed.h"

static int way[2];	/* a pipe, to or from a socket */

/* Of packets: before Linux 6.5 a stream takes a page for which it has no room. */
static void make_packet_sender(void)
{
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
	fill_sender();
}

static void make_splice_sender(void)
{
	make_packet_sender();
	must(pipe(way));
	expect_eq(write(way[1], "x", 1), 1);
}

static long in_splice_to(void)
{
	return kept_call(SYS_splice, way[0], 0, p[1], 0, 1, 0);
}

static void make_splice_receiver(void)
{
	make_receiver();
	must(pipe(way));
}

static long in_splice_from(void)
{
	return kept_call(SYS_splice, p[0], 0, way[1], 0, 1, 0);
}

static void make_file_sender(void)
{
	make_packet_sender();
	way[0] = must(memfd_create("data", MFD_CLOEXEC));
	expect_eq(write(way[0], "x", 1), 1);
}

static long in_sendfile(void)
{
	off_t at = 0;

	return kept_call(SYS_sendfile, p[1], way[0], (long)&at, 1, 0, 0);
}

static const struct timed splices[] = {
	TICKED(sendfile, SYS_sendfile, make_file_sender, -EAGAIN),
	TICKED(splice_to, SYS_splice, make_splice_sender, -EAGAIN),
	TICKED(splice_from, SYS_splice, make_splice_receiver, -EAGAIN),
};

static const struct timed_group groups[] = {
	GROUP(splices, "the timeouts of the sockets that it splices go on"),
};

PLAY_TABLE(timed, groups)
{
	play_timed();
}
