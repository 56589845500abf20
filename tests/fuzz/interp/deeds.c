// SPDX-License-Identifier: Apache-2.0
/* What an actor does other than to make another. */
#include "interp.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define RESTORER 0x04000000UL	/* SA_RESTORER, which the C library hides */

volatile long data_cell;

/*
 * Whose real ids are not the effective ones may lose the latter if it shares its
 * root (cap_bprm_creds_from_file()), before Linux 6.16: no exec for those.
 */
static bool has_other_ids(void)
{
	return raw(SYS_getuid, 0, 0, 0, 0, 0, 0) != raw(SYS_geteuid, 0, 0, 0, 0, 0, 0) ||
	       raw(SYS_getgid, 0, 0, 0, 0, 0, 0) != raw(SYS_getegid, 0, 0, 0, 0, 0, 0);
}

static long do_exec(int i)
{
	char digits[3] = { '0' + i / 10, '0' + i % 10, 0 };
	char name[] = "interp", flag[] = "--actor";
	char *argv[] = { name, flag, digits, NULL }, *env[] = { NULL };

	if (has_other_ids())
		return -EPERM;
	return raw(SYS_execveat, EXE_FD, (long)"", (long)argv, (long)env,
		   AT_EMPTY_PATH, 0);
}

static long do_write(long cell, long value)
{
	volatile long *where[CELLS] = {
		&data_cell, (long *)PRIVATE_CELL, (long *)SHARED_CELL,
		(long *)FILE_CELL,
	};

	*where[cell % CELLS] = value;
	return 0;
}

/* Four pages, the first word of each tells them apart. */
static long open_memory(long at)
{
	long fd = raw(SYS_memfd_create, (long)"fuzz", 2 /* MFD_ALLOW_SEALING */,
		      0, 0, 0, 0);

	if (fd < 0)
		return fd;
	raw(SYS_ftruncate, fd, 4 * 4096, 0, 0, 0, 0);
	for (long i = 0; i < 4; i++) {
		long value = 1000 + 10 * at + i;

		raw(SYS_pwrite64, fd, (long)&value, sizeof(value), i * 4096, 0, 0);
	}
	return fd;
}

static long do_open(long fd, long what)
{
	long got;

	if (what == 0)
		got = open_memory(fd);
	else if (what == 1)
		got = raw(SYS_openat, AT_FDCWD, (long)"/", O_RDONLY | O_DIRECTORY,
			  0, 0, 0);
	else if (what == 2)
		got = raw(SYS_eventfd2, 7, 0, 0, 0, 0, 0);
	else if (what == 3)
		got = raw(SYS_timerfd_create, 1, 0, 0, 0, 0, 0);
	else if (what == 4)
		got = raw(SYS_epoll_create1, 0, 0, 0, 0, 0, 0);
	else if (what == 5)
		got = raw(SYS_openat, AT_FDCWD, (long)"/", O_PATH, 0, 0, 0);
	else if (what == 6)
		got = raw(SYS_pidfd_open, raw(SYS_getpid, 0, 0, 0, 0, 0, 0), 0,
			  0, 0, 0, 0);
	else if (what == 7)
		got = raw(SYS_socket, 1, 2, 0, 0, 0, 0);
	else
		got = raw(SYS_openat, AT_FDCWD, (long)"/proc/self/exe", O_RDONLY,
			  0, 0, 0);
	if (got < 0)
		return got;
	raw(SYS_dup3, got, fd, what == 1 ? O_CLOEXEC : 0, 0, 0, 0);
	return raw(SYS_close, got, 0, 0, 0, 0, 0);
}

static long do_setid(long id)
{
	long ret = raw(SYS_setgroups, 0, 0, 0, 0, 0, 0);

	if (!ret)
		ret = raw(SYS_setresgid, id, id, id, 0, 0, 0);
	if (!ret)
		ret = raw(SYS_setresuid, id, id, id, 0, 0, 0);
	return ret;
}

static long do_caps(uint64_t keep)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	long ret = raw(SYS_capget, (long)&h, (long)d, 0, 0, 0, 0);

	for (int i = 0; i < 2; i++) {
		d[i].effective &= (uint32_t)(keep >> 32 * i);
		d[i].permitted &= (uint32_t)(keep >> 32 * i);
		d[i].inheritable = 0;
	}
	return ret ? ret : raw(SYS_capset, (long)&h, (long)d, 0, 0, 0, 0);
}

static void handler(int sig)
{
	(void)sig;
}

/* Where a handler returns to: the kernel demands one on x86-64. */
static void __attribute__((naked)) restorer(void)
{
	__asm__("mov %0, %%eax\n\tsyscall" : : "i"(SYS_rt_sigreturn));
}

static long do_signal(long sig, long how)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} sa = { .flags = RESTORER, .restorer = restorer };

	sa.handler = how == 0 ? SIG_DFL : how == 1 ? SIG_IGN : handler;
	return raw(SYS_rt_sigaction, sig, (long)&sa, 0, 8, 0, 0);
}

static long do_setns(long pid, long flags)
{
	long fd = raw(SYS_pidfd_open, pid, 0, 0, 0, 0, 0), ret;

	/* Of a thread: EINVAL, or since 6.14 ENOENT (pidfd_prepare()). */
	if (fd == -ENOENT)
		return -EINVAL;
	if (fd < 0)
		return fd;
	ret = raw(SYS_setns, fd, flags, 0, 0, 0, 0);
	raw(SYS_close, fd, 0, 0, 0, 0, 0);
	return ret;
}

static long do_rlimit(long resource, long value)
{
	struct rlimit r = { value, value };

	return raw(SYS_setrlimit, resource, (long)&r, 0, 0, 0, 0);
}

long do_deed(int i, const struct command *c, struct answer *a)
{
	const long *g = c->arg;

	switch (c->kind) {
	case DO_SYSCALL: return raw(g[0], g[1], g[2], g[3], g[4], g[5], g[6]);
	case DO_EXEC: return do_exec(i);
	case DO_WAIT: return raw(SYS_wait4, g[0], (long)&a->extra,
				 WNOHANG | __WALL, 0, 0, 0);
	case DO_WRITE: return do_write(g[0], g[1]);
	case DO_OPEN: return do_open(g[0], g[1]);
	case DO_SETID: return do_setid(g[0]);
	case DO_CAPS: return do_caps(g[0]);
	case DO_SIGNAL: return do_signal(g[0], g[1]);
	case DO_BLOCK: return raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&g[0],
				  0, 8, 0, 0);
	case DO_SETNS: return do_setns(g[0], g[1]);
	case DO_RLIMIT: return do_rlimit(g[0], g[1]);
	default: return do_trait(c);
	}
}
