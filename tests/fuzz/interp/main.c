// SPDX-License-Identifier: Apache-2.0
/*
 * interp [-j N] [--plant] FILE: runs the programs in FILE, N at a time, each in
 * a pid namespace of its own, which dies with it.  Prints what they did, a
 * block a program, in the order in which they end.
 */
#include "interp.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 16
#define OUTPUT (1 << 20)
#define SECONDS 300	/* of one program; it needs milliseconds */

bool planted;

struct worker {
	pid_t pid;
	time_t deadline;
	bool late;
	char *out;
};

static struct worker workers[WORKERS];

static void die(const char *what)
{
	fprintf(stderr, "interp: %s: %s\n", what, strerror(errno));
	exit(2);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static char *programs(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	text = calloc(1, st.st_size + 1);
	if (!text || read(fd, text, st.st_size) != st.st_size)
		die(path);
	close(fd);
	return text;
}

static void start(struct worker *w, const char *text)
{
	pid_t pid;

	w->out[0] = '\0';
	w->late = false;
	w->deadline = now() + SECONDS;
	pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC |
		      SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		die("clone");
	if (!pid)
		control(text, w->out, OUTPUT);
	w->pid = pid;
}

static void finish(struct worker *w, int status)
{
	fputs(w->out, stdout);
	if (w->late)
		puts("hangs");
	else if (status)
		printf("controller ended with %#x\n", status);
	puts("end");
	fflush(stdout);
	w->pid = 0;
}

/* Waits for one worker's end, and kills those that are late. */
static void reap(void)
{
	const struct timespec second = { 1, 0 };
	sigset_t set;
	int status;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) == 0) {
		sigtimedwait(&set, NULL, &second);
		for (int i = 0; i < WORKERS; i++) {
			if (workers[i].pid && now() > workers[i].deadline) {
				workers[i].late = true;
				kill(workers[i].pid, SIGKILL);
			}
		}
	}
	for (int i = 0; i < WORKERS; i++)
		if (pid > 0 && workers[i].pid == pid)
			finish(&workers[i], status);
}

static struct worker *idle(int jobs)
{
	for (;;) {
		for (int i = 0; i < jobs; i++)
			if (!workers[i].pid)
				return &workers[i];
		reap();
	}
}

static bool any_busy(void)
{
	for (int i = 0; i < WORKERS; i++)
		if (workers[i].pid)
			return true;
	return false;
}

static void run_all(char *text, int jobs)
{
	char *next;

	for (text = strstr(text, "program "); text; text = next) {
		next = strstr(text + 1, "\nprogram ");
		if (next)
			*next++ = '\0';
		start(idle(jobs), text);
	}
	while (any_busy())
		reap();
}

static void block_sigchld(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void be_actor(int i)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	actor_memory();
	actor(i);
}

/*
 * What starts us may ignore signals: make does so with 32 and 33, which the C
 * library's posix_spawn() leaves ignored and its sigaction() does not reach.
 */
static void plain_signals(void)
{
	struct { unsigned long handler, flags, restorer, mask; } plain = { 0 };

	for (int sig = 1; sig <= 64; sig++)
		syscall(SYS_rt_sigaction, sig, &plain, NULL, 8);
}

int main(int argc, char **argv)
{
	int jobs = 2, opt = 1;

	if (argc == 3 && !strcmp(argv[1], "--actor"))
		be_actor(atoi(argv[2]));
	for (; opt < argc && argv[opt][0] == '-'; opt++) {
		if (!strcmp(argv[opt], "--plant"))
			planted = true;
		else if (!strcmp(argv[opt], "-j") && opt + 1 < argc)
			jobs = atoi(argv[++opt]);
	}
	plain_signals();
	if (opt != argc - 1 || jobs < 1 || jobs > WORKERS) {
		fprintf(stderr, "usage: interp [-j N] [--plant] FILE\n");
		return 2;
	}
	for (int i = 0; i < jobs; i++) {
		workers[i].out = mmap(NULL, OUTPUT, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (workers[i].out == MAP_FAILED)
			die("mmap");
	}
	block_sigchld();
	run_all(programs(argv[opt]), jobs);
	return 0;
}
