// SPDX-License-Identifier: GPL-2.0
/*
 * Flags with a target other than the caller: what is refused, what needs
 * something that caller and target share already, new namespaces.
 *
 *	check  <-- calls
 *	  +-- target, perhaps sharing things with the check
 *	        +-- child of the call
 */
#include "cloneat_test.h"
#include <dirent.h>
#include <linux/kcmp.h>

static int value = 1;

static long nothing(void *arg)
{
	(void)arg;
	return 5;
}

/* The call with a stack for the child; no child may come of it. */
static long refused(struct target *t, unsigned int word0, unsigned int word1)
{
	struct ct_args args;

	ct_args(&args, word0, word1);
	ct_stack(&args.a);
	return cloneat_call(t->pid, 0, &args.a, nothing, NULL);
}

/* Expects a child that ran fn(arg) and exited with 5, as the target saw it. */
static void expect_good(struct target *t, unsigned int word0,
			unsigned int word1, long (*fn)(void *), void *arg)
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

/* --- refused with any other target --- */

static const struct refused_row {
	const char *name;
	const char *verdict;
	unsigned int word0, word1;
} refusals[] = {
	{ "thread", "a thread in another process is EINVAL",
	  SIGCHLD | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0 },
	{ "ext_thread", "a CLONEXT_THREAD in another process is EINVAL", SIGCHLD,
	  CT_EXT(CLONEXT_VM) | CT_EXT(CLONEXT_SIGHAND) |
	  CT_EXT(CLONEXT_THREAD) },
	{ "parent", "CLONE_PARENT is EINVAL", SIGCHLD | CLONE_PARENT, 0 },
	{ "ext_parent", "CLONEXT_PARENT is EINVAL", SIGCHLD,
	  CT_EXT(CLONEXT_PARENT) },
	{ "newuser", "CLONE_NEWUSER is EINVAL", SIGCHLD | CLONE_NEWUSER, 0 },
	{ "ext_newuser", "CLONEXT_NEWUSER is EINVAL", SIGCHLD,
	  CT_EXT(CLONEXT_NEWUSER) },
	{ "newuser_newpid", "CLONE_NEWUSER | CLONE_NEWPID is EINVAL",
	  SIGCHLD | CLONE_NEWUSER | CLONE_NEWPID, 0 },
	{ "vm", "CLONE_VM is EINVAL if the target does not share memory",
	  SIGCHLD | CLONE_VM, 0 },
	{ "ext_vm", "CLONEXT_VM is EINVAL if the target does not share memory",
	  SIGCHLD, CT_EXT(CLONEXT_VM) },
	{ "vm_vfork", "CLONE_VM | CLONE_VFORK is EINVAL as well",
	  SIGCHLD | CLONE_VM | CLONE_VFORK, 0 },
	{ "fs", "CLONE_FS is EINVAL if the target does not share it",
	  SIGCHLD | CLONE_FS, 0 },
	{ "ext_fs", "CLONEXT_FS is EINVAL if the target does not share it",
	  SIGCHLD, CT_EXT(CLONEXT_FS) },
	{ "files", "CLONE_FILES is EINVAL if the target does not share them",
	  SIGCHLD | CLONE_FILES, 0 },
	{ "ext_files", "CLONEXT_FILES is EINVAL if the target does not share them",
	  SIGCHLD, CT_EXT(CLONEXT_FILES) },
	{ "sighand", "CLONE_SIGHAND is EINVAL if the target does not share them",
	  SIGCHLD | CLONE_VM | CLONE_SIGHAND, 0 },
	{ "fs_files", "two kinds that are not shared are EINVAL",
	  SIGCHLD | CLONE_FS | CLONE_FILES, 0 },
};

CHECK_TABLE(refusal, refusals)
{
	const struct refused_row *row = ct_arg();
	struct target t;

	target_start(&t);
	expect_errno(refused(&t, row->word0, row->word1), EINVAL);
	target_end(&t);
}

CHECK(signals, "an exit signal other than SIGCHLD, 0 too, is EINVAL")
{
	struct target t;

	target_start(&t);
	for (int sig = 0; sig <= 64; sig++)
		if (sig != SIGCHLD)
			expect_errno(cloneat_words(t.pid, 0, sig, 0), EINVAL);
	expect_errno(target_wait(&t, -1), ECHILD);
	target_end(&t);
}

