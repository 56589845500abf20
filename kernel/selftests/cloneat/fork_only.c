// SPDX-License-Identifier: GPL-2.0
/*
 * What a fork of the caller hands down and no call gives, and what a process
 * that was never rebuilt does not show.
 *
 *	check      the caller
 *	  +-- target    another, executed
 *	        +-- kid
 */
#include "fault.h"
#include "scene.h"
#include <sys/ioctl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <sys/mount.h>
#include <time.h>

/* --- counters -------------------------------------------------------------- */

#define FAULTS 300

/* Page faults, which a counter counts. */
static long do_fault(struct msg *m)
{
	char *at = mmap(NULL, FAULTS * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)m;
	madvise(at, FAULTS * PAGE, MADV_NOHUGEPAGE);
	for (int i = 0; i < FAULTS; i++)
		at[i * PAGE] = 1;
	return 0;
}

static long counted(int fd)
{
	uint64_t n = 0;

	expect_eq(read(fd, &n, sizeof(n)), sizeof(n));
	return n;
}

PLAY_DOCUMENTED(counter, "a counter of the caller's that is inherited counts",
		"only a fork hands it down: the child is not counted")
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS, .inherit = 1,
		.exclude_kernel = 1,
	};
	struct actor t, k;
	long before;
	int fd;

	spawn(&me, &t, ACTOR_EXEC);
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (fd < 0)
		ct_skip("no counters here: %s", ct_errname(errno));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	before = counted(fd);
	expect_eq(on(&k, do_fault), 0);
	expect(counted(fd) >= before + FAULTS);
}

/* --- ports ------------------------------------------------------------------- */

#ifdef __x86_64__

/* The status of a child of the actor's that reads from a port that nobody has. */
static long do_port(struct msg *m)
{
	long pid = clone_words(SIGCHLD);
	int status = 0;

	(void)m;
	if (!pid) {
		prctl(PR_SET_DUMPABLE, 0);	/* leaves no core */
		__asm__ volatile("in $0x80, %%al" ::: "rax");
		ct_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return status;
}

/* ioperm() of a port, by the actor that will have it. */
static void open_port(struct actor *a)
{
	long ret = sys(a, SYS_ioperm, 0x80, 1, 1);

	if (ret == -ENOSYS)
		ct_skip("no ioperm in this kernel");
	expect_eq(ret, 0);
	expect_eq(on(a, do_port), 0);
}

static void set_level(struct actor *a)
{
	long ret = sys(a, SYS_iopl, 3);

	if (ret == -ENOSYS)
		ct_skip("no iopl in this kernel");
	expect_eq(ret, 0);
	expect_eq(on(a, do_port), 0);
}

PLAY(port, "a port that ioperm opened is open to the child")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	open_port(&me);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_port), 0);
	expect_eq(WTERMSIG(on(&t, do_port)), SIGSEGV);
}

PLAY(target_port, "the target's ports are closed to the child")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	open_port(&t);
	set_level(&t);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(WTERMSIG(on(&k, do_port)), SIGSEGV);
	expect_eq(on(&t, do_port), 0);
}

PLAY_DOCUMENTED(ports_level, "ports that iopl opened are open to the child",
		"nobody is told of it, so the child has none")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	set_level(&me);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_port), 0);
}

#endif /* __x86_64__ */

/* --- mitigations -------------------------------------------------------------- */

static long mitigation_of(struct actor *a)
{
	return sys(a, SYS_prctl, PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS,
		   0, 0, 0);
}

PLAY_DOCUMENTED(speculation, "a mitigation that the target forced is its own",
		"what is forced cannot be put off")
{
	struct actor t, k;
	long ret;

	spawn(&me, &t, ACTOR_EXEC);
	ret = sys(&t, SYS_prctl, PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS,
		  PR_SPEC_FORCE_DISABLE, 0, 0);
	if (ret)
		ct_skip("no choice of mitigations here: %s", ct_errname(-ret));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(mitigation_of(&k), mitigation_of(&me));
}

/* --- the I/O context -------------------------------------------------------------- */

/* 0 if an actor has the check's I/O context, or neither has one. */
static long other_io(const struct actor *a)
{
	return ct_syscall6(SYS_kcmp, ct_pid(), a->pid, KCMP_IO, 0, 0, 0);
}

PLAY_DOCUMENTED(io_context, "a target with a class of I/O: the child has no I/O context",
		"a clone of the target's is born with one")
{
	struct actor t, k, f;

	spawn(&me, &f, 0);
	spawn(&me, &t, 0);
	if (other_io(&f))
		ct_skip("no kcmp(2), or the check has an I/O context");
	expect_eq(sys(&t, SYS_ioprio_set, 1, 0, 2 << 13 | 3), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_ioprio_get, 1, 0), sys(&f, SYS_ioprio_get, 1, 0));
	expect_eq(other_io(&k), 0);
}

/* --- protection keys -------------------------------------------------------------- */

PLAY_DOCUMENTED(keys, "protection keys that the target asked for are its own",
		"where there are none, asking spoils the memory for good")
{
	struct actor t, k, f;

	spawn(&me, &t, ACTOR_EXEC);
	if (sys(&t, SYS_pkey_alloc, 0, 0) == -ENOSYS)
		ct_skip("no protection keys in this kernel");
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	spawn(&me, &f, 0);
	expect_eq(sys(&k, SYS_pkey_alloc, 0, 0),
		  sys(&f, SYS_pkey_alloc, 0, 0));
}

/* --- faults that another process serves ----------------------------------------- */

