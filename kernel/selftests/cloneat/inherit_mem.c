// SPDX-License-Identifier: GPL-2.0
/*
 * The child's memory is the caller's, as after fork(): private memory copied,
 * shared memory shared, the advice and the protection of each mapping kept.
 *
 *	check      owns the memory
 *	  +-- target    has its own, which must not show
 *	        +-- kid
 */
#include "scene.h"
#include <linux/io_uring.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>

/* The memory of one check; the kid has its copy of this variable. */
static long *area;

static void get_area(int prot, int flags, int fd)
{
	area = mmap(NULL, 4 * PAGE, prot, flags, fd, 0);
	expect(area != MAP_FAILED);
}

static long do_read(struct msg *m)
{
	return area[m->arg[0]];
}

static long do_write(struct msg *m)
{
	area[m->arg[0]] = m->arg[1];
	return 0;
}

/* 0 if the whole area is mapped, -ENOMEM if a part is not. */
static long do_mincore(struct msg *m)
{
	unsigned char vec[4];

	(void)m;
	return ct_syscall3(SYS_mincore, area, 4 * PAGE, vec);
}

/* Can the kernel read there, can it write? -EFAULT if not. */
static long do_probe(struct msg *m)
{
	int p[2], fd;
	long ret;

	if (pipe(p))
		return -errno;
	fd = m->arg[1] ? p[0] : p[1];
	ret = write(p[1], "x", 1);
	ret = ct_syscall3(m->arg[1] ? SYS_read : SYS_write, fd,
			  area + m->arg[0], 1);
	close(p[0]);
	close(p[1]);
	return ret;
}

/* Memory of one's own in the area's place, all of whose words are arg[1]. */
static long do_replace(struct msg *m)
{
	long *at = mmap(area, 4 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < 4 * PAGE / sizeof(*at); i++)
		at[i] = m->arg[1];
	return 0;
}

/*
 * A forked target has all of this from the check: so that it tells whose memory
 * the kid has, the target spoils its own.
 */
static void kid_of_spoilt(enum kind kind, struct actor *kid, actor_fn spoil,
			  long at)
{
	struct actor store, *t = target_of(kind, &store);

	if (kind == FORKED)
		expect_eq(on(t, spoil, at, 999), 0);
	expect_ok(cl(&me, kid, t->pid, 0, 0));
}

static int file_of(long word)
{
	int fd = must(memfd_create("area", MFD_CLOEXEC));

	must(ftruncate(fd, 4 * PAGE));
	expect_eq(pwrite(fd, &word, sizeof(word), 0), sizeof(word));
	return fd;
}

/* The kid sees what we wrote before; neither sees what the other writes. */
static void private_copy(enum kind kind)
{
	struct actor k;

	kid_of_spoilt(kind, &k, do_write, 0);
	expect_eq(on(&k, do_read, 0), 100);
	area[0] = 101;
	expect_eq(on(&k, do_read, 0), 100);
	expect_eq(on(&k, do_write, 0, 102), 0);
	expect_eq(area[0], 101);
	expect_eq(on(&k, do_read, 0), 102);
}

/* Each sees what the other writes. */
static void shared_both(enum kind kind)
{
	struct actor k;

	kid_of_spoilt(kind, &k, do_replace, 0);
	expect_eq(on(&k, do_read, 0), 100);
	area[0] = 101;
	expect_eq(on(&k, do_read, 0), 101);
	expect_eq(on(&k, do_write, 0, 102), 0);
	expect_eq(area[0], 102);
}

static void private_anon(enum kind kind)
{
	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	area[0] = 100;
	private_copy(kind);
}

static void private_file(enum kind kind)
{
	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE, file_of(1));
	expect_eq(area[0], 1);
	area[0] = 100;
	private_copy(kind);
}

static void private_stack(enum kind kind)
{
	volatile long words[4] = { 100 };

	area = (long *)words;
	private_copy(kind);
}

static void private_heap(enum kind kind)
{
	area = malloc(PAGE);
	expect(area);
	area[0] = 100;
	private_copy(kind);
}

static void private_brk(enum kind kind)
{
	area = sbrk(4 * PAGE);
	expect(area != (void *)-1);
	area[0] = 100;
	private_copy(kind);
}

