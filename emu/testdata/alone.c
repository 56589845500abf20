// SPDX-License-Identifier: Apache-2.0
/*
 * A target for which a SIGCHLD waits that was sent to its thread alone, and a caller
 * for whom no child can be made: its call fails behind the birth of one.  The
 * target has its signal still, and none that tells of the child.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/aio_abi.h>
#include <linux/cloneat.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void target(int ready, int go)
{
	const struct timespec none = { 0, 0 };
	siginfo_t si;
	sigset_t set;
	char c = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	syscall(SYS_tgkill, getpid(), getpid(), SIGCHLD);
	if (write(ready, &c, 1) != 1 || read(go, &c, 1) != 1)
		_exit(2);
	if (sigtimedwait(&set, &si, &none) < 0)
		errx(1, "the target has lost its signal");
	if (si.si_code != SI_TKILL && si.si_code != SI_USER)
		errx(1, "the target has a signal by code %d instead", si.si_code);
	if (sigtimedwait(&set, &si, &none) >= 0)
		errx(1, "the target is told of pid %d", si.si_pid);
	_exit(0);
}

int main(void)
{
	clone_flag_t flags[1] = { SIGCHLD };
	struct cloneat_args args = { .flags = flags, .flags_size = sizeof(flags) };
	aio_context_t ring = 0;
	int ready[2], go[2], status;
	char c = 0;
	pid_t t;

	if (pipe(ready) || pipe(go))
		err(2, "pipe");
	t = fork();
	if (t < 0)
		err(2, "fork");
	if (t == 0)
		target(ready[1], go[0]);
	if (read(ready[0], &c, 1) != 1 || syscall(SYS_io_setup, 8, &ring))
		err(2, "io_setup");
	if (syscall(511, t, 0, &args) >= 0)
		errx(2, "there is a child");
	if (write(go[1], &c, 1) != 1 || waitpid(t, &status, 0) != t)
		err(2, "target");
	return status != 0;
}
