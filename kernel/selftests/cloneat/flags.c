// SPDX-License-Identifier: GPL-2.0
/*
 * The flags: each classic bit and each CLONEXT_* bit alone and in pairs, the
 * bits that mean nothing, exit signals, the macros.  What a combination of
 * flags answers to self is what clone(2), or clone3(2) for flags that clone(2)
 * lacks, answers on the kernel that runs, so both are asked.
 *
 *	parent
 *	  +-- (children with CLONE_PARENT)
 *	  +-- check  <-- calls, and is the target
 *	        +-- child: ends at once, or a thread
 */
#include "cloneat_test.h"
#include <linux/sched.h>
#include <sys/utsname.h>

#define CLEAR_SIGHAND 0x100000000ULL	/* clone3(2)'s CLONE_CLEAR_SIGHAND */

/* A flag by its two names here, and what clone3(2) calls it. */
struct flag {
	const char *name;
	unsigned int word0;
	int index;
	__u64 native;
};

#define FLAG(x) { #x, CLONE_##x, CLONEXT_##x, CLONE_##x }

static const struct flag flags[] = {
	FLAG(VM), FLAG(FS), FLAG(FILES), FLAG(SIGHAND), FLAG(PIDFD),
	FLAG(PTRACE), FLAG(VFORK), FLAG(PARENT), FLAG(THREAD), FLAG(NEWNS),
	FLAG(SYSVSEM), FLAG(SETTLS), FLAG(PARENT_SETTID),
	FLAG(CHILD_CLEARTID), FLAG(DETACHED), FLAG(UNTRACED),
	FLAG(CHILD_SETTID), FLAG(NEWCGROUP), FLAG(NEWUTS), FLAG(NEWIPC),
	FLAG(NEWUSER), FLAG(NEWPID), FLAG(NEWNET), FLAG(IO),
	{ "CLEAR_SIGHAND", 0, CLONEXT_CLEAR_SIGHAND, CLEAR_SIGHAND },
	{ "NEWTIME", 0, CLONEXT_NEWTIME, CLONE_NEWTIME },
};

#define FLAGS ct_count(flags)

/* --- one clone, by the call and by the kernel's own --- */

/* What a clone may write to: pidfd or tid in the parent, tid in the child. */
static int parent_tid;
static int child_tid;

static long end_at_once(void *arg)
{
	(void)arg;
	return 5;
}

/*
 * An init that ends ignores SIGCHLD (zap_pid_ns_processes()), and so do we when
 * it shares our handlers: there may be nothing left to wait for.
 */
static void finish_init(long pid)
{
	wait_end(pid);
	ct_syscall6(SYS_wait4, pid, 0, __WALL, 0, 0, 0);
	signal(SIGCHLD, SIG_DFL);
}

/* The end of a child, of whatever kind.  Its parent may be our parent. */
static void finish(long pid, __u64 native)
{
	if (native & CLONE_THREAD)
		while (ct_syscall3(SYS_tgkill, ct_pid(), pid, 0) == 0)
			usleep(100);
	else if (native & CLONE_PARENT)
		wait_end(pid);
	else if (native & CLONE_NEWPID && native & CLONE_SIGHAND)
		finish_init(pid);
	else
		expect_exit(pid, 5);
}

static void close_pidfd(__u64 native)
{
	if (native & CLONE_PIDFD && !(native & CLONE_PARENT_SETTID))
		close(parent_tid);
}

/* clone3(2) knows neither CLONE_DETACHED nor a signal for threads. */
static long call_clone3(__u64 native)
{
	const __u64 no_signal = CLONE_THREAD | CLONE_PARENT;
	struct clone_args args = {
		.flags = native & CLONE_PIDFD ? native
					      : native & ~(__u64)CLONE_DETACHED,
		.pidfd = (uintptr_t)&parent_tid,
		.parent_tid = (uintptr_t)&parent_tid,
		.child_tid = (uintptr_t)&child_tid,
		.exit_signal = native & no_signal ? 0 : SIGCHLD,
		.stack = (uintptr_t)ct_stack(NULL),
		.stack_size = CT_STACK_SIZE,
	};
	const long a[5] = { (long)&args, sizeof(args) };

	return ct_clone(SYS_clone3, a, end_at_once, NULL);
}

