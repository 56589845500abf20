// SPDX-License-Identifier: Apache-2.0
/*
 * A call whose caller has a thread that cannot be stopped.
 *
 *	main ── P: the leader calls          ── target, init of a pid namespace
 *	           V waits in vfork(2)       ── child of V
 *	           X executes this program again
 *
 * usage: unstopped vfork    X is told to when the call's helper has been made below P;
 *                           the new program must not find it among its children
 *        unstopped traced   main traces X: the call is EBUSY, and nothing is made
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/cloneat.h>

#define SYS_CLONEAT 511

static int life[2];	/* closed: those who read it end */
static int ready[2], go[2], calls[2], vforked[2];
static char *self;

static void fail(const char *what, long is)
{
	fprintf(stderr, "%d: %s: %ld, %s\n", getpid(), what, is, strerror(errno));
	exit(1);
}

/* For a child that shares our memory, too: nothing but system calls. */
static void await_end(void)
{
	char c;

	close(life[1]);
	while (read(life[0], &c, 1) < 0)
		;
	_exit(0);
}

static long call(pid_t target)
{
	int words[2] = { SIGCHLD, 0 };
	struct cloneat_args args;
	long ret;

	memset(&args, 0, sizeof(args));
	args.flags = words;
	args.flags_size = sizeof(words);
	ret = syscall(SYS_CLONEAT, target, 0, &args);
	if (!ret)
		_exit(0);
	return ret;
}

static void *wait_in_vfork(void *arg)
{
	pid_t pid = vfork();

	(void)arg;
	if (!pid) {
		syscall(SYS_write, vforked[1], "v", 1);
		syscall(SYS_read, life[0], &pid, 1);
		_exit(0);
	}
	for (;;)
		pause();
}

static void *execute(void *arg)
{
	pid_t tid = gettid();
	char c;

	(void)arg;
	write(ready[1], &tid, sizeof(tid));
	if (read(go[0], &c, 1) == 1)
		execl(self, self, "again", NULL);
	_exit(0);
}

static void caller(int vforks)
{
	pthread_t v, x;
	pid_t target, pid = getpid();
	char c;

	close(life[1]);
	target = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (target < 0)
		fail("clone", target);
	if (!target)
		await_end();
	if (vforks && (pthread_create(&v, NULL, wait_in_vfork, NULL) || read(vforked[0], &c, 1) != 1))
		fail("vfork", 0);
	if (pthread_create(&x, NULL, execute, NULL))
		fail("thread", 0);
	if (read(calls[0], &c, 1) == 1)
		pid = call(target);
	if (vforks)
		pause();
	_exit(pid < 0 && errno == EBUSY ? 0 : 1);
}

/* The state of a thread as in proc(5), 0 if there is none. */
static char state(pid_t tid)
{
	char path[64], line[256], *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	end = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	return end ? end[2] : 0;
}

/* How many children the threads of a process have. */
static int children(pid_t pid)
{
	char path[300];
	struct dirent *e;
	int n = 0, child;
	DIR *d;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, e->d_name);
		f = e->d_name[0] == '.' ? NULL : fopen(path, "re");
		while (f && fscanf(f, "%d", &child) == 1)
			n++;
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return n;
}

/* X is stopped, or has killed the others and waits for them. */
static int decided(pid_t p, pid_t x)
{
	return state(x) == 't' || (state(p) == 'Z' && state(x) == 'D') || !state(x);
}

static int in_vfork(pid_t p, pid_t x)
{
	int status;
	pid_t got;

	write(calls[1], "c", 1);
	while (children(p) < 3)	/* target, V's child, and the helper */
		usleep(1000);
	write(go[1], "x", 1);
	while (!decided(p, x))
		usleep(1000);
	/* The call is held until another is over. */
	while (!(got = waitpid(p, &status, WNOHANG))) {
		syscall(SYS_CLONEAT, 0, 0, NULL);
		usleep(1000);
	}
	return got == p && WIFEXITED(status) ? WEXITSTATUS(status) : 9;
}

static int traced(pid_t p, pid_t x)
{
	int status;

	if (ptrace(PTRACE_SEIZE, x, 0, 0))
		fail("PTRACE_SEIZE", x);
	write(calls[1], "c", 1);
	if (waitpid(x, &status, __WALL) != x)	/* it is dead as long as its tracer does not know */
		fail("waitpid", x);
	return waitpid(p, &status, 0) == p && WIFEXITED(status) ? WEXITSTATUS(status) : 9;
}

int main(int argc, char **argv)
{
	int vforks = argc > 1 && !strcmp(argv[1], "vfork"), status;
	pid_t p, x;

	if (argc > 1 && !strcmp(argv[1], "again")) {
		status = 0;
		p = waitpid(-1, &status, WNOHANG | __WALL);
		if (p)
			fprintf(stderr, "the new program has a child %d that ended: %#x\n", p, status);
		return p != 0;
	}
	self = argv[0];
	if (pipe(life) || pipe(ready) || pipe(go) || pipe(calls) || pipe(vforked))
		fail("pipe", 0);
	p = fork();
	if (!p)
		caller(vforks);
	if (read(ready[0], &x, sizeof(x)) != sizeof(x))
		fail("no thread", 0);
	return vforks ? in_vfork(p, x) : traced(p, x);
}
