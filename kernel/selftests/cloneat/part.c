// SPDX-License-Identifier: GPL-2.0
/*
 * A target in the middle of a transfer that takes many waits: it is used again
 * and again meanwhile, and in the end everything has been transferred, in one
 * call.
 *
 *	check (caller) ---- reads or writes the other end ----+
 *	  +-- target     in one big read or write            <-
 *	        +-- kid, kid, kid ...
 */
#include "busy.h"
#include <grp.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <linux/aio_abi.h>

#define SIZE (768 * 1024)
#define CHUNK (64 * 1024)
#define PIECES 6	/* messages */

static unsigned char data[SIZE], got[SIZE];

static void fill(unsigned char *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = i % 251;
}

static void make_big_pipe(void)
{
	fill(data, SIZE);
	make_pipe();
}

static void make_big_sockets(void)
{
	fill(data, SIZE);
	make_sockets();
}

/* Their timeouts do not end within the check. */
static void make_limited_sockets(void)
{
	struct timeval tv = { .tv_sec = 60 };

	make_big_sockets();
	must(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	must(setsockopt(p[1], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
}

static void make_packets(void)
{
	fill(data, SIZE);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
}

/* --- the target writes ------------------------------------------------------ */

static long by_write(void)
{
	return kept_call(SYS_write, p[1], (long)data, SIZE, 0, 0, 0);
}

static long by_writev(void)
{
	struct iovec iov[3] = { { data, 1000 }, { data + 1000, SIZE / 2 },
				{ data + 1000 + SIZE / 2, SIZE / 2 - 1000 } };

	return kept_call(SYS_writev, p[1], (long)iov, 3, 0, 0, 0);
}

/* A position of -1 is none. */
static long by_pwritev2(void)
{
	struct iovec iov[3] = { { data, 1000 }, { data + 1000, SIZE / 2 },
				{ data + 1000 + SIZE / 2, SIZE / 2 - 1000 } };

	return kept_call(SYS_pwritev2, p[1], (long)iov, 3, -1, -1, 0);
}

static long by_send(void)
{
	return kept_call(SYS_sendto, p[1], (long)data, SIZE, 0, 0, 0);
}

static long by_sendmsg(void)
{
	struct iovec iov = { data, SIZE };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };

	return kept_call(SYS_sendmsg, p[1], (long)&h, MSG_NOSIGNAL, 0, 0, 0);
}

#define MANY 16
#define SOME 9

/* All of the data, cut up. */
static void cut(struct iovec iov[MANY])
{
	for (int i = 0; i < MANY; i++)
		iov[i] = (struct iovec){ data + SIZE / MANY * i, SIZE / MANY };
}

/* Of many pieces, with a flag that says nothing. */
static long by_sendmsg_pieces(void)
{
	struct iovec iov[MANY];
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = MANY };

	cut(iov);
	return kept_call(SYS_sendmsg, p[1], (long)&h, MSG_NOSIGNAL, 0, 0, 0);
}

static long by_writev_pieces(void)
{
	struct iovec iov[MANY];

	cut(iov);
	return kept_call(SYS_writev, p[1], (long)iov, MANY, 0, 0, 0);
}

static long by_sendfile(void)
{
	int fd = memfd_create("data", MFD_CLOEXEC);
	off_t at = 0;
	long ret;

	if (write(fd, data, SIZE) != SIZE)
		return -EIO;
	ret = kept_call(SYS_sendfile, p[1], fd, (long)&at, SIZE, 0, 0);
	close(fd);
	return at == SIZE ? ret : -EBADMSG;
}

static int way[2];	/* a pipe with all of it */

static void make_filled_pipe(void)
{
	make_big_sockets();
	must(pipe(way));
	if (fcntl(way[1], F_SETPIPE_SZ, 1 << 20) < SIZE)
		ct_skip("no pipe of a megabyte here");
	expect_eq(write(way[1], data, SIZE), SIZE);
}

static long by_splice(void)
{
	return kept_call(SYS_splice, way[0], 0, p[1], 0, SIZE, 0);
}

/* More than the pipe has: it is not waited for. */
static long by_splice_short(void)
{
	return kept_call(SYS_splice, way[0], 0, p[1], 0, 2 * SIZE, 0);
}

/* Messages that do not fit into the queue together. */
static long by_sendmmsg(void)
{
	struct mmsghdr h[PIECES] = { 0 };
	struct iovec iov[PIECES];

	for (int i = 0; i < PIECES; i++) {
		iov[i] = (struct iovec){ data + i * CHUNK, CHUNK };
		h[i].msg_hdr.msg_iov = &iov[i];
		h[i].msg_hdr.msg_iovlen = 1;
	}
	return kept_call(SYS_sendmmsg, p[1], (long)h, PIECES, 0, 0, 0);
}

/* --- the target reads -------------------------------------------------------- */

static long whole(long ret, size_t size)
{
	return memcmp(data, got, size) ? -EILSEQ : ret;
}

static long by_recv(void)
{
	long ret = kept_call(SYS_recvfrom, p[0], (long)got, SIZE, MSG_WAITALL,
			     0, 0);

	return whole(ret, SIZE);
}

static long by_recvmsg(void)
{
	struct iovec iov = { got, SIZE };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	long ret = kept_call(SYS_recvmsg, p[0], (long)&h, MSG_WAITALL, 0, 0, 0);

	return whole(ret, SIZE);
}

static long by_recvmsg_pieces(void)
{
	struct iovec iov[SOME] = { 0 };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = SOME };
	long ret;

	/* One of them is empty. */
	for (int i = 0, at = 0; i < SOME; i++) {
		iov[i].iov_base = got + at;
		iov[i].iov_len = i == SOME / 2 ? 0 : SIZE / (SOME - 1);
		at += iov[i].iov_len;
	}
	ret = kept_call(SYS_recvmsg, p[0], (long)&h, MSG_WAITALL, 0, 0, 0);

	return ret == SIZE ? whole(ret, SIZE) : ret;
}