PLAY_DOCUMENTED(fault_events, "userfaultfd tells of the child as of a fork",
		"there is no fork of the caller to be told of")
{
	struct uffd_msg told = { 0 };
	struct pollfd f[2] = { { .events = POLLIN }, { .events = POLLIN } };
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, ACTOR_EXEC);
	missing_page(&a, UFFD_FEATURE_EVENT_FORK, &f[0].fd);
	f[1].fd = a.fd;
	cl_start(&a, t.pid, 0, 0);
	expect(poll(f, 2, -1) > 0);
	if (f[0].revents)	/* the call waits until this is read */
		expect_eq(read(f[0].fd, &told, sizeof(told)), sizeof(told));
	expect_ok(cl_finish(&a, &k));
	expect_eq(told.event, UFFD_EVENT_FORK);
}

/* --- events of programs ------------------------------------------------------ */

#define TRACING "/sys/kernel/tracing"
#define IOCSREG _IOWR('*', 0, void *)	/* <linux/user_events.h>, Linux 6.4 */

static unsigned int enabled;	/* bit 0: somebody listens */

static const char *event_name(pid_t pid)
{
	static char name[32];

	snprintf(name, sizeof(name), "cloneat_%d", pid);
	return name;
}

/* Has the kernel tell this process by `enabled` that somebody listens. */
static long do_announce(struct msg *m)
{
	struct {
		uint32_t size;
		uint8_t bit, bytes;
		uint16_t flags;
		uint64_t at, name;
		uint32_t index;
	} __attribute__((packed)) reg = {
		.size = sizeof(reg), .bytes = sizeof(enabled),
		.at = (unsigned long)&enabled,
		.name = (unsigned long)event_name(m->arg[0]),
	};
	int fd = open(TRACING "/user_events_data", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return ct_syscall3(SYS_ioctl, fd, IOCSREG, &reg);
}

static void announce(struct actor *a)
{
	long ret;

	mount("tracefs", TRACING, "tracefs", 0, NULL);
	ret = on(a, do_announce, ct_pid());
	if (ret == -ENOENT || ret == -EACCES)
		ct_skip("no user_events here: %s", ct_errname(-ret));
	expect_eq(ret, 0);
}

static void listen_to_it(void)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACING "/events/user_events/%s/enable",
		 event_name(ct_pid()));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	expect(fd >= 0);
	expect_eq(write(fd, "1", 1), 1);
	close(fd);
}

static long do_enabled(struct msg *m)
{
	(void)m;
	return enabled & 1;
}

/* The kernel tells after a while where the memory is not there yet. */
static bool told_of_it(struct actor *a)
{
	for (int i = 0; i < 50 && !on(a, do_enabled); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	return on(a, do_enabled);
}

PLAY_DOCUMENTED(enabler, "who listens to an event of the caller's is told to the child",
		"only a fork registers the child")
{
	struct actor t, k;

	announce(&me);
	spawn(&me, &t, ACTOR_EXEC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	listen_to_it();
	expect(told_of_it(&me));
	expect(told_of_it(&k));
}

PLAY(enabler_target, "who listens to an event of the target's is not told to the child")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	announce(&t);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	listen_to_it();
	expect(told_of_it(&t));
	expect(!told_of_it(&k));
}

/* --- marks of the rebuilding ------------------------------------------------------ */

/* A parent may choose the group of a child that has not executed a program. */
PLAY_DOCUMENTED(group_by_parent, "the target may put the child into a process group",
		"to get its rights, the child has executed a program: EACCES")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, do_drop, CAP_SYS_TIME), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&t, SYS_setpgid, k.pid, 0), 0);
	expect_eq(getpgid(k.pid), k.pid);
}

PLAY_DOCUMENTED(table_size, "how many descriptors the target has does not show",
		"a table of descriptors does not shrink")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	expect_eq(sys(&t, SYS_dup3, 0, 1000, 0), 1000);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect(proc_field(k.pid, "FDSize") < 1000);
}

/* Is the mapping at arg[0] marked as written to since the marks were cleared? */
static long do_soft_dirty(struct msg *m)
{
	return vma_flag(m->arg[0], " sd");
}

PLAY_DOCUMENTED(soft_dirty, "memory that is not marked as written is not in the child",
		"what is mapped anew is marked")
{
	struct actor t, k;
	char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	expect(at != MAP_FAILED);
	if (!on(&me, do_soft_dirty, (long)at))
		ct_skip("no soft-dirty marks in this kernel");
	expect_eq(ct_write("/proc/self/clear_refs", "4"), 0);
	expect_eq(on(&me, do_soft_dirty, (long)at), 0);
	spawn(&me, &t, ACTOR_EXEC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_soft_dirty, (long)at), 0);
}

/* Field 10 of /proc/PID/stat: page faults without input. */
static long faults_of(pid_t pid)
{
	char name[32];
	long n = -1;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	f = fopen(name, "re");
	expect(f);
	expect_eq(fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %ld", &n),
		  1);
	fclose(f);
	return n;
}

#define MUCH 4096	/* pages */

PLAY_DOCUMENTED(faults, "the child begins with no page faults counted",
		"those of the rebuilding are its own")
{
	struct actor t, k;
	char *at;

	spawn(&me, &t, ACTOR_EXEC);
	at = mmap(NULL, MUCH * PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(at != MAP_FAILED);
	madvise(at, MUCH * PAGE, MADV_NOHUGEPAGE);
	for (int i = 0; i < MUCH; i++)
		at[i * PAGE] = 1;
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect(faults_of(k.pid) < MUCH / 2);
}