CHECK(nothing_left, "a refused call leaves the target without a child")
{
	struct target t;

	target_start(&t);
	expect_errno(refused(&t, SIGCHLD | CLONE_FILES, 0), EINVAL);
	expect_errno(target_wait(&t, -1), ECHILD);
	target_end(&t);
}

/* --- shared with one kind: that flag works, the others do not --- */

CHECK(vm_shared, "CLONE_VM works with a target that shares memory")
{
	struct target t;

	target_clone(&t, CLONE_VM);
	expect_good(&t, CLONE_VM, 0, nothing, NULL);
	target_end(&t);
}

static long set_value(void *arg)
{
	value = (int)(long)arg;
	return 5;
}

CHECK(vm_really_shared, "CLONE_VM: caller and target see what the child writes")
{
	struct target t;

	target_clone(&t, CLONE_VM);
	expect_good(&t, CLONE_VM, 0, set_value, (void *)42);
	expect_eq(value, 42);
	expect_good(&t, 0, CT_EXT(CLONEXT_VM), set_value, (void *)43);
	expect_eq(value, 43);
	target_end(&t);
}

CHECK(vm_shared_not_asked, "a target that shares memory, without CLONE_VM: a copy")
{
	struct target t;

	target_clone(&t, CLONE_VM);
	expect_good(&t, 0, 0, set_value, (void *)42);
	expect_eq(value, 1);
	target_end(&t);
}

CHECK(vm_parent, "CLONE_VM: the child's parent is the target")
{
	struct target t;
	struct ct_args args;
	long pid;

	target_clone(&t, CLONE_VM);
	ct_stack(ct_args(&args, SIGCHLD | CLONE_VM, 0));
	pid = expect_ok(cloneat_call(t.pid, 0, &args.a, nothing, NULL));
	wait_end(pid);
	expect_eq(proc_ppid(pid), t.pid);
	expect_errno(ct_syscall6(SYS_wait4, pid, 0, __WALL, 0, 0, 0), ECHILD);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(vm_vfork_shared, "CLONE_VM | CLONE_VFORK on the caller's stack")
{
	volatile int local = 1;
	struct target t;
	long pid;

	target_clone(&t, CLONE_VM);
	pid = cloneat_words(t.pid, 0, SIGCHLD | CLONE_VM | CLONE_VFORK, 0);
	if (pid == 0) {
		local = 2;
		ct_exit(5);
	}
	expect_ok(pid);
	expect_eq(local, 2);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(vm_shared_not_files, "sharing memory does not make CLONE_FILES legal")
{
	struct target t;

	target_clone(&t, CLONE_VM);
	expect_errno(refused(&t, SIGCHLD | CLONE_FILES, 0), EINVAL);
	expect_errno(refused(&t, SIGCHLD | CLONE_VM | CLONE_FILES, 0), EINVAL);
	expect_errno(refused(&t, SIGCHLD | CLONE_FS, 0), EINVAL);
	expect_errno(refused(&t, SIGCHLD | CLONE_VM | CLONE_SIGHAND, 0), EINVAL);
	target_end(&t);
}

static long go_to_proc(void *arg)
{
	(void)arg;
	return ct_syscall3(SYS_chdir, "/proc", 0, 0) ? 9 : 5;
}

static void expect_cwd(const char *want)
{
	char cwd[PATH_MAX];

	expect(getcwd(cwd, sizeof(cwd)));
	if (strcmp(cwd, want))
		fail("cwd: expected %s, got %s", want, cwd);
}

CHECK(fs_shared, "CLONE_FS works with a target that shares it: chdir is seen")
{
	struct target t;

	must(chdir("/"));
	target_clone(&t, CLONE_FS);
	expect_good(&t, CLONE_FS, 0, go_to_proc, NULL);
	expect_cwd("/proc");
	must(chdir("/"));
	expect_good(&t, 0, CT_EXT(CLONEXT_FS), go_to_proc, NULL);
	expect_cwd("/proc");
	target_end(&t);
}

CHECK(fs_shared_not_asked, "a target that shares fs, without CLONE_FS: a copy")
{
	struct target t;

	must(chdir("/"));
	target_clone(&t, CLONE_FS);
	expect_good(&t, 0, 0, go_to_proc, NULL);
	expect_cwd("/");
	target_end(&t);
}

CHECK(fs_shared_not_vm, "sharing fs does not make CLONE_VM or CLONE_FILES legal")
{
	struct target t;

	target_clone(&t, CLONE_FS);
	expect_errno(refused(&t, SIGCHLD | CLONE_FS | CLONE_VM, 0), EINVAL);
	expect_errno(refused(&t, SIGCHLD | CLONE_FS | CLONE_FILES, 0), EINVAL);
	target_end(&t);
}

static int sockets(pid_t pid)
{
	char path[300], link[64];
	struct dirent *e;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, e->d_name);
		if (readlink(path, link, sizeof(link)) > 0)
			n += !strncmp(link, "socket:", 7);
	}
	if (d)
		closedir(d);
	return n;
}

