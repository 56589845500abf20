// SPDX-License-Identifier: GPL-2.0
/*
 * What others do to the caller, the target or what they share in the moment of
 * a call: the child has the state before it or the one behind it, and nobody
 * loses an event.
 *
 *	check      acts
 *	  +-- a         calls, again and again
 *	        +-- t        the target, or a itself
 *	        +-- s        shares something with a
 */
#include "group.h"
#include "scene.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/ptrace.h>

#define ROUNDS 60

/* Who makes the child, each in a way of its own. */
struct engine {
	const char *name;
	const char *verdict;
	void (*play)(void);
	uint64_t target;	/* how it is made; SELF_TARGET: none is */
	uint64_t flags;		/* of the call */
};

#define SELF_TARGET (1ULL << 63)

#define SELF(fn, text)							\
	{ #fn "_self", text " (self)", fn, SELF_TARGET, 0 },		\
	{ #fn "_flags", text " (self, CLONE_FS)", fn, SELF_TARGET,	\
	  CLONE_FS }
#define INIT(fn, text)							\
	{ #fn "_init", text " (init)", fn, CLONE_NEWPID, 0 }
#define SHARED(fn, text)						\
	{ #fn "_shared", text " (shared memory)", fn, CLONE_VM, 0 }
#define COPIED(fn, text)						\
	{ #fn "_forked", text " (forked)", fn, 0, 0 },			\
	{ #fn "_executed", text " (executed)", fn, ACTOR_EXEC, 0 }
#define OTHERS(fn, text)						\
	INIT(fn, text), SHARED(fn, text), COPIED(fn, text)
#define ENGINES(fn, text) SELF(fn, text), OTHERS(fn, text)

#define ENGINE(fn, how)	((struct engine){ .play = fn, .target = how })

static struct actor a, t, k, s;

static const struct engine *played;	/* by a check without a table */

static const struct engine *engine(void)
{
	return played ? played : ct_arg();
}

/* The parent of the children. */
static struct actor *parent(void)
{
	return engine()->target == SELF_TARGET ? &a : &t;
}

static void cast_target(void)
{
	if (engine()->target != SELF_TARGET)
		spawn(&a, &t, engine()->target);
}

static void cast(void)
{
	spawn(&me, &a, 0);
	cast_target();
}

static void call(void)
{
	cl_start(&a, parent()->pid, 0, engine()->flags);
}

static void finish(void)
{
	expect_ok(cl_finish(&a, &k));
	expect(k.pid > 0);
}

static void bury(void)
{
	expect_eq(end(&k, parent(), 3), EXITED(3));
}

/* How long a call takes here, the shortest of three. */
static long measure(void)
{
	long best = 1000000, start;

	for (int i = 0; i < 3; i++) {
		start = now_us();
		call();
		finish();
		start = now_us() - start;
		best = start < best ? start : best;
		bury();
	}
	return best;
}

/* A moment of the call. */
static void moment(long us)
{
	long until = now_us() + rand() % us;

	while (now_us() < until)
		;
}

/* Has the process no child yet? */
static bool childless(pid_t pid)
{
	char path[64];
	int child;
	bool none;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (!f)
		ct_skip("no %s here", path);
	none = fscanf(f, "%d", &child) != 1;
	fclose(f);
	return none;
}

/* --- the process group -------------------------------------------------- */

static void group(void)
{
	struct actor other[2];
	pid_t old, new;
	bool after;
	long us;

	for (int i = 0; i < 2; i++) {
		spawn(&me, &other[i], 0);
		expect_eq(sys(&other[i], SYS_setpgid, 0, 0), 0);
	}
	cast();
	must(setpgid(a.pid, other[0].pid));
	us = measure();
	for (int i = 0; i < ROUNDS; i++) {
		old = getpgid(a.pid);
		new = other[~i & 1].pid;
		call();
		moment(us);
		must(setpgid(a.pid, new));
		after = engine()->target != SELF_TARGET && childless(t.pid);
		finish();
		if (after)
			expect_eq(getpgid(k.pid), new);
		else
			expect(getpgid(k.pid) == new || getpgid(k.pid) == old);
		bury();
	}
}

static const struct engine group_table[] = {
	ENGINES(group, "setpgid(2) for the caller"),
};

/* --- filters ------------------------------------------------------------ */

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

	cast();
	thread_of(&a, &th);
	us = measure();
	/* Each leaves a filter more. */
	for (int i = 0; i < ROUNDS / 4; i++) {
		count = proc_field(a.pid, "Seccomp_filters");
		call();
		moment(us);
		expect_eq(on(&th, do_tsync), 0);
		after = engine()->target != SELF_TARGET && childless(t.pid);
		finish();
		if (after || proc_field(k.pid, "Seccomp_filters") != count)
			expect_eq(proc_field(k.pid, "Seccomp_filters"), count + 1);
		bury();
	}
}

static const struct engine filter_table[] = {
	ENGINES(filter, "SECCOMP_FILTER_FLAG_TSYNC by another thread"),
};

/* --- descriptors -------------------------------------------------------- */

#define HERE 100
#define THERE 101

/* A file that goes from one number to the other, and is always at one. */
static long do_shuffle(struct msg *m)
{
	m->ret = 0;
	while (!ct_slot[1]) {
		ct_syscall3(SYS_dup2, HERE, THERE, 0);
		ct_syscall3(SYS_close, HERE, 0, 0);
		ct_syscall3(SYS_dup2, THERE, HERE, 0);
		ct_syscall3(SYS_close, THERE, 0, 0);
	}
	return 0;
}

static void moved(void)
{
	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_dup2, 2, HERE), HERE);
	cast_target();
	spawn(&a, &s, CLONE_FILES);
	start(&s, do_shuffle, 0);
	for (int i = 0; i < ROUNDS; i++) {
		call();
		finish();
		if (sys(&k, SYS_fcntl, HERE, F_GETFD) < 0)
			expect_eq(sys(&k, SYS_fcntl, THERE, F_GETFD), 0);
		bury();
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&s), 0);
}

static const struct engine moved_table[] = {
	SELF(moved, "who shares the descriptors moves one"),
	INIT(moved, "who shares the descriptors moves one"),
};

/* --- root and working directory ----------------------------------------- */

/* Into /proc as its root and out of it: it is never in there from outside. */
static long do_enter(struct msg *m)
{
	int top = open("/", O_RDONLY | O_CLOEXEC);

	(void)m;
	if (top < 0)
		return -errno;
	while (!ct_slot[1])
		if (chroot("/proc") || chdir("/") || fchdir(top) || chroot("."))
			return -errno;
	return 0;
}

static void rooted(void)
{
	const uint64_t outside = proc_link(getpid(), "root");
	const uint64_t inside = proc_link(getpid(), "root/proc");

	mkdir("/tmp", 01777);
	must(chdir("/tmp"));	/* the target stays here */
	cast();
	spawn(&a, &s, CLONE_FS);
	start(&s, do_enter, 0);
	for (int i = 0; i < 4 * ROUNDS; i++) {
		call();
		finish();
		if (proc_link(k.pid, "cwd") == inside)
			expect(proc_link(k.pid, "root") != outside);
		bury();
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&s), 0);
}

