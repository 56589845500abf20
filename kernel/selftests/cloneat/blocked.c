// SPDX-License-Identifier: GPL-2.0
/*
 * A target that is blocked, or busy, or stopped: the call succeeds, and what
 * the target was doing ends later with the right result.
 *
 *	check (caller) ----- releases ----+
 *	  +-- target     blocked in a call <-
 *	        +-- kid  made, and ended, meanwhile
 */
#include "busy.h"
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/timerfd.h>
#include <linux/futex.h>
#include <time.h>

/* The calls that arm64 has under one name only. */
#ifndef SYS_poll
#define SYS_poll SYS_ppoll
#define SYS_epoll_wait SYS_epoll_pwait
#define SYS_pause SYS_ppoll
#define NO_SELECT
#endif

/* What target and check share besides p[]. */
static int queue = -1;
static char path[] = "/tmp/cloneat-XXXXXX";

static volatile int handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

/* Without SA_RESTART: the call ends with EINTR. */
static void catch_usr1(void)
{
	struct sigaction sa = { .sa_handler = handler };

	sigaction(SIGUSR1, &sa, NULL);
}

/* --- the calls ---------------------------------------------------------- */

static long in_read(struct msg *m)
{
	char c = 0;

	(void)m;
	return read(p[0], &c, 1) == 1 ? c : -errno;
}

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

static long in_futex(struct msg *m)
{
	(void)m;
	slot_wait(1, 1);
	return 0;
}

static long in_futex_timeout(struct msg *m)
{
	struct timespec far = { 1000, 0 };

	(void)m;
	return ct_syscall6(SYS_futex, (long)&ct_slot[1], FUTEX_WAIT, 0,
			   (long)&far, 0, 0);
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

static long in_semop(struct msg *m)
{
	struct sembuf op = { .sem_op = -1 };

	(void)m;
	return ct_syscall3(SYS_semop, sem, &op, 1);
}

static long in_semtimedop(struct msg *m)
{
	struct sembuf op = { .sem_op = -1 };
	struct timespec far = { 1000, 0 };

	(void)m;
	return ct_syscall6(SYS_semtimedop, sem, (long)&op, 1, (long)&far, 0, 0);
}

struct text {
	long type;
	char c;
};

static long in_msgrcv(struct msg *m)
{
	struct text t = { 0 };

	(void)m;
	return msgrcv(queue, &t, 1, 0, 0) == 1 ? t.c : -errno;
}

static long in_flock(struct msg *m)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	long ret = errno_of(flock(fd, LOCK_EX));

	(void)m;
	close(fd);
	return ret;
}

static long in_setlkw(struct msg *m)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	(void)m;
	return errno_of(fcntl(p[0], F_SETLKW, &l));
}

static long in_open_fifo(struct msg *m)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)m;
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* --- waits for signals and children ------------------------------------- */

static long in_pause(struct msg *m)
{
	(void)m;
	catch_usr1();
	pause();
	return handled == 1 ? -errno : handled;
}

static long in_sigsuspend(struct msg *m)
{
	sigset_t usr1, none, now;
	long ret;

	(void)m;
	catch_usr1();
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	ret = errno_of(sigsuspend(&none));
	sigprocmask(SIG_BLOCK, NULL, &now);
	return handled == 1 && sigismember(&now, SIGUSR1) ? ret : -EBADMSG;
}

static long in_sigwait(struct msg *m)
{
	struct timespec far = { 1000, 0 };
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	return errno_of(m->arg[0] ? sigtimedwait(&usr1, NULL, &far) :
			sigwaitinfo(&usr1, NULL));
}

static long in_sigtimedwait(struct msg *m)
{
	m->arg[0] = 1;
	return in_sigwait(m);
}

static long in_sigwaitinfo(struct msg *m)
{
	m->arg[0] = 0;
	return in_sigwait(m);
}

static long in_nanosleep(struct msg *m)
{
	struct timespec far = { 1000, 0 }, rest = { 0, 0 };
	long ret;

	(void)m;
	catch_usr1();
	ret = ct_syscall3(SYS_nanosleep, &far, &rest, 0);
	return rest.tv_sec > 0 && rest.tv_sec <= 1000 ? ret : -EBADMSG;
}

