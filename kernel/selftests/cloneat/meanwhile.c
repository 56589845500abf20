// SPDX-License-Identifier: GPL-2.0
/*
 * Filters and tracers that come in the moment of a call (see engine.h).
 */
#include "engine.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ptrace.h>

/* A filter for all threads. */
static long do_tsync(struct msg *m)
{
	struct sock_filter allow[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ct_count(allow), allow };

	(void)m;
	return ct_syscall3(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			   SECCOMP_FILTER_FLAG_TSYNC, &prog);
}

static void filter(void)
{
	struct actor th;
	long us, count;
	bool after;

	cast_engine();
	thread_of(&a, &th);
	us = measure_call();
	/* Each leaves a filter more. */
	for (int i = 0; i < TIMES / 4; i++) {
		count = proc_field(a.pid, "Seccomp_filters");
		call();
		moment(us);
		expect_eq(on(&th, do_tsync), 0);
		after = unborn();
		finish();
		if (after || proc_field(k.pid, "Seccomp_filters") != count)
			expect_eq(proc_field(k.pid, "Seccomp_filters"), count + 1);
		bury();
	}
}

static const struct engine engines[] = {
	ENGINES(filter, "SECCOMP_FILTER_FLAG_TSYNC by another thread"),
};

PLAY_TABLE(play, engines)
{
	play_engine();
}

static void attach(void)
{
	struct actor tracer;
	long us;

	cast_engine();
	spawn(&me, &tracer, 0);
	us = measure_call();
	for (int i = 0; i < TIMES; i++) {
		call();
		moment(us);
		expect_eq(sys(&tracer, SYS_ptrace, PTRACE_SEIZE, t.pid, 0, 0),
			  0);
		finish();
		expect_eq(sys(&tracer, SYS_ptrace, PTRACE_INTERRUPT, t.pid, 0,
			      0), 0);
		expect_eq(on(&tracer, do_wait4, t.pid, __WALL), t.pid);
		expect_eq(sys(&tracer, SYS_ptrace, PTRACE_DETACH, t.pid, 0, 0),
			  0);
		bury();
	}
}

PLAY_DOCUMENTED(attached, "another tracer attaches to the target",
		"a process has one tracer: in the moment of the call it is the emulator")
{
	play_one(ENGINE(attach, 0));
}
