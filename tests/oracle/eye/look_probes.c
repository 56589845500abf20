// SPDX-License-Identifier: Apache-2.0
/* What shows only when it is tried; last, because it changes the child. */
#include "eye.h"
#include <asm/unistd.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* The wait status of a child of ours that does it. */
static long try_apart(void (*fn)(void))
{
	int status = -1;
	long pid = fork_raw();

	if (pid == 0) {
		fn();
		sys(__NR_exit_group, 0);
	}
	sys(__NR_wait4, pid, &status, __WALL, 0);
	return status;
}

static void nothing(void)
{
}

/* A port that nobody reads from: allowed by ioperm(2) or iopl(2) alone. */
static void use_port(void)
{
	struct { long handler, flags, restorer, mask; } dfl = { 0 };

	sys(__NR_prctl, PR_SET_DUMPABLE, 0);	/* no core in the directory watched */
	sys(__NR_rt_sigaction, SIGSEGV, &dfl, 0, 8);
	__asm__ volatile("in $0x80, %%al" : : : "rax");
}

/* Where the next mapping goes, and what flags it has. */
static void look_fresh(void)
{
	long at = sys(__NR_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *text = big_buf, *l, head[32];
	int found = 0;

	line("probe.mmap_at", "%x", at);
	sys(__NR_munmap, at, 4096);
	at = sys(__NR_mmap, BOARD_BASE + (3UL << 30), 4096, PROT_READ,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (options & OPT_MAPS)
		return;
	form(head, sizeof(head), "%x-", at);
	slurp("smaps", big_buf, BUF_SIZE);
	while ((l = next_line(&text))) {
		found |= starts(l, head);
		if (found && starts(l, "VmFlags")) {
			line("probe.mmap_flags", "%s", l);
			return;
		}
	}
}

static void look_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct { short type, whence; int pad; long start, len; int pid, pad2; } lock = { .type = F_WRLCK };

	for (long fd = 0; fd < 400; fd++) {
		long ret = sys(__NR_epoll_ctl, 210, EPOLL_CTL_ADD, fd, &event);

		if (ret != -9 && ret != -1)	/* EBADF, EPERM */
			key("probe.epoll.%d", fd), value("%d", ret), end();
		if (ret == 0)
			sys(__NR_epoll_ctl, 210, EPOLL_CTL_DEL, fd, &event);
	}
	sys(__NR_fcntl, 201, F_GETLK, &lock);
	line("probe.posix_lock", "%d", (long)lock.type);
}

void look_probes(void)
{
	line("probe.filter", "%d", sys(1023));
	line("probe.next_fd", "%d", sys(__NR_dup, PROC_FD));
	line("probe.pkey", "%d", sys(__NR_pkey_alloc, 0, 0));
	line("probe.fork", "%d", try_apart(nothing));
	if (port_allowed)
		line("probe.port", "%d", try_apart(use_port));
	look_epoll();
	look_fresh();
	/* What PR_SET_TIMERSLACK 0 goes back to. */
	sys(__NR_prctl, PR_SET_TIMERSLACK, 0, 0, 0, 0);
	line("probe.timerslack_default", "%d", sys(__NR_prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0));
}