static const struct engine rooted_table[] = {
	{ "rooted_self", "who shares the directories changes both (self)",
	  rooted, SELF_TARGET, 0 },
	INIT(rooted, "who shares the directories changes both"),
};

/* --- memory ------------------------------------------------------------- */

static struct {
	volatile long n;
	char apart[1 << 20];
} first, second;

/* The first counts up, then the second. */
static long do_count(struct msg *m)
{
	(void)m;
	while (!ct_slot[1]) {
		first.n++;
		second.n++;
	}
	return 0;
}

static long do_difference(struct msg *m)
{
	(void)m;
	return first.n - second.n;
}

static void torn(void)
{
	long ret;

	spawn(&me, &a, 0);
	cast_target();
	spawn(&a, &s, CLONE_VM);
	start(&s, do_count, 0);
	for (int i = 0; i < ROUNDS; i++) {
		call();
		finish();
		ret = on(&k, do_difference);
		if (ret != 0 && ret != 1)
			fail("memory of %ld moments", ret);
		bury();
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&s), 0);
}

static const struct engine torn_table[] = {
	ENGINES(torn, "who shares the memory writes it"),
};

/* Maps and unmaps for ever. */
static long do_remap(struct msg *m)
{
	char *p;

	(void)m;
	while (!ct_slot[1]) {
		p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return -ENOMEM;
		p[PAGE] = 1;
		mprotect(p + 8 * PAGE, PAGE, PROT_READ);
		p[20 * PAGE] = 1;
		munmap(p, 64 * PAGE);
	}
	return 0;
}

static void remapped(void)
{
	cast();
	spawn(&a, &s, CLONE_VM);
	start(&s, do_remap, 0);
	for (int i = 0; i < ROUNDS; i++) {
		call();
		finish();
		bury();
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&s), 0);
}

