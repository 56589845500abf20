// SPDX-License-Identifier: Apache-2.0
/* What the caller sees of its child, which waits: shared files, traced state. */
#include "eye.h"
#include <asm/unistd.h>
#include <linux/kcmp.h>
#include <linux/ptrace.h>
#include <sys/wait.h>

static long compare(long me, long pid, long type, long a, long b)
{
	long ret = sys(__NR_kcmp, me, pid, type, a, b);

	return ret > 0 ? 1 : ret;	/* the order of what differs is by chance */
}

static void look_shared(long pid)
{
	static const char *const names[] = { "", "vm", "files", "fs", "sighand", "io", "sysvsem" };
	long me = sys(__NR_getpid);

	for (long type = KCMP_VM; type <= KCMP_SYSVSEM; type++)
		key("kcmp.%s", names[type]), value("%d", compare(me, pid, type, 0, 0)), end();
	for (long fd = 0; fd < 1100; fd++) {
		long ret = compare(me, pid, KCMP_FILE, fd, fd);

		if (ret != -9)
			key("kcmp.fd.%d", fd), value("%d", ret), end();
	}
}

static void look_regset(long pid, const char *name, long type)
{
	static unsigned char buf[16384];
	struct { void *base; size_t len; } iov = { buf, sizeof(buf) };
	long ret = sys(__NR_ptrace, PTRACE_GETREGSET, pid, type, &iov);
	unsigned long sum = 0;

	for (size_t i = 0; ret == 0 && i < iov.len; i++)
		sum = sum * 31 + buf[i];
	key("traced.%s", name);
	if (type == 0x202)	/* XSTATE changes as the child runs */
		sum = 0;
	value("%d %d %x", ret, ret ? 0 : (long)iov.len, sum), end();
}

static void look_traced(long pid)
{
	unsigned long mask = 0, dispatch[4] = { 0 };
	int status;

	if (sys(__NR_ptrace, PTRACE_SEIZE, pid, 0, 0) < 0)
		{ line("traced", "no"); return; }
	sys(__NR_ptrace, PTRACE_INTERRUPT, pid, 0, 0);
	sys(__NR_wait4, pid, &status, __WALL, 0);
	sys(__NR_ptrace, PTRACE_GETSIGMASK, pid, 8, &mask);
	line("traced.mask", "%x", mask);
	look_regset(pid, "ioperm", 0x201);
	look_regset(pid, "segments", 0x200);
	look_regset(pid, "xstate", 0x202);
	line("traced.dispatch", "%d %x", sys(__NR_ptrace, 0x4211, pid, sizeof(dispatch), dispatch), dispatch[0]);
	sys(__NR_ptrace, PTRACE_DETACH, pid, 0, 0);
}

void look_from_outside(int pid)
{
	look_shared(pid);
	look_traced(pid);
}
