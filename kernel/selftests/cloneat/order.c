// SPDX-License-Identifier: GPL-2.0
/*
 * Which error wins: each row of the specification's list of checks as a fault
 * that is set up alone, and each pair of rows with different errors set up at
 * once.  The earlier row must decide.
 *
 *	parent (not our descendant)
 *	  +-- check: calls with the faults of two rows
 *	        +-- target, perhaps with a second thread, other ids, other
 *	        |     namespaces
 *	        +-- zombie
 *
 * Rows that need no other target are those of a call to self, but for the last
 * ones, of the clone itself: who makes it depends on the target, so that they
 * are tried with each kind.
 */
#include "cloneat_test.h"
#include <sys/mount.h>

enum slots { READY, RESULT, TARGET_PID, THREADED_PID };

/* What a call will be made with; faults change it, prepare() makes it real. */
struct call {
	struct ct_args c;
	void *args;		/* the third argument */
	pid_t pid;
	pid_t hint;
	bool free_hint;		/* any free hint */
	bool other;		/* needs a live target other than the caller */
	bool target_uts;	/* the target has a uts namespace of its own */
	bool target_init;	/* it is the init of a pid namespace */
	bool target_uid;	/* the target has another uid than the caller */
	bool unprivileged;	/* the caller has no capabilities ... */
	bool may_hint;		/* ... but CAP_CHECKPOINT_RESTORE */
	bool no_hint;		/* not even that */
	bool no_processes;	/* RLIMIT_NPROC is 0 */
	bool no_files;		/* RLIMIT_NOFILE is 0 */
	bool full_cgroup;	/* the pids cgroup is full */
};

/* Fields that two faults cannot change in different ways at once. */
enum {
	STRUCT = 1, SIZE = 2, POINTER = 4, PID = 8, HINT = 16, STACK = 32,
	TLS = 64, PIDFD = 128, SIGNAL = 256, CGROUP = 512,
};

struct fault {
	const char *name;	/* rNN and what */
	int row;
	int err;
	unsigned int fields;
	void (*set)(struct call *call);
};

/* --- rows 2 to 7: what is wrong with the arguments --- */

static void null_struct(struct call *call)
{
	call->args = NULL;
}

static void reserved1(struct call *call)
{
	call->c.a.reserved1 = 1;
}

static void reserved2(struct call *call)
{
	call->c.a.reserved2 = 1;
}

static void size_odd(struct call *call)
{
	call->c.a.flags_size = 3;
}

static void size_big(struct call *call)
{
	call->c.a.flags_size = 4100;
}

static void flags_null(struct call *call)
{
	call->c.a.flags = NULL;
}

static void unknown_bit(struct call *call)
{
	call->c.flags[1] |= 1 << 30;
}

static void bad_signal(struct call *call)
{
	call->c.flags[0] = (call->c.flags[0] & ~0xff) | 65;
}

static void half_stack(struct call *call)
{
	call->c.a.child_stack_base = 0x10000;
}

static void stray_tls(struct call *call)
{
	call->c.a.reserved3 = 16;
}

static void bad_pair(struct call *call)
{
	call->c.flags[0] |= CLONE_NEWNS | CLONE_FS;
}

static void hint_negative(struct call *call)
{
	call->hint = -1;
}

static void pid_zero(struct call *call)
{
	call->pid = 0;
}

/* --- rows 8 to 10: which process --- */

static void no_process(struct call *call)
{
	pid_t pid = must(fork());

	if (pid == 0)
		ct_exit(0);
	expect_exit(pid, 0);
	call->pid = pid;
}

static long wait_forever(void *arg)
{
	slot_set(READY, ct_tid());
	for (;;)
		pause();
	return (long)arg;
}

static long start_thread(void *arg)
{
	(void)arg;
	return clone_call(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD,
			  ct_stack(NULL), CT_STACK_SIZE, NULL, NULL, 0,
			  wait_forever, NULL);
}

/* A thread of a process that is killed with the check's other targets. */
static struct target threaded;

static void thread_id(struct call *call)
{
	target_start(&threaded);
	ct_slot[THREADED_PID] = threaded.pid;
	call->pid = expect_ok(target_do(&threaded, start_thread, NULL));
}

