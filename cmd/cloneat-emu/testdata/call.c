// SPDX-License-Identifier: Apache-2.0
/*
 * A program for the tests of "run": does one thing and says what came.
 *
 *	call self		cloneat(getpid(), 0, {SIGCHLD}): "child 7" by the child's exit status
 *	call target		the same with a forked child as the target, which says "child 7"
 *	call target WHO		the same when "caller" or "target" may have no more processes
 *	call probe		cloneat(0, 0, NULL): the error's number
 *	call i386		number 511 by int $0x80: the error's number, or none where that
 *				is no call (a guest whose host has no such entry)
 *	call fds		the open descriptors and the flags of each
 *	call signals		the dispositions that are not the default, and the mask
 *	call kept		the parent-death signal, and whether it is a subreaper
 *	call reaper PROGRAM ...	the program, as a subreaper
 *	call count		counts signals; a line per byte of input
 *	call leave FD		waits for a byte on FD (a socket), then leaves a child that
 *				waits for another, probes, and writes what came to FD
 *	call without RIGHT PROGRAM ...	the program, below a Landlock domain without a right to
 *				files: write, list
 *	call deny NR ERRNO PROGRAM ...	the program, below a filter that answers call NR
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/cloneat.h>

static int probe(void)
{
	return syscall(511, 0, 0, NULL) < 0 ? errno : 0;
}

static int self(void)
{
	int flags[2] = { SIGCHLD, 0 }, status;
	struct cloneat_args args = { .flags = flags, .flags_size = sizeof(flags) };
	long pid = syscall(511, getpid(), 0, &args);

	if (pid < 0)
		return perror("cloneat"), 1;
	if (!pid)
		_exit(7);
	if (waitpid(pid, &status, 0) != pid)
		return perror("waitpid"), 1;
	printf("child %d\n", WEXITSTATUS(status));
	return 0;
}

/* A target that waits for its new child and takes over its exit status. */
static void waits_for_one(int fd)
{
	int status = 0;
	char c;

	if (read(fd, &c, 1) == 1 && wait(&status) < 0)
		perror("wait");
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
}

/* RLIMIT_NPROC, the soft one. */
static void no_more_processes(void)
{
	struct rlimit l;

	getrlimit(RLIMIT_NPROC, &l);
	l.rlim_cur = 0;
	setrlimit(RLIMIT_NPROC, &l);
}

static int target(const char *limited)
{
	int flags[2] = { SIGCHLD, 0 }, status, p[2], ready[2];
	struct cloneat_args args = { .flags = flags, .flags_size = sizeof(flags) };
	pid_t t;
	long pid;
	char c;

	if (pipe(p) || pipe(ready) || (t = fork()) < 0)
		return perror("pipe or fork"), 1;
	if (!t) {
		close(p[1]);
		if (!strcmp(limited, "target"))
			no_more_processes();
		close(ready[1]);
		waits_for_one(p[0]);
	}
	close(ready[1]);
	if (read(ready[0], &c, 1))
		return perror("read"), 1;
	if (!strcmp(limited, "caller"))
		no_more_processes();
	pid = syscall(511, t, 0, &args);
	if (pid < 0)
		perror("cloneat");
	if (!pid)
		_exit(7);
	if (pid > 0 && write(p[1], "", 1) != 1)
		perror("write");
	close(p[1]);
	if (waitpid(t, &status, 0) != t)
		return perror("waitpid"), 1;
	printf("child %d\n", WEXITSTATUS(status));
	return pid < 0;
}

static void no_i386(int sig)
{
	(void)sig;
	puts("none");
	fflush(stdout);
	_exit(0);
}

static int i386(void)
{
	int result;

	signal(SIGSEGV, no_i386);
	asm volatile("int $0x80" : "=a"(result) : "0"(511), "b"(0), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
	return -result;
}

static void fds(void)
{
	for (int fd = 0; fd < 1024; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0)
			printf("%d: %d %#x\n", fd, flags, fcntl(fd, F_GETFL));
	}
}

static void signals(void)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int sig = 1; sig <= 64; sig++) {
		struct sigaction old;

		if (sigaction(sig, NULL, &old))
			continue;
		if (old.sa_handler != SIG_DFL || sigismember(&mask, sig))
			printf("%d:%s%s\n", sig, old.sa_handler != SIG_DFL ? " ignored" : "",
			       sigismember(&mask, sig) ? " blocked" : "");
	}
}

static volatile sig_atomic_t counts[65];

static void count_one(int sig)
{
	counts[sig]++;
}

static void count(void)
{
	static const int caught[] = { SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGTERM, SIGWINCH, SIGCONT };
	struct sigaction sa = { .sa_handler = count_one, .sa_flags = SA_RESTART };
	char byte;

	for (unsigned int i = 0; i < sizeof(caught) / sizeof(*caught); i++)
		sigaction(caught[i], &sa, NULL);
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) == 1) {
		for (int sig = 1; sig <= 64; sig++)
			if (counts[sig])
				printf("%d*%d ", sig, (int)counts[sig]);
		puts(".");
		fflush(stdout);
	}
}

static int leave(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		return 1;
	if (fork())
		return 0;
	if (read(fd, &byte, 1) != 1)
		_exit(1);
	dprintf(fd, "%d", probe());
	_exit(0);
}

static int without(char **argv)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = !strcmp(argv[0], "list") ? LANDLOCK_ACCESS_FS_READ_DIR : LANDLOCK_ACCESS_FS_WRITE_FILE,
	};
	int rules = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0);

	if (rules < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, rules, 0))
		return perror("Landlock"), 77;
	close(rules);
	execvp(argv[1], argv + 1);
	return perror(argv[1]), 127;
}

static int deny(char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, atoi(argv[0]), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | atoi(argv[1])),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return perror("seccomp"), 77;
	execvp(argv[2], argv + 2);
	return perror(argv[2]), 127;
}

static int kept(void)
{
	int sig = -1, reaper = -1;

	prctl(PR_GET_PDEATHSIG, &sig);
	prctl(PR_GET_CHILD_SUBREAPER, &reaper);
	printf("%d %d\n", sig, reaper);
	return 0;
}

static int reaper(char **argv)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	execvp(argv[0], argv);
	return perror(argv[0]), 127;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "self"))
		return self();
	if (!strcmp(what, "target"))
		return target(argc > 2 ? argv[2] : "nobody");
	if (!strcmp(what, "probe"))
		return printf("%d\n", probe()), 0;
	if (!strcmp(what, "i386"))
		return printf("%d\n", i386()), 0;
	if (!strcmp(what, "fds"))
		return fds(), 0;
	if (!strcmp(what, "signals"))
		return signals(), 0;
	if (!strcmp(what, "kept"))
		return kept();
	if (!strcmp(what, "reaper") && argc > 2)
		return reaper(argv + 2);
	if (!strcmp(what, "count"))
		return count(), 0;
	if (!strcmp(what, "leave") && argc > 2)
		return leave(atoi(argv[2]));
	if (!strcmp(what, "without") && argc > 3)
		return without(argv + 2);
	if (!strcmp(what, "deny") && argc > 4)
		return deny(argv + 2);
	fprintf(stderr, "call: what?\n");
	return 2;
}
