// SPDX-License-Identifier: GPL-2.0
/*
 * What fork() does not hand down is not in the child either, neither from the
 * caller nor from the target.
 *
 *	check      has a timer, pending signals ...
 *	  +-- target    has them too
 *	        +-- kid      starts without
 */
#include "scene.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

/* --- properties that start anew ----------------------------------------- */

static long get_pending(struct msg *m)
{
	sigset_t set;

	(void)m;
	sigpending(&set);
	return sigismember(&set, SIGUSR2);
}

static long put_pending(struct msg *m)
{
	sigset_t set;

	(void)m;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return kill(getpid(), SIGUSR2) ? -errno : 0;
}

static long get_thread_pending(struct msg *m)
{
	return get_pending(m);
}

static long put_thread_pending(struct msg *m)
{
	sigset_t set;

	(void)m;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return ct_syscall3(SYS_tgkill, ct_pid(), ct_tid(), SIGUSR2);
}

static long timer_runs(int which)
{
	struct itimerval t;

	if (getitimer(which, &t))
		return -errno;
	return t.it_value.tv_sec || t.it_value.tv_usec ||
	       t.it_interval.tv_sec;
}

static long start_timer(int which)
{
	struct itimerval t = { { 5000, 0 }, { 5000, 0 } };

	return setitimer(which, &t, NULL) ? -errno : 0;
}

/* The check's own alarm() is such a timer. */
static long get_alarm(struct msg *m)
{
	(void)m;
	return timer_runs(ITIMER_REAL);
}

static long put_alarm(struct msg *m)
{
	(void)m;
	return timer_runs(ITIMER_REAL) ? 0 : start_timer(ITIMER_REAL);
}

static long get_prof(struct msg *m)
{
	(void)m;
	return timer_runs(ITIMER_PROF);
}

static long put_prof(struct msg *m)
{
	(void)m;
	return start_timer(ITIMER_PROF);
}

static long get_virtual(struct msg *m)
{
	(void)m;
	return timer_runs(ITIMER_VIRTUAL);
}

static long put_virtual(struct msg *m)
{
	(void)m;
	return start_timer(ITIMER_VIRTUAL);
}

static long get_posix_timer(struct msg *m)
{
	struct itimerspec t;

	(void)m;
	return ct_syscall3(SYS_timer_gettime, 0, &t, 0) == 0;
}

static long put_posix_timer(struct msg *m)
{
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	int id = -1;
	long ret = ct_syscall3(SYS_timer_create, CLOCK_MONOTONIC, &none, &id);

	(void)m;
	return ret ? ret : id;
}

static long get_subreaper(struct msg *m)
{
	int on = -1;

	(void)m;
	return prctl(PR_GET_CHILD_SUBREAPER, &on) ? -errno : on;
}

static long put_subreaper(struct msg *m)
{
	(void)m;
	return prctl(PR_SET_CHILD_SUBREAPER, 1) ? -errno : 0;
}

static long get_pdeathsig(struct msg *m)
{
	int sig = -1;

	(void)m;
	return prctl(PR_GET_PDEATHSIG, &sig) ? -errno : sig != 0;
}

static long put_pdeathsig(struct msg *m)
{
	(void)m;
	return prctl(PR_SET_PDEATHSIG, SIGWINCH) ? -errno : 0;
}

static long get_locked(struct msg *m)
{
	(void)m;
	return proc_field(ct_pid(), "VmLck") != 0;
}

static long put_locked(struct msg *m)
{
	static char page[8192];

	(void)m;
	return mlock(page, sizeof(page)) ? -errno : 0;
}

/* A list of robust futexes of the thread's own, besides the C library's. */
static long get_robust(struct msg *m)
{
	void *head = NULL;
	size_t len;

	(void)m;
	if (ct_syscall3(SYS_get_robust_list, 0, &head, &len))
		return -errno;
	return !!head;
}

static long put_robust(struct msg *m)
{
	static struct robust_list_head head;

	(void)m;
	head.list.next = &head.list;
	return ct_syscall3(SYS_set_robust_list, &head, sizeof(head), 0);
}

static long get_tid_address(struct msg *m)
{
	int *where = NULL;

	(void)m;
	if (prctl(PR_GET_TID_ADDRESS, &where))
		return -errno;
	return !!where;
}

static long put_tid_address(struct msg *m)
{
	static int word;

	(void)m;
	return ct_syscall3(SYS_set_tid_address, &word, 0, 0) < 0;
}

static long get_children_time(struct msg *m)
{
	struct rusage ru;

	(void)m;
	return getrusage(RUSAGE_CHILDREN, &ru) ? -errno : ru.ru_minflt != 0;
}

static long put_children_time(struct msg *m)
{
	long pid = clone_words(SIGCHLD);

	if (!pid)
		ct_exit(0);
	m->arg[0] = pid;
	m->arg[1] = 0;
	return do_wait4(m) == pid ? 0 : -ECHILD;
}

struct thing {
	const char *name;
	const char *verdict;
	enum kind kind;
	long (*get)(struct msg *m);	/* 1: it is there */
	long (*put)(struct msg *m);
};

