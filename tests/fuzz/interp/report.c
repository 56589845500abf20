// SPDX-License-Identifier: Apache-2.0
/* What of an actor only itself can tell, and how it is written down. */
#include "interp.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <asm/prctl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* In the order in which do_report() fills them in. */
static const struct { const char *name; long usual; } traits[REPORTS] = {
	{ "dumpable", 1 }, { "pdeath", 0 }, { "keepcaps", 0 }, { "secure", 0 },
	{ "subreaper", 0 }, { "slack", 50000 }, { "thp", 0 }, { "tsc", 1 },
	{ "persona", 0 }, { "mce", 2 }, { "nice", 20 }, { "policy", 0 },
	{ "prio", 0 }, { "schedflags", 0 }, { "alt", 0 }, { "altflags", 2 },
	{ "altsize", 0 }, { "timer", 0 }, { "fs", 2 }, { "key", 0 },
	{ "ioprio", 0 }, { "sem", -ENOENT }, { "locks", 0 },
	{ "nattch", -ENOENT }, { "brk", 0 },
};

static long prctl1(long what)
{
	return raw(SYS_prctl, what, 0, 0, 0, 0, 0);
}

static long prctl_at(long what)
{
	int value = 0;
	long ret = raw(SYS_prctl, what, (long)&value, 0, 0, 0, 0);

	return ret ? ret : value;
}

/* The number in the name that do_keyring() gave the session keyring. */
static long keyring(void)
{
	char text[64] = "";
	long n = raw(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING,
		     (long)text, sizeof(text), 0, 0);

	for (long i = n - 2; i > 0; i--)
		if (text[i] == ';')
			return text[i + 1] == 'k' ? text[i + 2] : 0;
	return 0;
}

/* 0: none; 1: what CLONE_SETTLS gave it; 2: another. */
static long tls_kind(void)
{
	unsigned long fs = 0;

	raw(SYS_arch_prctl, ARCH_GET_FS, (long)&fs, 0, 0, 0, 0);
	return !fs ? 0 : is_tls(fs) ? 1 : 2;
}

static long semaphore(void)
{
	long id = raw(SYS_semget, SEM_KEY, 1, 0, 0, 0, 0);

	return id < 0 ? id : raw(SYS_semctl, id, 0, GETVAL, 0, 0, 0);
}

/* How many have the segment attached. */
static long attached(void)
{
	long id = raw(SYS_shmget, SHM_KEY, 8192, 0, 0, 0, 0);
	struct shmid_ds d;
	long ret = id < 0 ? id : raw(SYS_shmctl, id, IPC_STAT, (long)&d, 0, 0, 0);

	return ret ? ret : (long)d.shm_nattch;
}

/* In pages, since the program began. */
static long heap(void)
{
	return (raw(SYS_brk, 0, 0, 0, 0, 0, 0) - first_brk) / 4096;
}

/* A digit for each descriptor: whether another's lock is in the way. */
static long locks(void)
{
	long all = 0;

	for (int fd = OPEN_FD; fd < OPEN_FD + OPEN_FDS; fd++) {
		struct flock l = { .l_type = F_WRLCK };
		long ret = is_own(fd) ? raw(SYS_fcntl, fd, F_GETLK, (long)&l, 0,
					    0, 0) : -1;

		all = 10 * all + (!ret && l.l_type != F_UNLCK);
	}
	return all;
}

void do_report(long *r)
{
	uint32_t attr[14] = { 0 };
	struct itimerval timer = { 0 };
	stack_t s = { 0 };
	long policy;

	raw(SYS_sched_getattr, 0, (long)attr, sizeof(attr), 0, 0, 0);
	raw(SYS_sigaltstack, 0, (long)&s, 0, 0, 0, 0);
	raw(SYS_getitimer, ITIMER_REAL, (long)&timer, 0, 0, 0, 0);
	policy = attr[1];
	*r++ = prctl1(PR_GET_DUMPABLE);
	*r++ = prctl_at(PR_GET_PDEATHSIG);
	*r++ = prctl1(PR_GET_KEEPCAPS);
	*r++ = prctl1(PR_GET_SECUREBITS);
	*r++ = prctl_at(PR_GET_CHILD_SUBREAPER);
	/* Since 6.13 a realtime thread has none. */
	*r++ = policy == SCHED_FIFO || policy == SCHED_RR ? 50000 :
	       prctl1(PR_GET_TIMERSLACK);
	*r++ = prctl1(PR_GET_THP_DISABLE);
	*r++ = prctl_at(PR_GET_TSC);
	*r++ = raw(SYS_personality, 0xffffffff, 0, 0, 0, 0, 0);
	*r++ = prctl1(PR_MCE_KILL_GET);
	*r++ = raw(SYS_getpriority, 0, 0, 0, 0, 0, 0);
	*r++ = policy;
	*r++ = attr[5];
	*r++ = attr[2] & 1;	/* RESET_ON_FORK */
	*r++ = (long)s.ss_sp;
	*r++ = s.ss_flags;
	*r++ = s.ss_size;
	*r++ = timer.it_value.tv_sec || timer.it_value.tv_usec;
	*r++ = tls_kind();
	*r++ = keyring();
	*r++ = raw(SYS_ioprio_get, 1, 0, 0, 0, 0, 0);
	*r++ = semaphore();
	*r++ = locks();
	*r++ = attached();
	*r++ = heap();
}

/* Asks an actor that waits for a command. */
void describe_report(struct text *t, const struct who *w)
{
	const struct command c = { .kind = DO_REPORT };
	struct answer a = { 0 };
	int i = w - who;

	if (w->dead || w->stopped || w->owes)
		return;
	tell(i, &c);
	if (!await(i, &c))
		return;
	hear(i, &a);
	for (int k = 0; k < REPORTS; k++)
		if (a.report[k] != traits[k].usual)
			add(t, " %s=%ld", traits[k].name, a.report[k]);
}