/* User-mode Linux has one of its own. */
static int written_code(pid_t pid)
{
	char line[300];
	int n = 0;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/maps", pid);
	f = fopen(line, "r");
	while (f && fgets(line, sizeof(line), f))
		n += !!strstr(line, " rwxp ");
	if (f)
		fclose(f);
	return n;
}

/* A process that shares nothing looks at the target all the time. */
static void expect_unseen(unsigned int flags, int (*sees)(pid_t))
{
	struct target t;
	pid_t watcher;
	int before;

	target_clone(&t, flags);
	before = sees(t.pid);
	slot_set(0, 0);
	watcher = must(fork());
	while (watcher == 0)
		if (sees(t.pid) > before)
			slot_set(0, 1);
	for (int i = 0; i < 50 && !ct_slot[0]; i++)
		expect_good(&t, flags, 0, nothing, NULL);
	kill_reap(watcher);
	expect_eq(ct_slot[0], 0);
	target_end(&t);
}

CHECK_DOCUMENTED(files_unseen,
		 "CLONE_FILES: nothing is opened in the table for a moment",
		 "the child gets files by a socket of its own")
{
	expect_unseen(CLONE_FILES, sockets);
}

CHECK_DOCUMENTED(vm_unseen,
		 "CLONE_VM: nothing is mapped for a moment",
		 "the child's calls run in memory of its own")
{
	expect_unseen(CLONE_VM, written_code);
}

static long close_fd(void *arg)
{
	return ct_syscall3(SYS_close, arg, 0, 0) ? 9 : 5;
}

/* A descriptor that the child closes: whether the caller still has it. */
static bool closed_by_child(struct target *t, unsigned int word0,
			    unsigned int word1)
{
	long fd = must(open("/proc/self/stat", O_RDONLY));
	bool closed;

	expect_good(t, word0, word1, close_fd, (void *)fd);
	closed = fcntl(fd, F_GETFD) < 0;
	close(fd);
	return closed;
}

CHECK(files_shared, "CLONE_FILES works with a target that shares them")
{
	struct target t;

	target_clone(&t, CLONE_FILES);
	expect(closed_by_child(&t, CLONE_FILES, 0));
	expect(closed_by_child(&t, 0, CT_EXT(CLONEXT_FILES)));
	target_end(&t);
}

CHECK(files_shared_not_asked, "a target that shares files, without CLONE_FILES: a copy")
{
	struct target t;

	target_clone(&t, CLONE_FILES);
	expect(!closed_by_child(&t, 0, 0));
	target_end(&t);
}

CHECK(files_shared_not_fs, "sharing files does not make CLONE_FS or CLONE_VM legal")
{
	struct target t;

	target_clone(&t, CLONE_FILES);
	expect_errno(refused(&t, SIGCHLD | CLONE_FILES | CLONE_FS, 0), EINVAL);
	expect_errno(refused(&t, SIGCHLD | CLONE_FILES | CLONE_VM, 0), EINVAL);
	target_end(&t);
}

static void handler(int sig)
{
	(void)sig;
}

static long set_handler(void *arg)
{
	return sigaction(SIGUSR2, arg, NULL) ? 9 : 5;
}

