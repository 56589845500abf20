// SPDX-License-Identifier: GPL-2.0
/*
 * Targets that are blocked in calls with a timeout are used again and again
 * until the timeouts end the calls.  A timeout that began anew each time would
 * never end; one that were cut short is found by the target's own clock.
 *
 *	check (caller)
 *	  +-- target, target ...     each blocked in another call for SPAN
 *	        +-- kid, kid, kid ...
 */
#include "busy.h"
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <time.h>

#define SPAN_MS 400
#define SPAN (SPAN_MS * 1000000LL)	/* ns */

/* A span is not to be written into. */
static const struct timespec span = { 0, SPAN };

static int sem = -1;	/* System V */

static struct timespec from_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += SPAN;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* --- sleeping ------------------------------------------------------------- */

static long in_nanosleep(void)
{
	return kept_call(SYS_nanosleep, (long)&span, 0, 0, 0, 0, 0);
}

static long in_clock_nanosleep(void)
{
	return kept_call(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, (long)&span,
			 0, 0, 0);
}

static long in_clock_absolute(void)
{
	struct timespec end = from_now(CLOCK_MONOTONIC);

	return kept_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME,
			 (long)&end, 0, 0, 0);
}

/* A timer of its own, which nothing interrupts. */
static long in_timerfd(void)
{
	struct itimerspec it = { .it_value = span };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t n = 0;
	long ret;

	timerfd_settime(fd, 0, &it, NULL);
	ret = kept_call(SYS_read, fd, (long)&n, sizeof(n), 0, 0, 0);
	close(fd);
	return ret == sizeof(n) ? (long)n : ret;
}

static void nop_handler(int sig)
{
	(void)sig;
}

static long in_itimer(void)
{
	struct itimerval it = { .it_value.tv_usec = SPAN / 1000 };

	signal(SIGALRM, nop_handler);
	setitimer(ITIMER_REAL, &it, NULL);
	return ct_syscall6(SYS_ppoll, 0, 0, 0, 0, 0, 0);
}

/* --- polling ---------------------------------------------------------------- */

#ifdef SYS_poll
static long in_poll(void)
{
	struct pollfd f = { .fd = p[0], .events = POLLIN };

	return kept_call(SYS_poll, (long)&f, 1, SPAN_MS, 0, 0, 0);
}

static long in_select(void)
{
	struct timeval tv = { 0, SPAN / 1000 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(p[0], &set);
	return kept_call(SYS_select, p[0] + 1, (long)&set, 0, 0, (long)&tv, 0);
}

static long in_epoll_wait(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC);
	long ret;

	epoll_ctl(fd, EPOLL_CTL_ADD, p[0], &e);
	ret = kept_call(SYS_epoll_wait, fd, (long)&e, 1, SPAN_MS, 0, 0);
	close(fd);
	return ret;
}
#endif

static long in_ppoll(void)
{
	struct pollfd f = { .fd = p[0], .events = POLLIN };
	struct timespec left = span;
	sigset_t mask;

	sigemptyset(&mask);
	return kept_call(SYS_ppoll, (long)&f, 1, (long)&left, (long)&mask, 8,
			 0);
}

/* The kernel cannot write the rest into this one. */
static long in_ppoll_const(void)
{
	struct pollfd f = { .fd = p[0], .events = POLLIN };

	return kept_call(SYS_ppoll, (long)&f, 1, (long)&span, 0, 0, 0);
}

static long in_pselect(void)
{
	struct timespec left = span;
	sigset_t mask;
	struct { sigset_t *set; size_t size; } sig = { &mask, 8 };

	sigemptyset(&mask);
	return kept_call(SYS_pselect6, 0, 0, 0, 0, (long)&left, (long)&sig);
}

static long in_epoll_pwait(void)
{
	struct epoll_event e;
	sigset_t mask;
	int fd = epoll_create1(EPOLL_CLOEXEC);
	long ret;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTTIN);
	ret = kept_call(SYS_epoll_pwait, fd, (long)&e, 1, SPAN_MS, (long)&mask,
			8);
	close(fd);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, SIGTTIN) ? -EBADMSG : ret;
}

#ifdef SYS_epoll_pwait2
static long in_epoll_pwait2(void)
{
	struct epoll_event e;
	int fd = epoll_create1(EPOLL_CLOEXEC);
	long ret = kept_call(SYS_epoll_pwait2, fd, (long)&e, 1, (long)&span, 0,
			     0);

	close(fd);
	return ret;
}
#endif

/* --- futexes ------------------------------------------------------------------ */

#define WORD ((long)&ct_slot[1])

static long in_futex(void)
{
	return kept_call(SYS_futex, WORD, FUTEX_WAIT, 0, (long)&span, 0, 0);
}

