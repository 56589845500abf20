// SPDX-License-Identifier: Apache-2.0
/*
 * The targets. Each says when it is up, so that nobody has to guess, and dies
 * with the caller, whatever happens.
 */
#include "demo.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct actor pipes(int theirs[2])
{
	int to[2], from[2];

	must(!pipe(to) && !pipe(from), "pipe");
	theirs[0] = to[0];
	theirs[1] = from[1];
	return (struct actor){ .to = to[1], .from = from[0] };
}

/* Without their ends here, a target that died reads as an end of file. */
static void release(int theirs[2])
{
	close(theirs[0]);
	close(theirs[1]);
}

static void await(struct actor *a, int theirs[2])
{
	char up;

	release(theirs);
	must(read(a->from, &up, 1) == 1, "a target that came up");
	born(a->pid);
}

/*
 * What a target does that is our own code: for each child's pid that it reads,
 * wait for that child and write its status. It is blocked in read(2) when
 * somebody clones into it.
 */
_Noreturn static void reap_on_demand(const char *name, int in, int out)
{
	pid_t child;
	int status;

	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	must(write(out, "u", 1) == 1, "write");
	while (read(in, &child, sizeof(child)) == sizeof(child)) {
		status = -1;
		if (waitpid(child, &status, 0) < 0)
			status = -errno;
		must(write(out, &status, sizeof(status)) == sizeof(status), "write");
	}
	_exit(0);
}

struct actor start_forked(void)
{
	int theirs[2];
	struct actor a = pipes(theirs);

	a.pid = fork();
	must(a.pid >= 0, "fork");
	if (!a.pid)
		reap_on_demand("forked", theirs[0], theirs[1]);
	await(&a, theirs);
	return a;
}

/* The init of a new pid namespace, with a host name of its own. */
struct actor start_container(void)
{
	int theirs[2];
	struct actor a = pipes(theirs);

	a.pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
	must(a.pid >= 0, "clone with CLONE_NEWPID (are you root?)");
	if (!a.pid) {
		must(!sethostname("container", 9), "sethostname");
		reap_on_demand("init", theirs[0], theirs[1]);
	}
	await(&a, theirs);
	return a;
}

/* A program that knows nothing of us: cat(1), blocked in its read(2). */
struct actor start_cat(void)
{
	int theirs[2];
	struct actor a = pipes(theirs);

	a.pid = fork();
	must(a.pid >= 0, "fork");
	if (!a.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(theirs[0], 0);
		dup2(theirs[1], 1);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		execlp("cat", "cat", NULL);
		_exit(127);
	}
	release(theirs);
	must(cat_echoes(&a), "cat that echoes");
	born(a.pid);
	return a;
}

/* A line goes in and the same line comes out: it runs, and as it always did. */
bool cat_echoes(struct actor *cat)
{
	static const char line[] = "still here\n";
	char got[sizeof(line)] = "";
	size_t n = 0;

	if (write(cat->to, line, sizeof(line) - 1) != sizeof(line) - 1)
		return false;
	while (n < sizeof(line) - 1) {
		ssize_t r = read(cat->from, got + n, sizeof(line) - 1 - n);

		if (r <= 0)
			return false;
		n += r;
	}
	return !strcmp(got, line);
}

/* The target's own waitpid(child): the exit status, or less than 0. */
int reaped_by(struct actor *target, pid_t child)
{
	int status;

	must(write(target->to, &child, sizeof(child)) == sizeof(child), "write");
	must(read(target->from, &status, sizeof(status)) == sizeof(status), "read");
	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A number that no process or group has, another one each time: from the top,
 * where the kernel's own counter comes by last.
 */
pid_t free_pid(void)
{
	static pid_t pid = 32001;

	do
		pid--;
	while (kill(pid, 0) == 0 || errno != ESRCH || kill(-pid, 0) == 0 || errno != ESRCH);
	return pid;
}