static void private_data(enum kind kind)
{
	static long words[4];

	area = words;
	area[0] = 100;
	private_copy(kind);
}

static void shared_anon(enum kind kind)
{
	get_area(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	area[0] = 100;
	shared_both(kind);
}

static void shared_memfd(enum kind kind)
{
	get_area(PROT_READ | PROT_WRITE, MAP_SHARED, file_of(100));
	shared_both(kind);
}

/* A file on a file system, whose name is gone. */
static void get_deleted(char *name)
{
	long word = 100;
	int fd = mkstemp(name);

	if (fd < 0 && (errno == EROFS || errno == EACCES))
		ct_skip("%s: %s", name, ct_errname(errno));
	must(fd);
	must(unlink(name));
	must(ftruncate(fd, 4 * PAGE));
	expect_eq(pwrite(fd, &word, sizeof(word), 0), sizeof(word));
	get_area(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	close(fd);
}

static void shared_deleted(enum kind kind)
{
	char name[] = "/tmp/cloneat-XXXXXX";

	mkdir("/tmp", 01777);
	get_deleted(name);
	shared_both(kind);
}

/* So /proc/PID/maps names memory that is none of a file's, or nearly so. */
static void shared_alike(enum kind kind)
{
	static char names[][20] = {
		"/SYSV-XXXXXX", "/secretmem-XXXXXX", "/[aio]-XXXXXX",
	};

	for (size_t i = 0; i < ct_count(names); i++) {
		get_deleted(names[i]);
		shared_both(kind);
	}
}

/* The area is a segment that goes with the last who has it: its number. */
static int get_segment(size_t size)
{
	int id = shmget(IPC_PRIVATE, size, 0600);

	if (id < 0 && errno == ENOSYS)
		ct_skip("this kernel has no System V shared memory");
	must(id);
	area = shmat(id, NULL, 0);
	must(shmctl(id, IPC_RMID, NULL));
	expect(area != (void *)-1);
	return id;
}

static void shared_sysv(enum kind kind)
{
	get_segment(4 * PAGE);
	area[0] = 100;
	shared_both(kind);
}

static unsigned long attached(int id)
{
	struct shmid_ds ds;

	must(shmctl(id, IPC_STAT, &ds));
	return ds.shm_nattch;
}

/*
 * What is left of a segment: page 1 is protected, 3 has been replaced by memory of one's
 * own, 5 lies elsewhere, 6 is code.
 */
static void sysv_pieces(enum kind kind)
{
	const int words = PAGE / sizeof(*area), keep[] = { 0, 1, 2, 4, 6, 7 };
	int id = get_segment(8 * PAGE);
	long *moved, at;
	unsigned long mine, all;
	struct actor k;

	for (int i = 0; i < 8; i++)
		area[i * words] = 100 + i;
	moved = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(mremap((void *)(area + 5 * words), PAGE, PAGE,
		      MREMAP_MAYMOVE | MREMAP_FIXED, moved) == moved);
	expect(mmap((void *)(area + 3 * words), PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	       area + 3 * words);
	area[3 * words] = 33;
	must(mprotect((void *)(area + words), PAGE, PROT_READ));
	must(mprotect((void *)(area + 6 * words), PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	at = moved - area;
	mine = attached(id);
	kid_of(kind, &k);
	all = attached(id);
	/* A forked target has it, too. */
	expect_eq(all, (kind == FORKED ? 3 : 2) * mine);
	for (size_t i = 0; i < ct_count(keep); i++)
		expect_eq(on(&k, do_read, keep[i] * words), 100 + keep[i]);
	expect_eq(on(&k, do_read, at), 105);
	expect_eq(on(&k, do_read, 3 * words), 33);
	expect_eq(on(&k, do_write, 3 * words, 34), 0);
	expect_eq(area[3 * words], 33);
	expect_eq(on(&k, do_write, at, 205), 0);
	expect_eq(*moved, 205);
	expect_eq(on(&k, do_write, 7 * words, 207), 0);
	expect_eq(area[7 * words], 207);
	expect_eq(on(&k, do_probe, words, 1), -EFAULT);
	/* Detached at once, but for what lies elsewhere. */
	expect_eq(sys(&k, SYS_shmdt, (long)area), 0);
	expect_eq(attached(id), all - mine + 1);
	expect_eq(on(&k, do_read, at), 205);
	expect_eq(on(&k, do_read, 3 * words), 34);
}

/* A segment of an ipc namespace that the caller has left, for one with the same number. */
static void left_segment(enum kind kind)
{
	struct actor k;
	long *theirs;
	int id;

	must(unshare(CLONE_NEWIPC));
	id = get_segment(PAGE);
	theirs = area;
	theirs[0] = 100;
	must(unshare(CLONE_NEWIPC));
	expect_eq(get_segment(PAGE), id);
	area[0] = 200;
	area = theirs;
	kid_of(kind, &k);
	expect_eq(on(&k, do_read, 0), 100);
	expect_eq(on(&k, do_write, 0, 101), 0);
	expect_eq(area[0], 101);
}

/* Private before and after: a page that was never touched reads as 0. */
static void untouched(enum kind kind)
{
	struct actor k;

	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	kid_of_spoilt(kind, &k, do_write, 512);
	expect_eq(on(&k, do_mincore), 0);
	expect_eq(on(&k, do_read, 512), 0);
	expect_eq(on(&k, do_write, 512, 5), 0);
	expect_eq(area[512], 0);
}

static void read_only(enum kind kind)
{
	struct actor k;

	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	area[0] = 100;
	must(mprotect(area, 4 * PAGE, PROT_READ));
	kid_of_spoilt(kind, &k, do_replace, 0);
	expect_eq(on(&k, do_read, 0), 100);
	expect_eq(on(&k, do_probe, 0, 1), -EFAULT);
}

static void no_access(enum kind kind)
{
	struct actor k;

	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	area[0] = 100;
	must(mprotect(area, 4 * PAGE, PROT_NONE));
	kid_of_spoilt(kind, &k, do_replace, 0);
	expect_eq(on(&k, do_mincore), 0);
	expect_eq(on(&k, do_probe, 0, 0), -EFAULT);
	expect_eq(sys(&k, SYS_mprotect, (long)area, PAGE, PROT_READ), 0);
	expect_eq(on(&k, do_read, 0), 100);
}

static void dont_fork(enum kind kind)
{
	struct actor k;

	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	area[0] = 100;
	must(madvise(area, 4 * PAGE, MADV_DONTFORK));
	kid_of_spoilt(kind, &k, do_replace, 0);
	expect_eq(on(&k, do_mincore), -ENOMEM);
	expect_eq(area[0], 100);
}

static void wipe_on_fork(enum kind kind)
{
	struct actor k;

	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	area[0] = 100;
	must(madvise(area, 4 * PAGE, MADV_WIPEONFORK));
	kid_of_spoilt(kind, &k, do_replace, 0);
	expect_eq(on(&k, do_mincore), 0);
	expect_eq(on(&k, do_read, 0), 0);
	expect_eq(area[0], 100);
}

static void mapped_hole(enum kind kind)
{
	struct actor k;

	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	area[0] = 100;
	area[1024] = 200;
	must(munmap((char *)area + PAGE, PAGE));
	kid_of_spoilt(kind, &k, do_replace, 0);
	expect_eq(on(&k, do_mincore), -ENOMEM);
	expect_eq(on(&k, do_read, 0), 100);
	expect_eq(on(&k, do_read, 1024), 200);
}

/* A value at the far end of a big area: more than one page table. */
static void big(enum kind kind)
{
	size_t size = 64UL << 20;
	struct actor k;

	area = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(area != MAP_FAILED);
	for (size_t at = 0; at < size / sizeof(long); at += 1 << 18)
		area[at] = at + 1;
	kid_of_spoilt(kind, &k, do_write, 777);
	for (size_t at = 0; at < size / sizeof(long); at += 1 << 18)
		expect_eq(on(&k, do_read, at), (long)at + 1);
	expect_eq(on(&k, do_read, 777), 0);
}

static long do_lock_of(struct msg *m)
{
	(void)m;
	return proc_field(ct_pid(), "VmLck");
}

static void locked(enum kind kind)
{
	struct actor k;

	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	must(mlock(area, 4 * PAGE));
	expect_eq(on(&me, do_lock_of), 16);
	kid_of(kind, &k);
	expect_eq(on(&k, do_lock_of), 0);
}

/* The code runs: a function on a page of its own. */
static long do_execute_area(struct msg *m)
{
	(void)m;
	return ((long (*)(void))area)();
}

static void executable(enum kind kind)
{
#ifdef __x86_64__
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	struct actor k;

	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memcpy(area, code, sizeof(code));
	must(mprotect(area, 4 * PAGE, PROT_READ | PROT_EXEC));
	kid_of_spoilt(kind, &k, do_replace, 0);
	expect_eq(on(&k, do_execute_area), 42);
	expect_eq(on(&k, do_probe, 0, 1), -EFAULT);
#else
	(void)kind;
	(void)do_execute_area;
	ct_skip("machine code of x86-64");
#endif
}

/* mmap() in the child goes on where fork would: brk and stack still grow. */
static long do_grow(struct msg *m)
{
	char *old = sbrk(1 << 20);

	(void)m;
	if (old == (void *)-1)
		return -errno;
	memset(old, 1, 1 << 20);
	return old[(1 << 20) - 1];
}

static long do_deep(struct msg *m)
{
	volatile char deep[1 << 20];

	(void)m;
	for (size_t i = sizeof(deep); i; i -= 1024)
		deep[i - 1024] = 7;
	return deep[0];
}

static void grows(enum kind kind)
{
	struct actor k;

	kid_of(kind, &k);
	expect_eq(on(&k, do_grow), 1);
	expect_eq(on(&k, do_deep), 7);
}

/* The vdso works: its clock and the system call agree to the second or so. */
static long do_vdso(struct msg *m)
{
	struct timespec a, b, c;

	(void)m;
	ct_syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, &a, 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	ct_syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, &c, 0);
	return (a.tv_sec < b.tv_sec ||
		(a.tv_sec == b.tv_sec && a.tv_nsec <= b.tv_nsec)) &&
	       (b.tv_sec < c.tv_sec ||
		(b.tv_sec == c.tv_sec && b.tv_nsec <= c.tv_nsec));
}

static void vdso(enum kind kind)
{
	struct actor k;

	kid_of(kind, &k);
	expect_eq(on(&k, do_vdso), 1);
}

/* The protection key of the mapping at m->arg[0], or -errno. */
static long do_key_of(struct msg *m)
{
	char text[256];
	long err = vma_line(m->arg[0], "ProtectionKey:", text, sizeof(text));

	return err ?: strtol(text, NULL, 10);
}

/* One key is used, one is free again, and one is the kernel's own. */
static void keys(enum kind kind)
{
	long first = sys(&me, SYS_pkey_alloc, 0, 0), second, own;
	char *code = mmap(NULL, PAGE, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct actor k;

	if (first < 0)
		ct_skip("no protection keys here: %s", ct_errname(-first));
	second = expect_ok(sys(&me, SYS_pkey_alloc, 0, 0));
	get_area(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	area[0] = 100;
	expect_eq(sys(&me, SYS_pkey_mprotect, (long)area, 4 * PAGE,
		      PROT_READ | PROT_WRITE, second), 0);
	expect_eq(sys(&me, SYS_pkey_free, first), 0);
	own = on(&me, do_key_of, (long)code);
	kid_of(kind, &k);
	expect_eq(on(&k, do_read, 0), 100);
	expect_eq(on(&k, do_key_of, (long)area), second);
	expect_eq(on(&k, do_key_of, (long)code), own);
	expect_eq(sys(&k, SYS_pkey_alloc, 0, 0), first);
	expect_eq(sys(&k, SYS_pkey_free, second), 0);
	expect_eq(sys(&k, SYS_pkey_free, second), -EINVAL);
}

/* What lies above 2^47 is given to those alone that ask for it there. */
static long do_map_high(struct msg *m)
{
	long *p = mmap((void *)m->arg[0], PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if ((long)p != m->arg[0])
		return -ENXIO;
	*p = m->arg[1];
	return 0;
}

static long do_read_high(struct msg *m)
{
	unsigned char there;

	if (ct_syscall3(SYS_mincore, m->arg[0], PAGE, &there))
		return 0;
	return *(long *)m->arg[0];
}

static void high(enum kind kind)
{
	const long mine = 1L << 50, theirs = 1L << 51;
	struct actor store, *t, k;

	t = target_of(kind, &store);
	if (on(&me, do_map_high, mine, 100))
		ct_skip("there is no memory above 2^47");
	if (kind != SELF)
		expect_eq(on(t, do_map_high, theirs, 200), 0);
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	expect_eq(on(&k, do_read_high, mine), 100);
	expect_eq(on(&k, do_read_high, theirs), 0);
	expect_eq(on(&me, do_read_high, mine), 100);
	expect_eq(on(t, do_read_high, theirs), kind == SELF ? 0 : 200);
}

static const struct kinds rows[] = {
	KINDS(private_anon, "anonymous private memory is copied"),
	KINDS(private_file, "a private file mapping is copied"),
	KINDS(private_stack, "the stack is copied"),
	KINDS(private_heap, "the heap is copied"),
	KINDS(private_brk, "memory of brk() is copied"),
	KINDS(private_data, "the data segment is copied"),
	KINDS(shared_anon, "anonymous shared memory is shared"),
	KINDS(shared_memfd, "a shared mapping of a memfd is shared"),
	KINDS(shared_deleted, "a shared mapping of a deleted file is shared"),
	KINDS(shared_alike, "so is one of a file named as the kernel names others"),
	KINDS(shared_sysv, "System V shared memory stays attached"),
	KINDS(sysv_pieces, "pieces of System V memory stay what they are"),
	{ "sysv_left_self", "System V memory of an ipc namespace that was left (target: self)",
	  SELF, left_segment },
	{ "sysv_left_forked", "System V memory of an ipc namespace that was left (target: forked)",
	  FORKED, left_segment },
	KINDS(untouched, "memory never touched reads as zeros"),
	KINDS(read_only, "read-only memory stays read-only"),
	KINDS(no_access, "memory without access keeps its contents"),
	KINDS(dont_fork, "MADV_DONTFORK memory is not in the child"),
	KINDS(wipe_on_fork, "MADV_WIPEONFORK memory is zeros in the child"),
	KINDS(mapped_hole, "a hole between mappings stays a hole"),
	KINDS(big, "64 MB with a word on every 2 MB are copied"),
	KINDS(locked, "memory locks are not inherited"),
	KINDS(executable, "code on a page of its own runs in the child"),
	KINDS(grows, "heap and stack of the child still grow"),
	KINDS(vdso, "the vdso's clock works in the child"),
	KINDS(high, "memory above 2^47 is copied, the target's is gone"),
	KINDS(keys, "protection keys are allocated and in use as before"),
};

PLAY_TABLE(memory, rows)
{
	play_kind();
}

/* A target that has all of the caller's memory, and has written more of it. */
static void written_by_target(int flags, int fd, long is)
{
	struct actor t, k;

	get_area(PROT_READ | PROT_WRITE, flags, fd);
	area[0] = 100;
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_write, 0, 200), 0);
	expect_eq(on(&t, do_write, 3 * PAGE / sizeof(long), 300), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_read, 0), 100);
	expect_eq(on(&k, do_read, 3 * PAGE / sizeof(long)), is);
	expect_eq(on(&t, do_read, 3 * PAGE / sizeof(long)), 300);
}

PLAY(written_since, "pages that only the target has written are zeroes in the child")
{
	written_by_target(MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

PLAY(written_since_file, "the same of a private file: its bytes")
{
	int fd = file_of(1);
	long word = 7;

	expect_eq(pwrite(fd, &word, sizeof(word), 3 * PAGE), sizeof(word));
	written_by_target(MAP_PRIVATE, fd, 7);
}

PLAY_DOCUMENTED(sysv_left, "System V memory of an ipc namespace that was left",
		"its number may be that of another where the caller is: EOPNOTSUPP")
{
	left_segment(EXECUTED);
}

/* --- memory that belongs to a kernel object ------------------------------ */

PLAY_DOCUMENTED(io_uring_ring, "a ring of io_uring is shared",
		"it can be mapped by its process alone: EOPNOTSUPP")
{
	struct io_uring_params par = { 0 };
	int fd = syscall(SYS_io_uring_setup, 4, &par);
	struct actor t, k;

	if (fd < 0)
		ct_skip("no io_uring here: %s", ct_errname(errno));
	spawn(&me, &t, ACTOR_EXEC);
	area = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    IORING_OFF_SQES);
	expect(area != MAP_FAILED);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_write, 1, 5), 0);
	expect_eq(area[1], 5);
}