/* Whether we have the handler that the child installs. */
static bool handler_shared(struct target *t, unsigned int word0,
			   unsigned int word1)
{
	static struct sigaction set = { .sa_handler = handler };
	struct sigaction act;

	signal(SIGUSR2, SIG_DFL);
	expect_good(t, word0, word1, set_handler, &set);
	must(sigaction(SIGUSR2, NULL, &act));
	return act.sa_handler == handler;
}

CHECK(sighand_shared, "CLONE_SIGHAND works with a target that shares handlers")
{
	struct target t;

	target_clone(&t, CLONE_VM | CLONE_SIGHAND);
	expect(handler_shared(&t, CLONE_VM | CLONE_SIGHAND, 0));
	expect(handler_shared(&t, 0, CT_EXT(CLONEXT_VM) |
			      CT_EXT(CLONEXT_SIGHAND)));
	target_end(&t);
}

CHECK(sighand_shared_trap, "CLONE_SIGHAND: a SIGTRAP that is ignored stays ignored")
{
	struct sigaction act;
	struct target t;

	signal(SIGTRAP, SIG_IGN);
	target_clone(&t, CLONE_VM | CLONE_SIGHAND);
	expect_good(&t, CLONE_VM | CLONE_SIGHAND, 0, nothing, NULL);
	must(sigaction(SIGTRAP, NULL, &act));
	expect(act.sa_handler == SIG_IGN);
	target_end(&t);
}

CHECK(sighand_shared_not_asked, "handlers shared, without CLONE_SIGHAND: a copy")
{
	struct target t;

	target_clone(&t, CLONE_VM | CLONE_SIGHAND);
	expect(!handler_shared(&t, CLONE_VM, 0));
	expect(!handler_shared(&t, 0, 0));
	target_end(&t);
}

CHECK(all_shared, "VM, FS, FILES and SIGHAND at once, where all are shared")
{
	const unsigned int all = CLONE_VM | CLONE_FS | CLONE_FILES |
				 CLONE_SIGHAND;
	struct target t;

	target_clone(&t, all);
	expect_good(&t, all, 0, set_value, (void *)42);
	expect_eq(value, 42);
	expect(closed_by_child(&t, all, 0));
	expect(handler_shared(&t, all, 0));
	target_end(&t);
}

CHECK(thread_all_shared, "CLONE_THREAD stays EINVAL where everything is shared")
{
	const unsigned int all = CLONE_VM | CLONE_FS | CLONE_FILES |
				 CLONE_SIGHAND;
	struct target t;

	target_clone(&t, all);
	expect_errno(refused(&t, all | CLONE_THREAD | SIGCHLD, 0), EINVAL);
	target_end(&t);
}

/*
 * A vfork ends in exec_mm_release(), a moment before the new mm is there: ask
 * until kcmp(2) sees it.
 */
CHECK(vm_after_exec, "a target that shared memory and then exec'ed: EINVAL")
{
	long pid = cloneat_words(ct_pid(), 0,
				 SIGCHLD | CLONE_VM | CLONE_VFORK, 0);
	struct target t = { .pid = pid };

	if (pid == 0)
		ct_exec_pause();
	expect_ok(pid);
	while (syscall(SYS_kcmp, ct_pid(), pid, KCMP_VM, 0, 0) == 0)
		sched_yield();
	expect_errno(refused(&t, SIGCHLD | CLONE_VM, 0), EINVAL);
	kill_reap(pid);
}

static long unshare_files(void *arg)
{
	(void)arg;
	return ct_syscall3(SYS_unshare, CLONE_FILES, 0, 0);
}

CHECK(files_unshared, "files that were shared and then unshared: EINVAL")
{
	struct target t;

	target_clone(&t, CLONE_FILES);
	expect(closed_by_child(&t, CLONE_FILES, 0));
	expect_ok(target_do(&t, unshare_files, NULL));
	expect_errno(refused(&t, SIGCHLD | CLONE_FILES, 0), EINVAL);
	target_end(&t);
}

/* --- SYSVSEM and IO: none on both sides counts as shared --- */

static int semaphore(void)
{
	return must(syscall(SYS_semget, 0, 1, 0600));
}

/* An operation with SEM_UNDO, which gives the process an undo list. */
static long use_undo(void *arg)
{
	struct { unsigned short num; short op, flg; } up = { 0, 1, 0x1000 };

	return ct_syscall3(SYS_semop, arg, &up, 1);
}

