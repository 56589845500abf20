// SPDX-License-Identifier: GPL-2.0
/*
 * A target in a state in which it is easily harmed.  Whether or not it can be
 * used there, it goes on as if nobody had tried.
 *
 *	check (caller)
 *	  +-- target     in a critical section, a page fault, frozen, ...
 *	        +-- kid  made meanwhile
 */
#include "busy.h"
#include "fault.h"
#include "group.h"
#include <pthread.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#if defined(__x86_64__) && __has_include("sys/rseq.h")
#include <sys/rseq.h>
#define HAVE_RSEQ
#endif

/* --- a restartable sequence ------------------------------------------------ */

#ifdef HAVE_RSEQ

/*
 * Runs one critical section of some microseconds.  At its end the kernel must
 * still know of it (rseq_cs), or it would not have been aborted: -EBADMSG.  1 if
 * it was aborted, which must not happen but inside.
 */
static long one_section(struct rseq *rs)
{
	long inside = 0, lost = 0, aborted = 0, count = 2000;
	uint64_t mine;

	__asm__ volatile(
		".pushsection .data\n"
		".balign 32\n"
		"3: .long 0, 0\n"
		".quad 1f, 2f - 1f, 4f\n"
		".popsection\n"
		"lea 3b(%%rip), %[mine]\n"
		"mov %[mine], %[cs]\n"
		"1:\n"
		"mov $1, %[inside]\n"
		"5: dec %[count]\n"
		"jnz 5b\n"
		"cmp %[mine], %[cs]\n"
		"setne %b[lost]\n"
		"2:\n"
		"jmp 6f\n"
		".byte 0x0f, 0xb9, 0x3d\n"
		".long 0x53053053\n"
		"4: mov $1, %[aborted]\n"
		"6:\n"
		: [mine] "=&r"(mine), [inside] "+r"(inside), [lost] "+q"(lost),
		  [aborted] "+r"(aborted), [count] "+r"(count),
		  [cs] "+m"(*(uint64_t *)&rs->rseq_cs)
		:: "cc", "memory");
	rs->rseq_cs = 0;
	return lost ? -EBADMSG : aborted;
}

static long in_section(struct msg *m)
{
	struct rseq *rs = (void *)((char *)__builtin_thread_pointer() +
				   __rseq_offset);
	long ret = 0;

	(void)m;
	while (!ct_slot[1] && ret >= 0)
		ret = one_section(rs);
	return ret < 0 ? ret : 0;
}

PLAY(rseq, "a target in an rseq critical section: ended or aborted, never resumed")
{
	struct actor t, k;

	if (!__rseq_size)
		ct_skip("no rseq here");
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, in_section, 0);
	for (int i = 0; i < 20; i++) {
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		quit(&k, 0);
	}
	expect_busy(&t);
	slot_set(1, 1);
	expect_eq(actor_finish(&t), 0);
}

#endif

/* --- threads ------------------------------------------------------------------ */

static void *end_at_once(void *arg)
{
	return arg;
}

static long in_threads(struct msg *m)
{
	long n = 0;

	(void)m;
	while (!ct_slot[1]) {
		pthread_t t;
		void *ret;

		if (pthread_create(&t, NULL, end_at_once, &n) ||
		    pthread_join(t, &ret) || ret != &n)
			return -EBADMSG;
		n++;
	}
	return n > 0 ? 0 : -EAGAIN;
}

PLAY(threads_end, "a target whose threads come and go")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, in_threads, 0);
	for (int i = 0; i < 20; i++) {
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		expect_eq(sys(&k, SYS_getppid), t.pid);
		quit(&k, 0);
	}
	expect_busy(&t);
	slot_set(1, 1);
	expect_eq(actor_finish(&t), 0);
}

/* --- descriptors -------------------------------------------------------------- */

static char lock_path[64];

/* Locks a file that nobody else knows, and closes it.  How often it was locked. */
static long in_locks(struct msg *m)
{
	long met = 0;

	(void)m;
	while (!ct_slot[1]) {
		int fd = open(lock_path, O_RDWR | O_CLOEXEC);

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB))
			met++;
		close(fd);
	}
	return met;
}

/*
 * A child that had copies of the target's descriptors for as long as it is in
 * the making would keep them locked thousands of times; to have them for the
 * length of one system call is all that is let pass.
 */
PLAY(closed_file, "a file that the target has closed is not kept open")
{
	const int calls = 20;
	struct actor t, k;

	snprintf(lock_path, sizeof(lock_path), "/tmp/cloneat-XXXXXX");
	mkdir("/tmp", 01777);
	must(close(must(mkstemp(lock_path))));
	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, in_locks, 0);
	for (int i = 0; i < calls; i++) {
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		quit(&k, 0);
	}
	expect_busy(&t);
	slot_set(1, 1);
	expect(actor_finish(&t) < 2 * calls);
	must(unlink(lock_path));
}