static const struct engine remapped_table[] = {
	ENGINES(remapped, "who shares the memory maps and unmaps"),
};

/* Without the memory that cl() works in. */
static long do_call(struct msg *m)
{
	long ret = cloneat_fork(m->arg[0], 0);

	if (!ret)
		ct_exit(3);
	return ret;
}

/* check -> a -> t, s -> u: a and s share their memory, and both call */
PLAY(both, "two that share their memory call at once")
{
	struct actor u;
	long ret[2];

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	spawn(&a, &s, CLONE_VM);
	spawn(&s, &u, 0);
	for (int i = 0; i < ROUNDS; i++) {
		start(&a, do_call, t.pid);
		start(&s, do_call, u.pid);
		ret[0] = expect_ok(actor_finish(&a));
		ret[1] = expect_ok(actor_finish(&s));
		expect_eq(on(&t, do_wait4, ret[0], 0), ret[0]);
		expect_eq(status_of(&t), EXITED(3));
		expect_eq(on(&u, do_wait4, ret[1], 0), ret[1]);
		expect_eq(status_of(&u), EXITED(3));
	}
}

static long do_exit_group(struct msg *m)
{
	(void)m;
	ct_exit(7);
}

/* check -> a -> t, s: shares its memory, until it executes or ends */
PLAY(left, "who shares the memory executes or ends")
{
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	for (int i = 0; i < ROUNDS; i++) {
		spawn(&a, &s, CLONE_VM);
		cl_start(&a, t.pid, 0, 0);
		moment(4000);
		if (i & 1)
			start(&s, do_execute_loop, 0);
		else
			start(&s, do_exit_group, 0);
		finish();
		expect_eq(end(&k, &t, 3), EXITED(3));
		if (i & 1) {
			expect_eq(actor_finish(&s), s.pid);
			expect_eq(end(&s, &a, 7), EXITED(7));
			continue;
		}
		expect_eq(on(&a, do_wait4, s.pid, 0), s.pid);
		expect_eq(status_of(&a), EXITED(7));
		close(s.fd);
	}
}

/* In a vfork child: makes a target, and calls for it.  0 if a child came of it. */
static long call_below(void *arg)
{
	pid_t target = clone_words(SIGCHLD);
	long ret;

	(void)arg;
	if (!target)
		for (;;)
			ct_syscall3(SYS_pause, 0, 0, 0);
	ret = cloneat_fork(target, 0);
	if (!ret)
		ct_exit(0);
	ct_syscall3(SYS_kill, target, SIGKILL, 0);
	ct_syscall6(SYS_wait4, target, 0, 0, 0, 0, 0);
	ct_exit(ret < 0 ? -ret : 0);
	return 0;
}

static long do_vfork(struct msg *m)
{
	m->arg[0] = clone_call(CLONE_VM | CLONE_VFORK | SIGCHLD, ct_stack(NULL),
			       CT_STACK_SIZE, NULL, NULL, 0, call_below, NULL);
	m->arg[1] = 0;
	return do_wait4(m);
}

/* check -> a (waits in vfork, shares its memory) -> caller -> target */
PLAY(vforked, "the caller is a vfork child")
{
	spawn(&me, &a, 0);
	for (int i = 0; i < 5; i++) {
		expect_ok(on(&a, do_vfork));
		expect_eq(status_of(&a), EXITED(0));
	}
}

/* --- dispositions ------------------------------------------------------- */

struct action {
	unsigned long handler, flags, restorer, mask;
};

static long do_act(struct msg *m)
{
	struct action one = { 0 };

	(void)m;
	for (one.handler = 2; !ct_slot[1]; one.handler++) {
		ct_syscall6(SYS_rt_sigaction, SIGUSR1, (long)&one, 0, 8, 0, 0);
		ct_syscall6(SYS_rt_sigaction, SIGRTMAX, (long)&one, 0, 8, 0, 0);
	}
	return 0;
}

static long do_acts(struct msg *m)
{
	struct action one, two;

	(void)m;
	ct_syscall6(SYS_rt_sigaction, SIGUSR1, 0, (long)&one, 8, 0, 0);
	ct_syscall6(SYS_rt_sigaction, SIGRTMAX, 0, (long)&two, 8, 0, 0);
	return one.handler - two.handler;
}

static void acted(void)
{
	long ret;

	cast();
	spawn(&a, &s, CLONE_VM | CLONE_SIGHAND);
	start(&s, do_act, 0);
	usleep(1000);
	for (int i = 0; i < ROUNDS; i++) {
		call();
		finish();
		ret = on(&k, do_acts);
		if (ret != 0 && ret != 1)
			fail("dispositions of %ld moments", ret);
		bury();
	}
	slot_set(1, 1);
	expect_eq(actor_finish(&s), 0);
}