/* clone(2), or clone3(2) where clone(2) has no such flag: 0 or an errno. */
static int ask_kernel(__u64 native)
{
	long ret;

	if (!(native & (CLEAR_SIGHAND | CLONE_NEWTIME)))
		ret = clone_call((unsigned int)native | SIGCHLD, ct_stack(NULL),
				 CT_STACK_SIZE, &parent_tid, &child_tid, 0,
				 end_at_once, NULL);
	else
		ret = call_clone3(native);
	if (ret < 0)
		return -ret;
	finish(ret, native);
	close_pidfd(native);
	return 0;
}

static int ask_cloneat(unsigned int word0, unsigned int word1, __u64 native)
{
	struct ct_args args;
	long ret;

	ct_args(&args, word0 | SIGCHLD, word1);
	ct_stack(&args.a);
	args.a.parent_tid_ptr = (uintptr_t)&parent_tid;
	args.a.child_tid_ptr = (uintptr_t)&child_tid;
	ret = cloneat_call(ct_pid(), 0, &args.a, end_at_once, NULL);
	if (ret < 0)
		return -ret;
	finish(ret, native);
	close_pidfd(native);
	return 0;
}

/*
 * Before 6.2 a new time namespace of a child that shares our memory is that of
 * the memory at once: clone3(2) lets it pass, and it is better not tried.
 */
static bool mixes_times(__u64 native)
{
	const __u64 both = CLONE_VM | CLONE_NEWTIME;
	struct utsname u;
	int major, minor;

	if ((native & both) != both)
		return false;
	must(uname(&u));
	if (sscanf(u.release, "%d.%d", &major, &minor) != 2)
		fail("release %s", u.release);
	return major < 6 || (major == 6 && minor < 2);
}

/*
 * The flags of @set and then @more: in word 0, or in the CLONEXT_* words if
 * @extended (some have only that).
 */
static void compare(__u64 set, const struct flag *more[2], bool extended)
{
	__u64 native = set;
	unsigned int word0 = set, word1 = 0;
	int kernel, ours;

	for (int i = 0; i < 2 && more[i]; i++) {
		native |= more[i]->native;
		if (more[i]->word0 && !(extended ^ (i & 1)))
			word0 |= more[i]->word0;
		else
			word1 |= CT_EXT(more[i]->index);
	}
	kernel = mixes_times(native) ? EINVAL : ask_kernel(native);
	ours = ask_cloneat(word0, word1, native);
	if (kernel != ours)
		fail("%s %s over %#lx: the kernel's clone says %s, cloneat %s",
		     more[0]->name, more[1] ? more[1]->name : "alone",
		     (long)set, ct_errname(kernel), ct_errname(ours));
}

static void run_alone(void)
{
	const struct flag *only[2] = { ct_arg() };

	compare(0, only, false);
	compare(0, only, true);
}

static void run_pairs(void)
{
	const struct flag *pair[2] = { ct_arg() };

	for (pair[1] = pair[0] + 1; pair[1] < flags + FLAGS; pair[1]++)
		compare(0, pair, false);
}

static void run_pairs_extended(void)
{
	const struct flag *pair[2] = { ct_arg() };

	for (pair[1] = pair[0] + 1; pair[1] < flags + FLAGS; pair[1]++)
		compare(0, pair, true);
}

static void run_vm(void)
{
	const struct flag *pair[2] = { ct_arg() };

	compare(CLONE_VM, pair, false);
	compare(CLONE_VM | CLONE_SIGHAND, pair, true);
	compare(CLONE_VM | CLONE_VFORK, pair, false);
}

static void run_thread(void)
{
	const struct flag *only[2] = { ct_arg() };
	const unsigned int thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;

	compare(thread, only, false);
	compare(thread, only, true);
	compare(thread | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM, only, true);
}

