// SPDX-License-Identifier: GPL-2.0
/*
 * Workers of the kernel's: threads in a process that run no program of its.
 * One is no target thread, and whoever looks at a caller leaves them alone.
 *
 *	check
 *	  +-- a          caller, has a ring of io_uring and a worker that serves it
 *	        +-- target
 *	              +-- kid
 */
#include "scene.h"
#include <glob.h>
#include <linux/io_uring.h>

static struct {
	unsigned int *tail, *mask, *array, *done;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	int fd;
} ring;

static long setup(struct io_uring_params *par)
{
	ring.fd = ct_syscall3(SYS_io_uring_setup, 4, (long)par, 0);
	return ring.fd;
}

/* A worker for as long as there is the ring. */
static long do_make_poller(struct msg *m)
{
	struct io_uring_params par = {
		.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 100
	};

	(void)m;
	return setup(&par);
}

static void *map_ring(size_t size, off_t what)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
			what);

	must(at == MAP_FAILED ? -1 : 0);
	return at;
}

static char fifo[64];

/* A worker that opens the FIFO for the process, and waits for the other side. */
static long do_open_by_worker(struct msg *m)
{
	struct io_uring_params par = { 0 };
	char *sq, *cq;

	(void)m;
	if (setup(&par) < 0)
		return ring.fd;
	sq = map_ring(par.sq_off.array + par.sq_entries * sizeof(int),
		      IORING_OFF_SQ_RING);
	cq = map_ring(par.cq_off.cqes + par.cq_entries * sizeof(*ring.cqe),
		      IORING_OFF_CQ_RING);
	ring.sqe = map_ring(par.sq_entries * sizeof(*ring.sqe), IORING_OFF_SQES);
	ring.tail = (void *)(sq + par.sq_off.tail);
	ring.array = (void *)(sq + par.sq_off.array);
	ring.done = (void *)(cq + par.cq_off.tail);
	ring.cqe = (void *)(cq + par.cq_off.cqes);
	*ring.sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT, .flags = IOSQE_ASYNC,
		.fd = AT_FDCWD, .addr = (uint64_t)fifo, .open_flags = O_RDONLY,
	};
	ring.array[0] = 0;
	__atomic_store_n(ring.tail, 1, __ATOMIC_RELEASE);
	return ct_syscall6(SYS_io_uring_enter, ring.fd, 1, 0, 0, 0, 0);
}

/* What the call has returned. */
static long do_result(struct msg *m)
{
	(void)m;
	ct_syscall6(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS,
		    0, 0);
	return __atomic_load_n(ring.done, __ATOMIC_ACQUIRE) ? ring.cqe->res :
		-EAGAIN;
}

/* A thread of the process that is not its leader, 0 if there is none. */
static pid_t other_thread(pid_t pid)
{
	char pattern[64];
	pid_t tid = 0;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "/proc/%d/task/[0-9]*", pid);
	must(glob(pattern, 0, NULL, &g) ? -1 : 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		pid_t t = atoi(strrchr(g.gl_pathv[i], '/') + 1);

		if (t != pid)
			tid = t;
	}
	globfree(&g);
	return tid;
}

static void make_poller(struct actor *a)
{
	long ret = on(a, do_make_poller);

	if (ret == -ENOSYS || ret == -EPERM)
		ct_skip("no io_uring here: %s", ct_errname(-ret));
	expect_ok(ret);
	if (!other_thread(a->pid))
		ct_skip("this kernel's workers are threads of its own");
}

/* a has a worker, which waits in a call that a signal would end. */
static void make_opener(struct actor *a)
{
	struct actor any;
	pid_t tid;

	spawn(&me, &any, 0);
	make_poller(&any);
	expect_eq(on(a, do_open_by_worker), 1);
	while (!(tid = other_thread(a->pid)) || !is_asleep(tid))
		usleep(1000);
}

/* That goes on: the other side comes. */
static void opened(struct actor *a)
{
	must(open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
	expect_ok(on(a, do_result));
	must(unlink(fifo));
}

/* Before the actors, who know its name then. */
static void make_fifo(void)
{
	snprintf(fifo, sizeof(fifo), "/tmp/cloneat-worker-%d", ct_pid());
	mkdir("/tmp", 01777);
	must(mkfifo(fifo, 0600));
}

/* check -> t (dead leader, worker, thread) -> kid */
PLAY(leader_gone, "the first live thread of a target is no worker")
{
	struct actor t, th, k;

	spawn(&me, &t, 0);
	make_poller(&t);
	thread_of(&t, &th);
	kill_leader(&t);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	quit(&k, 5);
	expect_eq(on(&th, do_wait4, k.pid, __WNOTHREAD), k.pid);
}

static void beside_poller(uint64_t flags)
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	make_poller(&a);
	spawn(&a, &t, flags);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(end(&k, &t, 7), EXITED(7));
}

PLAY(caller, "a caller with a worker has a child like any other")
{
	beside_poller(0);
}

PLAY(caller_init, "so it has below a container's init")
{
	beside_poller(CLONE_NEWPID);
}

PLAY(of_caller, "the call in which a worker of the caller's waits goes on")
{
	struct actor a, t, k;

	make_fifo();
	spawn(&me, &a, 0);
	spawn(&a, &t, CLONE_NEWPID);
	make_opener(&a);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	opened(&a);
	expect_eq(end(&k, &t, 8), EXITED(8));
}

PLAY(of_target, "so does that of a worker of the target's")
{
	struct actor t, k;

	make_fifo();
	spawn(&me, &t, 0);
	make_opener(&t);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	opened(&t);
	expect_eq(end(&k, &t, 9), EXITED(9));
}
