// SPDX-License-Identifier: Apache-2.0
/*
 * cloneat_pidfd(pidfd, hint, args): the prototype of docs/prototype.md.
 *
 *	pidfd		what the call does, where it is emulated
 *	pidfd absent	that it is not there, where nobody asked for it
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/cloneat.h>

#define NR_CLONEAT_PIDFD 510

static int tests, failed;

static void is(const char *what, long got, long want)
{
	tests++;
	if (got == want) {
		printf("ok %d - %s\n", tests, what);
		return;
	}
	failed++;
	printf("not ok %d - %s: %ld, not %ld\n", tests, what, got, want);
}

/* What a child says of itself. */
struct report {
	pid_t pid, ppid;
	int memory;
};

static int say[2], memory = 1;

static long call(long nr, int pidfd, pid_t hint, struct cloneat_args *args)
{
	long ret = syscall(nr, pidfd, hint, args);

	return ret < 0 ? -errno : ret;
}

/* The child reports and ends; a call that fails returns -errno. */
static long born(int pidfd, pid_t hint, struct report *r)
{
	clone_flag_set_t flags = { SIGCHLD };
	struct cloneat_args args = { .flags = flags, .flags_size = sizeof(flags) };
	long child = call(NR_CLONEAT_PIDFD, pidfd, hint, &args);

	if (child == 0) {
		*r = (struct report){ getpid(), getppid(), memory };
		_exit(write(say[1], r, sizeof(*r)) != sizeof(*r));
	}
	if (child > 0 && read(say[0], r, sizeof(*r)) != sizeof(*r))
		return -EIO;
	return child;
}

static int pidfd_of(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

/* A process that waits to be killed. */
static pid_t idler(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void check_child(void)
{
	pid_t target = idler();
	int fd = pidfd_of(target);
	struct report r = { 0 };
	long child;

	memory = 42;
	child = born(fd, 0, &r);
	is("a child by its pidfd: the id is the new process's", child, r.pid);
	is("whose parent is the target", r.ppid, target);
	is("and whose memory is the caller's", r.memory, 42);
	is("the caller cannot wait for it", waitpid(child, NULL, 0) < 0 ? -errno : 0, -ECHILD);

	kill(target, SIGKILL);
	poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1);
	is("a target that has ended", born(fd, 0, &r), -ESRCH);
	waitpid(target, NULL, 0);
	is("and one that was reaped", born(fd, 0, &r), -ESRCH);
	close(fd);
	is("a descriptor that was closed", born(fd, 0, &r), -EBADF);
}

static void check_hint(void)
{
	pid_t target = idler(), free = idler();
	int fd = pidfd_of(target);
	struct report r = { 0 };

	is("a number that is taken", born(fd, free, &r), -EEXIST);
	kill(free, SIGKILL);
	waitpid(free, NULL, 0);
	is("the exact number", born(fd, free, &r), free);
	is("below the target", r.ppid, target);
	is("a negative one", born(fd, -1, &r), -EINVAL);
	kill(target, SIGKILL);
	waitpid(target, NULL, 0);
	close(fd);
}

static void check_self(void)
{
	int fd = pidfd_of(getpid()), status = -1;
	struct report r = { 0 };
	long child = born(fd, 0, &r);

	is("the caller's own pidfd: the child is the caller's", r.ppid, getpid());
	is("and the caller waits for it", waitpid(child, &status, 0), child);
	is("to its end", status, 0);
	close(fd);
}

static void check_errors(void)
{
	int parent = pidfd_of(getppid()), null = open("/dev/null", O_RDONLY);
	struct report r;

	is("a pidfd of a process that is no descendant", born(parent, 0, &r), -EPERM);
	is("a descriptor that is not open", born(9999, 0, &r), -EBADF);
	is("a negative one", born(-1, 0, &r), -EBADF);
	is("one that is no pidfd", born(null, 0, &r), -EBADF);
	is("bad arguments win over a bad descriptor", call(NR_CLONEAT_PIDFD, -1, 0, NULL), -EFAULT);
	is("cloneat itself takes numbers as before", call(511, -1, 0, NULL), -EFAULT);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);	/* a child must not write it again */
	if (argc > 1 && strcmp(argv[1], "absent") == 0) {
		is("cloneat_pidfd", call(NR_CLONEAT_PIDFD, 0, 0, NULL), -ENOSYS);
		is("cloneat", call(511, 0, 0, NULL), -EFAULT);
	} else if (pipe(say) == 0) {
		check_child();
		check_hint();
		check_self();
		check_errors();
	}
	printf("1..%d\n", tests);
	return failed || !tests;
}