CHECK(sysvsem_none, "CLONE_SYSVSEM where neither has an undo list works")
{
	struct target t;

	target_start(&t);
	expect_good(&t, CLONE_SYSVSEM, 0, nothing, NULL);
	target_end(&t);
}

CHECK(ext_sysvsem_none, "CLONEXT_SYSVSEM where neither has an undo list works")
{
	struct target t;

	target_start(&t);
	expect_good(&t, 0, CT_EXT(CLONEXT_SYSVSEM), nothing, NULL);
	target_end(&t);
}

/* The check itself needs a semaphore that goes away with it: a namespace. */
static long private_semaphore(void)
{
	ct_unshare(CLONE_NEWIPC);
	return semaphore();
}

CHECK(sysvsem_target_only, "CLONE_SYSVSEM where only the target has a list: EINVAL")
{
	long id = private_semaphore();
	struct target t;

	target_start(&t);
	expect_ok(target_do(&t, use_undo, (void *)id));
	expect_errno(refused(&t, SIGCHLD | CLONE_SYSVSEM, 0), EINVAL);
	target_end(&t);
}

CHECK(sysvsem_caller_only, "CLONE_SYSVSEM where only the caller has a list: EINVAL")
{
	long id = private_semaphore();
	struct target t;

	target_start(&t);
	expect_ok(use_undo((void *)id));
	expect_errno(refused(&t, SIGCHLD | CLONE_SYSVSEM, 0), EINVAL);
	target_end(&t);
}

CHECK(sysvsem_both, "CLONE_SYSVSEM where both have lists of their own: EINVAL")
{
	long id = private_semaphore();
	struct target t;

	target_start(&t);
	expect_ok(use_undo((void *)id));
	expect_ok(target_do(&t, use_undo, (void *)id));
	expect_errno(refused(&t, SIGCHLD | CLONE_SYSVSEM, 0), EINVAL);
	target_end(&t);
}

/* kcmp(2) of the caller and a child of the target that waits. */
static long compare_child(struct target *t, unsigned int word0, int kind)
{
	long pid, ret;

	slot_set(0, 0);
	pid = expect_ok(cloneat_words(t->pid, 0, SIGCHLD | word0, 0));
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	ret = ct_syscall6(SYS_kcmp, ct_pid(), pid, kind, 0, 0, 0);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(t, pid)), 5);
	if (ret == -ENOSYS)
		ct_skip("this kernel has no kcmp(2)");
	return expect_ok(ret);
}

CHECK_DOCUMENTED(sysvsem_new_list,
		 "CLONE_SYSVSEM where neither has a list: one for two",
		 "only a clone of the caller gives the caller a list")
{
	struct target t;

	target_start(&t);
	expect_eq(compare_child(&t, CLONE_SYSVSEM, KCMP_SYSVSEM), 0);
	target_end(&t);
}

CHECK(sysvsem_shared, "CLONE_SYSVSEM with a target that shares the list")
{
	struct target t;

	ct_unshare(CLONE_NEWIPC);
	target_clone(&t, CLONE_SYSVSEM);
	expect_eq(compare_child(&t, CLONE_SYSVSEM, KCMP_SYSVSEM), 0);
	expect(compare_child(&t, 0, KCMP_SYSVSEM) != 0);
	target_end(&t);
}

/* Best effort, level 3: makes an I/O context. */
static long use_io(void *arg)
{
	(void)arg;
	return ct_syscall3(SYS_ioprio_set, 1, 0, 2 << 13 | 3);
}

CHECK(io_none, "CLONE_IO where neither has a context works")
{
	struct target t;

	target_start(&t);
	expect_good(&t, CLONE_IO, 0, nothing, NULL);
	expect_good(&t, 0, CT_EXT(CLONEXT_IO), nothing, NULL);
	target_end(&t);
}

CHECK(io_target_only, "CLONE_IO where only the target has a context: EINVAL")
{
	struct target t;

	if (ct_syscall6(SYS_kcmp, ct_pid(), ct_pid(), KCMP_IO, 0, 0, 0))
		ct_skip("this kernel has no kcmp(2)");
	target_start(&t);
	expect_ok(target_do(&t, use_io, NULL));
	expect_errno(refused(&t, SIGCHLD | CLONE_IO, 0), EINVAL);
	target_end(&t);
}

