// SPDX-License-Identifier: Apache-2.0
/*
 * A target whose children end all the time, and a caller for whom no child can be
 * made: its calls fail behind the birth of one.  The target hears of each of its
 * own children, and of nothing else.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/aio_abi.h>
#include <linux/cloneat.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN 600

/* Waits for the end of k: 0 if it is told. */
static int told(pid_t k, const sigset_t *set)
{
	const struct timespec bound = { 10, 0 };
	siginfo_t si;

	if (sigtimedwait(set, &si, &bound) < 0) {
		warnx("the target is not told of its child");
		return 1;
	}
	if (si.si_pid != k || si.si_code != CLD_EXITED || si.si_status != 3 ||
	    si.si_uid != getuid()) {
		warnx("told of pid %d, code %d, status %d, user %d instead of %d",
		      si.si_pid, si.si_code, si.si_status, si.si_uid, k);
		return 1;
	}
	return waitpid(k, NULL, 0) != k;
}

static void target(void)
{
	sigset_t set;
	pid_t k;
	int i, bad = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < CHILDREN && !bad; i++) {
		k = fork();
		if (k == 0) {
			usleep(rand() % 1500);
			_exit(3);
		}
		bad = k < 0 || told(k, &set);
		rand();
	}
	_exit(bad);
}

int main(void)
{
	clone_flag_t flags[1] = { SIGCHLD };
	struct cloneat_args args = { .flags = flags, .flags_size = sizeof(flags) };
	aio_context_t ring = 0;
	int status;
	long n = 0, child;
	pid_t t = fork();

	if (t < 0)
		err(2, "fork");
	if (t == 0)
		target();
	if (syscall(SYS_io_setup, 8, &ring))
		err(2, "io_setup");
	while (waitpid(t, &status, WNOHANG) == 0) {
		child = syscall(511, t, 0, &args);
		if (child >= 0)
			errx(2, "there is a child");
		n++;
	}
	if (n < 10)
		errx(2, "%ld calls", n);
	return WEXITSTATUS(status);
}