/* Holds a lock on the file, by a descriptor that an exec keeps. */
static long do_lock(struct msg *m)
{
	struct flock lock = { .l_type = F_WRLCK };
	int fd = open(lock_path, O_RDWR);

	(void)m;
	return fd < 0 || fcntl(fd, F_SETLK, &lock) ? -errno : 0;
}

PLAY(lock_kept, "a target that executes a program meanwhile keeps its locks")
{
	struct flock lock;
	struct actor a, t, k;
	int fd;

	snprintf(lock_path, sizeof(lock_path), "/tmp/cloneat-XXXXXX");
	mkdir("/tmp", 01777);
	fd = must(mkstemp(lock_path));
	spawn(&me, &a, 0);
	for (int i = 0; i < 40; i++) {
		spawn(&a, &t, 0);
		expect_eq(on(&t, do_lock), 0);
		cl_start(&a, t.pid, 0, 0);
		usleep(rand() % 3000);
		expect_eq(on(&t, do_execute_loop), t.pid);
		expect_ok(cl_finish(&a, &k));
		lock = (struct flock){ .l_type = F_WRLCK };
		must(fcntl(fd, F_GETLK, &lock));
		expect_eq(lock.l_type, F_WRLCK);
		expect_eq(lock.l_pid, t.pid);
		expect_eq(end(&k, &t, 3), EXITED(3));
		expect_eq(end(&t, &a, 0), EXITED(0));
	}
	must(unlink(lock_path));
}

/* --- stops -------------------------------------------------------------------- */

/* A SIGSTOP waits in a stopped target, for the process or for its thread. */
static void stop_twice(bool thread)
{
	const char *queue = thread ? "SigPnd" : "ShdPnd";
	struct actor t, k;
	unsigned long before, after;

	spawn(&me, &t, 0);
	must(kill(t.pid, SIGSTOP));
	expect_eq(on(&me, do_wait4, t.pid, WUNTRACED), t.pid);
	if (thread)
		must(syscall(SYS_tgkill, t.pid, t.pid, SIGSTOP));
	else
		must(kill(t.pid, SIGSTOP));
	before = proc_mask(t.pid, queue);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	wait_state(t.pid, 'T');
	after = proc_mask(t.pid, queue);
	must(kill(t.pid, SIGCONT));
	expect_eq(sys(&t, SYS_getpid), t.pid);
	expect_eq(end(&k, &t, 3), EXITED(3));
	expect_eq(before, 1UL << (SIGSTOP - 1));
	expect_eq(after, before);
}

PLAY(stopped_twice, "a SIGSTOP that waits in a stopped target waits on")
{
	stop_twice(false);
	stop_twice(true);
}

PLAY(stopped_threads, "a stopped target of two threads: both stay stopped")
{
	struct actor t, thread, kid[KIDS];

	spawn(&me, &t, 0);
	thread_of(&t, &thread);
	must(kill(t.pid, SIGSTOP));
	expect_eq(on(&me, do_wait4, t.pid, WUNTRACED), t.pid);
	use_target(&t, kid);
	end_kids(kid);
	wait_state(t.pid, 'T');	/* who was let go is on its way there */
	wait_state(thread.pid, 'T');
	expect_eq(on(&me, do_wait4, t.pid, WNOHANG | WUNTRACED | WCONTINUED),
		  0);
	must(kill(t.pid, SIGCONT));
	expect_eq(on(&me, do_wait4, t.pid, WCONTINUED), t.pid);
	expect_eq(sys(&thread, SYS_gettid), thread.pid);
	reap_kids(&t);
}

/* Stopped and continued in the middle of a sleep that is used, too. */
static long in_sleep(struct msg *m)
{
	const struct timespec span = { 0, 100000000 };
	long long begin = ct_clock();
	long ret = kept_call(SYS_nanosleep, (long)&span, 0, 0, 0, 0, 0);

	(void)m;
	return ct_clock() - begin < 100000000 ? -EBADMSG : ret;
}

PLAY(restarts, "a target's sleep, restarted by stops and calls in turn, is as long")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	start(&t, in_sleep, 0);
	do {
		must(kill(t.pid, SIGSTOP));
		expect_eq(on(&me, do_wait4, t.pid, WUNTRACED), t.pid);
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		must(kill(t.pid, SIGCONT));
		expect_eq(on(&me, do_wait4, t.pid, WCONTINUED), t.pid);
		expect_ok(cl(&me, &k, t.pid, 0, 0));
	} while (!answered(&t));
	expect_eq(actor_finish(&t), 0);
}