#define THING(what, text)						\
	{ #what "_self", text " (target: self)", SELF,			\
	  get_##what, put_##what },					\
	{ #what "_forked", text " (target: forked)", FORKED,		\
	  get_##what, put_##what },					\
	{ #what "_executed", text " (target: executed)", EXECUTED,	\
	  get_##what, put_##what }

static const struct thing things[] = {
	THING(pending, "no pending signal of the process"),
	THING(thread_pending, "no pending signal of the thread"),
	THING(alarm, "no ITIMER_REAL timer, no alarm()"),
	THING(prof, "no ITIMER_PROF timer"),
	THING(virtual, "no ITIMER_VIRTUAL timer"),
	THING(posix_timer, "no POSIX timer"),
	THING(subreaper, "no subreaper"),
	THING(pdeathsig, "no PR_SET_PDEATHSIG"),
	THING(locked, "no memory locks"),
	THING(robust, "no robust list"),
	THING(tid_address, "no address to clear at the end"),
	THING(children_time, "no resource usage of children"),
};

PLAY_TABLE(anew, things)
{
	const struct thing *thing = ct_arg();
	struct actor store, *t = target_of(thing->kind, &store), k;

	expect_eq(on(&me, thing->put), 0);
	expect_eq(on(&me, thing->get), 1);
	if (thing->kind != SELF) {
		expect_eq(on(t, thing->put), 0);
		expect_eq(on(t, thing->get), 1);
	}
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	expect_eq(on(&k, thing->get), 0);
	expect_eq(on(t, thing->get), 1);
	expect_eq(on(&me, thing->get), 1);
}

/* --- children, threads -------------------------------------------------- */

/* The kid starts without children, whoever has some. */
static void no_children(enum kind kind)
{
	struct actor store, *t = target_of(kind, &store), a, k;

	spawn(t, &a, 0);
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	expect_eq(on(&k, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}

/* check -> a (3 threads) -> t; the kid of a's leader has one thread */
static void one_thread(enum kind kind)
{
	struct actor a, th[2], store, *t = &a, k;

	spawn(&me, &a, 0);
	for (int i = 0; i < 2; i++)
		thread_of(&a, &th[i]);
	if (kind != SELF) {
		spawn(&a, &store, kind == EXECUTED ? ACTOR_EXEC : 0);
		t = &store;
	}
	expect_ok(cl(&a, &k, t->pid, 0, 0));
	expect_eq(proc_field(k.pid, "Threads"), 1);
	expect_eq(proc_field(a.pid, "Threads"), 3);
}

/* The CPU clock of the child starts at 0 or a little later, not at ours. */
static long do_cpu_time(struct msg *m)
{
	struct timespec t;

	(void)m;
	if (ct_syscall3(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &t, 0))
		return -errno;
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

/*
 * The kid cannot have used more than has passed since the call.  That must be
 * much less than what we had used before, or it would tell nothing: in a virtual
 * machine, time in which the whole of it had to wait is use.
 */
static void cpu_time(enum kind kind)
{
	long mine, passed, theirs, least = 100000000;
	struct timespec a, b;
	struct actor k;

	do {
		while ((mine = on(&me, do_cpu_time)) < least)
			;
		clock_gettime(CLOCK_MONOTONIC, &a);
		kid_of(kind, &k);
		theirs = on(&k, do_cpu_time);
		clock_gettime(CLOCK_MONOTONIC, &b);
		passed = (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec -
			 a.tv_nsec;
		least = 4 * passed;
	} while (passed > mine / 2);
	if (theirs < 0 || theirs >= mine)
		fail("used %ld ns in %ld, the caller %ld before", theirs,
		     passed, mine);
}

static const struct kinds rows[] = {
	KINDS(no_children, "no children, though target and caller have some"),
	KINDS(one_thread, "one thread, though the caller has three"),
	KINDS(cpu_time, "a CPU clock of its own"),
};

PLAY_TABLE(rest, rows)
{
	play_kind();
}

/* --- the target's limits on time ------------------------------------------ */

#define BUSY_SIZE (64UL << 20)

static long get_xcpu(struct msg *m)
{
	sigset_t set;

	(void)m;
	sigpending(&set);
	return sigismember(&set, SIGXCPU);
}

/* As what plays sound has it: soon told that it does not sleep. */
static long do_limit_realtime(struct msg *m)
{
	const struct sched_param p = { .sched_priority = 3 };
	struct rlimit r;

	(void)m;
	if (getrlimit(RLIMIT_RTTIME, &r))
		return -errno;
	r.rlim_cur = 5000;
	if (setrlimit(RLIMIT_RTTIME, &r))
		return -errno;
	return sched_setscheduler(0, SCHED_FIFO, &p) ? -errno : 0;
}

/*
 * Emulated, the child is busy with the caller's memory, and is scheduled as the target is.
 * The target itself may be sent the signal: on a slow machine for what it does here.
 */
PLAY(target_time, "no signal of RLIMIT_RTTIME, which the target alone has")
{
	struct actor t, k;
	sigset_t set;
	char *memory;
	long ret;

	sigemptyset(&set);
	sigaddset(&set, SIGXCPU);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	spawn(&me, &t, 0);
	ret = on(&t, do_limit_realtime);
	if (ret == -EPERM)
		ct_skip("no right to be scheduled in real time");
	expect_eq(ret, 0);
	memory = mmap(NULL, BUSY_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(memory != MAP_FAILED);
	must(madvise(memory, BUSY_SIZE, MADV_NOHUGEPAGE));
	memset(memory, 1, BUSY_SIZE);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_xcpu), 0);
}
