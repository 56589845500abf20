// SPDX-License-Identifier: GPL-2.0
/*
 * A caller whose functions are traced by uprobes, it alone: its child runs them as one
 * of fork(), untraced.
 *
 *	check      is traced
 *	  +-- target
 *	        +-- kid
 */
#include "scene.h"
#include <linux/perf_event.h>

#define TYPE "/sys/bus/event_source/devices/uprobe/type"
#define ON_RETURN 1

static __attribute__((noinline, noclone)) long traced(long n)
{
	asm volatile("" : "+r"(n));
	return n + 1;
}

static long do_traced(struct msg *m)
{
	return traced(m->arg[0]);
}

/* Where the file of this program has the code at addr. */
static unsigned long offset_of(unsigned long addr)
{
	unsigned long start, end, offset;
	char line[PATH_MAX];
	FILE *f = fopen("/proc/self/maps", "re");

	expect(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 &&
		    addr >= start && addr < end) {
			fclose(f);
			return addr - start + offset;
		}
	}
	fclose(f);
	return 0;
}

/* Traces the function of this process at addr, or its return. */
static void trace(void *addr, int how)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.config = how,
		.config1 = (unsigned long)"/proc/self/exe",
		.config2 = offset_of((unsigned long)addr),
	};
	FILE *f = fopen(TYPE, "re");
	int type;
	long fd;

	if (!f)
		ct_skip("no %s here", TYPE);
	expect_eq(fscanf(f, "%d", &type), 1);
	fclose(f);
	attr.type = type;
	fd = ct_syscall6(SYS_perf_event_open, (long)&attr, getpid(), -1, -1,
			 PERF_FLAG_FD_CLOEXEC, 0);
	if (fd == -EACCES || fd == -EPERM || fd == -EINVAL || fd == -ENOTSUPP)
		ct_skip("no uprobes here: %s", ct_errname(-fd));
	expect_ok(fd);
}

static void entered(enum kind kind)
{
	struct actor store, k, *t = target_of(kind, &store);

	trace(traced, 0);
	expect_eq(traced(1), 2);
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	expect_eq(on(&k, do_traced, 41), 42);
	expect_eq(traced(2), 3);
}

static const struct kinds rows[] = {
	KINDS(entered, "a function of the caller's is traced: in the child it runs"),
};

PLAY_TABLE(kinds, rows)
{
	play_kind();
}

/* Calls: the child comes back from here as well. */
static __attribute__((noinline, noclone)) long calls(pid_t target)
{
	long ret = cloneat_words(target, 0, SIGCHLD, 0);

	asm volatile("" : "+r"(ret));
	return ret;
}

/* How a child of the target's ends that has to come back. */
static void comes_back(struct actor *t)
{
	long ret;

	trace(calls, ON_RETURN);
	ret = calls(t->vpid);
	if (!ret)
		_exit(7);
	expect_ok(ret);
	expect_eq(on(t, do_wait4, -1, __WALL) > 0, 1);
	expect_eq(status_of(t), EXITED(7));
}

PLAY(returned_init, "a function that calls is traced where it returns (target: init)")
{
	struct actor t;

	spawn(&me, &t, CLONE_NEWPID);
	comes_back(&t);
}

PLAY_DOCUMENTED(returned, "a function that calls is traced where it returns",
		"the kernel alone knows whereto: EOPNOTSUPP")
{
	struct actor t;

	spawn(&me, &t, ACTOR_EXEC);
	comes_back(&t);
}

#ifdef __x86_64__

/* A function of code that a kernel replaces by a call of its own (Linux 7.3). */
long padded(long n);
asm(".text; padded:; "
	".byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0; "
	"lea 1(%rdi), %rax; ret");

static long do_padded(struct msg *m)
{
	return padded(m->arg[0]);
}

PLAY_DOCUMENTED(replaced, "a function that is traced by code in its place",
		"the kernel alone can make that: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	trace(padded, 0);
	expect_eq(padded(1), 2);
	expect_eq(padded(2), 3);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_padded, 41), 42);
}

#endif