static void our_parent(struct call *call)
{
	call->pid = ct_ppid();
}

static void zombie(struct call *call)
{
	call->pid = must(fork());
	if (call->pid == 0)
		ct_exit(0);
	wait_end(call->pid);
}

/* --- rows 11 to 13: another target --- */

static void thread_flag(struct call *call)
{
	call->other = true;
	call->c.flags[0] |= CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
	if (!call->c.a.child_stack_base)
		ct_stack(&call->c.a);
}

static void parent_flag(struct call *call)
{
	call->other = true;
	call->c.flags[0] |= CLONE_PARENT;
}

static void newuser_flag(struct call *call)
{
	call->other = true;
	call->c.flags[0] |= CLONE_NEWUSER;
}

static void signal_zero(struct call *call)
{
	call->other = true;
	call->c.flags[0] &= ~0xff;
}

static void not_shared(struct call *call)
{
	call->other = true;
	call->c.flags[0] |= CLONE_FILES;
}

static void no_ptrace(struct call *call)
{
	call->other = true;
	call->target_uid = true;
	call->unprivileged = true;
}

static void other_uts(struct call *call)
{
	call->other = true;
	call->target_uts = true;
	call->unprivileged = true;
}

/* --- rows 14 to 20: hint, limits, and the clone itself --- */

static void hint_high(struct call *call)
{
	call->hint = ct_pid_max();
}

static void hint_unprivileged(struct call *call)
{
	call->free_hint = true;
	call->unprivileged = true;
	call->no_hint = true;
}

static void no_processes(struct call *call)
{
	call->unprivileged = true;
	call->no_processes = true;
}

static void newuts_unprivileged(struct call *call)
{
	call->unprivileged = true;
	call->c.flags[0] |= CLONE_NEWUTS;
}

#ifdef __x86_64__
static void kernel_tls(struct call *call)
{
	call->c.flags[0] |= CLONE_SETTLS;
	call->c.a.reserved3 = 0xffff888000000000;
}
#endif

static void hint_in_use(struct call *call)
{
	call->hint = ct_pid();
	call->may_hint = true;
}

static int pidfd;

static void no_files(struct call *call)
{
	call->c.flags[0] |= CLONE_PIDFD;
	if (!call->c.a.parent_tid_ptr)
		call->c.a.parent_tid_ptr = (uintptr_t)&pidfd;
	call->no_files = true;
}

static void bad_pidfd_pointer(struct call *call)
{
	call->c.flags[0] |= CLONE_PIDFD;
	call->c.a.parent_tid_ptr = 8;
}

static void full_cgroup(struct call *call)
{
	call->full_cgroup = true;
}

/*
 * kcmp(2) says what "not shared" means: a fork does not share its files.
 * Rows with one error twice prove that each of their conditions is in place.
 */
static const struct fault faults[] = {
	{ "r02_struct", 2, EFAULT, STRUCT, null_struct },
	{ "r03_reserved1", 3, EINVAL, 0, reserved1 },
	{ "r03_reserved2", 3, EINVAL, 0, reserved2 },
	{ "r04_size_odd", 4, EINVAL, SIZE, size_odd },
	{ "r04_size_big", 4, E2BIG, SIZE, size_big },
	{ "r05_flags", 5, EFAULT, POINTER, flags_null },
	{ "r06_unknown", 6, EINVAL, 0, unknown_bit },
	{ "r06_signal", 6, EINVAL, SIGNAL, bad_signal },
	{ "r06_stack", 6, EINVAL, STACK, half_stack },
	{ "r06_tls", 6, EINVAL, TLS, stray_tls },
	{ "r06_pair", 6, EINVAL, 0, bad_pair },
	{ "r07_hint", 7, EINVAL, HINT, hint_negative },
	{ "r07_pid", 7, EINVAL, PID, pid_zero },
	{ "r08_none", 8, ESRCH, PID, no_process },
	{ "r08_thread", 8, EINVAL, PID, thread_id },
	{ "r09_parent", 9, EPERM, PID, our_parent },
	{ "r10_zombie", 10, ESRCH, PID, zombie },
	{ "r11_thread", 11, EINVAL, STACK, thread_flag },
	{ "r11_parent", 11, EINVAL, 0, parent_flag },
	{ "r11_newuser", 11, EINVAL, 0, newuser_flag },
	{ "r11_signal", 11, EINVAL, SIGNAL, signal_zero },
	{ "r11_files", 11, EINVAL, 0, not_shared },
	{ "r12_ptrace", 12, EPERM, 0, no_ptrace },
	{ "r13_uts", 13, EPERM, 0, other_uts },
	{ "r14_high", 14, EINVAL, HINT, hint_high },
	{ "r14_rights", 14, EPERM, 0, hint_unprivileged },
	{ "r15_nproc", 15, EAGAIN, 0, no_processes },
	{ "r16_newuts", 16, EPERM, 0, newuts_unprivileged },
#ifdef __x86_64__
	{ "r17_tls", 17, EPERM, TLS, kernel_tls },
#endif
	{ "r18_hint", 18, EEXIST, HINT, hint_in_use },
	{ "r19_files", 19, EMFILE, 0, no_files },
	{ "r19_pointer", 19, EFAULT, PIDFD, bad_pidfd_pointer },
	{ "r20_cgroup", 20, EAGAIN, CGROUP, full_cgroup },
};

