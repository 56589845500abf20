/* SPDX-License-Identifier: Apache-2.0 */
/* What the threads of attacked.c do when they are told to. */
#include <linux/cloneat.h>

#include "attacked.h"

enum { CALLER_OTHER = 3, LEADER, TARGET_OTHER, CHILD, CALLER };
enum { BY_CALLER, BY_TARGET, BY_CHILD };

static char **args, program[4096];
static const char *kind, *more;
static int epolls, threads, over;
static pid_t caller, target, known, company, father;
static unsigned int flags;

enum { S_CALLER_OTHER, S_TARGET_OTHER, S_TARGET, S_CHILD, S_SECOND, S_CALLER, S_LEADER, S_COMPANY, STACKS };
static char stacks[STACKS][65536] __attribute__((aligned(64)));

/* Counted by process: memory may be shared. */
static volatile int counts[3][3], eintr[CALLER + 1]; /* by descriptor */

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

	if (by == BY_CALLER && company) {
		sys(SYS_kill, company, SIGKILL, 0, 0);
		sys(SYS_wait4, company, (long)&status, __WALL, 0);
	}
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

static long call(void (*what)(void), unsigned int flags, long hint, int stack)
{
	clone_flag_t words[1] = { flags };
	struct cloneat_args a = { .flags = words, .flags_size = sizeof(words) };
	long ret = 511;

	if (flags & CLONE_VM) {
		a.child_stack_base = (unsigned long)stacks[stack];
		a.child_stack_size = sizeof(stacks[stack]);
	}
	__asm__ volatile("syscall; test %%rax, %%rax; jnz 1f; sub $128, %%rsp; and $-16, %%rsp; call *%4; 1:"
			 : "+a"(ret) : "D"((long)target), "S"(hint), "d"(&a), "r"(what)
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

static void unmap(void)
{
	sys(SYS_munmap, vdso, vdso_end - vdso, 0, 0);
	say("unmapped\n");
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
			say("result %ld\n", call(child, flags, hint(), S_CHILD));
			break;
		case 'd':
			say("second %ld\n", call(child, flags, hint(), S_SECOND));
			break;
		case 'f':
			sys(SYS_close_range, CALLER + 1, ~0U, 0, 0);
			say("closed\n");
			break;
		case 'v':
			unmap();
			break;
		case 'b':
			say("none %ld\n", sys(SYS_execve, (long)"/nonexistent", (long)args, (long)args, 0));
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
