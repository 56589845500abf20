// SPDX-License-Identifier: GPL-2.0
/* Children of targets: see target.h. */
#include "target.h"

long target_refused(struct target *t, unsigned int word0, unsigned int word1)
{
	struct ct_args args;

	ct_args(&args, word0, word1);
	ct_stack(&args.a);
	return cloneat_call(t->pid, 0, &args.a, ct_return, (void *)5);
}

void expect_below(struct target *t, unsigned int word0, unsigned int word1,
		  long (*fn)(void *), void *arg)
{
	struct ct_args args;
	long pid, status;

	ct_args(&args, word0 | SIGCHLD, word1);
	ct_stack(&args.a);
	pid = expect_ok(cloneat_call(t->pid, 0, &args.a, fn, arg));
	status = expect_ok(target_wait(t, pid));
	expect(WIFEXITED(status));
	expect_eq(WEXITSTATUS(status), 5);
}

int value = 1;

long set_value(void *arg)
{
	value = (int)(long)arg;
	return 5;
}

static void keep(int sig)
{
	(void)sig;
}

static void (*handler_of(int sig))(int)
{
	struct sigaction act;

	must(sigaction(sig, NULL, &act));
	return act.sa_handler;
}

long without_handlers(pid_t target)
{
	long pid;

	signal(SIGUSR1, keep);
	signal(SIGUSR2, SIG_IGN);
	pid = expect_ok(cloneat_words(target, 0, SIGCHLD,
				      CT_EXT(CLONEXT_CLEAR_SIGHAND)));
	if (pid == 0)
		ct_exit(handler_of(SIGUSR1) != SIG_DFL ? 8 :
			handler_of(SIGUSR2) == SIG_IGN ? 5 : 9);
	expect(handler_of(SIGUSR1) == keep);
	return pid;
}
