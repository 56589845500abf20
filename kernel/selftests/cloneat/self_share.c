// SPDX-License-Identifier: GPL-2.0
/*
 * To self, the call is clone(2): what a child shares, CLONE_VFORK, CLONE_PARENT.
 *
 *	check  <-- calls, and is the target
 *	  +-- child
 */
#include "cloneat_test.h"
#include <linux/kcmp.h>
#include <linux/sched.h>

static int value = 1;		/* private memory */

/* --- sharing --- */

enum sharing { SHARE_VM, SHARE_FS, SHARE_FILES, SHARE_SIGHAND };

static void handler(int sig)
{
	(void)sig;
}

/* Changes one of each kind of thing in the child. */
static long change_everything(void *arg)
{
	struct sigaction act = { .sa_handler = handler };

	(void)arg;
	value = 42;
	if (chdir("/proc") || dup2(0, 100) != 100 ||
	    sigaction(SIGUSR2, &act, NULL))
		return 9;
	return 5;
}

/* Which of the changes the caller sees: a mask of 1 << SHARE_... */
static unsigned int seen_changes(unsigned int word0, unsigned int word1)
{
	struct ct_args args;
	struct sigaction act;
	unsigned int seen = 0;
	char cwd[200];

	must(chdir("/"));
	close(100);
	value = 1;
	signal(SIGUSR2, SIG_DFL);
	if (fcntl(0, F_GETFD) < 0)
		must(dup2(must(open("/proc/self/stat", O_RDONLY)), 0));
	ct_stack(ct_args(&args, SIGCHLD | word0, word1));
	expect_exit(expect_ok(cloneat_call(ct_pid(), 0, &args.a,
					   change_everything, NULL)), 5);
	seen |= (value == 42) << SHARE_VM;
	seen |= !!strcmp(getcwd(cwd, sizeof(cwd)), "/") << SHARE_FS;
	seen |= (fcntl(100, F_GETFD) >= 0) << SHARE_FILES;
	must(sigaction(SIGUSR2, NULL, &act));
	seen |= (act.sa_handler == handler) << SHARE_SIGHAND;
	return seen;
}

static const struct sharing_row {
	const char *name;
	const char *verdict;
	unsigned int word0;
	unsigned int word1;
	unsigned int seen;
} sharings[] = {
	{ "share_nothing", "without flags nothing is shared", 0, 0, 0 },
	{ "share_vm", "CLONE_VM shares memory only", CLONE_VM, 0,
	  1 << SHARE_VM },
	{ "share_ext_vm", "CLONEXT_VM shares memory only", 0,
	  CT_EXT(CLONEXT_VM), 1 << SHARE_VM },
	{ "share_fs", "CLONE_FS shares the cwd only", CLONE_FS, 0,
	  1 << SHARE_FS },
	{ "share_ext_fs", "CLONEXT_FS shares the cwd only", 0,
	  CT_EXT(CLONEXT_FS), 1 << SHARE_FS },
	{ "share_files", "CLONE_FILES shares descriptors only", CLONE_FILES, 0,
	  1 << SHARE_FILES },
	{ "share_ext_files", "CLONEXT_FILES shares descriptors only", 0,
	  CT_EXT(CLONEXT_FILES), 1 << SHARE_FILES },
	{ "share_sighand", "CLONE_SIGHAND shares handlers, beside memory",
	  CLONE_VM | CLONE_SIGHAND, 0, 1 << SHARE_VM | 1 << SHARE_SIGHAND },
	{ "share_ext_sighand", "CLONEXT_SIGHAND shares handlers, beside memory",
	  0, CT_EXT(CLONEXT_VM) | CT_EXT(CLONEXT_SIGHAND),
	  1 << SHARE_VM | 1 << SHARE_SIGHAND },
	{ "share_all", "all four together share all four",
	  CLONE_VM | CLONE_SIGHAND, CT_EXT(CLONEXT_FS) | CT_EXT(CLONEXT_FILES),
	  15 },
};

CHECK_TABLE(sharing, sharings)
{
	const struct sharing_row *row = ct_arg();

	expect_eq(seen_changes(row->word0, row->word1), row->seen);
}

/* kcmp(2) of us and the child for one kind: 0 if it is the same. */
static long compare_child(unsigned int word0, int kind)
{
	long pid = expect_ok(cloneat_words(ct_pid(), 0, SIGCHLD | word0, 0));
	long ret;

	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	ret = ct_syscall6(SYS_kcmp, ct_pid(), pid, kind, 0, 0, 0);
	slot_set(0, 1);
	expect_exit(pid, 5);
	slot_set(0, 0);
	if (ret == -ENOSYS)
		ct_skip("this kernel has no kcmp(2)");
	return expect_ok(ret);
}

