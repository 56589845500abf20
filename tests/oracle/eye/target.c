// SPDX-License-Identifier: Apache-2.0
/*
 * Targets. Each says that it is ready by a byte on descriptor 3, a socket that
 * tells its pid, or (the Java one) on 4, a pipe.
 *
 *	caller
 *	  +-- helper ... target		until the caller kills the helper
 */
#include "eye.h"
#include <asm/unistd.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static long helper;	/* our child; the target is it or below it */

long fork_raw(void)
{
	return sys(__NR_fork);
}

static void __attribute__((noreturn)) wait_for_ever(void)
{
	for (;;)
		sys(__NR_pause);
}

/* The process after this call ends with the caller. */
static void end_with_parent(void)
{
	sys(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL);
}

static void ready(int fd)
{
	sys(__NR_write, fd, "r", 1);
}

static void run(const char *a0, const char *a1, const char *a2)
{
	const char *argv[] = { a0, a1, a2, NULL };
	static const char *const env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
					   "HOME=/", NULL };

	sys(__NR_execve, a0, argv, env);
	say("oracle: cannot execute %s\n", a0);
	sys(__NR_exit_group, 127);
}

static const struct {
	const char *kind, *program, *one, *two;
} executed[] = {
	{ "static", "%s/targets-static", "pause", NULL },
	{ "dynamic", "%s/targets-dynamic", "pause", NULL },
	{ "go", "%s/caller-go", "pause", NULL },
	{ "python", "/usr/bin/env", "python3", "%s/target.py" },
	{ "node", "/usr/bin/env", "node", "%s/target.js" },
	{ "java", "/usr/bin/env", "java", "%s/Target.java" },
};

static void become(const char *kind)
{
	char program[300], two[300];

	for (size_t i = 0; i < sizeof(executed) / sizeof(executed[0]); i++) {
		if (!str_eq(kind, executed[i].kind))
			continue;
		form(program, sizeof(program), executed[i].program, dir);
		if (executed[i].two)
			form(two, sizeof(two), executed[i].two, dir);
		run(program, executed[i].one, executed[i].two ? two : NULL);
	}
	form(program, sizeof(program), "%s/targets-static", dir);
	run(program, kind, NULL);
}

static void be_target(const char *kind)
{
	end_with_parent();
	if (str_eq(kind, "grandchild")) {
		if (fork_raw())
			wait_for_ever();
		end_with_parent();
	}
	if (str_eq(kind, "forked") || str_eq(kind, "twin") || str_eq(kind, "grandchild")) {
		ready(3);
		wait_for_ever();
	}
	become(kind);
}

/* The pid that came with a byte on the socket. */
static long pid_told(int fd)
{
	char byte, control[128];
	struct iovec { void *base; size_t len; } iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = (void *)&iov, .msg_iovlen = 1,
			    .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = (void *)control;

	if (sys(__NR_recvmsg, fd, &m, 0) != 1 || m.msg_controllen < sizeof(*c))
		return -3 /* ESRCH */;
	return *(int *)(c + 1);
}

static long wait_ready(int sock, int fifo)
{
	struct pollfd p[2] = { { sock, POLLIN, 0 }, { fifo, POLLIN, 0 } };
	char byte;

	while (sys(__NR_poll, p, 2, -1) == -4 /* EINTR: a runtime's signals */)
		;
	if (p[0].revents & POLLIN)
		return pid_told(sock);
	if (p[1].revents & POLLIN && sys(__NR_read, fifo, &byte, 1) == 1)
		return helper;
	return -3 /* ESRCH */;
}

long make_target(const char *kind)
{
	int pair[2], fifo[2], one = 1;
	long pid;

	if (str_eq(kind, "self"))
		return sys(__NR_getpid);
	sys(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
	sys(__NR_setsockopt, pair[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	sys(__NR_pipe2, fifo, O_CLOEXEC);
	helper = fork_raw();
	if (helper == 0) {
		sys(__NR_dup2, pair[1], 303), sys(__NR_dup2, fifo[1], 304);
		sys(__NR_dup2, 303, 3), sys(__NR_dup2, 304, 4);
		sys(__NR_close, 303), sys(__NR_close, 304);
		be_target(kind);
	}
	sys(__NR_close, pair[1]), sys(__NR_close, fifo[1]);
	pid = wait_ready(pair[0], fifo[0]);
	sys(__NR_close, pair[0]), sys(__NR_close, fifo[0]);
	return pid;
}

void end_target(void)
{
	if (helper <= 0)
		return;
	sys(__NR_kill, helper, SIGKILL);
	sys(__NR_wait4, helper, 0, 0, 0);
	helper = 0;
}