static long in_futex_bitset(void)
{
	struct timespec end = from_now(CLOCK_MONOTONIC);

	return kept_call(SYS_futex, WORD, FUTEX_WAIT_BITSET, 0, (long)&end, 0,
			 FUTEX_BITSET_MATCH_ANY);
}

#define HELD ((long)&ct_slot[2])

static void make_held(void)
{
	expect_eq(ct_syscall6(SYS_futex, HELD, FUTEX_LOCK_PI, 0, 0, 0, 0), 0);
}

static long in_futex_lock_pi(void)
{
	struct timespec end = from_now(CLOCK_REALTIME);

	return kept_call(SYS_futex, HELD, FUTEX_LOCK_PI, 0, (long)&end, 0, 0);
}

/* --- signals, semaphores, queues ------------------------------------------------ */

static long in_sigtimedwait(void)
{
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	return kept_call(SYS_rt_sigtimedwait, (long)&usr1, 0, (long)&span, 8, 0,
			 0);
}

static void make_sem(void)
{
	sem = semget(IPC_PRIVATE, 1, 0600);
	if (sem < 0 && errno == ENOSYS)
		ct_skip("this kernel has no System V semaphores");
	must(sem);
}

static long in_semtimedop(void)
{
	struct sembuf op = { .sem_op = -1 };

	return kept_call(SYS_semtimedop, sem, (long)&op, 1, (long)&span, 0, 0);
}

static long in_mq_receive(void)
{
	struct timespec end = from_now(CLOCK_REALTIME);
	char c;

	return kept_call(SYS_mq_timedreceive, p[0], (long)&c, 1, 0, (long)&end,
			 0);
}

/* --- sockets ----------------------------------------------------------------------- */

static void limit(int fd, int option)
{
	struct timeval tv = { 0, SPAN / 1000 };

	must(setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv)));
}

static void make_receiver(void)
{
	make_sockets();
	limit(p[0], SO_RCVTIMEO);
}

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