static void add(const char *kind, const char *text, const struct flag *flag,
		void (*body)(void), int line)
{
	struct ct_check *check = calloc(1, sizeof(*check));
	char name[64], verdict[160];

	snprintf(name, sizeof(name), "%s_%s", kind, flag->name);
	for (char *c = name; *c; c++)
		*c |= *c >= 'A' && *c <= 'Z' ? 0x20 : 0;
	snprintf(verdict, sizeof(verdict), "CLONE_%s %s", flag->name, text);
	check->name = strdup(name);
	check->verdict = strdup(verdict);
	check->body = body;
	check->arg = flag;
	check->line = line;
	ct_add(check);
}

__attribute__((constructor)) static void add_flags(void)
{
	for (size_t i = 0; i < FLAGS; i++) {
		const struct flag *flag = &flags[i];

		add("alone", "alone, either way, is answered as by clone(2)",
		    flag, run_alone, __LINE__);
		add("over_vm", "over CLONE_VM is answered as by clone(2)",
		    flag, run_vm, __LINE__);
		add("over_thread", "in a thread is answered as by clone(2)",
		    flag, run_thread, __LINE__);
		if (i == FLAGS - 1)
			continue;
		add("pairs", "with each later CLONEXT_ flag: as clone(2)",
		    flag, run_pairs, __LINE__);
		add("ext_pairs", "as CLONEXT_, with each later flag: as clone(2)",
		    flag, run_pairs_extended, __LINE__);
	}
}

/* --- clone(2)'s rules, said outright --- */

static const struct rule {
	const char *name;
	const char *verdict;
	unsigned int word0;
	unsigned int word1;
} rules[] = {
	{ "thread_without_sighand", "CLONE_THREAD without CLONE_SIGHAND",
	  CLONE_THREAD, 0 },
	{ "thread_with_vm_only", "CLONE_THREAD | CLONE_VM without CLONE_SIGHAND",
	  CLONE_THREAD | CLONE_VM, 0 },
	{ "sighand_without_vm", "CLONE_SIGHAND without CLONE_VM",
	  CLONE_SIGHAND, 0 },
	{ "thread_without_vm", "CLONE_THREAD | CLONE_SIGHAND without CLONE_VM",
	  CLONE_THREAD | CLONE_SIGHAND, 0 },
	{ "newns_fs", "CLONE_NEWNS with CLONE_FS", CLONE_NEWNS | CLONE_FS, 0 },
	{ "newns_ext_fs", "CLONE_NEWNS with CLONEXT_FS", CLONE_NEWNS,
	  CT_EXT(CLONEXT_FS) },
	{ "newuser_fs", "CLONE_NEWUSER with CLONE_FS",
	  CLONE_NEWUSER | CLONE_FS, 0 },
	{ "newuser_thread", "CLONE_NEWUSER in a thread",
	  CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWUSER, 0 },
	{ "newpid_thread", "CLONE_NEWPID in a thread",
	  CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWPID, 0 },
	{ "newipc_sysvsem", "CLONE_NEWIPC with CLONE_SYSVSEM",
	  CLONE_NEWIPC | CLONE_SYSVSEM, 0 },
	{ "clear_sighand_sighand", "CLONEXT_CLEAR_SIGHAND with CLONE_SIGHAND",
	  CLONE_VM | CLONE_SIGHAND, CT_EXT(CLONEXT_CLEAR_SIGHAND) },
	{ "detached_pidfd", "CLONE_DETACHED with CLONE_PIDFD",
	  CLONE_DETACHED | CLONE_PIDFD, 0 },
	{ "detached_ext_pidfd", "CLONE_DETACHED with CLONEXT_PIDFD",
	  CLONE_DETACHED, CT_EXT(CLONEXT_PIDFD) },
	{ "ext_detached_pidfd", "CLONEXT_DETACHED with CLONE_PIDFD",
	  CLONE_PIDFD, CT_EXT(CLONEXT_DETACHED) },
	{ "pidfd_parent_settid", "CLONE_PIDFD with CLONE_PARENT_SETTID",
	  CLONE_PIDFD | CLONE_PARENT_SETTID, 0 },
	{ "ext_pidfd_parent_settid", "CLONEXT_PIDFD with CLONE_PARENT_SETTID",
	  CLONE_PARENT_SETTID, CT_EXT(CLONEXT_PIDFD) },
	{ "into_cgroup", "index 0x39, kept for CLONE_INTO_CGROUP",
	  0, CT_EXT(0x39) },
	{ "index_3a", "index 0x3a, unknown", 0, CT_EXT(0x3a) },
	{ "index_3b", "index 0x3b, unknown", 0, CT_EXT(0x3b) },
	{ "index_3c", "index 0x3c, unknown", 0, CT_EXT(0x3c) },
	{ "index_3d", "index 0x3d, unknown", 0, CT_EXT(0x3d) },
	{ "index_3e", "index 0x3e, unknown", 0, CT_EXT(0x3e) },
	{ "ext_all", "all bits of word 1", 0, ~0U },
	{ "newtime_in_word0", "CLONE_NEWTIME's mask in word 0, a signal there",
	  CLONE_NEWTIME, 0 },
};

