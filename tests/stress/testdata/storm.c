// SPDX-License-Identifier: Apache-2.0
/*
 * A storm of calls that looks at itself all the time:
 *
 *	main ── worker (each) ── reader   blocked in read(2)
 *	                      ├─ waiter   in epoll_wait(2), which the kernel does not restart
 *	                      ├─ spinner  never in the kernel, registers full
 *	                      └─ init     of a pid namespace, as the reader
 *
 * A worker calls cloneat for itself and its targets in turn, and checks
 * its registers, its signal mask and the child; the targets check themselves. On
 * ENOSYS (the supervisor is gone) a worker goes on for a while, to meet harm
 * that shows late, and ends. Exit status 0: nobody was harmed.
 *
 * usage: storm WORKERS SECONDS [EINTR], where 0 seconds is until ENOSYS, and EINTR
 * allows a waiter one: what a supervisor leaves that dies between a target's stop
 * and the request that gives it its call back (package ptrace, BeginWith)
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/cloneat.h>

#define SYS_CLONEAT 511
#define CANARY 0x5ca1ab1e0ddba11UL

static void die(const char *what, long is, long want)
{
	fprintf(stderr, "%d: %s: %ld, want %ld\n", getpid(), what, is, want);
	_exit(1);
}

static void mask_is(unsigned long want)
{
	unsigned long mask = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
	if (mask != want)
		die("signal mask", mask, want);
}

#define MASK (1UL << (SIGUSR2 - 1))

/* The call, and a check that it changed nothing but rax. */
static long checked(long nr, long a, long b, long c)
{
	register long r10 __asm__("r10") = 0x1010;
	register long r8 __asm__("r8") = 0x0808;
	register long r9 __asm__("r9") = 0x0909;
	register long r12 __asm__("r12") = 0x1212;
	register long r15 __asm__("r15") = 0x1515;
	long rax = nr, rdi = a, rsi = b, rdx = c;

	__asm__ volatile("syscall"
			 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx),
			   "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r12), "+r"(r15)
			 : : "rcx", "r11", "memory");
	if (rdi != a || rsi != b || rdx != c || r10 != 0x1010 || r8 != 0x0808 ||
	    r9 != 0x0909 || r12 != 0x1212 || r15 != 0x1515)
		die("registers around the call", rax, nr);
	return rax;
}

static volatile unsigned long canary;

static long call(long target)
{
	int words[2] = { SIGCHLD, 0 };
	struct cloneat_args args;
	long ret;

	memset(&args, 0, sizeof(args));
	args.flags = words;
	args.flags_size = sizeof(words);
	canary = CANARY ^ target;
	ret = checked(SYS_CLONEAT, target, 0, (long)&args);
	if (canary != (CANARY ^ target))
		die("memory of the caller or the child", canary, CANARY ^ target);
	mask_is(MASK);
	if (!ret)
		_exit(7);
	return ret;
}

static void reader(int fd)
{
	char c;
	ssize_t n;

	/* Children come and go: they are reaped here, and only here. */
	while ((n = read(fd, &c, 1)) == 1) {
		mask_is(MASK);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	if (n < 0)
		die("read", -errno, 0);
	_exit(0);
}

static int eintr;

static void waiter(int fd)
{
	struct epoll_event e = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	char c;

	signal(SIGCHLD, SIG_IGN);
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e))
		die("epoll_ctl", -errno, 0);
	do {
		int n = epoll_wait(ep, &e, 1, 1000000);

		if (n < 0 && errno == EINTR && eintr-- > 0)
			n = epoll_wait(ep, &e, 1, 1000000);
		if (n != 1)
			die("epoll_wait", -errno, 1);
		mask_is(MASK);
	} while (read(fd, &c, 1) == 1);
	_exit(0);
}

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	stop = sig;
}

