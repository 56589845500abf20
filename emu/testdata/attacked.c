// SPDX-License-Identifier: Apache-2.0
/*
 * Whom the attacks of emu/attack_test.go meet.  All do what a byte tells them:
 *
 *	main ── caller ── target ── child	descriptor
 *	         leader, calls			7
 *	         other thread			3
 *	                   leader		4, in read(2) or epoll_wait(2)
 *	                   other thread		5
 *	                             any	6: it ends
 *
 * c: call; e: execute a program; u: drop to another user; x: end this thread; r: tell
 * how often the wait was cut short; q: tell what has come, and end.
 *
 * usage: attacked self|forked|executed|shared|init FLAGS(hex) HINT read|epoll threads|alone
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/cloneat.h>

enum { CALLER_OTHER = 3, LEADER, TARGET_OTHER, CHILD, CALLER };
enum { BY_CALLER, BY_TARGET, BY_CHILD };

static char **args, program[4096];
static const char *kind;
static int epolls, threads, over;
static pid_t caller, target, known;
static char stacks[4][65536] __attribute__((aligned(64)));

/* Counted by process: memory may be shared. */
static volatile int counts[3][3], eintr[CALLER + 1]; /* by descriptor */

static long sys(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret = nr;

	__asm__ volatile("syscall"
			 : "+a"(ret) : "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

static void say(const char *format, ...)
{
	char line[128];
	va_list list;

	va_start(list, format);
	sys(SYS_write, 1, (long)line, vsnprintf(line, sizeof(line), format, list), 0);
	va_end(list);
}

static int self(void)
{
	pid_t pid = sys(SYS_getpid, 0, 0, 0, 0);

	return pid == caller ? BY_CALLER : pid == known ? BY_TARGET : BY_CHILD;
}

static void count(int sig)
{
	int which = sig == SIGCHLD ? 2 : sig - SIGRTMIN - 1;

	__atomic_add_fetch(&counts[self()][which], 1, __ATOMIC_RELAXED);
}

static void on(int sig, int flags)
{
	struct sigaction act = { .sa_handler = count, .sa_flags = flags };

	sigaction(sig, &act, NULL);
}

static void handlers(void)
{
	on(SIGRTMIN + 1, SA_RESTART);
	on(SIGRTMIN + 2, 0);
	on(SIGCHLD, SA_RESTART | SA_NOCLDSTOP);
}

/* Who is left below, and what has come. */
static void report(const char *who, int by)
{
	int status, kids = 0;
	long pid;

	while ((pid = sys(SYS_wait4, -1, (long)&status, WNOHANG | __WALL, 0)) > 0) {
		say("kid %s %ld %d\n", who, pid, status);
		kids++;
	}
	say("%s %d %d %d %d %ld\n", who, counts[by][0], counts[by][1], counts[by][2], kids, pid);
	sys(SYS_exit_group, 0, 0, 0, 0);
}

static char next(int fd)
{
	long n;
	char c;

	while ((n = sys(SYS_read, fd, (long)&c, 1, 0)) == -EINTR)
		__atomic_add_fetch(&eintr[fd], 1, __ATOMIC_RELAXED);
	if (n == 1)
		return c;
	say("read %ld\n", n);
	return 'q';
}

static void child(void)
{
	char c;

	if (over)
		sys(SYS_exit_group, 0, 0, 0, 0);
	say("child\n");
	while (sys(SYS_read, CHILD, (long)&c, 1, 0) != 1)
		;
	say("ends %d %d\n", counts[BY_CHILD][0], counts[BY_CHILD][1]);
	sys(threads && self() == BY_CALLER ? SYS_exit : SYS_exit_group, 7, 0, 0, 0);
}

static long call(unsigned int flags, long hint)
{
	clone_flag_t words[1] = { flags };
	struct cloneat_args a = { .flags = words, .flags_size = sizeof(words) };
	long ret = 511;

	if (flags & CLONE_VM) {
		a.child_stack_base = (unsigned long)stacks[3];
		a.child_stack_size = sizeof(stacks[3]);
	}
	__asm__ volatile("syscall; test %%rax, %%rax; jnz 1f; sub $128, %%rsp; and $-16, %%rsp; call *%4; 1:"
			 : "+a"(ret) : "D"((long)target), "S"(hint), "d"(&a), "r"(child)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Another one for each call, which nobody has: the last child may be a zombie still. */
static long hint(void)
{
	static long used;
	long first = atol(args[3]);

	if (!first)
		return 0;
	while (!kill(first + used, 0))
		used++;
	return first + used++;
}

static void execute(const char *who, int fd)
{
	char number[2] = { '0' + fd, 0 };

	execl(program, "attacked", "after", who, number, NULL);
	say("exec %d\n", errno);
}

static void drop(void)
{
	sys(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0);
	sys(SYS_setresuid, 65534, 65534, 65534, 0);
	say("dropped\n");
}

/* What a thread does all its life. */
static void obey(const char *who, int fd, int by)
{
	for (;;)
		switch (next(fd)) {
		case 'c':
			say("result %ld\n", call(strtoul(args[2], NULL, 16), hint()));
			break;
		case 'e':
			execute(who, fd);
			break;
		case 'u':
			drop();
			break;
		case 'x':
			sys(SYS_exit, 0, 0, 0, 0);
			break;
		case 'q':
			report(who, by);
		}
}

static int caller_other(void *unused)
{
	obey("caller", CALLER_OTHER, BY_CALLER);
	return !unused;
}

static int target_other(void *unused)
{
	obey("target", TARGET_OTHER, BY_TARGET);
	return !unused;
}

static void start(int (*f)(void *), char *stack)
{
	if (threads)
		clone(f, stack + sizeof(stacks[0]), CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		      CLONE_THREAD | CLONE_SYSVSEM, NULL);
}

static int be_target(void *unused)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t all;
	long n;
	int ep;

	known = sys(SYS_getpid, 0, 0, 0, 0);
	start(target_other, stacks[1]);
	sigfillset(&all);
	if (threads)
		sys(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, 8);
	ep = sys(SYS_epoll_create1, 0, 0, 0, 0);
	sys(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, LEADER, (long)&event);
	say("target ready\n");
	for (;;) {
		while (epolls && (n = sys(SYS_epoll_wait, ep, (long)&event, 1, 1000000)) != 1) {
			if (n != -EINTR)
				say("epoll_wait %ld\n", n);
			__atomic_add_fetch(&eintr[LEADER], 1, __ATOMIC_RELAXED);
		}
		switch (next(LEADER)) {
		case 'r':
			say("leader %d\n", eintr[LEADER]);
			break;
		case 'x':
			sys(SYS_exit, 0, 0, 0, 0);
			break;
		case 'q':
			report("target", BY_TARGET);
		}
	}
	return !unused;
}

static void make_target(void)
{
	if (!strcmp(kind, "shared")) {
		target = clone(be_target, stacks[2] + sizeof(stacks[2]), CLONE_VM | SIGCHLD, NULL);
		return;
	}
	if (!strcmp(kind, "self")) {
		target = getpid();
		return;
	}
	target = syscall(SYS_clone, SIGCHLD | (strcmp(kind, "init") ? 0 : CLONE_NEWPID), 0, 0, 0, 0);
	if (!target && !strcmp(kind, "executed"))
		execl(program, "attacked", "target", args[2], args[3], args[4], args[5], NULL);
	if (!target)
		be_target(NULL);
}

static void be_caller(void)
{
	caller = getpid();
	start(caller_other, stacks[0]);
	make_target();
	say("pids %d %d\n", caller, target);
	obey("caller", CALLER, BY_CALLER);
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	args = argv;
	kind = argv[1];
	program[readlink("/proc/self/exe", program, sizeof(program) - 1)] = 0;
	if (!strcmp(kind, "after")) {
		say("executed\n");
		while (next(argv[3][0] - '0') != 'q')
			;
		report(argv[2], 0);
	}
	if (argc < 6)
		return 2;
	epolls = !strcmp(argv[4], "epoll");
	threads = !strcmp(argv[5], "threads");
	handlers();
	if (!strcmp(kind, "target"))
		be_target(NULL);
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while ((pid = fork()) > 0 && pid < 100) /* no number of a container's */
		waitpid(pid, &status, 0);
	if (!pid && getpid() < 100)
		_exit(0);
	if (!pid) {
		handlers();
		be_caller();
	}
	while ((pid = waitpid(-1, &status, __WALL)) > 0)
		say("orphan %d %d\n", pid, status);
	target = getpid();
	over = 1;
	say("served %ld\n", call(SIGCHLD, 0));
	while (waitpid(-1, &status, __WALL) > 0)
		;
	say("end\n");
	return 0;
}