/* --- making it real --- */

static struct target target;

static long set_up_target(void *arg)
{
	struct call *call = arg;

	if (call->target_uts && unshare(CLONE_NEWUTS))
		return -errno;
	if (call->unprivileged)
		become(call->target_uid ? 1001 : 1000);
	return 0;
}

static void prepare_target(struct call *call)
{
	if (call->target_init)
		target_clone(&target, CLONE_NEWPID);
	else
		target_start(&target);
	ct_slot[TARGET_PID] = target.pid;
	if (call->target_init && call->hint == ct_pid())
		call->hint = 1;	/* in use in there */
	expect_ok(target_do(&target, set_up_target, call));
	if (call->pid == ct_pid())
		call->pid = target.pid;
}

/* Our ids go, and all capabilities but the one that hints need. */
static void prepare_rights(struct call *call)
{
	const unsigned int bit = 1U << (CAP_CHECKPOINT_RESTORE - 32);
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { 0 };

	must(prctl(PR_SET_KEEPCAPS, 1));
	become(1000);
	if (call->may_hint && !call->no_hint)
		data[1].permitted = bit;
	data[1].effective = data[1].permitted;
	must(syscall(SYS_capset, &header, data));
	must(prctl(PR_SET_DUMPABLE, 1));
}

static void limit(int resource)
{
	struct rlimit none;

	must(getrlimit(resource, &none));
	none.rlim_cur = 0;
	must(setrlimit(resource, &none));
}

/* A cgroup with room for one process, in a mount that is ours alone. */
static char cgroup[100];
static int cgroup_procs = -1;

/* The children of the root have a limit: not where version 1 has the controller. */
static bool divided(const char *where)
{
	bool ok;
	int fd;

	snprintf(cgroup, sizeof(cgroup), "%s/cgroup.subtree_control", where);
	fd = open(cgroup, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, "+pids", 5) == 5;
	close(fd);
	return ok;
}

/* Version 2 first, which others may have mounted as well, where they can see the group. */
static void mount_pids_cgroup(const char *where)
{
	mkdir("/tmp", 0777);
	mkdir(where, 0700);
	ct_unshare(CLONE_NEWNS);
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mount("cgroup2", where, "cgroup2", 0, NULL) == 0) {
		if (divided(where))
			return;
		must(umount(where));
	}
	if (mount("cgroup", where, "cgroup", 0, "pids"))
		ct_skip("this kernel has no pids cgroup");
}

static void make_cgroup(void)
{
	const char *where = "/tmp/cloneat-pids";
	char path[200];
	int ret;

	mount_pids_cgroup(where);
	/* Another run in another pid namespace may have our pid. */
	snprintf(cgroup, sizeof(cgroup), "%s/order-XXXXXX", where);
	expect(mkdtemp(cgroup));
	snprintf(path, sizeof(path), "%s/pids.max", cgroup);
	ret = ct_write(path, "1");
	if (ret) {
		rmdir(cgroup);
		ct_skip("pids.max: %s", ct_errname(-ret));
	}
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	cgroup_procs = must(open(path, O_WRONLY | O_CLOEXEC));
}