static const struct engine acted_table[] = {
	SELF(acted, "who shares the dispositions sets two"),
	INIT(acted, "who shares the dispositions sets two"),
	COPIED(acted, "who shares the dispositions sets two"),
};

/* --- control groups ----------------------------------------------------- */

static void frozen(void)
{
	long us;

	spawn(&me, &a, 0);
	give_group(&a);
	cast_target();
	us = measure();
	for (int i = 0; i < ROUNDS; i++) {
		call();
		moment(us);
		expect_eq(in_group("cgroup.freeze", "1"), 0);
		if (i % 10 == 0)
			usleep(50000);
		expect_eq(in_group("cgroup.freeze", "0"), 0);
		finish();
		bury();
	}
	if (engine()->target != SELF_TARGET)
		quit(&t, 0);
	remove_group(&a);
}

static const struct engine frozen_table[] = {
	ENGINES(frozen, "the caller's control group is frozen and thawed"),
};

/* The caller goes from one group to another and back. */
static void resettled(void)
{
	char num[16], old[512], new[512], is[512];
	bool after;
	long us;

	spawn(&me, &a, 0);
	give_group(&a);
	cast_target();
	us = measure();
	snprintf(num, sizeof(num), "%d", a.pid);
	for (int i = 0; i < ROUNDS; i++) {
		groups_of(a.pid, old, sizeof(old));
		call();
		moment(us);
		expect_eq(in_group(i & 1 ? "cgroup.procs" : "../cgroup.procs",
				   num), 0);
		after = engine()->target != SELF_TARGET && childless(t.pid);
		groups_of(a.pid, new, sizeof(new));
		finish();
		groups_of(k.pid, is, sizeof(is));
		expect(!strcmp(is, new) || (!after && !strcmp(is, old)));
		bury();
	}
	if (engine()->target != SELF_TARGET)
		quit(&t, 0);
	remove_group(&a);
}

static const struct engine resettled_table[] = {
	ENGINES(resettled, "the caller goes to another control group"),
};

/* --- files -------------------------------------------------------------- */

#define PAGES 64

static char name[] = "/tmp/cloneat-XXXXXX";
static char *mapped;

/* Every other page is a copy of its own. */
static long do_dirty(struct msg *m)
{
	(void)m;
	for (int i = 0; i < PAGES; i += 2)
		mapped[i * PAGE] = 1;
	return 0;
}

static void truncated(void)
{
	long us;
	int fd;

	mkdir("/tmp", 01777);
	fd = must(mkostemp(name, O_CLOEXEC));
	must(unlink(name));
	must(ftruncate(fd, PAGES * PAGE));
	mapped = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		      fd, 0);
	expect(mapped != MAP_FAILED);
	cast();
	us = measure();
	for (int i = 0; i < ROUNDS; i++) {
		expect_eq(on(&a, do_dirty), 0);
		call();
		moment(us);
		must(ftruncate(fd, i & 1 ? 0 : PAGES / 2 * PAGE));
		finish();
		must(ftruncate(fd, PAGES * PAGE));
		bury();
	}
}

static const struct engine truncated_table[] = {
	ENGINES(truncated, "a file that is mapped is truncated"),
};

/* --- stops -------------------------------------------------------------- */

/* by, the parent of who, stops it, is told, continues it, and is told. */
static void stop_and_go(struct actor *by, struct actor *who)
{
	must(kill(who->pid, SIGSTOP));
	expect_eq(on(by, do_wait4, who->pid, WUNTRACED), who->pid);
	expect(WIFSTOPPED(status_of(by)));
	must(kill(who->pid, SIGCONT));
	expect_eq(on(by, do_wait4, who->pid, WCONTINUED), who->pid);
	expect(WIFCONTINUED(status_of(by)));
}

static void stopped(void)
{
	long us;

	cast();
	us = measure();
	for (int i = 0; i < ROUNDS; i++) {
		call();
		moment(us);
		stop_and_go(&me, &a);
		finish();
		expect_eq(on(&me, do_wait4, a.pid,
			     WUNTRACED | WCONTINUED | WNOHANG), 0);
		bury();
	}
}

static const struct engine stopped_table[] = {
	ENGINES(stopped, "the caller's parent hears of its stops"),
};

