// SPDX-License-Identifier: Apache-2.0
/* Signals, limits, scheduling, prctl(2), and knobs under /proc/self. */
#include "eye.h"
#include <asm/ldt.h>
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <sys/prctl.h>

#define set(option, ...) did(#option, sys(__NR_prctl, option, __VA_ARGS__))

static void write_self(const char *name, const char *text)
{
	char path[100];
	long fd;

	form(path, sizeof(path), "/proc/self/%s", name);
	fd = sys(__NR_open, path, O_WRONLY | O_CLOEXEC);
	did(name, sys(__NR_write, fd, text, str_len(text)));
	sys(__NR_close, fd);
}

static char alternate[65536];
static void handler(int sig) { (void)sig; }
static void restorer(void) { }

/* Dispositions of signals that nothing here sends. */
static void rich_actions(void)
{
	struct { void *handler; long flags; void *restorer; long mask; } sa = {
		handler, 0x04000000 | 0x40000000 | 0x08000000, restorer, 1 << 9,
	};
	long stack[3] = { (long)alternate, 0, sizeof(alternate) };

	sys(__NR_rt_sigaction, SIGUSR2, &sa, 0, 8);
	sa.flags |= 4 | 1;
	sys(__NR_rt_sigaction, 34 + 9, &sa, 0, 8);
	sa.flags = 2;
	sa.handler = SIG_IGN;
	sys(__NR_rt_sigaction, SIGTTOU, &sa, 0, 8);
	if (options & OPT_RUNTIME)
		return;
	stack[1] = 1 << 31;	/* SS_AUTODISARM */
	did("sigaltstack", sys(__NR_sigaltstack, stack, 0));
}

static void rich_signals(void)
{
	unsigned long mask = 1UL << (SIGUSR1 - 1) | 1UL << (40 - 1) | 1UL << (SIGWINCH - 1);
	long never[4] = { 0, 0, 4000000, 0 }, event[8] = { 0 };
	int timer;

	rich_actions();
	sys(__NR_rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
	sys(__NR_tgkill, sys(__NR_getpid), sys(__NR_gettid), SIGUSR1);
	sys(__NR_kill, sys(__NR_getpid), 40);
	for (long i = 0; i < 3; i++)
		sys(__NR_setitimer, i, never, 0);
	event[1] = SIGUSR2;
	did("timer", sys(__NR_timer_create, 1, event, &timer));
	sys(__NR_timer_settime, timer, 0, never, 0);
}

static void rich_limits(void)
{
	static const struct { int what; unsigned long soft; } l[] = {
		{ 1, 1UL << 40 }, { 3, 7 << 20 }, { 4, 12345 }, { 7, 350 }, { 8, 1 << 22 },
		{ 11, 900 }, { 12, 500000 }, { 13, 3 }, { 14, 5 }, { 15, 99999 },
	};
	unsigned long v[2];

	for (size_t i = 0; i < sizeof(l) / sizeof(l[0]); i++) {
		if (l[i].what == 7 && options & OPT_FDS)
			continue;
		sys(__NR_prlimit64, 0, l[i].what, 0, v);
		v[0] = l[i].soft < v[1] ? l[i].soft : v[1];
		if (v[1] == ~0UL)
			v[1] = l[i].soft * 2 + (1UL << 40);
		did("limit", sys(__NR_prlimit64, 0, l[i].what, v, 0));
	}
}

static void rich_scheduling(void)
{
	unsigned long first = 1, node = 1;
	int priority = 0;

	did("nice", sys(__NR_setpriority, 0, 0, 9));
	did("policy", sys(__NR_sched_setscheduler, 0, 3 /* SCHED_BATCH */, &priority));
	did("affinity", sys(__NR_sched_setaffinity, 0, sizeof(first), &first));
	did("ioprio", sys(__NR_ioprio_set, 1, 0, 2 << 13 | 6));
	did("mempolicy", sys(__NR_set_mempolicy, MPOL_PREFERRED, &node, 64));
	write_self("oom_score_adj", "321");
	write_self("coredump_filter", "0x5d");
}

static void rich_prctl(void)
{
	set(PR_SET_TIMERSLACK, 77777);
	set(PR_SET_CHILD_SUBREAPER, 1);
	set(PR_SET_PDEATHSIG, SIGUSR2);
	set(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	set(57 /* PR_SET_IO_FLUSHER */, 1, 0, 0, 0);
	set(67 /* PR_SET_MEMORY_MERGE */, 1, 0, 0, 0);
	set(PR_SET_SPECULATION_CTRL, 0, 1 << 2, 0, 0);
	set(PR_SET_SPECULATION_CTRL, 1, 1 << 2, 0, 0);
	set(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	set(PR_SET_NAME, "rich and famous");
	if (options & OPT_RUNTIME)
		return;
	set(PR_SET_TSC, PR_TSC_SIGSEGV);
	did("personality", sys(__NR_personality, 0x0040000));
}

int port_allowed;

/* Segments for 32-bit code, and access to a port. */
static void rich_processor(void)
{
	struct user_desc d = { .entry_number = 13, .base_addr = 0x12345000, .limit = 0xfffff,
			       .seg_32bit = 1, .limit_in_pages = 1, .useable = 1 };

	did("set_thread_area", sys(__NR_set_thread_area, &d));
	port_allowed = did("ioperm", sys(__NR_ioperm, 0x80, 1, 1)) == 0;
}

static int rseq_area[8] __attribute__((aligned(32)));

static void rich_rseq(void)
{
	if (rseq_at)
		return;
	rseq_at = (long)rseq_area, rseq_size = sizeof(rseq_area);
	if (did("rseq", sys(__NR_rseq, rseq_area, sizeof(rseq_area), 0, 0x53053053)) < 0)
		rseq_at = 0;
}

void rich_self(void)
{
	rich_signals();
	rich_limits();
	rich_scheduling();
	rich_prctl();
	rich_processor();
	rich_rseq();
	sys(__NR_umask, 0137);
	did("chdir", sys(__NR_chdir, scratch));
}
