// SPDX-License-Identifier: GPL-2.0
/*
 * A target that is stopped, spinning, in a handler or called for again and again:
 * it goes on as if nothing had been (see busy.h).
 */
#include "busy.h"
#include <dirent.h>

/* check -> t, which is stopped -> k */
static void call_stopped(struct actor *t, struct actor *k)
{
	spawn(&me, t, 0);
	must(kill(t->pid, SIGSTOP));
	expect_eq(on(&me, do_wait4, t->pid, WUNTRACED), t->pid);
	expect_ok(cl(&me, k, t->pid, 0, 0));
}

PLAY(group_stopped, "a target stopped by SIGSTOP: served, and stopped still")
{
	struct actor t, k;

	call_stopped(&t, &k);
	wait_state(t.pid, 'T');	/* who was let go is on its way there */
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(on(&me, do_wait4, t.pid, WNOHANG | WUNTRACED | WCONTINUED),
		  0);
	must(kill(t.pid, SIGCONT));
	expect_eq(on(&me, do_wait4, t.pid, WCONTINUED), t.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(kid_runs, "the child of a stopped target runs")
{
	struct actor t, k;

	call_stopped(&t, &k);
	expect(proc_state(k.pid) != 'T');
	expect_eq(sys(&k, SYS_getpid), k.pid);
	quit(&k, 0);
}

/* Counts in memory and registers until slot 1 is set. */
static long spin(struct msg *m)
{
	volatile unsigned long memory = 0;
	unsigned long reg = 0;

	(void)m;
	while (!ct_slot[1]) {
		memory++;
		reg++;
		__asm__ volatile("" : "+r"(reg));
		if (memory != reg)
			return -EBADMSG;
	}
	return 0;
}

PLAY(spinning, "a target that spins in user mode goes on counting")
{
	struct actor t, kid[KIDS];

	spawn(&me, &t, 0);
	start(&t, spin, 0);
	while (proc_state(t.pid) != 'R')
		sched_yield();
	use_target(&t, kid);
	end_kids(kid);
	expect_busy(&t);
	slot_set(1, 1);
	expect_eq(actor_finish(&t), 0);
	reap_kids(&t);
}

static long in_kept_read(struct msg *m)
{
	long n = kept_call(SYS_read, p[0], (long)m->buf, 1, 0, 0, 0);

	return n == 1 ? *m->buf : n;
}

static long block_all(struct msg *m)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	return in_kept_read(m);
}

PLAY(all_blocked, "a target with all signals blocked")
{
	struct actor t, kid[KIDS];

	make_pipe();
	spawn(&me, &t, 0);
	start(&t, block_all, 0);
	wait_blocked(&t, SYS_read);
	must(kill(t.pid, SIGUSR1));
	use_target(&t, kid);
	end_kids(kid);
	send_byte(&t);
	expect_eq(actor_finish(&t), 'b');
	expect_eq(on(&t, do_take_signal, SIGUSR1), SIGUSR1);
}

/* The handler waits, on its own stack, and looks after it. */
static char altstack[65536];
static volatile bool on_altstack;
static volatile int handled;

static void waiting_handler(int sig)
{
	volatile char local[256];

	(void)sig;
	memset((char *)local, 0x5a, sizeof(local));
	on_altstack = (char *)local > altstack &&
		      (char *)local < altstack + sizeof(altstack);
	slot_wait(1, 1);
	for (size_t i = 0; i < sizeof(local); i++)
		on_altstack &= local[i] == 0x5a;
	handled++;
}

static long in_handler(struct msg *m)
{
	stack_t s = { .ss_sp = altstack, .ss_size = sizeof(altstack) };
	struct sigaction sa = { .sa_handler = waiting_handler,
				.sa_flags = SA_ONSTACK | SA_RESTART };

	(void)m;
	sigaltstack(&s, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	kill(ct_pid(), SIGUSR1);
	return on_altstack && handled == 1 ? 0 : -EBADMSG;
}

PLAY(handler_altstack, "a target in a handler on the alternate stack")
{
	struct actor t, kid[KIDS];

	spawn(&me, &t, 0);
	start(&t, in_handler, 0);
	wait_blocked(&t, SYS_futex);
	use_target(&t, kid);
	end_kids(kid);
	expect_busy(&t);
	slot_set(1, 1);
	expect_eq(actor_finish(&t), 0);
	reap_kids(&t);
}

/* A signal that comes while the call is served is neither lost nor doubled. */
PLAY(signals_arrive, "signals sent to the target during calls all arrive once")
{
	struct actor a, t, k;
	long us;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	expect_eq(on(&t, do_block), 0);
	us = now_us();
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	us = now_us() - us + 1;
	expect_eq(end(&k, &t, 1), EXITED(1));
	for (int i = 0; i < 20; i++) {
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % us);
		must(kill(t.pid, SIGUSR1));
		expect_ok(cl_finish(&a, &k));
		expect_eq(on(&t, do_take_signal, SIGUSR1), SIGUSR1);
		expect_eq(on(&t, do_take_signal, SIGUSR1), -EAGAIN);
		expect_eq(end(&k, &t, 1), EXITED(1));
	}
}

/* Its descriptors and the memory that is its own, but what the first call took. */
static void footprint(pid_t pid, char *text, size_t size)
{
	static const char *const keep[] = {
		"VmSize", "VmLck", "VmPin", "VmData", "VmStk", "VmPTE", NULL
	};
	/* Pages are counted here: before 6.2 the counters in status lag behind. */
	static const char *const pages[] = { "Anonymous", "Swap", NULL };
	char dir[64];
	DIR *d;

	portrait(pid, text, size);
	add_file(pid, "status", keep, text, size);
	add_file(pid, "smaps_rollup", pages, text, size);
	snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
	d = opendir(dir);
	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
		if (strlen(text) + 16 < size)
			strcat(strcat(text, e->d_name), " ");
	if (d)
		closedir(d);
}

/* A hundred, or as many as $CLONEAT_TARGET_CALLS says. */
PLAY(many_calls, "many calls against one blocked target leave it as it was")
{
	const char *n = getenv("CLONEAT_TARGET_CALLS");
	char before[8192] = "", after[8192];
	struct actor t, k;

	make_pipe();
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, in_kept_read, 0);
	wait_blocked(&t, SYS_read);
	for (int left = n ? atoi(n) : 100; left >= 0; left--) {
		alarm(CT_SECONDS);
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		quit(&k, 0);
		if (!*before)
			footprint(t.pid, before, sizeof(before));
	}
	footprint(t.pid, after, sizeof(after));
	expect_alike(before, after);
	send_byte(&t);
	expect_eq(actor_finish(&t), 'b');
	expect_eq(on(&t, do_wait4, -1, WNOHANG), -ECHILD);
}