CHECK(io_caller_only, "CLONE_IO where only the caller has a context: EINVAL")
{
	struct target t;

	target_start(&t);
	expect_ok(use_io(NULL));
	expect_errno(refused(&t, SIGCHLD | CLONE_IO, 0), EINVAL);
	target_end(&t);
}

CHECK(io_shared, "CLONE_IO with a target that shares the context")
{
	struct target t;

	expect_ok(use_io(NULL));
	target_clone(&t, CLONE_IO);
	expect_eq(compare_child(&t, CLONE_IO, KCMP_IO), 0);
	expect(compare_child(&t, 0, KCMP_IO) != 0);
	target_end(&t);
}

/* --- flags that need nothing shared --- */

static const struct fine_row {
	const char *name;
	const char *verdict;
	unsigned int word0, word1;
} fine[] = {
	{ "plain", "no flags: a child", 0, 0 },
	{ "vfork", "CLONE_VFORK is legal", CLONE_VFORK, 0 },
	{ "ptrace", "CLONE_PTRACE without a tracer is legal", CLONE_PTRACE, 0 },
	{ "untraced", "CLONE_UNTRACED is legal", CLONE_UNTRACED, 0 },
	{ "detached", "CLONE_DETACHED is ignored", CLONE_DETACHED, 0 },
	{ "clear_sighand", "CLONEXT_CLEAR_SIGHAND is legal", 0,
	  CT_EXT(CLONEXT_CLEAR_SIGHAND) },
	{ "settid_null", "SETTID at NULL is ignored",
	  CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, 0 },
	{ "cleartid_null", "CHILD_CLEARTID at NULL is ignored",
	  CLONE_CHILD_CLEARTID, 0 },
};

CHECK_TABLE(fine_flag, fine)
{
	const struct fine_row *row = ct_arg();
	struct target t;

	target_start(&t);
	expect_good(&t, row->word0, row->word1, nothing, NULL);
	target_end(&t);
}

