// SPDX-License-Identifier: GPL-2.0
/*
 * To self, the call is clone(2): handlers, masks, alarms, and no EINTR.
 *
 *	check  <-- calls, and is the target
 *	  +-- child
 */
#include "target.h"
#include <linux/sched.h>

static void handler(int sig)
{
	(void)sig;
}

CHECK(handlers_kept, "handlers are the child's too")
{
	struct sigaction act;
	long pid;

	signal(SIGUSR1, handler);
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0) {
		must(sigaction(SIGUSR1, NULL, &act));
		ct_exit(act.sa_handler == handler ? 5 : 9);
	}
	expect_exit(pid, 5);
}

CHECK(clear_sighand, "CLONEXT_CLEAR_SIGHAND: handlers go, ignored stays ignored")
{
	expect_exit(without_handlers(ct_pid()), 5);
}

CHECK(mask_kept, "the signal mask is the child's too")
{
	sigset_t set, now;
	long pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0) {
		must(sigprocmask(SIG_BLOCK, NULL, &now));
		ct_exit(sigismember(&now, SIGUSR1) &&
			!sigismember(&now, SIGUSR2) ? 5 : 9);
	}
	expect_exit(pid, 5);
}

CHECK(pending_not_kept, "pending signals are not the child's")
{
	sigset_t set;
	long pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	must(kill(ct_pid(), SIGUSR1));
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0) {
		must(sigpending(&set));
		ct_exit(sigismember(&set, SIGUSR1) ? 9 : 5);
	}
	expect_exit(pid, 5);
	must(sigpending(&set));
	expect(sigismember(&set, SIGUSR1));
}

CHECK(alarm_not_kept, "an alarm is not the child's")
{
	long pid = expect_ok(cloneat_fork(ct_pid(), 0));

	if (pid == 0)
		ct_exit(alarm(0) == 0 ? 5 : 9);
	expect_exit(pid, 5);
	expect(alarm(CT_SECONDS) > 0);
}

CHECK(pdeathsig_not_kept, "the parent-death signal is not the child's")
{
	int sig = 9;
	long pid;

	must(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0) {
		must(prctl(PR_GET_PDEATHSIG, &sig));
		ct_exit(sig ? 9 : 5);
	}
	expect_exit(pid, 5);
}

static char alt_stack[32768];

static long alt_stack_flags(void *arg)
{
	stack_t now = { 0 };

	(void)arg;
	if (ct_syscall3(SYS_sigaltstack, 0, &now, 0))
		return 9;
	return now.ss_flags & SS_DISABLE ? 6 : 5;
}

static void expect_alt_stack(unsigned int word0, int status)
{
	stack_t alt = { .ss_sp = alt_stack, .ss_size = sizeof(alt_stack) };
	struct ct_args args;

	must(sigaltstack(&alt, NULL));
	ct_stack(ct_args(&args, SIGCHLD | word0, 0));
	expect_exit(expect_ok(cloneat_call(ct_pid(), 0, &args.a,
					   alt_stack_flags, NULL)), status);
}

CHECK(altstack_kept, "a copy keeps the alternate signal stack")
{
	expect_alt_stack(0, 5);
}

CHECK(altstack_not_shared, "a CLONE_VM child has no alternate signal stack")
{
	expect_alt_stack(CLONE_VM, 6);
}

static volatile int alarms;

static void count_alarm(int sig)
{
	(void)sig;
	alarms++;
}

CHECK_DOCUMENTED(never_eintr,
		 "a storm of signals without SA_RESTART: never EINTR",
		 "a signal may come before the supervisor has taken the call")
{
	struct sigaction act = { .sa_handler = count_alarm };
	pid_t storm, self = ct_pid();

	must(sigaction(SIGUSR1, &act, NULL));
	storm = must(fork());
	if (storm == 0) {
		for (;;) {
			kill(self, SIGUSR1);
			usleep(50);
		}
	}
	for (int i = 0; i < 200; i++) {
		long pid = cloneat_fork(self, 0);
		int status;

		if (pid == 0)
			ct_exit(5);
		if (pid < 0)
			fail("round %d: %s", i, ct_errname(-pid));
		while (waitpid(pid, &status, 0) != pid)
			expect_eq(errno, EINTR);
		expect_eq(WEXITSTATUS(status), 5);
	}
	must(kill(storm, SIGKILL));
	while (waitpid(storm, NULL, 0) != storm)
		;
}
