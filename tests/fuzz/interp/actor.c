// SPDX-License-Identifier: Apache-2.0
/* The loop around an actor's end of its channel: see interp.h. */
#include "interp.h"
#include <sys/mman.h>
#include <sys/syscall.h>

long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static long obey(int i, const struct command *c, struct answer *a)
{
	switch (c->kind) {
	case DO_CLONE: return do_clone(c);
	case DO_CLONE3: return do_clone3(c);
	case DO_CLONEAT: return do_cloneat(c, a);
	case DO_REPORT: do_report(a->report); return 0;
	default: return do_deed(i, c, a);
	}
}

void actor(int i)
{
	struct command c;
	struct answer a = { 0 };
	long n;

	for (;;) {
		a.tid = raw(SYS_gettid, 0, 0, 0, 0, 0, 0);
		raw(SYS_sendto, CHANNEL_FD + i, (long)&a, sizeof(a), 0, 0, 0);
		do {
			n = raw(SYS_recvfrom, CHANNEL_FD + i, (long)&c,
				sizeof(c), 0, 0, 0);
		} while (n == -4 /* EINTR */);
		if (n != sizeof(c))
			raw(SYS_exit, 99, 0, 0, 0, 0, 0);
		a.extra = 0;
		a.ret = obey(i, &c, &a);
	}
}

long first_brk;

static void map_at(unsigned long at, int flags, int fd)
{
	raw(SYS_mmap, at, 4096, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
}

/* The memory that programs write to, at the same addresses in everybody. */
void actor_memory(void)
{
	long fd;

	first_brk = raw(SYS_brk, 0, 0, 0, 0, 0, 0);
	fd = raw(SYS_memfd_create, (long)"cell", 0, 0, 0, 0, 0);

	raw(SYS_ftruncate, fd, 4096, 0, 0, 0, 0);
	map_at(PRIVATE_CELL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map_at(SHARED_CELL, MAP_SHARED | MAP_ANONYMOUS, -1);
	map_at(FILE_CELL, MAP_PRIVATE, fd);
	raw(SYS_close, fd, 0, 0, 0, 0, 0);
	raw(SYS_mmap, MEM, MEM_PAGES / 2 * 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