/* --- memory --------------------------------------------------------------------- */

/* What the kernel writes whenever the process goes on: the number of its CPU. */
static void leave_out(unsigned char *page, unsigned long at)
{
#ifdef HAVE_RSEQ
	unsigned long rs = (unsigned long)__builtin_thread_pointer() +
			   __rseq_offset;

	for (unsigned long i = 0; i < 32; i++)
		if (rs + i >= at && rs + i < at + PAGE)
			page[rs + i - at] = 0;
#else
	(void)page;
	(void)at;
#endif
}

/* A sum of all that can be read of a mapping; the vdso's clock cannot. */
static uint64_t sum_of(int mem, unsigned long from, unsigned long to)
{
	unsigned char page[PAGE];
	uint64_t sum = 0;

	for (; from < to; from += PAGE) {
		if (pread(mem, page, PAGE, from) != PAGE)
			continue;
		leave_out(page, from);
		for (unsigned long i = 0; i < PAGE; i++)
			sum = sum * 31 + page[i];
	}
	return sum;
}

/* Each mapping of a process with such a sum, as text. */
static void contents_of(pid_t pid, char *text, size_t size)
{
	char name[64], line[512];
	unsigned long from, to;
	size_t n = 0;
	FILE *f;
	int mem;

	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	mem = must(open(name, O_RDONLY | O_CLOEXEC));
	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	f = fopen(name, "re");
	expect(f);
	while (fgets(line, sizeof(line), f) && n < size) {
		if (sscanf(line, "%lx-%lx", &from, &to) != 2)
			fail("no mapping: %s", line);
		n += snprintf(text + n, size - n, "%lx-%lx %llx\n", from, to,
			      (unsigned long long)sum_of(mem, from, to));
	}
	expect(n < size);
	fclose(f);
	close(mem);
}

PLAY(memory, "the memory of a target that waits is the same to the byte")
{
	char before[8192], after[8192];
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, do_ignore_sigchld, 0), 0);
	wait_state(t.pid, 'S');
	contents_of(t.pid, before, sizeof(before));
	for (int i = 0; i < 3; i++) {
		expect_ok(cl(&me, &k, t.pid, 0, 0));
		quit(&k, 0);
	}
	contents_of(t.pid, after, sizeof(after));
	expect_alike(before, after);
}

/* --- slow memory ----------------------------------------------------------------- */

static long do_read_byte(struct msg *m)
{
	return *(volatile char *)m->arg[0];
}

/* A system call that needs the page. */
static long do_write_page(struct msg *m)
{
	return errno_of(write(m->arg[1], (void *)m->arg[0], 1));
}

/* The target has a slow page: its address, and the descriptor. */
static char *slow_page(struct actor *t, int *uffd)
{
	spawn(&me, t, 0);
	return missing_page(t, 0, uffd);
}

static void await_fault(int uffd)
{
	struct pollfd f = { .fd = uffd, .events = POLLIN };

	expect_eq(poll(&f, 1, -1), 1);
	expect_eq(f.revents, POLLIN);
}

static void provide(int uffd, char *at)
{
	static char page[PAGE] = "b";
	struct uffdio_copy copy = { .dst = (uintptr_t)at, .len = PAGE,
				    .src = (uintptr_t)page };

	must(ioctl(uffd, UFFDIO_COPY, &copy));
}

PLAY(page_fault, "a target in a page fault that takes long")
{
	struct actor t, kid[KIDS];
	char *page;
	int uffd;

	page = slow_page(&t, &uffd);
	start(&t, do_read_byte, (long)page);
	await_fault(uffd);
	use_target(&t, kid);
	expect_busy(&t);
	provide(uffd, page);
	expect_eq(actor_finish(&t), 'b');
	end_kids(kid);
	reap_kids(&t);
}

/* --- where a tracer cannot stop it -------------------------------------------------- */

/* One call, whose result is judged when the target has gone on. */
static long try_target(struct actor *t)
{
	struct actor k;
	long ret = cl(&me, &k, t->pid, 0, 0);

	expect(ret > 0 || ret == -EBUSY);
	if (ret > 0)
		quit(&k, 0);
	return ret;
}

PLAY_DOCUMENTED(page_fault_in_call,
		"a target in a system call that waits for a page",
		"the wait is killable only, so the emulator answers EBUSY")
{
	struct actor t;
	char *page;
	int uffd;
	long ret;

	make_pipe();
	page = slow_page(&t, &uffd);
	start(&t, do_write_page, (long)page, p[1]);
	await_fault(uffd);
	ret = try_target(&t);
	expect_busy(&t);
	provide(uffd, page);
	expect_eq(actor_finish(&t), 1);
	expect_ok(ret);
}