static long by_recvmmsg(void)
{
	struct mmsghdr h[PIECES] = { 0 };
	struct iovec iov[PIECES];
	char c;
	long ret;

	for (int i = 0; i < PIECES; i++) {
		iov[i] = (struct iovec){ got + i * CHUNK, CHUNK };
		h[i].msg_hdr.msg_iov = &iov[i];
		h[i].msg_hdr.msg_iovlen = 1;
	}
	ret = kept_call(SYS_recvmmsg, p[0], (long)h, PIECES, 0, 0, 0);
	for (int i = 0; i < PIECES && ret >= 0; i++)
		if (h[i].msg_len != CHUNK)
			return -EBADMSG;
	/* No error is left for the next call. */
	if (recv(p[0], &c, 1, MSG_DONTWAIT) != -1 || errno != EAGAIN)
		return -errno;
	return whole(ret, PIECES * CHUNK);
}

/* --- the check moves the other end -------------------------------------------- */

static size_t moved;

/* Without waiting: the target may be done. */
static void take(void)
{
	ssize_t n;

	fcntl(p[0], F_SETFL, O_NONBLOCK);
	n = read(p[0], got + moved, CHUNK < SIZE - moved ? CHUNK : SIZE - moved);
	moved += n > 0 ? n : 0;
}

static void give(void)
{
	if (moved < SIZE)
		moved += must(send(p[1], data + moved, CHUNK, 0));
}

static void give_packet(void)
{
	if (moved < PIECES * CHUNK)
		give();
}

/* --- the checks ------------------------------------------------------------------ */

struct part {
	const char *name;
	const char *verdict;
	void (*make)(void);
	long (*fn)(void);
	void (*move)(void);
	long result;
	size_t size;		/* bytes in all */
};