CHECK(parent_settid, "CLONE_PARENT_SETTID stores in the caller, not the target")
{
	struct ct_args args;
	static volatile pid_t tid = 7;
	struct target t;
	long pid;

	target_start(&t);
	ct_args(&args, SIGCHLD | CLONE_PARENT_SETTID, 0);
	args.a.parent_tid_ptr = (uintptr_t)&tid;
	pid = expect_ok(cloneat(t.pid, 0, &args));
	if (pid == 0)
		ct_exit(tid == 7 ? 5 : 9);
	expect_eq(tid, pid);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(child_settid, "CLONE_CHILD_SETTID stores in the child, not the caller")
{
	struct ct_args args;
	static volatile pid_t tid = 7;
	struct target t;
	long pid;

	target_start(&t);
	ct_args(&args, SIGCHLD | CLONE_CHILD_SETTID, 0);
	args.a.child_tid_ptr = (uintptr_t)&tid;
	pid = expect_ok(cloneat(t.pid, 0, &args));
	if (pid == 0)
		ct_exit(tid == ct_pid() ? 5 : 9);
	expect_eq(tid, 7);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

static long has_tls(void *arg)
{
	void *tls;

#ifdef __x86_64__
	__asm__("mov %%fs:0, %0" : "=r"(tls));
#else
	__asm__("mrs %0, tpidr_el0" : "=r"(tls));
	tls = *(void **)tls;
#endif
	return tls == arg ? 5 : 9;
}

CHECK(settls, "CLONE_SETTLS sets the child's TLS")
{
	static void *tls[16];
	struct ct_args args;
	struct target t;
	long pid;

	tls[0] = tls;
	target_start(&t);
	ct_args(&args, SIGCHLD | CLONE_SETTLS, 0);
	args.a.reserved3 = (uintptr_t)tls;
	pid = expect_ok(cloneat_call(t.pid, 0, &args.a, has_tls, tls));
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

static long on_stack(void *arg)
{
	char here;
	uintptr_t base = (uintptr_t)arg, at = (uintptr_t)&here;

	return at > base && at < base + CT_STACK_SIZE ? 5 : 9;
}

CHECK(stack, "the child runs on the stack that was asked for")
{
	struct ct_args args;
	struct target t;
	long pid;

	target_start(&t);
	ct_stack(ct_args(&args, SIGCHLD, 0));
	pid = expect_ok(cloneat_call(t.pid, 0, &args.a, on_stack,
				     (void *)(long)args.a.child_stack_base));
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(vfork_blocks, "CLONE_VFORK: the caller waits, the target does not")
{
	struct target t;
	long pid;

	target_start(&t);
	pid = cloneat_words(t.pid, 0, SIGCHLD | CLONE_VFORK, 0);
	if (pid == 0) {
		expect_eq(target_do(&t, nothing, NULL), 5);
		for (int i = 0; i < 20; i++)
			usleep(1000);
		ct_slot[0] = ct_slot[1] ? 2 : 1;
		ct_exit(5);
	}
	ct_slot[1] = 1;
	expect_ok(pid);
	expect_eq(ct_slot[0], 1);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(clear_sighand_effect, "CLONEXT_CLEAR_SIGHAND resets the caller's handlers")
{
	struct sigaction act;
	struct target t;
	long pid;

	target_start(&t);
	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	pid = expect_ok(cloneat_words(t.pid, 0, SIGCHLD,
				      CT_EXT(CLONEXT_CLEAR_SIGHAND)));
	if (pid == 0) {
		must(sigaction(SIGUSR1, NULL, &act));
		if (act.sa_handler != SIG_DFL)
			ct_exit(8);
		must(sigaction(SIGUSR2, NULL, &act));
		ct_exit(act.sa_handler == SIG_IGN ? 5 : 9);
	}
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

/* --- the child is a copy of the caller --- */

CHECK(memory, "the child has the caller's memory, not the target's")
{
	struct target t;
	long pid;

	target_start(&t);
	expect_eq(target_do(&t, set_value, (void *)99), 5);
	value = 55;
	pid = expect_ok(cloneat_fork(t.pid, 0));
	if (pid == 0)
		ct_exit(value == 55 ? 5 : 9);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(memory_is_copied, "caller and child do not see each other's writes")
{
	struct target t;
	long pid;

	target_start(&t);
	pid = expect_ok(cloneat_fork(t.pid, 0));
	if (pid == 0) {
		slot_wait(0, 1);
		if (value != 1)
			ct_exit(9);
		value = 3;
		ct_exit(5);
	}
	value = 2;
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	expect_eq(value, 2);
	target_end(&t);
}

CHECK(dontfork, "MADV_DONTFORK and MADV_WIPEONFORK hold below a target")
{
	char *gone = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char present;
	struct target t;
	long pid;

	target_start(&t);
	gone[0] = 1;
	gone[4096] = 1;
	must(madvise(gone, 4096, MADV_DONTFORK));
	must(madvise(gone + 4096, 4096, MADV_WIPEONFORK));
	pid = expect_ok(cloneat_fork(t.pid, 0));
	if (pid == 0)
		ct_exit(mincore(gone, 4096, &present) && errno == ENOMEM &&
			gone[4096] == 0 ? 5 : 9);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

/* In each round as soon as the call has returned: perhaps before it has ended. */
CHECK(killed_at_once, "children that are killed at once: the target reaps them")
{
	struct target t;

	target_start(&t);
	for (int i = 0; i < 100; i++) {
		long pid = expect_ok(cloneat_fork(t.pid, 0));
		long status;

		if (pid == 0)
			for (;;)
				pause();
		must(kill(pid, SIGKILL));
		status = expect_ok(target_wait(&t, pid));
		expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	target_end(&t);
}

CHECK(init_killed_at_once, "an init that is killed at once takes its child along")
{
	for (int i = 0; i < 30; i++) {
		struct target t;
		long pid;

		target_clone(&t, CLONE_NEWPID);
		pid = expect_ok(cloneat_fork(t.pid, 0));
		if (pid == 0)
			for (;;)
				pause();
		target_end(&t);
		expect_eq(kill(pid, 0), -1);
	}
}

/* --- new namespaces --- */

static const struct ns_row {
	const char *name;
	const char *verdict;
	unsigned int word0, word1;
	const char *kind;
} spaces[] = {
	{ "newuts", "CLONE_NEWUTS: a new uts namespace, else the target's",
	  CLONE_NEWUTS, 0, "uts" },
	{ "newipc", "CLONE_NEWIPC: a new ipc namespace, else the target's",
	  CLONE_NEWIPC, 0, "ipc" },
	{ "newns", "CLONE_NEWNS: a new mount namespace, else the target's",
	  CLONE_NEWNS, 0, "mnt" },
	{ "newnet", "CLONE_NEWNET: a new net namespace, else the target's",
	  CLONE_NEWNET, 0, "net" },
	{ "newcgroup", "CLONE_NEWCGROUP: a new cgroup namespace, else the target's",
	  CLONE_NEWCGROUP, 0, "cgroup" },
	{ "newpid", "CLONE_NEWPID: a new pid namespace, else the target's",
	  CLONE_NEWPID, 0, "pid" },
	{ "newtime", "CLONEXT_NEWTIME: a new time namespace, else the target's",
	  0, CT_EXT(CLONEXT_NEWTIME), "time" },
	{ "ext_newuts", "CLONEXT_NEWUTS: a new uts namespace, else the target's",
	  0, CT_EXT(CLONEXT_NEWUTS), "uts" },
	{ "ext_newpid", "CLONEXT_NEWPID: a new pid namespace, else the target's",
	  0, CT_EXT(CLONEXT_NEWPID), "pid" },
};

static const char * const kinds[] = {
	"uts", "ipc", "mnt", "net", "cgroup", "pid", "time",
	"pid_for_children", "time_for_children",
};

static long new_uts_and_ipc(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUTS | CLONE_NEWIPC) ? -errno : 0;
}

/* A target whose uts and ipc namespaces are not ours. */
static void compare_spaces(const struct ns_row *row, struct target *t)
{
	long pid = expect_ok(cloneat_words(t->pid, 0, SIGCHLD | row->word0,
					   row->word1));

	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	expect_eq(proc_ppid(pid), t->pid);
	for (size_t i = 0; i < ct_count(kinds); i++) {
		bool same = ns_id(pid, kinds[i]) == ns_id(t->pid, kinds[i]);
		bool want = strncmp(kinds[i], row->kind, strlen(row->kind));

		if (same != want)
			fail("/proc/PID/ns/%s: expected %s", kinds[i],
			     want ? "the target's" : "a new one");
	}
	expect(ns_id(pid, "uts") != ns_id(ct_pid(), "uts"));
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(t, pid)), 5);
}

CHECK_TABLE(new_namespace, spaces)
{
	const struct ns_row *row = ct_arg();
	struct target t;

	if (!ns_id(ct_pid(), row->kind))
		ct_skip("this kernel has no %s namespaces", row->kind);
	target_start(&t);
	if (target_do(&t, new_uts_and_ipc, NULL))
		ct_skip("this kernel has no uts or ipc namespaces");
	compare_spaces(row, &t);
	target_end(&t);
}

CHECK(newpid_init, "CLONE_NEWPID: the child is 1 there, in the target's a number")
{
	struct target t;
	pid_t ids[4];
	long pid;

	target_clone(&t, CLONE_NEWPID);
	pid = expect_ok(cloneat_words(t.pid, 0, SIGCHLD | CLONE_NEWPID, 0));
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(ct_pid() == 1 && ct_ppid() == 0 ? 5 : 9);
	}
	expect_eq(proc_nspid(pid, ids, 4), 3);
	expect_eq(ids[0], pid);
	expect_eq(ids[2], 1);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&t, ids[1])), 5);
	target_end(&t);
}

CHECK(newns_fs, "CLONE_NEWNS | CLONE_FS is EINVAL, though fs is shared")
{
	struct target t;

	target_clone(&t, CLONE_FS);
	expect_errno(refused(&t, SIGCHLD | CLONE_FS | CLONE_NEWNS, 0), EINVAL);
	target_end(&t);
}

CHECK(newuts_unprivileged, "CLONE_NEWUTS without CAP_SYS_ADMIN is EPERM")
{
	pid_t caller = must(fork());

	if (caller == 0) {
		struct target t;

		become(1000);
		target_start(&t);
		expect_errno(cloneat_words(t.pid, 0, SIGCHLD | CLONE_NEWUTS, 0),
			     EPERM);
		target_end(&t);
		ct_exit(0);
	}
	expect_exit(caller, 0);
}