CHECK(sysvsem, "CLONE_SYSVSEM shares the undo list, which else is copied not")
{
	expect_eq(compare_child(CLONE_SYSVSEM, KCMP_SYSVSEM), 0);
	expect(compare_child(0, KCMP_SYSVSEM) != 0);
}

CHECK(io, "CLONE_IO shares the I/O context, which else is not")
{
	/* IOPRIO_WHO_PROCESS, best effort, level 3: makes a context. */
	expect_ok(ct_syscall3(SYS_ioprio_set, 1, 0, 2 << 13 | 3));
	expect_eq(compare_child(CLONE_IO, KCMP_IO), 0);
	expect(compare_child(0, KCMP_IO) != 0);
}

/* --- vfork --- */

/* Gives the parent every chance to run on, then looks whether it did. */
static void linger(void)
{
	for (int i = 0; i < 20; i++)
		usleep(1000);
	ct_slot[0] = ct_slot[1] ? 2 : 1;
}

CHECK(vfork_exit, "CLONE_VFORK: the caller waits until the child exits")
{
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_VFORK, 0);

	if (pid == 0) {
		linger();
		ct_exit(5);
	}
	ct_slot[1] = 1;
	expect_ok(pid);
	expect_eq(ct_slot[0], 1);
	expect_exit(pid, 5);
}

CHECK(vfork_vm, "CLONE_VFORK | CLONE_VM: the child may use the caller's stack")
{
	volatile int local = 1;
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD,
				 CT_EXT(CLONEXT_VFORK) | CT_EXT(CLONEXT_VM));

	if (pid == 0) {
		local = 2;
		ct_exit(5);
	}
	expect_ok(pid);
	expect_eq(local, 2);
	expect_exit(pid, 5);
}

CHECK(vfork_killed, "CLONE_VFORK: a signal that kills the child ends the wait")
{
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_VFORK, 0);
	int status;

	if (pid == 0) {
		linger();
		ct_syscall3(SYS_kill, ct_pid(), SIGKILL, 0);
	}
	ct_slot[1] = 1;
	expect_ok(pid);
	expect_eq(ct_slot[0], 1);
	expect_eq(waitpid(pid, &status, 0), pid);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

CHECK(vfork_exec, "CLONE_VFORK: an exec of the child ends the wait")
{
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_VFORK, 0);

	if (pid == 0) {
		linger();
		ct_exec_pause();
	}
	ct_slot[1] = 1;
	expect_ok(pid);
	expect_eq(ct_slot[0], 1);
	kill_reap(pid);
}

/* --- CLONE_PARENT --- */

/* A caller below us that makes its own sibling, our child: the sibling. */
static long sibling(unsigned int word0, pid_t *caller)
{
	*caller = must(fork());
	if (*caller == 0) {
		pid_t parent = ct_ppid();
		long pid = cloneat_words(ct_pid(), 0, word0 | CLONE_PARENT, 0);

		if (pid == 0)
			ct_exit(ct_ppid() == parent ? 5 : 9);
		ct_slot[1] = ct_syscall6(SYS_wait4, pid, 0, __WALL, 0, 0, 0);
		ct_slot[0] = pid;
		ct_exit(6);
	}
	expect_exit(*caller, 6);
	return expect_ok(ct_slot[0]);
}

CHECK(parent, "CLONE_PARENT: the child's parent is the caller's parent")
{
	pid_t caller;

	expect_exit(sibling(SIGCHLD, &caller), 5);
}

CHECK(parent_no_wait, "CLONE_PARENT: the caller cannot wait for it")
{
	pid_t caller;

	expect_exit(sibling(SIGCHLD, &caller), 5);
	expect_errno(ct_slot[1], ECHILD);
}

CHECK(parent_signal, "CLONE_PARENT: the exit signal is ignored, the caller's counts")
{
	pid_t caller;
	long pid = sibling(SIGUSR1, &caller);
	int status;

	expect_eq(waitpid(pid, &status, 0), pid);
	expect_eq(WEXITSTATUS(status), 5);
}

CHECK(parent_of_init, "CLONE_PARENT by a namespace's init is EINVAL, as clone(2)")
{
	long pid = clone_words(CLONE_NEWPID | SIGCHLD);

	if (pid == 0) {
		expect_errno(clone_words(CLONE_PARENT | SIGCHLD), EINVAL);
		expect_errno(cloneat_words(1, 0, CLONE_PARENT | SIGCHLD, 0),
			     EINVAL);
		ct_exit(5);
	}
	if (pid == -EINVAL)
		ct_skip("this kernel has no pid namespaces");
	expect_exit(expect_ok(pid), 5);
}