#define PART(what, make, move, result, size)				\
	PART_OF(#what, what, make, move, result, size)

/* The same, where the sockets have timeouts. */
#define LIMITED(what, move)						\
	PART_OF("limited_" #what, what, make_limited_sockets, move, SIZE, SIZE)

#define PART_OF(name, what, make, move, result, size)			\
	{ name, "the target's " name " ends with all of it", make,	\
	  by_##what, move, result, size }

static const struct part parts[] = {
	PART(write, make_big_pipe, take, SIZE, SIZE),
	PART(writev, make_big_pipe, take, SIZE, SIZE),
	PART(pwritev2, make_big_pipe, take, SIZE, SIZE),
	PART(send, make_big_sockets, take, SIZE, SIZE),
	PART(writev_pieces, make_big_pipe, take, SIZE, SIZE),
	PART(sendmsg, make_big_sockets, take, SIZE, SIZE),
	PART(sendmsg_pieces, make_big_sockets, take, SIZE, SIZE),
	PART(sendfile, make_big_sockets, take, SIZE, SIZE),
	PART(splice, make_filled_pipe, take, SIZE, SIZE),
	PART(splice_short, make_filled_pipe, take, SIZE, SIZE),
	PART(sendmmsg, make_packets, take, PIECES, PIECES * CHUNK),
	PART(recv, make_big_sockets, give, SIZE, SIZE),
	PART(recvmsg, make_big_sockets, give, SIZE, SIZE),
	PART(recvmsg_pieces, make_big_sockets, give, SIZE, SIZE),
	PART(recvmmsg, make_packets, give_packet, PIECES, PIECES * CHUNK),
	LIMITED(send, take),
	LIMITED(writev, take),
	LIMITED(sendmsg, take),
	LIMITED(sendfile, take),
	LIMITED(recv, give),
	LIMITED(recvmsg, give),
};

static long do_part(struct msg *m)
{
	const struct part *part = (const void *)m->arg[0];

	return part->fn();
}

/* The part is done by a child of a, who uses it. */
static void play_below(const struct part *part, struct actor *a)
{
	struct actor t, k;

	spawn(a, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, do_part, (long)part);
	do {
		wait_asleep(&t);
		expect_ok(cl(a, &k, t.pid, 0, 0));
		quit(&k, 0);
		part->move();
	} while (!answered(&t));
	expect_eq(actor_finish(&t), part->result);
	while (part->move == take && moved < part->size)
		take();
	expect(moved == part->size);
	expect(part->move != take || !memcmp(data, got, part->size));
}

PLAY_TABLE(part, parts)
{
	const struct part *part = ct_arg();

	part->make();
	play_below(part, &me);
}

static long do_nothing(struct msg *m)
{
	return m->arg[0];
}

/* The target is below an actor that does @first, and forbids itself sendto. */
static void play_forbidden(actor_fn first, const struct part *part)
{
	struct actor a;
	long ret;

	part->make();
	spawn(&me, &a, 0);
	ret = on(&a, first, 0);
	if (ret)
		ct_skip("%s", ct_errname(-ret));
	expect_eq(on(&a, do_forbid), 0);
	play_below(part, &a);
}

static const struct part message =
	PART(sendmsg, make_big_sockets, take, SIZE, SIZE);

PLAY(filtered, "the target's sendmsg goes on where a filter forbids sendto")
{
	play_forbidden(do_nothing, &message);
}

PLAY(filtered_pwritev2, "the target's pwritev2 goes on where there is a filter")
{
	static const struct part vector =
		PART(pwritev2, make_big_pipe, take, SIZE, SIZE);

	play_forbidden(do_nothing, &vector);
}

/* /proc/PID/status tells of filters behind all of them. */
#define GROUPS 1000

/* Not without privilege, nor in a user namespace that has not the numbers. */
static long do_join_groups(struct msg *m)
{
	gid_t groups[GROUPS];

	(void)m;
	for (int i = 0; i < GROUPS; i++)
		groups[i] = 4000000000U + i;
	return setgroups(GROUPS, groups) ? -errno : 0;
}

PLAY(filtered_groups, "so does that of a target that is in many groups")
{
	play_forbidden(do_join_groups, &message);
}

/* --- long calls that wait for nothing ---------------------------------------------- */

#define BIG (16L << 20)

static char *big;

static void map_big(void)
{
	big = mmap(NULL, BIG, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	expect(big != MAP_FAILED);
}

static void make_zero(void)
{
	map_big();
	p[0] = must(open("/dev/zero", O_RDONLY | O_CLOEXEC));
}

static void make_random(void)
{
	map_big();
	p[0] = must(open("/dev/urandom", O_RDONLY | O_CLOEXEC));
}

static long long_read(void)
{
	return ct_syscall3(SYS_read, p[0], (long)big, BIG);
}

static long long_readv(void)
{
	struct iovec iov[2] = { { big, BIG / 2 }, { big + BIG / 2, BIG / 2 } };

	return ct_syscall3(SYS_readv, p[0], (long)iov, 2);
}

static long long_preadv(void)
{
	struct iovec iov[2] = { { big, BIG / 2 }, { big + BIG / 2, BIG / 2 } };

	return ct_syscall6(SYS_preadv, p[0], (long)iov, 2, 4096, 0, 0);
}

static void make_random_writer(void)
{
	map_big();
	p[1] = must(open("/dev/urandom", O_WRONLY | O_CLOEXEC));
}

static long long_pwrite(void)
{
	return ct_syscall6(SYS_pwrite64, p[1], (long)big, BIG, 4096, 0, 0);
}

static long long_pwritev(void)
{
	struct iovec iov[2] = { { big, BIG / 2 }, { big + BIG / 2, BIG / 2 } };

	return ct_syscall6(SYS_pwritev, p[1], (long)iov, 2, 4096, 0, 0);
}

static void make_source_and_sink(void)
{
	p[0] = must(memfd_create("source", MFD_CLOEXEC));
	must(ftruncate(p[0], BIG));
	p[1] = must(open("/dev/null", O_WRONLY | O_CLOEXEC));
}

static long long_sendfile(void)
{
	off_t at = 0;
	long ret = ct_syscall6(SYS_sendfile, p[1], p[0], (long)&at, BIG, 0, 0);

	return at == ret ? ret : -EBADMSG;
}

struct long_call {
	const char *name;
	const char *verdict;
	void (*make)(void);
	long (*fn)(void);
};

static const struct long_call long_calls[] = {
	{ "long_read_zero", "a target's long read of /dev/zero is whole",
	  make_zero, long_read },
	{ "long_readv_zero", "so is a readv", make_zero, long_readv },
	{ "long_read_random", "and a read of /dev/urandom",
	  make_random, long_read },
	{ "long_preadv", "and a preadv", make_zero, long_preadv },
	{ "long_pwrite", "a pwrite to /dev/urandom", make_random_writer,
	  long_pwrite },
	{ "long_pwritev", "a pwritev", make_random_writer, long_pwritev },
	{ "long_sendfile", "and a sendfile to a device",
	  make_source_and_sink, long_sendfile },
};

/* Until slot 1 is set: the first result that is not BIG, or BIG. */
static long do_long_calls(struct msg *m)
{
	const struct long_call *call = (const void *)m->arg[0];
	long ret;

	do {
		ret = call->fn();
	} while (ret == BIG && !ct_slot[1]);
	return ret;
}

PLAY_TABLE(long_call, long_calls)
{
	const struct long_call *call = ct_arg();
	struct actor t, k;

	call->make();
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, do_long_calls, (long)call);
	for (int i = 0; i < 15; i++) {
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		quit(&k, 0);
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&t), BIG);
}

#define PIPE (1 << 20)

static long write_at_once(size_t size)
{
	struct iovec iov = { big, size };

	return ct_syscall6(SYS_pwritev2, p[1], (long)&iov, 1, -1L, -1L,
			   RWF_NOWAIT);
}

/* Fills a pipe and empties it, until slot 1 is set or one of both did not do all. */
static long do_fill(struct msg *m)
{
	long ret;

	(void)m;
	do {
		ret = write_at_once(BIG);
	} while (ret == PIPE && !ct_slot[1] &&
		 ct_syscall3(SYS_read, p[0], (long)big, BIG) == PIPE);
	return ret;
}

PLAY(no_wait, "a target's pwritev2 ends where it must not wait")
{
	struct actor t, k;

	map_big();
	make_pipe();
	if (fcntl(p[1], F_SETPIPE_SZ, PIPE) < PIPE)
		ct_skip("no pipe of a megabyte here");
	if (write_at_once(1) != 1 || read(p[0], big, 1) != 1)
		ct_skip("no RWF_NOWAIT for pipes");
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, do_fill, 0);
	for (int i = 0; i < 50 && !answered(&t); i++) {
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		quit(&k, 0);
	}
	slot_set(1, 1);
	for (int i = 0; i < 500 && !answered(&t); i++)
		usleep(10000);
	expect(answered(&t));
	expect_eq(actor_finish(&t), PIPE);
}

/* --- events ------------------------------------------------------------------------ */

/* Three events are waited for: they come one by one. */
static long do_events(struct msg *m)
{
	struct iocb cb[3] = { 0 }, *list[3];
	struct io_event e[3] = { 0 };
	aio_context_t ctx = 0;
	long ret = ct_syscall3(SYS_io_setup, 3, &ctx, 0);

	for (int i = 0; i < 3; i++) {
		cb[i].aio_lio_opcode = IOCB_CMD_POLL;
		cb[i].aio_fildes = m->arg[i];
		cb[i].aio_buf = POLLIN;
		cb[i].aio_data = i;
		list[i] = &cb[i];
	}
	if (!ret)
		ret = ct_syscall3(SYS_io_submit, ctx, 3, list);
	if (ret == 3)
		ret = kept_call(m->arg[3], ctx, 3, 3, (long)e, 0, 0);
	ct_syscall3(SYS_io_destroy, ctx, 0, 0);
	for (int i = 0; i < 3 && ret == 3; i++)
		if (e[i].data != (unsigned int)i)
			return -EBADMSG;
	return ret;
}

static void play_events(long nr)
{
	struct actor t, k;
	int in[3], out[3];

	if (ct_syscall3(SYS_io_setup, 0, 0, 0) == -ENOSYS)
		ct_skip("this kernel has no asynchronous I/O");
	for (int i = 0; i < 3; i++) {
		make_pipe();
		in[i] = p[0];
		out[i] = p[1];
	}
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, do_events, in[0], in[1], in[2], nr);
	for (int i = 0; i < 3; i++) {
		wait_asleep(&t);
		expect_busy(&t);
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		quit(&k, 0);
		expect_eq(write(out[i], "", 1), 1);
	}
	expect_eq(actor_finish(&t), 3);
}