/* The processor time that a process has used, in whole seconds. */
static long seconds_of(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	expect_eq(clock_getcpuclockid(pid, &clock), 0);
	expect_eq(clock_gettime(clock, &used), 0);
	return used.tv_sec;
}

PLAY(page_fault_asleep, "a target in a system call that waits for a page sleeps on")
{
	struct actor t;
	char *page;
	int uffd;

	make_pipe();
	page = slow_page(&t, &uffd);
	start(&t, do_write_page, (long)page, p[1]);
	await_fault(uffd);
	try_target(&t);
	expect_eq(seconds_of(t.pid) < 5, 1);
	provide(uffd, page);
	expect_eq(actor_finish(&t), 1);
}

static long in_vfork(struct msg *m)
{
	long pid = clone_words(CLONE_VFORK | SIGCHLD);

	(void)m;
	if (!pid) {
		slot_wait(1, 1);
		ct_exit(7);
	}
	return ct_slot[1] == 1 && waitpid(pid, NULL, 0) == pid ? 0 : -ECHILD;
}

PLAY_DOCUMENTED(vfork_wait, "a target that waits for its vfork child",
		"it cannot be stopped, so the emulator answers EBUSY")
{
	struct actor t;
	long ret;

	spawn(&me, &t, 0);
	start(&t, in_vfork, 0);
	wait_state(t.pid, 'D');
	ret = try_target(&t);
	expect_busy(&t);
	slot_set(1, 1);
	expect_eq(actor_finish(&t), 0);
	expect_ok(ret);
}

PLAY_DOCUMENTED(stepped, "a target that its tracer holds, and steps",
		"a process has one tracer, so the emulator answers EBUSY")
{
	struct actor t, tracer;
	long ret;

	spawn(&me, &t, 0);
	spawn(&me, &tracer, 0);
	expect_eq(sys(&tracer, SYS_ptrace, PTRACE_SEIZE, t.pid, 0, 0), 0);
	expect_eq(sys(&tracer, SYS_ptrace, PTRACE_INTERRUPT, t.pid, 0, 0), 0);
	expect_eq(on(&tracer, do_wait4, t.pid, __WALL), t.pid);
	ret = try_target(&t);
	expect_eq(proc_state(t.pid), 't');
	expect_eq(sys(&tracer, SYS_ptrace, PTRACE_DETACH, t.pid, 0, 0), 0);
	expect_eq(sys(&t, SYS_getpid), t.pid);
	expect_ok(ret);
}

/* --- in real time ------------------------------------------------------------------------ */

#define SPLIT 60000

/* Memory of which a copy takes long, though nothing is in it. */
static long do_split_memory(struct msg *m)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *at = mmap(NULL, SPLIT * page, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)m;
	if (at == MAP_FAILED)
		return -errno;
	for (int i = 0; i < SPLIT; i += 2)
		if (mprotect(at + i * page, page, PROT_READ))
			return -errno;
	return 0;
}

PLAY(realtime, "a target in real time that may not run long without a sleep")
{
	const struct sched_param param = { .sched_priority = 3 };
	struct rlimit limit, is;
	struct actor t;

	spawn(&me, &t, 0);
	expect_eq(on(&t, do_split_memory), 0);
	must(prlimit(t.pid, RLIMIT_RTTIME, NULL, &limit));
	limit.rlim_cur = 1;
	must(prlimit(t.pid, RLIMIT_RTTIME, &limit, NULL));
	wait_asleep(&t);
	if (sched_setscheduler(t.pid, SCHED_FIFO, &param))
		ct_skip("no right to schedule in real time");
	expect_ok(try_target(&t));
	expect_eq(sys(&t, SYS_getppid), getpid());
	must(prlimit(t.pid, RLIMIT_RTTIME, NULL, &is));
	expect(!memcmp(&is, &limit, sizeof(is)));
}

/* --- frozen ------------------------------------------------------------------------------ */

/* Frozen, tried and thawed, the target goes on: the result of the call. */
static long try_frozen(void)
{
	struct actor t;
	long ret;

	spawn(&me, &t, 0);
	give_group(&t);
	freeze(true);
	await_frozen();
	ret = try_target(&t);
	freeze(false);
	expect_eq(sys(&t, SYS_getpid), t.pid);
	remove_group(&t);
	return ret;
}

PLAY(thawed, "a target that was frozen when it was tried goes on")
{
	try_frozen();
}

PLAY_DOCUMENTED(frozen, "a frozen target",
		"it makes no step until it is thawed: the emulator answers EBUSY")
{
	expect_ok(try_frozen());
}
