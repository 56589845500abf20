// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody writes a core dump into a pipe while a call is made: the dump is
 * whole.
 *
 *	check
 *	  +-- a         calls
 *	        +-- t        dumps
 *	        +-- s        dumps, and shares its memory with a
 *
 * This program is also what reads the dump, once the check opens the gate.
 */
#include "busy.h"

#define SIZE (4UL << 20)	/* of memory that is in the dump */
#define PATTERN "/proc/sys/kernel/core_pattern"

static struct actor a, t, s, k;

static char dir[] = "/tmp/cloneat-XXXXXX";

static void in_dir(char path[64], const char *of, const char *name)
{
	snprintf(path, 64, "%s/%s", of, name);
}

/* --- the reader of the dump --------------------------------------------- */

static void read_dump(const char *where)
{
	static char buf[65536];
	char path[64];
	long size = 0;
	ssize_t n;
	int fd;

	in_dir(path, where, "gate");
	close(open(path, O_RDONLY));
	while ((n = read(0, buf, sizeof(buf))) > 0)
		size += n;
	in_dir(path, where, "size");
	fd = open(path, O_WRONLY);
	_exit(write(fd, &size, sizeof(size)) != sizeof(size));
}

__attribute__((constructor))
static void maybe_read_dump(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--dump"))
		read_dump(argv[2]);
}

/* --- the dump ----------------------------------------------------------- */

static long do_grow(struct msg *m)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)m;
	if (p == MAP_FAILED || setrlimit(RLIMIT_CORE, &all))
		return -errno;
	memset(p, 1, SIZE);
	return 0;
}

/* In the pattern for as long as it takes to begin: others may crash as well. */
static void name_reader(char *old, size_t size)
{
	char self[PATH_MAX] = "";
	int fd = open(PATTERN, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		ct_skip("no core dumps here");
	old[must(read(fd, old, size - 1))] = 0;
	close(fd);
	must(readlink("/proc/self/exe", self, sizeof(self) - 1));
	if (ct_write(PATTERN, "|%s --dump %s", self, dir))
		ct_skip("core dumps cannot be piped here");
}

static void make_fifos(void)
{
	char path[64];

	mkdir("/tmp", 01777);
	expect(mkdtemp(dir));
	in_dir(path, dir, "gate");
	must(mkfifo(path, 0600));
	in_dir(path, dir, "size");
	must(mkfifo(path, 0600));
}

static void remove_fifos(void)
{
	char path[64];

	in_dir(path, dir, "gate");
	unlink(path);
	in_dir(path, dir, "size");
	unlink(path);
	rmdir(dir);
}

/* The actor is in the middle of its dump. */
static void begin_dump(struct actor *who)
{
	char old[256];
	char state;

	make_fifos();
	expect_eq(on(who, do_grow), 0);
	name_reader(old, sizeof(old));
	kill(who->pid, SIGQUIT);
	while (proc_field(who->pid, "CoreDumping") != 1) {
		state = proc_state(who->pid);
		if (state == 'Z')
			break;
		sched_yield();
	}
	/* The pipe is full. */
	while (proc_state(who->pid) != 'Z' && !is_asleep(who->pid))
		sched_yield();
	ct_write(PATTERN, "%s", old);
	if (proc_state(who->pid) == 'Z') {
		remove_fifos();
		ct_skip("nobody could read the dump here");
	}
}

/* What there is of it. */
static long end_dump(void)
{
	char path[64];
	long size = 0;
	int fd;

	in_dir(path, dir, "gate");
	fd = must(open(path, O_WRONLY | O_CLOEXEC));
	close(fd);
	in_dir(path, dir, "size");
	fd = must(open(path, O_RDONLY | O_CLOEXEC));
	expect_eq(read(fd, &size, sizeof(size)), sizeof(size));
	close(fd);
	remove_fifos();
	return size;
}

/* --- the checks --------------------------------------------------------- */

/* A call while the target dumps; the dump is whole. */
static long call_dumping(uint64_t target)
{
	long ret;

	spawn(&me, &a, 0);
	spawn(&a, &t, target);
	begin_dump(&t);
	ret = cl(&a, &k, t.pid, 0, 0);
	expect(end_dump() >= (long)SIZE);
	return ret;
}

static void target_whole(uint64_t target)
{
	long ret = call_dumping(target);

	if (ret != -EBUSY)	/* documented: see target */
		expect_ok(ret);
}

PLAY(target_forked, "a target that dumps core: the dump is whole (forked)")
{
	target_whole(0);
}

PLAY(target_shared, "a target that dumps core: the dump is whole (shared memory)")
{
	target_whole(CLONE_VM);
}

PLAY(company, "who shares the caller's memory dumps core: the dump is whole")
{
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	spawn(&a, &s, CLONE_VM);
	begin_dump(&s);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect(end_dump() >= (long)SIZE);
}

PLAY_DOCUMENTED(target, "a target that dumps core has a child",
		"an interrupt would end the dump, so the emulator answers EBUSY")
{
	expect_ok(call_dumping(0));
}