PLAY(events, "the target's io_getevents ends with as many as were asked for")
{
	play_events(SYS_io_getevents);
}

PLAY(events_masked, "so does its io_pgetevents")
{
	play_events(SYS_io_pgetevents);
}

/* --- signals in the rest of a call ---------------------------------------------------- */

static volatile long handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

/* Catches SIGUSR1 with these flags, and writes it all. */
static long do_write_caught(struct msg *m)
{
	struct sigaction sa = { .sa_handler = handler,
				.sa_flags = m->arg[0] };
	long ret;

	sigaction(SIGUSR1, &sa, NULL);
	ret = by_write();
	return handled == 1 ? ret : -EBADMSG;
}

/* A target whose write is at its rest, and has been sent a signal. */
static void signalled_write(struct actor *t, int flags)
{
	struct actor k;

	make_big_pipe();
	spawn(&me, t, 0);
	expect_eq(on(t, do_ignore_sigchld, 0), 0);
	start(t, do_write_caught, flags);
	wait_asleep(t);
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	quit(&k, 0);
	take();
	wait_asleep(t);
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	quit(&k, 0);
	wait_asleep(t);
	must(kill(t->pid, SIGUSR1));
}

PLAY(signal_ends, "a handler ends the target's write with what was written")
{
	struct actor t;
	long ret;

	signalled_write(&t, 0);
	ret = actor_finish(&t);
	expect(ret >= CHUNK && ret < SIZE);
	while (moved < (size_t)ret)
		take();
	take();
	expect_eq(moved, ret);
	expect(!memcmp(data, got, moved));
}

static long do_receive_caught(struct msg *m)
{
	struct sigaction sa = { .sa_handler = handler };
	long ret;

	(void)m;
	sigaction(SIGUSR1, &sa, NULL);
	ret = by_recvmsg_pieces();
	if (handled != 1 || ret < 0 || memcmp(data, got, ret))
		return -EBADMSG;
	return ret;
}

PLAY(signal_ends_pieces, "a handler ends a recvmsg of pieces with what has come")
{
	struct actor t, k;

	make_big_sockets();
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, do_receive_caught, 0);
	/* Not whole pieces. */
	for (int i = 0; i < 4; i++) {
		give();
		wait_asleep(&t);
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		quit(&k, 0);
	}
	wait_asleep(&t);
	must(kill(t.pid, SIGUSR1));
	expect_eq(actor_finish(&t), 4 * CHUNK);
}