/* In the caller: everything that a fault asked for, rights last. */
static void prepare(struct call *call)
{
	if (call->other)
		prepare_target(call);
	if (call->free_hint && !call->hint)
		call->hint = free_pid();
	if (call->no_processes)
		limit(RLIMIT_NPROC);
	if (call->full_cgroup)
		must(write(cgroup_procs, "0", 1));
	if (call->unprivileged)
		prepare_rights(call);
	if (call->no_files)
		limit(RLIMIT_NOFILE);
}

/* Whom a call is for, if no fault of it says so. */
enum whom { SELF, OTHER, INIT };

static void call_with(const struct fault *first, const struct fault *second,
		      enum whom whom)
{
	struct call call = {
		.args = &call.c, .pid = ct_pid(), .other = whom != SELF,
		.target_init = whom == INIT,
	};
	long ret;

	ct_args(&call.c, SIGCHLD, 0);
	second->set(&call);
	if (first != second)
		first->set(&call);
	prepare(&call);
	ret = cloneat(call.pid, call.hint, call.args);
	if (ret == 0)
		ct_exit_thread(99);
	ct_slot[RESULT] = ret;
	ct_exit(0);
}

/* The caller may have lost the right to end what it started. */
static void end_targets(void)
{
	for (int slot = TARGET_PID; slot <= THREADED_PID; slot++)
		if (ct_slot[slot])
			kill_end(ct_slot[slot]);
}

static void try(const struct fault *first, const struct fault *second,
		enum whom whom)
{
	bool cgroup_used = first->fields & CGROUP || second->fields & CGROUP;
	pid_t caller;

	if (cgroup_used)
		make_cgroup();
	caller = must(fork());
	if (caller == 0)
		call_with(first, second, whom);
	expect_exit(caller, 0);
	end_targets();
	/* Who was waited for may be on its way out of the group still. */
	while (cgroup_used && rmdir(cgroup))
		expect_eq(errno, EBUSY);
	expect_errno(ct_slot[RESULT], first->err);
}

/* --- all pairs --- */

#define FAULTS ct_count(faults)

struct pair {
	const struct fault *first, *second;
	enum whom whom;
};

static void run_pair(void)
{
	const struct pair *pair = ct_arg();

	try(pair->first, pair->second, pair->whom);
}

static void add_pair(const struct fault *first, const struct fault *second,
		     enum whom whom)
{
	static const char *const suffix[] = { "", "_other", "_init" };
	static const char *const words[] = {
		"", ", with another target", ", with an init as the target",
	};
	struct ct_check *check = calloc(1, sizeof(*check));
	struct pair *pair = malloc(sizeof(*pair));
	char name[100], verdict[150];

	*pair = (struct pair){ first, second, whom };
	snprintf(name, sizeof(name), "%s%s%s%s", first->name,
		 first == second ? "" : "_", first == second ? "" : second->name,
		 suffix[whom]);
	if (first == second)
		snprintf(verdict, sizeof(verdict), "row %d alone is %s%s",
			 first->row, ct_errname(first->err), words[whom]);
	else
		snprintf(verdict, sizeof(verdict),
			 "row %d (%s) decides before row %d (%s)%s", first->row,
			 ct_errname(first->err), second->row,
			 ct_errname(second->err), words[whom]);
	check->name = strdup(name);
	check->verdict = strdup(verdict);
	check->body = run_pair;
	check->arg = pair;
	check->line = __LINE__;
	ct_add(check);
}

/* Pairs with one error would prove nothing. */
static bool useful(const struct fault *first, const struct fault *second)
{
	return first->err != second->err && !(first->fields & second->fields);
}

static void add_pairs_for(enum whom whom, bool (*fit)(const struct fault *f))
{
	for (size_t i = 0; i < FAULTS; i++)
		if (fit(&faults[i]))
			add_pair(&faults[i], &faults[i], whom);
	for (size_t i = 0; i < FAULTS; i++)
		for (size_t j = i + 1; j < FAULTS; j++)
			if (fit(&faults[i]) && fit(&faults[j]) &&
			    useful(&faults[i], &faults[j]))
				add_pair(&faults[i], &faults[j], whom);
}