static void spinner(void)
{
	while (!stop) {
		register long rdi __asm__("rdi") = 0x1d1;
		register long rsi __asm__("rsi") = 0x151;
		register long rdx __asm__("rdx") = 0x1dd;
		register long r8 __asm__("r8") = 0x0808;
		register long r9 __asm__("r9") = 0x0909;
		register long r10 __asm__("r10") = 0x1010;
		register long r11 __asm__("r11") = 0x1111;
		long rax = 0xaaa, rcx = 100000;

		__asm__ volatile("1: cmp $0xaaa, %%rax; jne 2f; dec %%rcx; jnz 1b; 2:"
				 : "+a"(rax), "+c"(rcx), "+D"(rdi), "+S"(rsi), "+d"(rdx),
				   "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r11));
		if (rax != 0xaaa || rcx || rdi != 0x1d1 || rsi != 0x151 || rdx != 0x1dd ||
		    r8 != 0x0808 || r9 != 0x0909 || r10 != 0x1010 || r11 != 0x1111)
			die("registers of a target that spins", rax, 0xaaa);
	}
	mask_is(MASK);
	_exit(0);
}

/* A result is a child, or what a dying supervisor leaves. */
static int fine(const char *what, long ret)
{
	if (ret > 0 || ret == -ENOSYS)
		return ret != -ENOSYS;
	die(what, ret, -ENOSYS);
	return 0;
}

static void ends_with_7(pid_t pid)
{
	int st = 0;

	if (waitpid(pid, &st, 0) != pid)
		die("waitpid", -errno, pid);
	/* A child in the making dies with the supervisor. */
	if (st != 7 << 8 && st != SIGKILL)
		die("status of the child", st, 7 << 8);
}

static void expect_exit(pid_t pid, const char *who)
{
	int st = 0;

	if (waitpid(pid, &st, 0) != pid || st)
		die(who, st, 0);
}

static int entries(const char *folder)
{
	DIR *d = opendir(folder);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* No thread of the supervisor's is left in a caller; one that ends takes a moment. */
static void alone(void)
{
	alarm(600);
	while (entries("/proc/self/task") != 3)
		sched_yield();
	alarm(0);
}

static void close_all(int a, int b, int c)
{
	close(a);
	close(b);
	close(c);
}

static int worker(double end)
{
	int p[2], q[2], v[2], fds;
	pid_t r, s, n, w;

	if (pipe(p) || pipe(q) || pipe(v))
		die("pipe", -errno, 0);
	signal(SIGTERM, on_term);
	n = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);
	if (n < 0)
		die("init", -errno, 0);
	if (!n) {
		close_all(p[1], q[1], v[1]);
		reader(q[0]);
	}
	close(q[0]);
	r = fork();
	if (!r) {
		close_all(p[1], q[1], v[1]);
		reader(p[0]);
	}
	close(p[0]);
	w = fork();
	if (!w) {
		close_all(p[1], q[1], v[1]);
		waiter(v[0]);
	}
	close(v[0]);
	s = fork();
	if (!s) {
		close_all(p[1], q[1], v[1]);
		signal(SIGCHLD, SIG_IGN);
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* of a worker that failed */
		spinner();
	}
	fds = entries("/proc/self/fd");
	for (int served = 1; served;) {
		struct timespec now;
		long kid = call(getpid());

		served = fine("self", kid);
		if (kid > 0)
			ends_with_7(kid);
		served = served && fine("reader", call(r));
		if (write(p[1], "", 1) != 1)
			die("write to the reader", -errno, 1);
		served = served && fine("waiter", call(w));
		if (write(v[1], "", 1) != 1)
			die("write to the waiter", -errno, 1);
		served = served && fine("spinner", call(s));
		served = served && fine("init", call(n));
		if (write(q[1], "", 1) != 1)
			die("write to the init", -errno, 1);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (end && now.tv_sec >= end)
			break;
	}
	for (int i = 0; i < 20; i++) {
		pid_t kid = fork();

		if (!kid)
			_exit(7);
		ends_with_7(kid);
		mask_is(MASK);
	}
	alone();
	if (entries("/proc/self/fd") != fds)
		die("descriptors of a caller", entries("/proc/self/fd"), fds);
	close_all(p[1], q[1], v[1]);
	kill(s, SIGTERM);
	expect_exit(n, "the init");
	expect_exit(r, "the reader");
	expect_exit(w, "the waiter");
	expect_exit(s, "the spinner");
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 2, seconds = argc > 2 ? atoi(argv[2]) : 1;
	unsigned long mask = MASK;
	struct timespec now;
	int bad = 0, st;

	eintr = argc > 3;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
	clock_gettime(CLOCK_MONOTONIC, &now);
	for (int i = 0; i < n; i++)
		if (!fork())
			_exit(worker(seconds ? now.tv_sec + seconds : 0));
	puts("storming");
	fflush(stdout);
	while (wait(&st) > 0) {
		if (st)
			fprintf(stderr, "a worker ended with status %#x\n", st);
		bad |= st;
	}
	return !!bad;
}
