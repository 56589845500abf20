// SPDX-License-Identifier: GPL-2.0
/*
 * Directories, files and handlers with a target other than the caller: where it
 * shares them that flag works, and the others do not.
 *
 *	check  <-- calls
 *	  +-- target, sharing things with the check
 *	        +-- child of the call
 */
#include "target.h"

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
	expect_below(&t, CLONE_FS, 0, go_to_proc, NULL);
	expect_cwd("/proc");
	must(chdir("/"));
	expect_below(&t, 0, CT_EXT(CLONEXT_FS), go_to_proc, NULL);
	expect_cwd("/proc");
	target_end(&t);
}

CHECK(fs_shared_not_asked, "a target that shares fs, without CLONE_FS: a copy")
{
	struct target t;

	must(chdir("/"));
	target_clone(&t, CLONE_FS);
	expect_below(&t, 0, 0, go_to_proc, NULL);
	expect_cwd("/");
	target_end(&t);
}

CHECK(fs_shared_not_vm, "sharing fs does not make CLONE_VM or CLONE_FILES legal")
{
	struct target t;

	target_clone(&t, CLONE_FS);
	expect_errno(target_refused(&t, SIGCHLD | CLONE_FS | CLONE_VM, 0), EINVAL);
	expect_errno(target_refused(&t, SIGCHLD | CLONE_FS | CLONE_FILES, 0), EINVAL);
	target_end(&t);
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

	expect_below(t, word0, word1, close_fd, (void *)fd);
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
	expect_errno(target_refused(&t, SIGCHLD | CLONE_FILES | CLONE_FS, 0), EINVAL);
	expect_errno(target_refused(&t, SIGCHLD | CLONE_FILES | CLONE_VM, 0), EINVAL);
	target_end(&t);
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
	expect_errno(target_refused(&t, SIGCHLD | CLONE_FILES, 0), EINVAL);
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
	expect_below(t, word0, word1, set_handler, &set);
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
	expect_below(&t, CLONE_VM | CLONE_SIGHAND, 0, ct_return, (void *)5);
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
	expect_below(&t, all, 0, set_value, (void *)42);
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
	expect_errno(target_refused(&t, all | CLONE_THREAD | SIGCHLD, 0), EINVAL);
	target_end(&t);
}