static bool any(const struct fault *f __maybe_unused)
{
	return true;
}

/* The rows of the clone itself. */
static bool of_clone(const struct fault *f)
{
	return f->row >= 15;
}

/* The same by a caller that may enter the target's namespaces (row 13). */
static bool of_privileged_clone(const struct fault *f)
{
	return f->row >= 17;
}

__attribute__((constructor)) static void add_pairs(void)
{
	add_pairs_for(SELF, any);
	add_pairs_for(OTHER, of_clone);
	add_pairs_for(INIT, of_privileged_clone);
}

/* --- pairs that one process has by itself --- */

CHECK(strangers_thread, "a thread (row 8) of no descendant (row 9) is EINVAL")
{
	pid_t tid, caller;

	tid = expect_ok(start_thread(NULL));
	caller = must(fork());
	if (caller == 0) {
		expect_errno(cloneat_fork(tid, 0), EINVAL);
		ct_exit(0);
	}
	expect_exit(caller, 0);
}

CHECK(strangers_zombie, "a zombie (row 10) that is no descendant (row 9) is EPERM")
{
	pid_t dead, caller;

	dead = must(fork());
	if (dead == 0)
		ct_exit(0);
	wait_end(dead);
	caller = must(fork());
	if (caller == 0) {
		expect_errno(cloneat_fork(dead, 0), EPERM);
		ct_exit(0);
	}
	expect_exit(caller, 0);
	expect_exit(dead, 0);
}

CHECK(zombies_thread, "a thread (row 8) of a dead leader (row 10) is EINVAL")
{
	struct target t;
	pid_t tid;

	target_start(&t);
	tid = expect_ok(target_do(&t, start_thread, NULL));
	slot_wait(READY, tid);
	must(tgkill(t.pid, tid, 0));
	expect_errno(cloneat_fork(tid, 0), EINVAL);
	target_end(&t);
	expect_errno(cloneat_fork(tid, 0), ESRCH);
}

/* --- row 16: limits on namespaces --- */

static void limit_uts(void)
{
	int ret;

	enter_userns();
	ret = ct_write("/proc/sys/user/max_uts_namespaces", "0");
	if (ret == -ENOENT)
		ct_skip("this kernel does not limit namespaces");
	expect_ok(ret);
}

CHECK(r16_limit, "row 16: too many namespaces are ENOSPC")
{
	limit_uts();
	expect_errno(cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_NEWUTS, 0),
		     ENOSPC);
}

CHECK(r14_rights_r16_limit, "row 14 (EPERM) decides before row 16 (ENOSPC)")
{
	pid_t hint = free_pid();

	limit_uts();
	expect_errno(cloneat_words(ct_pid(), hint, SIGCHLD | CLONE_NEWUTS, 0),
		     EPERM);
}

CHECK(r16_limit_r19_pointer, "row 16 (ENOSPC) decides before row 19 (EFAULT)")
{
	struct ct_args args;

	limit_uts();
	ct_args(&args, SIGCHLD | CLONE_NEWUTS | CLONE_PIDFD, 0);
	args.a.parent_tid_ptr = 8;
	expect_errno(cloneat(ct_pid(), 0, &args), ENOSPC);
}

#ifdef __x86_64__
CHECK(r16_limit_r17_tls, "row 16 (ENOSPC) decides before row 17 (EPERM)")
{
	struct ct_args args;

	limit_uts();
	ct_args(&args, SIGCHLD | CLONE_NEWUTS | CLONE_SETTLS, 0);
	args.a.reserved3 = 0xffff888000000000;
	expect_errno(cloneat(ct_pid(), 0, &args), ENOSPC);
}
#endif

CHECK(r06_pair_r16_limit, "row 6 (EINVAL) decides before row 16 (ENOSPC)")
{
	limit_uts();
	expect_errno(cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_NEWUTS |
				   CLONE_NEWNS | CLONE_FS, 0), EINVAL);
}
