// SPDX-License-Identifier: Apache-2.0
/* The order of events; see eye.h. */
#include "eye.h"
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/cloneat.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

unsigned long options;
const char *dir;
char *big_buf;
char scratch[256];
long rseq_at, rseq_size;
extern int which_child;

static char stack[256 << 10] __attribute__((aligned(64), used));

static void set_state(int which, int state)
{
	__atomic_store_n(&board->state[which], state, __ATOMIC_SEQ_CST);
	sys(__NR_futex, &board->state[which], FUTEX_WAKE, 100);
}

/* Waits until the child came to that state; 0 if it died instead. */
static int wait_state(int which, int state, int pidfd)
{
	struct { long sec, nsec; } again = { 0, 100000000 };
	struct pollfd p = { pidfd, POLLIN, 0 };
	int now;

	while ((now = __atomic_load_n(&board->state[which], __ATOMIC_SEQ_CST)) < state) {
		sys(__NR_futex, &board->state[which], FUTEX_WAIT, now, &again);
		if (sys(__NR_poll, &p, 1, 0) == 1 &&
		    __atomic_load_n(&board->state[which], __ATOMIC_SEQ_CST) < state)
			return 0;
	}
	return 1;
}

static void __attribute__((noreturn)) child(void)
{
	int now;

	look_registers();
	look_signals();
	look_prctl();
	look_rights();
	look_scheduling();
	look_threads();
	look_files();
	look_proc();
	look_memory();
	look_probes();
	set_state(which_child, LOOKED);
	while ((now = __atomic_load_n(&board->state[which_child], __ATOMIC_SEQ_CST)) != LEAVE)
		sys(__NR_futex, &board->state[which_child], FUTEX_WAIT, now, 0);
	for (;;)
		sys(__NR_exit_group, 0);
}

/* One clone, from birth to end; -errno if there was none. */
static long one_clone(int which, long nr, long target)
{
	static int flags[2] = { SIGCHLD | 0x1000 /* CLONE_PIDFD */ };
	static struct cloneat_args args;
	long pid;

	which_child = which;
	args.flags = flags, args.flags_size = sizeof(flags);
	args.parent_tid_ptr = (long)&board->pidfd;
	pid = clone_patterned(nr, target, 0, (long)&args);
	if (pid == 0)
		child();
	if (pid < 0)
		return pid;
	if (nr == __NR_fork)
		board->pidfd = sys(__NR_pidfd_open, pid, 0);
	if (wait_state(which, LOOKED, board->pidfd))
		look_from_outside(pid);
	else
		key("died"), value("%d", (long)which), end();
	set_state(which, LEAVE);
	wait_state(which, LEAVE + 1, board->pidfd);
	sys(__NR_close, board->pidfd);
	sys(__NR_wait4, pid, 0, __WALL | WNOHANG, 0);
	return pid;
}

static void open_board(void)
{
	sys(__NR_mmap, BOARD_BASE, sizeof(*board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
	big_buf = (char *)sys(__NR_mmap, BOARD_BASE + (1UL << 30), BUF_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
}

static void become_rich(void)
{
	long fd = sys(__NR_openat, AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	sys(__NR_dup3, fd, PROC_FD, O_CLOEXEC);
	if (fd != PROC_FD)
		sys(__NR_close, fd);
	rich_memory();
	rich_memory_more();
	rich_size();
	rich_files();
	rich_sockets();
	rich_self();
	rich_rights();
	if (options & OPT_FILTER)
		rich_filter();
}

/* The caller as a child of cloneat: below a fork that waits, from here on. */
static long descend(void)
{
	static int flags[1] = { SIGCHLD };
	static struct cloneat_args args;
	long pid, nest = make_target("forked");

	args.flags = flags, args.flags_size = sizeof(flags);
	pid = sys(511, nest, 0, &args);
	if (pid <= 0)
		return pid;
	while (sys(__NR_kill, pid, 0) == 0 && board->told == 0) {
		struct { long sec, nsec; } again = { 0, 50000000 };

		sys(__NR_futex, &board->told, FUTEX_WAIT, 0, &again);
	}
	end_target();
	return pid;
}

static long work(const char *target)
{
	long forked, cloned, pid;

	rich_early();
	pid = str_eq(target, "twin") ? 0 : make_target(target);
	become_rich();
	if (str_eq(target, "twin"))
		pid = make_target(target);
	if (pid <= 0) {
		say("failed no target: %d\n", pid);
		return 1;
	}
	forked = one_clone(0, __NR_fork, pid);
	cloned = one_clone(1, 511, pid);
	end_target();
	if (forked < 0 || cloned < 0)
		say("errno %d\n", -(forked < 0 ? forked : cloned));
	else
		print_differences();
	tell_lacking();
	say("end\n");
	return 0;
}

static long start(const char *target)
{
	long pid;

	open_board();
	if (!(options & OPT_CHILD))
		return work(target);
	pid = descend();
	if (pid != 0) {
		if (pid < 0)
			say("errno %d\n", -pid);
		return pid < 0;
	}
	work(target);
	board->told = 1;
	sys(__NR_futex, &board->told, FUTEX_WAKE, 1);
	for (;;)
		sys(__NR_exit_group, 0);
}

/*
 * eye(target, dir, options, rseq, size): on our own stack. The only thing at
 * the image's start.
 */
long __attribute__((used)) eye_start(const char *target, const char *programs,
				     unsigned long opt, long rseq, long size)
{
	options = opt, dir = programs, rseq_at = rseq, rseq_size = size;
	form(scratch, sizeof(scratch), "/tmp/oracle-%d", sys(__NR_getpid));
	return start(target);
}

__asm__(".section .start, \"ax\"\n"
	".globl eye\n"
	"eye:\n"
	"push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
	"mov %rsp, %rbx\n"
	"lea stack+262080(%rip), %rsp\n"
	"call eye_start\n"
	"mov %rbx, %rsp\n"
	"pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
	"ret\n"
	".text\n");