CHECK_TABLE(rule, rules)
{
	const struct rule *row = ct_arg();

	expect_eq(ask_cloneat(row->word0, row->word1, 0), EINVAL);
}

static void unknown_bits_of(int word)
{
	clone_flag_t set[1024];
	struct ct_args args;

	for (int bit = 0; bit < 32; bit++) {
		memset(set, 0, sizeof(set));
		set[0] = SIGCHLD;
		set[word] = (clone_flag_t)(1U << bit);
		ct_args(&args, 0, 0)->flags = set;
		args.a.flags_size = 4 * (word + 1);
		expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
	}
}

CHECK(word_2, "each bit of word 2 is EINVAL")
{
	unknown_bits_of(2);
}

CHECK(word_3, "each bit of word 3 is EINVAL")
{
	unknown_bits_of(3);
}

CHECK(word_511, "each bit of word 511 is EINVAL")
{
	unknown_bits_of(511);
}

CHECK(word_1023, "each bit of word 1023 is EINVAL")
{
	unknown_bits_of(1023);
}

CHECK(both_ways, "a flag that is set both ways is set once")
{
	expect_child(cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_UNTRACED,
				   CT_EXT(CLONEXT_UNTRACED)));
}

CHECK(split_thread, "a thread's flags may be split over both words")
{
	expect_eq(ask_cloneat(CLONE_SIGHAND, CT_EXT(CLONEXT_VM) |
			      CT_EXT(CLONEXT_THREAD), CLONE_THREAD), 0);
}

CHECK(ext_signal_bits, "CLONEXT_* bits leave the exit signal alone")
{
	expect_child(cloneat_words(ct_pid(), 0, SIGCHLD,
				   CT_EXT(CLONEXT_DETACHED)));
}

/* --- exit signals --- */

CHECK(signals_above_64, "exit signals 65 to 255 are EINVAL")
{
	for (int sig = 65; sig < 256; sig++)
		expect_errno(cloneat_words(ct_pid(), 0, sig, 0), EINVAL);
}

/* Every signal, the C library's own two included. */
static void block_all(void)
{
	__u64 all = ~0ULL;

	expect_ok(ct_syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0,
			      sizeof(all), 0, 0));
}

/* Waits for one signal (or takes it, if it is pending): who sent it. */
static pid_t take_signal(int sig)
{
	__u64 set = 1ULL << (sig - 1);
	siginfo_t info;

	expect_eq(ct_syscall6(SYS_rt_sigtimedwait, (long)&set, (long)&info, 0,
			      sizeof(set), 0, 0), sig);
	return info.si_pid;
}

CHECK(signals_delivered, "the caller gets exit signals 1 to 64 as asked for")
{
	block_all();
	for (int sig = 1; sig <= 64; sig++) {
		long pid;

		if (sig == SIGKILL || sig == SIGSTOP)
			continue;
		pid = expect_child(cloneat_words(ct_pid(), 0, sig, 0));
		expect_eq(take_signal(sig), pid);
	}
}

CHECK(signal_none, "exit signal 0: no signal, and only __WALL can wait")
{
	__u64 pending;
	long pid;

	block_all();
	pid = expect_ok(cloneat_words(ct_pid(), 0, 0, 0));
	if (pid == 0)
		ct_exit(5);
	wait_end(pid);
	expect_errno(ct_syscall6(SYS_wait4, pid, 0, 0, 0, 0, 0), ECHILD);
	expect_exit(pid, 5);
	expect_ok(ct_syscall3(SYS_rt_sigpending, &pending, sizeof(pending), 0));
	expect_eq(pending & (1ULL << (SIGCHLD - 1)), 0);
}