static long in_clock_nanosleep(struct msg *m)
{
	struct timespec far;

	(void)m;
	catch_usr1();
	clock_gettime(CLOCK_MONOTONIC, &far);
	far.tv_sec += 1000;
	return ct_syscall6(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME,
			   (long)&far, 0, 0, 0);
}

/* Ends by itself, never before its time. */
static long in_short_sleep(struct msg *m)
{
	struct timespec a, b, t = { 0, 300000000 };
	long ret;

	(void)m;
	clock_gettime(CLOCK_MONOTONIC, &a);
	ret = ct_syscall3(SYS_nanosleep, &t, NULL, 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if ((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec <
	    t.tv_nsec)
		return -EBADMSG;
	return ret;
}

/* A child of the target's own, which lasts until slot 1 is set. */
static long in_wait(struct msg *m)
{
	long pid = clone_words(SIGCHLD);

	if (!pid) {
		slot_wait(1, 1);
		ct_exit(21);
	}
	if (m->arg[0])
		return ct_syscall6(SYS_waitid, P_PID, pid, (long)m->buf,
				   WEXITED, 0, 0) ?: 21;
	if (ct_syscall6(SYS_wait4, pid, (long)m->buf, 0, 0, 0, 0) != pid)
		return -ECHILD;
	return WEXITSTATUS(*(int *)(void *)m->buf);
}

static long in_wait4(struct msg *m)
{
	m->arg[0] = 0;
	return in_wait(m);
}

static long in_waitid(struct msg *m)
{
	m->arg[0] = 1;
	return in_wait(m);
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

static void make_queue(void)
{
	queue = msgget(IPC_PRIVATE, 0600);
	if (queue < 0 && errno == ENOSYS)
		ct_skip("this kernel has no System V queues");
	must(queue);
}

static void make_file(void)
{
	mkdir("/tmp", 01777);
	p[1] = must(mkstemp(path));
	must(flock(p[1], LOCK_EX));
}

static void make_locked_memfd(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	p[0] = must(memfd_create("lock", 0));
	must(fcntl(p[0], F_SETLK, &l));
}

static void make_fifo(void)
{
	mkdir("/tmp", 01777);
	must(close(mkstemp(path)));
	must(unlink(path));
	must(mkfifo(path, 0600));
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

static void sem_up(struct actor *t)
{
	struct sembuf op = { .sem_op = 1 };

	(void)t;
	must(semop(sem, &op, 1));
}

static void send_text(struct actor *t)
{
	struct text text = { 1, 'b' };

	(void)t;
	must(msgsnd(queue, &text, 1, 0));
}

static void unlock_file(struct actor *t)
{
	(void)t;
	must(flock(p[1], LOCK_UN));
}

static void unlock_memfd(struct actor *t)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	(void)t;
	must(fcntl(p[0], F_SETLK, &l));
}

static void open_writer(struct actor *t)
{
	(void)t;
	p[1] = must(open(path, O_WRONLY));
}

static void signal_usr1(struct actor *t)
{
	must(kill(t->pid, SIGUSR1));
}

static void remove_all(void)
{
	unlink(path);
	remove_sem();
	if (queue >= 0)
		msgctl(queue, IPC_RMID, NULL);
}

/* --- the checks --------------------------------------------------------- */

static const struct block blocks[] = {
	BLOCK(read, SYS_read, make_pipe, send_byte, 'b'),
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
	BLOCK(futex, SYS_futex, make_nothing, wake, 0),
	BLOCK(futex_timeout, SYS_futex, make_nothing, wake, 0),
	BLOCK(recv, SYS_recvfrom, make_sockets, send_byte, 'b'),
	BLOCK(recv_timeout, SYS_recvfrom, make_sockets, send_byte, 'b'),
	BLOCK(recvmsg, SYS_recvmsg, make_sockets, send_byte, 'b'),
	BLOCK(accept, SYS_accept, make_listener, do_connect, 0),
	BLOCK(accept_timeout, SYS_accept, make_listener, do_connect, 0),
	BLOCK(write, SYS_write, make_full_pipe, drain, 1),
	BLOCK(eventfd, SYS_read, make_eventfd, add_five, 5),
	BLOCK(timerfd, SYS_read, make_timerfd, expire, 1),
	BLOCK(semop, SYS_semop, make_sem, sem_up, 0),
	BLOCK(semtimedop, SYS_semtimedop, make_sem, sem_up, 0),
	BLOCK(msgrcv, SYS_msgrcv, make_queue, send_text, 'b'),
	BLOCK(flock, SYS_flock, make_file, unlock_file, 0),
	BLOCK(setlkw, SYS_fcntl, make_locked_memfd, unlock_memfd, 0),
	BLOCK(open_fifo, SYS_openat, make_fifo, open_writer, 0),
	BLOCK(pause, SYS_pause, make_nothing, signal_usr1, -EINTR),
	BLOCK(sigsuspend, SYS_rt_sigsuspend, make_nothing, signal_usr1,
	      -EINTR),
	BLOCK(sigtimedwait, SYS_rt_sigtimedwait, make_nothing, signal_usr1,
	      SIGUSR1),
	BLOCK(sigwaitinfo, SYS_rt_sigtimedwait, make_nothing, signal_usr1,
	      SIGUSR1),
	BLOCK(nanosleep, SYS_nanosleep, make_nothing, signal_usr1, -EINTR),
	BLOCK(clock_nanosleep, SYS_clock_nanosleep, make_nothing, signal_usr1,
	      -EINTR),
	BLOCK(short_sleep, SYS_nanosleep, make_nothing, nothing, 0),
	BLOCK(wait4, SYS_wait4, make_nothing, wake, 21),
	BLOCK(waitid, SYS_waitid, make_nothing, wake, 21),
};

PLAY_TABLE(blocked, blocks)
{
	play_block();
	remove_all();
}

/* The target waits for any child: the kid is one. */
static long in_wait_any(struct msg *m)
{
	long pid = clone_words(SIGCHLD), ret;

	if (!pid) {
		slot_wait(1, 1);
		ct_exit(21);
	}
	ret = ct_syscall6(SYS_wait4, -1, (long)m->buf, 0, 0, 0, 0);
	slot_set(1, 1);
	return ret;
}

PLAY(wait_any, "the target waits for anyone: the kid's end ends its wait")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	start(&t, in_wait_any, 0);
	wait_blocked(&t, SYS_wait4);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_busy(&t);
	quit(&k, 13);
	expect_eq(actor_finish(&t), k.pid);
	expect_eq(status_of(&t), EXITED(13));
}

/* --- stopped, spinning, in a handler ------------------------------------ */

PLAY(group_stopped, "a target stopped by SIGSTOP: served, and stopped still")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	must(kill(t.pid, SIGSTOP));
	expect_eq(on(&me, do_wait4, t.pid, WUNTRACED), t.pid);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	wait_state(t.pid, 'T');	/* who was let go is on its way there */
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(on(&me, do_wait4, t.pid, WNOHANG | WUNTRACED | WCONTINUED),
		  0);
	must(kill(t.pid, SIGCONT));
	expect_eq(on(&me, do_wait4, t.pid, WCONTINUED), t.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(kid_runs, "the child of a stopped target runs")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	must(kill(t.pid, SIGSTOP));
	expect_eq(on(&me, do_wait4, t.pid, WUNTRACED), t.pid);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect(proc_state(k.pid) != 'T');
	expect_eq(sys(&k, SYS_getpid), k.pid);
	quit(&k, 0);
}

/* Counts in memory and registers until slot 1 is set. */
static long spin(struct msg *m)
{
	volatile unsigned long memory = 0;
	unsigned long reg = 0;

	(void)m;
	while (!ct_slot[1]) {
		memory++;
		reg++;
		__asm__ volatile("" : "+r"(reg));
		if (memory != reg)
			return -EBADMSG;
	}
	return 0;
}

PLAY(spinning, "a target that spins in user mode goes on counting")
{
	struct actor t, kid[KIDS];

	spawn(&me, &t, 0);
	start(&t, spin, 0);
	while (proc_state(t.pid) != 'R')
		sched_yield();
	use_target(&t, kid);
	end_kids(kid);
	expect_busy(&t);
	slot_set(1, 1);
	expect_eq(actor_finish(&t), 0);
	reap_kids(&t);
}

static long block_all(struct msg *m)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	return in_read(m);
}

PLAY(all_blocked, "a target with all signals blocked")
{
	struct actor t, kid[KIDS];

	make_pipe();
	spawn(&me, &t, 0);
	start(&t, block_all, 0);
	wait_blocked(&t, SYS_read);
	must(kill(t.pid, SIGUSR1));
	use_target(&t, kid);
	end_kids(kid);
	send_byte(&t);
	expect_eq(actor_finish(&t), 'b');
	expect_eq(on(&t, do_take_signal, SIGUSR1), SIGUSR1);
}

/* The handler waits, on its own stack, and looks after it. */
static char altstack[65536];
static volatile bool on_altstack;

static void waiting_handler(int sig)
{
	volatile char local[256];

	(void)sig;
	memset((char *)local, 0x5a, sizeof(local));
	on_altstack = (char *)local > altstack &&
		      (char *)local < altstack + sizeof(altstack);
	slot_wait(1, 1);
	for (size_t i = 0; i < sizeof(local); i++)
		on_altstack &= local[i] == 0x5a;
	handled++;
}

static long in_handler(struct msg *m)
{
	stack_t s = { .ss_sp = altstack, .ss_size = sizeof(altstack) };
	struct sigaction sa = { .sa_handler = waiting_handler,
				.sa_flags = SA_ONSTACK | SA_RESTART };

	(void)m;
	sigaltstack(&s, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	kill(ct_pid(), SIGUSR1);
	return on_altstack && handled == 1 ? 0 : -EBADMSG;
}

PLAY(handler_altstack, "a target in a handler on the alternate stack")
{
	struct actor t, kid[KIDS];

	spawn(&me, &t, 0);
	start(&t, in_handler, 0);
	wait_blocked(&t, SYS_futex);
	use_target(&t, kid);
	end_kids(kid);
	expect_busy(&t);
	slot_set(1, 1);
	expect_eq(actor_finish(&t), 0);
	reap_kids(&t);
}

/* A signal that comes while the call is served is neither lost nor doubled. */
PLAY(signals_arrive, "signals sent to the target during calls all arrive once")
{
	struct actor t, k;
	int sent = 0;

	make_pipe();
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_block), 0);
	for (int i = 0; i < 20; i++) {
		must(kill(t.pid, SIGUSR1));
		sent++;
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		expect_eq(on(&t, do_take_signal, SIGUSR1), SIGUSR1);
		expect_eq(on(&t, do_take_signal, SIGUSR1), -EAGAIN);
		expect_eq(end(&k, &t, 1), EXITED(1));
	}
	expect_eq(sent, 20);
}