static void fill_sender(void)
{
	char page[4096] = "";

	while (send(p[1], page, sizeof(page), MSG_DONTWAIT) > 0)
		;
	limit(p[1], SO_SNDTIMEO);
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
	limit(p[1], SO_SNDTIMEO);
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
	limit(p[0], SO_RCVTIMEO);
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
	limit(p[1], SO_SNDTIMEO);
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
	limit(p[1], SO_SNDTIMEO);
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

/* --- asynchronous input and output --------------------------------------------------- */

static void make_aio(void)
{
	if (ct_syscall3(SYS_io_setup, 0, 0, 0) == -ENOSYS)
		ct_skip("this kernel has no asynchronous I/O");
}

static long aio_wait(long nr)
{
	aio_context_t ctx = 0;
	struct io_event e;
	long ret = ct_syscall3(SYS_io_setup, 1, &ctx, 0);

	if (!ret)
		ret = kept_call(nr, ctx, 1, 1, (long)&e, (long)&span, 0);
	ct_syscall3(SYS_io_destroy, ctx, 0, 0);
	return ret;
}

static long in_io_getevents(void)
{
	return aio_wait(SYS_io_getevents);
}

static long in_io_pgetevents(void)
{
	return aio_wait(SYS_io_pgetevents);
}

static void make_ring(void)
{
	struct io_uring_params par = { 0 };

	p[0] = syscall(SYS_io_uring_setup, 4, &par);
	if (p[0] < 0 && (errno == ENOSYS || errno == EPERM))
		ct_skip("no io_uring here: %s", ct_errname(errno));
	must(p[0]);
	if (!(par.features & IORING_FEAT_EXT_ARG))
		ct_skip("this kernel's io_uring has no timeout of a wait");
}

static long in_io_uring(void)
{
	struct io_uring_getevents_arg arg = { .ts = (uint64_t)&span };

	return kept_call(SYS_io_uring_enter, p[0], 0, 1,
			 IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
			 (long)&arg, sizeof(arg));
}

/* --- the checks ------------------------------------------------------------- */

struct timed {
	const char *name;
	long nr;
	void (*make)(void);
	long (*fn)(void);
	long result;		/* of a call that timed out */
	clockid_t clock;	/* that its timeout is measured by */
};

#define TIMED_BY(clock, what, nr, make, result) \
	{ #what, nr, make, in_##what, result, clock }
#define TIMED(what, nr, make, result) \
	TIMED_BY(CLOCK_MONOTONIC, what, nr, make, result)

/*
 * A timeout that is counted in ticks begins with the tick before it: it is
 * shorter than its name by up to one, and by more where the tick was late, as
 * in a virtual machine that had to wait.  The coarse clock is moved by the
 * same tick.
 */
#define TICKED(what, nr, make, result) \
	TIMED_BY(CLOCK_MONOTONIC_COARSE, what, nr, make, result)

static const struct timed sleeps[] = {
	TIMED(nanosleep, SYS_nanosleep, make_nothing, 0),
	TIMED_BY(CLOCK_BOOTTIME, clock_nanosleep, SYS_clock_nanosleep,
		 make_nothing, 0),
	TIMED(clock_absolute, SYS_clock_nanosleep, make_nothing, 0),
	TIMED(timerfd, SYS_read, make_nothing, 1),
	TIMED(itimer, SYS_ppoll, make_nothing, -EINTR),
	TIMED(futex, SYS_futex, make_nothing, -ETIMEDOUT),
	TIMED(futex_bitset, SYS_futex, make_nothing, -ETIMEDOUT),
	TIMED_BY(CLOCK_REALTIME, futex_lock_pi, SYS_futex, make_held,
		 -ETIMEDOUT),
};

static const struct timed polls[] = {
#ifdef SYS_poll
	TIMED(poll, SYS_poll, make_pipe, 0),
	TIMED(select, SYS_select, make_pipe, 0),
	TIMED(epoll_wait, SYS_epoll_wait, make_pipe, 0),
#endif
	TIMED(ppoll, SYS_ppoll, make_pipe, 0),
	TIMED(ppoll_const, SYS_ppoll, make_pipe, 0),
	TIMED(pselect, SYS_pselect6, make_nothing, 0),
	TIMED(epoll_pwait, SYS_epoll_pwait, make_nothing, 0),
#ifdef SYS_epoll_pwait2
	TIMED(epoll_pwait2, SYS_epoll_pwait2, make_nothing, 0),
#endif
};

static const struct timed queues[] = {
	TIMED(sigtimedwait, SYS_rt_sigtimedwait, make_nothing, -EAGAIN),
	TIMED(semtimedop, SYS_semtimedop, make_sem, -EAGAIN),
	TIMED_BY(CLOCK_REALTIME, mq_receive, SYS_mq_timedreceive, make_mq,
		 -ETIMEDOUT),
	TIMED(io_getevents, SYS_io_getevents, make_aio, 0),
	TIMED(io_pgetevents, SYS_io_pgetevents, make_aio, 0),
	TIMED(io_uring, SYS_io_uring_enter, make_ring, -ETIME),
};

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

static const struct timed splices[] = {
	TICKED(sendfile, SYS_sendfile, make_file_sender, -EAGAIN),
	TICKED(splice_to, SYS_splice, make_splice_sender, -EAGAIN),
	TICKED(splice_from, SYS_splice, make_splice_receiver, -EAGAIN),
};

struct group {
	const char *name;
	const char *verdict;
	const struct timed *call;
	int n;
};

#define GROUP(calls, text) { #calls, text, calls, ct_count(calls) }
#define GROUP_MAX 10

static const struct group groups[] = {
	GROUP(sleeps, "the timeouts of a target's sleeps and futexes go on"),
	GROUP(polls, "the timeouts of a target's polls go on"),
	GROUP(queues, "the timeouts of a target's waits for events go on"),
	GROUP(sockets, "the timeouts of a target's sockets go on"),
	GROUP(splices, "the timeouts of the sockets that it splices go on"),
};

static long long read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The least that the call may take by its clock. */
static long long least(const struct timed *call)
{
	struct timespec tick;

	if (call->clock != CLOCK_MONOTONIC_COARSE)
		return SPAN;
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return SPAN - 2 * tick.tv_nsec;
}

/* In the target: the result, and how long that took. */
static long do_timed(struct msg *m)
{
	const struct timed *call = (const void *)m->arg[0];
	long long begin = read_clock(call->clock);
	long ret = call->fn();

	m->arg[1] = read_clock(call->clock) - begin;
	return ret;
}

static void begin(const struct timed *call, struct actor *t)
{
	expect_eq(on(t, do_ignore_sigchld, 0), 0);
	start(t, do_timed, (long)call);
	wait_blocked(t, call->nr);
}

static void finish(const struct timed *call, struct actor *t)
{
	long ret = actor_finish(t);

	if (ret != call->result)
		fail("%s: expected %ld, got %ld", call->name, call->result,
		     ret);
	if (t->m.arg[1] < least(call))
		fail("%s ended after %ld ns, before its time of %lld",
		     call->name, t->m.arg[1], least(call));
}

/*
 * A target that runs, if only to be stopped, when its time is over gets on with
 * it, whatever else this machine has to do: it is late only if it went back to
 * sleep, and that more often than a timer can be late.
 */
#define LATE 100

/* A target and how it does. */
struct run {
	struct actor t;
	pid_t pid;		/* of its process */
	long sleeps;		/* how often it went to sleep */
	int late;
	bool ended;
};

/* Uses the target; true if its call has ended. */
static bool use(const struct timed *call, struct run *r, long long due)
{
	struct actor k;
	long sleeps;

	expect_ok(cl(&me, &k, r->pid, 0, 0));
	quit(&k, 0);
	sleeps = proc_field(r->t.pid, "voluntary_ctxt_switches");
	if (ct_clock() > due && sleeps != r->sleeps && !answered(&r->t) &&
	    ++r->late > LATE)
		fail("%s: its timeout does not end", call->name);
	r->sleeps = sleeps;
	return answered(&r->t);
}

static void use_all(const struct timed *call, struct run *r, int n)
{
	long long due = ct_clock() + 2 * SPAN;
	int left = 0;

	for (int i = 0; i < n; i++)
		left += !r[i].ended;
	while (left) {
		for (int i = 0; i < n; i++) {
			if (r[i].ended || !use(&call[i], &r[i], due))
				continue;
			finish(&call[i], &r[i].t);
			r[i].ended = true;
			left--;
		}
	}
}

/* A call that this kernel may be too old for. */
static bool missing(long nr)
{
#ifdef SYS_epoll_pwait2
	if (nr == SYS_epoll_pwait2)
		return ct_syscall6(nr, -1, 0, 0, 0, 0, 0) == -ENOSYS;
#endif
	return false;
}

static void play(const struct timed *call, int n)
{
	struct run r[GROUP_MAX] = { 0 };

	for (int i = 0; i < n; i++) {
		if (missing(call[i].nr)) {
			r[i].ended = true;
			continue;
		}
		call[i].make();
		spawn(&me, &r[i].t, 0);
		r[i].pid = r[i].t.pid;
		begin(&call[i], &r[i].t);
	}
	use_all(call, r, n);
	if (sem >= 0)
		semctl(sem, 0, IPC_RMID);
}

PLAY_TABLE(timed, groups)
{
	const struct group *g = ct_arg();

	play(g->call, g->n);
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
	begin(&call, &r.t);
	use_all(&call, &r, 1);
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
	begin(&call, &t);
	do {
		expect_ok(cl(&a, &k, t.pid, 0, 0));
		quit(&k, 0);
	} while (!answered(&t));
	finish(&call, &t);
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

/* Where a process waits: the number of the call, and the instruction. */
static void waits_at(pid_t pid, long *nr, unsigned long *ip)
{
	char name[32], text[256], *last;
	int fd;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/syscall", pid);
	fd = must(open(name, O_RDONLY | O_CLOEXEC));
	n = must(read(fd, text, sizeof(text) - 1));
	close(fd);
	text[n] = 0;
	last = strrchr(text, ' ');
	expect(last);
	*nr = strtol(text, NULL, 10);
	*ip = strtoul(last, NULL, 16);
}

static long do_semtimedop(struct msg *m)
{
	struct sembuf op = { .sem_op = -1 };
	struct timespec far = { 1000, 0 };

	(void)m;
	return kept_call(SYS_semtimedop, sem, (long)&op, 1, (long)&far, 0, 0);
}

PLAY_DOCUMENTED(shown, "what a target is shown to wait in is the same afterwards",
		"code behind the vdso's waits in its place")
{
	struct sembuf op = { .sem_op = 1 };
	unsigned long ip, ip_after;
	long nr, nr_after;
	struct actor t, k;

	make_sem();
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, do_semtimedop);
	wait_blocked(&t, SYS_semtimedop);
	waits_at(t.pid, &nr, &ip);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 0);
	wait_asleep(&t);
	waits_at(t.pid, &nr_after, &ip_after);
	must(semop(sem, &op, 1));
	expect_eq(actor_finish(&t), 0);
	must(semctl(sem, 0, IPC_RMID));
	expect_eq(nr_after, nr);
	expect_eq(ip_after, ip);
}

/* Catches SIGUSR1 and waits, longer than the check lasts. */
static long do_caught(struct msg *m)
{
	struct sigaction sa = { .sa_handler = nop_handler };
	struct epoll_event e;
	int fd = epoll_create1(EPOLL_CLOEXEC);
	long ret;

	(void)m;
	sigaction(SIGUSR1, &sa, NULL);
	ret = kept_call(SYS_epoll_pwait, fd, (long)&e, 1, 1000000, 0, 8);
	close(fd);
	return ret;
}

PLAY(caught, "a handler ends a timed wait of the target that was used: EINTR")
{
	struct actor t, kid[KIDS];

	spawn(&me, &t, 0);
	start(&t, do_caught, 0);
	wait_blocked(&t, SYS_epoll_pwait);
	use_target(&t, kid);
	end_kids(kid);
	wait_asleep(&t);
	expect_busy(&t);
	must(kill(t.pid, SIGUSR1));
	expect_eq(actor_finish(&t), -EINTR);
	reap_kids(&t);
}