static void target_stopped(void)
{
	struct actor between;
	long us;

	spawn(&me, &a, 0);
	spawn(&a, &between, engine()->target == CLONE_VM ? CLONE_VM : 0);
	spawn(&between, &t, engine()->target);
	us = measure();
	for (int i = 0; i < ROUNDS; i++) {
		call();
		moment(us);
		stop_and_go(&between, &t);
		finish();
		expect_eq(on(&between, do_wait4, t.vpid,
			     WUNTRACED | WCONTINUED | WNOHANG), 0);
		bury();
	}
}

static const struct engine target_stopped_table[] = {
	OTHERS(target_stopped, "the target's parent hears of its stops"),
};

/* --- signals to the target's group -------------------------------------- */

static void others_group(void)
{
	const int sig[] = { SIGUSR1, SIGSTOP, SIGRTMIN };
	long us;

	spawn(&me, &a, 0);
	cast_target();
	for (int j = 0; j < 3; j += 2) {
		expect_eq(on(&a, do_count_hits, sig[j]), 0);
		expect_eq(on(&t, do_count_hits, sig[j]), 0);
	}
	us = measure();
	for (int i = 0; i < ROUNDS; i++) {
		call();
		moment(us);
		for (int j = 0; j < 3; j++)
			must(kill(-t.pid, sig[i % 3]));
		finish();
		expect(proc_state(k.pid) != 'T');
		must(kill(t.pid, SIGCONT));
		if (engine()->target != CLONE_VM)
			expect_eq(on(&k, do_hits), 0);
		bury();
	}
}

static const struct engine others_group_table[] = {
	INIT(others_group, "a signal to the target's group is not the child's"),
	SHARED(others_group, "a signal to the target's group is not the child's"),
	COPIED(others_group, "a signal to the target's group is not the child's"),
};

/* --- tracers ------------------------------------------------------------ */

static void attach(void)
{
	struct actor tracer;
	long us;

	cast();
	spawn(&me, &tracer, 0);
	us = measure();
	for (int i = 0; i < ROUNDS; i++) {
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

/* --- all of them -------------------------------------------------------- */

static void play_engine(void)
{
	srand(getpid());
	engine()->play();
}

static void play_one(struct engine e)
{
	static struct engine one;

	one = e;
	played = &one;
	play_engine();
}

PLAY_TABLE(play_group, group_table)
{
	play_engine();
}

PLAY_TABLE(play_filter, filter_table)
{
	play_engine();
}

PLAY_TABLE(play_moved, moved_table)
{
	play_engine();
}

PLAY_TABLE(play_rooted, rooted_table)
{
	play_engine();
}

PLAY_TABLE(play_torn, torn_table)
{
	play_engine();
}

PLAY_TABLE(play_remapped, remapped_table)
{
	play_engine();
}

PLAY_TABLE(play_acted, acted_table)
{
	play_engine();
}

PLAY_TABLE(play_frozen, frozen_table)
{
	play_engine();
}

PLAY_TABLE(play_resettled, resettled_table)
{
	play_engine();
}

PLAY_TABLE(play_truncated, truncated_table)
{
	play_engine();
}

PLAY_TABLE(play_stopped, stopped_table)
{
	play_engine();
}

PLAY_TABLE(play_target_stopped, target_stopped_table)
{
	play_engine();
}

PLAY_TABLE(play_others_group, others_group_table)
{
	play_engine();
}

PLAY_DOCUMENTED(moved_forked, "who shares the descriptors alone moves one (forked)",
		"they are copied one by one, and who shares them is not stopped")
{
	play_one(ENGINE(moved, 0));
}

PLAY_DOCUMENTED(moved_shared, "the same with a target that shares the memory",
		"they are copied one by one, and who shares them is not stopped")
{
	play_one(ENGINE(moved, CLONE_VM));
}

PLAY_DOCUMENTED(acted_shared, "who shares the dispositions sets two (shared memory)",
		"they are copied one by one, and who shares them is not stopped")
{
	play_one(ENGINE(acted, CLONE_VM));
}

PLAY_DOCUMENTED(rooted_forked, "who shares the directories changes both (forked)",
		"they are read one by one, and who shares them is not stopped")
{
	play_one(ENGINE(rooted, 0));
}

PLAY_DOCUMENTED(rooted_shared, "the same with a target that shares the memory",
		"they are read one by one, and who shares them is not stopped")
{
	play_one(ENGINE(rooted, CLONE_VM));
}

PLAY_DOCUMENTED(attached, "another tracer attaches to the target",
		"a process has one tracer: in the moment of the call it is the emulator")
{
	play_one(ENGINE(attach, 0));
}