static long in_kept_read(struct msg *m)
{
	long n = kept_call(SYS_read, p[0], (long)m->buf, 1, 0, 0, 0);

	return n == 1 ? *m->buf : n;
}

/* Its descriptors and the memory that is its own, but what the first call took. */
static void footprint(pid_t pid, char *text, size_t size)
{
	static const char *const keep[] = {
		"VmSize", "VmLck", "VmPin", "VmData", "VmStk", "VmPTE", NULL
	};
	/* Pages are counted here: before 6.2 the counters in status lag behind. */
	static const char *const pages[] = { "Anonymous", "Swap", NULL };
	char dir[64];
	DIR *d;

	portrait(pid, text, size);
	add_file(pid, "status", keep, text, size);
	add_file(pid, "smaps_rollup", pages, text, size);
	snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
	d = opendir(dir);
	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
		if (strlen(text) + 16 < size)
			strcat(strcat(text, e->d_name), " ");
	if (d)
		closedir(d);
}

/* A hundred, or as many as $CLONEAT_TARGET_CALLS says. */
PLAY(many_calls, "many calls against one blocked target leave it as it was")
{
	const char *n = getenv("CLONEAT_TARGET_CALLS");
	char before[8192] = "", after[8192];
	struct actor t, k;

	make_pipe();
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, in_kept_read, 0);
	wait_blocked(&t, SYS_read);
	for (int left = n ? atoi(n) : 100; left >= 0; left--) {
		alarm(CT_SECONDS);
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		quit(&k, 0);
		if (!*before)
			footprint(t.pid, before, sizeof(before));
	}
	footprint(t.pid, after, sizeof(after));
	expect_alike(before, after);
	send_byte(&t);
	expect_eq(actor_finish(&t), 'b');
	expect_eq(on(&t, do_wait4, -1, WNOHANG), -ECHILD);
}
