// SPDX-License-Identifier: Apache-2.0
/*
 * The timing loops of make bench. Each prints medians in nanoseconds.
 *
 *	loops getppid|fork|exec ROUNDS	  a plain operation
 *	loops self|init|forked|execed MB ROUNDS
 *		a plain fork and a cloneat call by a caller that has touched MB
 *		megabytes, in turns: "FORK CALL"
 *	loops filter COMMAND...		  the command behind a filter with a
 *		listener that nobody serves: what interception costs at least
 *	loops idle			  a target: never wakes up
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/cloneat.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NR_CLONEAT 511

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, int n)
{
	qsort(v, n, sizeof(*v), ascending);
	return v[n / 2];
}

static double *samples(int n)
{
	double *v = calloc(n, sizeof(*v));

	must(v && n > 0, "rounds");
	return v;
}

/* A thousand calls a sample: one is shorter than the clock is exact. */
static double one_getppid(void)
{
	double start = now();

	for (int i = 0; i < 1000; i++)
		syscall(SYS_getppid);
	return (now() - start) / 1000;
}

/* fork, the child's end or exec of a program that ends at once, and wait. */
static double one_fork(int exec)
{
	double start = now();
	pid_t pid = fork();
	int status;

	must(pid >= 0, "fork");
	if (pid == 0) {
		if (exec)
			execl("/proc/self/exe", "loops", "nothing", NULL);
		_exit(exec ? 127 : 0);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0, "child");
	return now() - start;
}

static void plain(const char *what, int rounds)
{
	double *v = samples(rounds);

	for (int i = 0; i < rounds; i++)
		v[i] = strcmp(what, "getppid") ? one_fork(!strcmp(what, "exec")) : one_getppid();
	printf("%.0f\n", median(v, rounds));
}

/*
 * A target that needs nobody to reap its children (SIGCHLD ignored, which
 * survives an exec) and dies with us. It has exec'ed when its end of the pipe
 * is closed.
 */
static pid_t start_target(const char *kind)
{
	unsigned long flags = strcmp(kind, "init") ? SIGCHLD : SIGCHLD | CLONE_NEWPID;
	int up[2];
	char byte;
	pid_t pid;

	must(!pipe2(up, O_CLOEXEC), "pipe");
	pid = syscall(SYS_clone, flags, 0, 0, 0, 0);
	must(pid >= 0, "target");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		if (!strcmp(kind, "execed"))
			execl("/proc/self/exe", "loops", "idle", NULL);
		close(up[0]);
		close(up[1]);
		for (;;)
			pause();
	}
	close(up[1]);
	must(read(up[0], &byte, 1) == 0, "target that is up");
	close(up[0]);
	return pid;
}

/* Until the call or fork is back in the caller; the child's end is awaited
 * outside the time, that of another's child by a pidfd.
 */
static double one_call(pid_t target)
{
	int self = target == getpid();
	clone_flag_set_t flags;
	int pidfd;
	struct cloneat_args args = {
		.flags = flags,
		.flags_size = sizeof(flags),
		.parent_tid_ptr = (unsigned long)&pidfd,
	};
	double start, took;
	long pid;

	CLONE_ZERO(flags);
	flags[0] = SIGCHLD;
	if (!self)
		CLONE_SET(CLONEXT_PIDFD, flags);
	start = now();
	pid = syscall(NR_CLONEAT, target, 0, &args);
	if (pid == 0)
		_exit(0);
	took = now() - start;
	must(pid > 0, "cloneat");
	if (self) {
		must(waitpid(pid, NULL, 0) == pid, "wait");
		return took;
	}
	must(poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, -1) == 1, "poll");
	close(pidfd);
	return took;
}

static double one_plain_fork(void)
{
	double start = now(), took;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	took = now() - start;
	must(pid > 0 && waitpid(pid, NULL, 0) == pid, "fork");
	return took;
}

static void calls(const char *kind, size_t mb, int rounds)
{
	double *forks = samples(rounds), *v = samples(rounds);
	int self = !strcmp(kind, "self");
	pid_t target = self ? getpid() : start_target(kind);
	char *memory = mmap(NULL, mb << 20, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(memory != MAP_FAILED, "mmap");
	for (size_t i = 0; i < mb << 20; i += 4096)
		memset(memory + i, 1 + i / 4096 % 251, 4096);
	/* Not timed: a virtual machine may have to get the child's memory first. */
	one_call(target);
	for (int i = 0; i < rounds; i++) {
		forks[i] = one_plain_fork();
		v[i] = one_call(target);
	}
	printf("%.0f %.0f\n", median(forks, rounds), median(v, rounds));
	if (!self)
		kill(target, SIGKILL);
}

static void behind_filter(char **command)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_CLONEAT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };
	unsigned int flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	int listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);

	must(listener >= 0 && !fcntl(listener, F_SETFD, 0), "filter");
	execv(command[0], command);
	must(0, command[0]);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "nothing"))
		return 0;
	if (!strcmp(what, "idle"))
		for (;;)
			pause();
	if (!strcmp(what, "filter") && argc > 2)
		behind_filter(argv + 2);
	else if (argc == 3)
		plain(what, atoi(argv[2]));
	else if (argc == 4)
		calls(what, atoi(argv[2]), atoi(argv[3]));
	else
		return 2;
	return 0;
}
