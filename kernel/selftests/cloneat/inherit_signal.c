// SPDX-License-Identifier: GPL-2.0
/*
 * What a process does with signals comes from the caller, whoever the target is
 * (see property.h).
 */
#include "property.h"

static long get_mask(struct msg *m)
{
	sigset_t set;

	(void)m;
	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, SIGUSR2) | sigismember(&set, SIGRTMIN) << 1;
}

static long put_mask(struct msg *m)
{
	sigset_t set;

	sigemptyset(&set);
	if (m->arg[0] & 1)
		sigaddset(&set, SIGUSR2);
	if (m->arg[0] & 2)
		sigaddset(&set, SIGRTMIN);
	return sigprocmask(SIG_SETMASK, &set, NULL) ? -errno : 0;
}

static void handler_1(int sig)
{
	(void)sig;
}

static void handler_2(int sig)
{
	(void)sig;
}

static long get_handler(struct msg *m)
{
	struct sigaction sa;

	(void)m;
	sigaction(SIGUSR2, NULL, &sa);
	if (sa.sa_handler == handler_1)
		return sigismember(&sa.sa_mask, SIGTTIN) &&
		       (sa.sa_flags & (SA_NODEFER | SA_ONSTACK)) ==
		       (SA_NODEFER | SA_ONSTACK) ? 1 : -1;
	return sa.sa_handler == handler_2 ? 2 : 0;
}

static long put_handler(struct msg *m)
{
	struct sigaction sa = { .sa_handler = handler_2 };

	if (m->arg[0] == 1) {
		sa.sa_handler = handler_1;
		sa.sa_flags = SA_NODEFER | SA_ONSTACK;
		sigaddset(&sa.sa_mask, SIGTTIN);
	}
	return sigaction(SIGUSR2, &sa, NULL) ? -errno : 0;
}

static long get_ignored(struct msg *m)
{
	struct sigaction sa;

	(void)m;
	sigaction(SIGTTOU, NULL, &sa);
	return sa.sa_handler == SIG_IGN;
}

static long put_ignored(struct msg *m)
{
	return signal(SIGTTOU, m->arg[0] ? SIG_IGN : SIG_DFL) == SIG_ERR ?
	       -errno : 0;
}

static char altstacks[2][65536];

static long get_altstack(struct msg *m)
{
	stack_t s;

	(void)m;
	sigaltstack(NULL, &s);
	if (s.ss_flags & SS_DISABLE)
		return 0;
	return s.ss_sp == altstacks[0] ? 1 : s.ss_sp == altstacks[1] ? 2 : -1;
}

static long put_altstack(struct msg *m)
{
	stack_t s = { .ss_sp = altstacks[m->arg[0] - 1],
		      .ss_size = sizeof(altstacks[0]) };

	return sigaltstack(&s, NULL) ? -errno : 0;
}

static const struct property properties[] = {
	OF_TASK(mask, "signal mask", 3, 1),
	OF_TASK(handler, "a handler with its flags and mask", 1, 2),
	OF_TASK(ignored, "an ignored signal", 1, 0),
	OF_TASK(altstack, "alternate signal stack", 1, 2),
};

PLAY_TABLE(property, properties)
{
	play_property();
}