CHECK(signal_usr1_wait, "a child with another exit signal needs __WCLONE")
{
	long pid;
	int status;

	block_all();
	pid = expect_ok(cloneat_words(ct_pid(), 0, SIGUSR1, 0));
	if (pid == 0)
		ct_exit(5);
	wait_end(pid);
	expect_eq(waitpid(pid, &status, 0), -1);
	expect_eq(waitpid(pid, &status, __WCLONE), pid);
	expect_eq(WEXITSTATUS(status), 5);
}

/* Makes a child with this exit signal, and waits for whatever that does. */
static pid_t victim_of(int sig)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		expect_child(cloneat_words(ct_pid(), 0, sig, 0));
		for (;;)
			pause();
	}
	return pid;
}

CHECK(signal_kill, "exit signal SIGKILL kills the parent")
{
	pid_t pid = victim_of(SIGKILL);
	int status;

	expect_eq(waitpid(pid, &status, 0), pid);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

CHECK(signal_stop, "exit signal SIGSTOP stops the parent")
{
	pid_t pid = victim_of(SIGSTOP);
	int status;

	expect_eq(waitpid(pid, &status, WUNTRACED), pid);
	expect(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	kill_reap(pid);
}

CHECK(signal_with_thread, "the exit signal of a thread is ignored")
{
	__u64 pending;

	block_all();
	expect_eq(ask_cloneat(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0,
			      CLONE_THREAD), 0);
	expect_ok(ct_syscall3(SYS_rt_sigpending, &pending, sizeof(pending), 0));
	expect_eq(pending, 0);
}

/* --- the header --- */

CHECK(indices, "CLONEXT_X is 0x20 + log2(CLONE_X) - 8 for each classic flag")
{
	for (const struct flag *f = flags; f->word0; f++) {
		expect_eq(f->index, 0x20 + __builtin_ctz(f->word0) - 8);
		expect_eq(CT_EXT(f->index), f->word0 >> 8);
	}
	expect_eq(CLONEXT_CLEAR_SIGHAND, 0x20 + 32 - 8);
	expect_eq(CLONEXT_NEWTIME, 0x3f);
}

CHECK(macros, "CLONE_SET, CLR, ISSET and ZERO work on every index")
{
	clone_flag_set_t set;

	memset(set, 0xff, sizeof(set));
	CLONE_ZERO(set);
	expect(set[0] == 0 && set[1] == 0);
	for (int i = 0; i < 64; i++) {
		CLONE_SET(i, set);
		expect(CLONE_ISSET(i, set));
		expect_eq((unsigned int)set[i / 32], 1U << (i % 32));
		expect_eq(set[1 - i / 32], 0);
		CLONE_CLR(i, set);
		expect(!CLONE_ISSET(i, set));
		expect(set[0] == 0 && set[1] == 0);
	}
}

CHECK(macros_clear_one, "CLONE_CLR clears one bit and CLONE_SET keeps others")
{
	clone_flag_set_t set = { -1, -1 };

	CLONE_CLR(CLONEXT_FS, set);
	expect_eq((unsigned int)set[1], ~2U);
	expect_eq(set[0], -1);
	CLONE_SET(CLONEXT_FS, set);
	expect(set[0] == -1 && set[1] == -1);
}

CHECK(macros_in_use, "a set made by the macros is what the call reads")
{
	struct cloneat_args args = { 0 };
	clone_flag_set_t set;

	CLONE_ZERO(set);
	set[0] = SIGCHLD;
	CLONE_SET(CLONEXT_SIGHAND, set);
	args.flags = set;
	args.flags_size = sizeof(set);
	expect_errno(cloneat(ct_pid(), 0, &args), EINVAL);
	CLONE_CLR(CLONEXT_SIGHAND, set);
	expect_child(cloneat(ct_pid(), 0, &args));
}
