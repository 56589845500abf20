// SPDX-License-Identifier: GPL-2.0
/*
 * CLONE_PIDFD: where the descriptor is stored and opened, what it is good for,
 * what happens when there is none to be had.
 *
 *	check  <-- calls, holds the descriptor
 *	  +-- target
 *	        +-- child, which the check can watch but not reap
 */
#include "cloneat_test.h"

/* A call with CLONE_PIDFD that stores at @fd. */
static long with_pidfd(pid_t target, unsigned int word0, int *fd)
{
	struct ct_args args;

	ct_args(&args, SIGCHLD | CLONE_PIDFD | word0, 0);
	args.a.parent_tid_ptr = (uintptr_t)fd;
	return cloneat(target, 0, &args);
}

/* A child that lives until slot 0 is 1, then exits with 5. */
static long waiting_child(pid_t target, int *fd)
{
	long pid;

	slot_set(0, 0);
	pid = expect_ok(with_pidfd(target, 0, fd));
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	return pid;
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The Pid: line of /proc/self/fdinfo/FD: whom a pidfd means. */
static long pid_of_pidfd(int fd)
{
	char path[64], line[128];
	long pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		fail("%s: %s", path, ct_errname(errno));
	while (!pid && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pid: %ld", &pid) != 1)
			pid = 0;
	fclose(f);
	return pid;
}

/* --- to self --- */

CHECK(self_stored, "the descriptor is stored at parent_tid_ptr")
{
	int fd = -1;
	long pid = waiting_child(ct_pid(), &fd);

	expect(fd >= 0);
	expect_eq(pid_of_pidfd(fd), pid);
	slot_set(0, 1);
	expect_exit(pid, 5);
}

CHECK(self_ext, "CLONEXT_PIDFD does the same")
{
	struct ct_args args;
	int fd = -1;
	long pid;

	ct_args(&args, SIGCHLD, CT_EXT(CLONEXT_PIDFD));
	args.a.parent_tid_ptr = (uintptr_t)&fd;
	pid = expect_ok(cloneat(ct_pid(), 0, &args));
	if (pid == 0)
		ct_exit(5);
	expect_eq(pid_of_pidfd(fd), pid);
	expect_exit(pid, 5);
}

CHECK(self_not_in_child, "the child has no such descriptor, nor the number")
{
	int before = count_fds();
	volatile int fd = -1;
	long pid = expect_ok(with_pidfd(ct_pid(), 0, (int *)&fd));

	if (pid == 0)
		ct_exit(fd == -1 && count_fds() == before ? 5 : 9);
	expect_eq(count_fds(), before + 1);
	expect_exit(pid, 5);
}

CHECK(self_cloexec, "the descriptor is close-on-exec")
{
	int fd = -1;
	long pid = waiting_child(ct_pid(), &fd);

	expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	slot_set(0, 1);
	expect_exit(pid, 5);
}

CHECK(self_lowest, "the descriptor is the lowest free one")
{
	int fd = -1, free = must(dup(0));
	long pid;

	close(free);
	pid = waiting_child(ct_pid(), &fd);
	expect_eq(fd, free);
	slot_set(0, 1);
	expect_exit(pid, 5);
}

CHECK(self_poll, "poll says POLLIN once the child has ended, not before")
{
	struct pollfd p = { .fd = -1, .events = POLLIN };
	long pid = waiting_child(ct_pid(), &p.fd);

	expect_eq(poll(&p, 1, 0), 0);
	slot_set(0, 1);
	expect_eq(poll(&p, 1, -1), 1);
	expect(p.revents & POLLIN);
	expect_exit(pid, 5);
}

CHECK(self_waitid, "waitid(P_PIDFD) reaps a child of ours")
{
	siginfo_t info = { 0 };
	int fd = -1;
	long pid = waiting_child(ct_pid(), &fd);

	slot_set(0, 1);
	must(waitid((idtype_t)3, fd, &info, WEXITED));
	expect_eq(info.si_pid, pid);
	expect_eq(info.si_status, 5);
}

CHECK(self_send_signal, "pidfd_send_signal(2) reaches the child")
{
	int fd = -1, status;
	long pid = waiting_child(ct_pid(), &fd);

	expect_ok(ct_syscall6(SYS_pidfd_send_signal, fd, SIGKILL, 0, 0, 0, 0));
	expect_eq(waitpid(pid, &status, 0), pid);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

CHECK(self_not_written, "without CLONE_PIDFD nothing is stored or opened")
{
	struct ct_args args;
	int fd = -1, before = count_fds();

	ct_args(&args, SIGCHLD, 0);
	args.a.parent_tid_ptr = (uintptr_t)&fd;
	expect_child(cloneat(ct_pid(), 0, &args));
	expect_eq(fd, -1);
	expect_eq(count_fds(), before);
}

CHECK(self_vfork, "with CLONE_VFORK the descriptor is there after the wait")
{
	int fd = -1;
	long pid = with_pidfd(ct_pid(), CLONE_VFORK, &fd);

	if (pid == 0)
		ct_exit(5);
	expect_ok(pid);
	expect_eq(pid_of_pidfd(fd), pid);
	expect_exit(pid, 5);
}

static long store_at_once(void *arg)
{
	return *(volatile int *)arg >= 0 ? 5 : 9;
}

CHECK(self_vm, "with CLONE_VM the child sees the stored descriptor")
{
	static volatile int fd = -1;
	struct ct_args args;
	long pid;

	ct_stack(ct_args(&args, SIGCHLD | CLONE_PIDFD | CLONE_VM, 0));
	args.a.parent_tid_ptr = (uintptr_t)&fd;
	pid = expect_ok(cloneat_call(ct_pid(), 0, &args.a, store_at_once,
				     (void *)&fd));
	expect_exit(pid, 5);
}

CHECK(self_files, "with CLONE_FILES the child can use the descriptor")
{
	int fd = -1;
	struct pollfd p = { .events = POLLIN };
	long pid = expect_ok(with_pidfd(ct_pid(), CLONE_FILES, &fd));

	if (pid == 0) {
		slot_wait(0, 1);
		p.fd = ct_slot[1];
		ct_exit(poll(&p, 1, 0) == 0 ? 5 : 9);
	}
	ct_slot[1] = fd;
	slot_set(0, 1);
	expect_exit(pid, 5);
}

CHECK(self_thread, "with CLONE_THREAD: as clone(2) on this kernel")
{
	const unsigned int flags = CLONE_PIDFD | CLONE_VM | CLONE_SIGHAND |
				   CLONE_THREAD | CLONE_FS | CLONE_FILES;
	static volatile int kernel_fd = -1, fd = -1;
	struct ct_args args;
	long want, got;

	want = clone_call(flags, ct_stack(NULL), CT_STACK_SIZE,
			  (void *)&kernel_fd, NULL, 0, store_at_once,
			  (void *)&kernel_fd);
	ct_stack(ct_args(&args, flags, 0));
	args.a.parent_tid_ptr = (uintptr_t)&fd;
	got = cloneat_call(ct_pid(), 0, &args.a, store_at_once, (void *)&fd);
	if (want < 0) {
		expect_errno(got, -want);
		return;
	}
	expect_ok(got);
	expect(kernel_fd >= 0);
	expect(fd >= 0);
	wait_end_fd(fd);
}

/* --- another target --- */

CHECK(target_stored, "the caller gets the descriptor, the target none")
{
	struct target t;
	int fd = -1;
	long pid;

	target_start(&t);
	pid = waiting_child(t.pid, &fd);
	expect_eq(pid_of_pidfd(fd), pid);
	expect_eq(proc_ppid(pid), t.pid);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

static long fds_of_target(void *arg)
{
	(void)arg;
	return count_fds();
}

CHECK(target_fds, "the target's descriptors are as they were")
{
	struct target t;
	int fd = -1, before;
	long pid;

	target_start(&t);
	before = target_do(&t, fds_of_target, NULL);
	pid = waiting_child(t.pid, &fd);
	expect_eq(target_do(&t, fds_of_target, NULL), before);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	expect_eq(target_do(&t, fds_of_target, NULL), before);
	target_end(&t);
}

CHECK(target_not_in_child, "the child has the caller's descriptors, and no pidfd")
{
	struct target t;
	volatile int fd = -1;
	int before;
	long pid;

	target_start(&t);
	before = count_fds();
	pid = expect_ok(with_pidfd(t.pid, 0, (int *)&fd));
	if (pid == 0)
		ct_exit(fd == -1 && count_fds() == before ? 5 : 9);
	expect_eq(count_fds(), before + 1);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(target_poll, "the caller sees the end of a child that it cannot wait for")
{
	struct pollfd p = { .fd = -1, .events = POLLIN };
	struct target t;
	long pid;

	target_start(&t);
	pid = waiting_child(t.pid, &p.fd);
	expect_errno(ct_syscall6(SYS_wait4, pid, 0, __WALL, 0, 0, 0), ECHILD);
	expect_eq(poll(&p, 1, 0), 0);
	slot_set(0, 1);
	expect_eq(poll(&p, 1, -1), 1);
	expect(p.revents & POLLIN);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(target_waitid, "waitid(P_PIDFD) in the caller is ECHILD")
{
	siginfo_t info;
	struct target t;
	int fd = -1;
	long pid;

	target_start(&t);
	pid = waiting_child(t.pid, &fd);
	expect_errno(ct_syscall6(SYS_waitid, 3, fd, (long)&info, WEXITED, 0, 0),
		     ECHILD);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(target_cloexec, "the descriptor is close-on-exec and the lowest free one")
{
	struct target t;
	int fd = -1, free;
	long pid;

	target_start(&t);
	free = must(dup(0));
	close(free);
	pid = waiting_child(t.pid, &fd);
	expect_eq(fd, free);
	expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(target_send_signal, "pidfd_send_signal(2) in the caller reaches the child")
{
	struct target t;
	int fd = -1;
	long pid, status;

	target_start(&t);
	pid = waiting_child(t.pid, &fd);
	expect_ok(ct_syscall6(SYS_pidfd_send_signal, fd, SIGKILL, 0, 0, 0, 0));
	status = target_wait(&t, pid);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	target_end(&t);
}

CHECK(target_in_pidns, "for a child in another pid namespace it means that child")
{
	struct target t;
	pid_t ids[4];
	int fd = -1;
	long pid;

	target_clone(&t, CLONE_NEWPID);
	pid = waiting_child(t.pid, &fd);
	expect_eq(pid_of_pidfd(fd), pid);
	expect_eq(proc_nspid(pid, ids, 4), 2);
	slot_set(0, 1);
	wait_end_fd(fd);
	expect_eq(WEXITSTATUS(target_wait(&t, ids[1])), 5);
	target_end(&t);
}

CHECK(target_dies, "the descriptor stays good when the target dies first")
{
	struct pollfd p = { .fd = -1, .events = POLLIN };
	struct target t;

	target_start(&t);
	waiting_child(t.pid, &p.fd);
	target_end(&t);
	expect_eq(poll(&p, 1, 0), 0);
	slot_set(0, 1);
	expect_eq(poll(&p, 1, -1), 1);
	expect(p.revents & POLLIN);
}

CHECK(target_reaped, "once reaped by the target, signals by it are ESRCH")
{
	struct target t;
	int fd = -1;
	long pid;

	target_start(&t);
	pid = waiting_child(t.pid, &fd);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	expect_errno(ct_syscall6(SYS_pidfd_send_signal, fd, 0, 0, 0, 0, 0),
		     ESRCH);
	target_end(&t);
}

/* --- failures, each to self and with a target --- */

static struct target other;

static void expect_no_child(void)
{
	expect_errno(ct_syscall6(SYS_wait4, -1, 0, __WALL | WNOHANG, 0, 0, 0),
		     ECHILD);
}

/* No target: the only other child that we have is none. */
static long calls_left(bool self)
{
	if (!self)
		return target_wait(&other, -1);
	expect_no_child();
	return -ECHILD;
}

static const struct failure {
	const char *name;
	const char *verdict;
	bool self;
	__u64 pointer;
} bad_pointers[] = {
	{ "self_efault_null", "NULL is EFAULT, and no child is left", true, 0 },
	{ "self_efault_low", "address 8 is EFAULT, no child is left", true, 8 },
	{ "self_efault_kernel", "a kernel address is EFAULT, no child is left",
	  true, 0xffff888000000000 },
	{ "target_efault_null", "with a target: NULL is EFAULT, no child", false,
	  0 },
	{ "target_efault_low", "with a target: address 8 is EFAULT, no child",
	  false, 8 },
	{ "target_efault_kernel", "with a target: a kernel address is EFAULT",
	  false, 0xffff888000000000 },
};

static void expect_efault(bool self, __u64 pointer)
{
	int before;

	if (!self)
		target_start(&other);
	before = count_fds();
	expect_errno(with_pidfd(self ? ct_pid() : other.pid, 0,
				(int *)pointer), EFAULT);
	expect_eq(count_fds(), before);
	expect_errno(calls_left(self), ECHILD);
	if (!self)
		target_end(&other);
}

CHECK_TABLE(efault, bad_pointers)
{
	const struct failure *row = ct_arg();

	expect_efault(row->self, row->pointer);
}

static __u64 read_only_page(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	expect(p != MAP_FAILED);
	return (uintptr_t)p;
}

CHECK(self_efault_read_only, "read-only memory is EFAULT, and stays as it is")
{
	__u64 page = read_only_page();

	expect_efault(true, page);
	expect_eq(*(int *)page, 0);
}

CHECK(target_efault_read_only, "with a target: read-only memory is EFAULT")
{
	__u64 page = read_only_page();

	expect_efault(false, page);
	expect_eq(*(int *)page, 0);
}

/* The limit counts for new descriptors only: those we have stay open. */
static void expect_emfile(pid_t target, rlim_t max)
{
	struct rlimit limit;
	int fd = -1;

	must(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = max;
	must(setrlimit(RLIMIT_NOFILE, &limit));
	expect_errno(with_pidfd(target, 0, &fd), EMFILE);
	expect_eq(fd, -1);
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit));
}

CHECK(self_emfile, "no descriptor to be had is EMFILE, and no child is left")
{
	expect_emfile(ct_pid(), 0);
	expect_no_child();
}

CHECK(self_emfile_full, "a full table of descriptors is EMFILE")
{
	int free = must(dup(0));

	close(free);
	expect_emfile(ct_pid(), free);
	expect_no_child();
}

CHECK(self_emfile_unused, "no descriptor to be had is fine without CLONE_PIDFD")
{
	struct rlimit none = { 0, 4096 };

	must(setrlimit(RLIMIT_NOFILE, &none));
	expect_child(cloneat_fork(ct_pid(), 0));
}

/* Without CLONE_PIDFD, and the rest of the call needs none either. */
static void no_descriptor_left(unsigned long flags)
{
	struct rlimit none = { 0, 4096 };

	target_clone(&other, flags);
	must(setrlimit(RLIMIT_NOFILE, &none));
	if (!expect_ok(cloneat_fork(other.pid, 0)))
		ct_exit(6);
	none.rlim_cur = none.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &none));
	expect_eq(WEXITSTATUS(target_wait(&other, -1)), 6);
	target_end(&other);
}

CHECK(target_unused, "with a target it is fine as well")
{
	no_descriptor_left(SIGCHLD);
}

CHECK(init_unused, "and below a container's init")
{
	no_descriptor_left(SIGCHLD | CLONE_NEWPID);
}

CHECK(target_emfile, "with a target: EMFILE, and no child is left")
{
	target_start(&other);
	expect_emfile(other.pid, 0);
	expect_errno(target_wait(&other, -1), ECHILD);
	target_end(&other);
}

CHECK(target_last_descriptor, "with a target: the last that is to be had is the pidfd")
{
	int last = must(dup(0)), fd = -1, before;
	struct rlimit limit;
	long pid;

	close(last);
	target_start(&other);
	before = count_fds();
	while (fcntl(last, F_GETFD) >= 0) /* the target's pipes */
		last++;
	must(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = last + 1;
	must(setrlimit(RLIMIT_NOFILE, &limit));
	pid = waiting_child(other.pid, &fd);
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit));
	expect_eq(fd, last);
	expect_eq(pid_of_pidfd(fd), pid);
	expect_eq(count_fds(), before + 1);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&other, pid)), 5);
	target_end(&other);
}

static long no_files(void *arg)
{
	struct rlimit limit;

	(void)arg;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	limit.rlim_cur = 0;
	return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

CHECK(target_limit, "the target's limit of descriptors does not count")
{
	int fd = -1;
	long pid;

	target_start(&other);
	expect_ok(target_do(&other, no_files, NULL));
	pid = waiting_child(other.pid, &fd);
	expect_eq(pid_of_pidfd(fd), pid);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&other, pid)), 5);
	target_end(&other);
}

CHECK(hint_and_pidfd, "a hint that is taken opens no descriptor")
{
	struct ct_args args;
	int fd = -1, before = count_fds();

	ct_args(&args, SIGCHLD | CLONE_PIDFD, 0);
	args.a.parent_tid_ptr = (uintptr_t)&fd;
	expect_errno(cloneat(ct_pid(), ct_pid(), &args), EEXIST);
	expect_eq(fd, -1);
	expect_eq(count_fds(), before);
}

CHECK(refused_opens_none, "a refused call opens no descriptor")
{
	int fd = -1, before = count_fds();

	expect_errno(with_pidfd(ct_ppid(), 0, &fd), EPERM);
	expect_errno(with_pidfd(ct_pid(), CLONE_SIGHAND, &fd), EINVAL);
	expect_eq(fd, -1);
	expect_eq(count_fds(), before);
}
