// SPDX-License-Identifier: GPL-2.0
/*
 * fork() asks no right for what it hands down: a process that gave up what it
 * needed to get something has it still, and so has its child.
 *
 *	check
 *	  +-- a         gets something as root, then becomes an ordinary user
 *	        +-- target    an ordinary user as well, and has nothing of it
 *	              +-- kid      must have it
 */
#include "scene.h"
#include <linux/ioprio.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/shm.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#define PR_GET_IO_FLUSHER 58
#endif

/* --- memory ------------------------------------------------------------- */

static volatile long *area;	/* of a and its child */

static long put_area(void *p)
{
	if (p == MAP_FAILED)
		return -errno;
	area = p;
	area[0] = 100;
	return 0;
}

/* All who share the area count. */
static long area_has(struct msg *m)
{
	(void)m;
	return area[0]++;
}

static long shm_get(struct msg *m)
{
	int id = shmget(IPC_PRIVATE, PAGE, 0600);
	long ret;

	(void)m;
	if (id < 0)
		return -errno;
	ret = put_area(shmat(id, NULL, 0));
	shmctl(id, IPC_RMID, NULL);
	return ret;
}

static long file_get(struct msg *m)
{
	char name[] = "/tmp/cloneat-unasked-XXXXXX";
	long ret;
	int fd;

	(void)m;
	mkdir("/tmp", 01777);
	fd = mkstemp(name);
	if (fd < 0 || ftruncate(fd, PAGE))
		return -errno;
	ret = put_area(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	unlink(name);
	close(fd);
	return ret;
}

/* Code of a file on a mount from which nothing is to be executed any more. */
static long map_exec(int prot)
{
	void *p;
	int fd;

	mkdir("/tmp", 01777);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, NULL))
		return -errno;
	fd = open("/tmp/code", O_RDWR | O_CREAT, 0755);
	if (fd < 0 || ftruncate(fd, PAGE))
		return -errno;
	p = mmap(NULL, PAGE, prot, MAP_SHARED, fd, 0);
	close(fd);
	if (mount("none", "/tmp", NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL))
		return -errno;
	return put_area(p);
}

static long code_get(struct msg *m)
{
	(void)m;
	return map_exec(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static long data_get(struct msg *m)
{
	(void)m;
	return map_exec(PROT_READ | PROT_WRITE);
}

/* A file that nobody can map for writing any more. */
static long sealed_get(struct msg *m)
{
	const int future_write = 0x0010;
	int fd = syscall(SYS_memfd_create, "sealed", 2U /* ALLOW_SEALING */);
	long ret;

	(void)m;
	if (fd < 0 || ftruncate(fd, PAGE))
		return -errno;
	ret = put_area(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	if (fcntl(fd, F_ADD_SEALS, future_write))
		ret = -errno;
	close(fd);
	return ret;
}

/* VM_MAYEXEC is a mapping's own. */
static long code_has(struct msg *m)
{
	(void)m;
	if (mprotect((void *)area, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		return -errno;
	return area[0]++;
}

/* The page at 0, which wants CAP_SYS_RAWIO. */
static long null_get(struct msg *m)
{
	volatile long *null = (volatile long *)m->arg[0];

	if (mmap((void *)null, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED |
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		return -errno;
	*null = 100;
	return 0;
}

static long null_has(struct msg *m)
{
	return *(volatile long *)m->arg[0];
}

/* --- limits ------------------------------------------------------------- */

static const int limits[] = {
	RLIMIT_STACK, RLIMIT_FSIZE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE,
	RLIMIT_SIGPENDING, RLIMIT_NICE, RLIMIT_RTPRIO,
};

#define HIGH_FD 900

static long limits_get(struct msg *m)
{
	const struct rlimit none = { 0, 0 }, few = { 30, 30 };

	if (dup2(m->own, HIGH_FD) < 0)
		return -errno;
	for (size_t i = 0; i < ct_count(limits); i++)
		if (setrlimit(limits[i], &none))
			return -errno;
	return setrlimit(RLIMIT_NOFILE, &few) ? -errno : 0;
}

static long limits_has(struct msg *m)
{
	struct rlimit l;
	long sum = 0;

	(void)m;
	for (size_t i = 0; i < ct_count(limits); i++) {
		if (getrlimit(limits[i], &l))
			return -errno;
		sum += l.rlim_cur + l.rlim_max;
	}
	if (getrlimit(RLIMIT_NOFILE, &l) || fcntl(HIGH_FD, F_GETFD) < 0)
		return -errno;
	return sum * 100 + l.rlim_max;
}

/* No more memory. */
static long room_get(struct msg *m)
{
	struct rlimit l;

	(void)m;
	if (getrlimit(RLIMIT_DATA, &l))
		return -errno;
	l.rlim_cur = 0;
	return setrlimit(RLIMIT_AS, &l) || setrlimit(RLIMIT_DATA, &l) ? -errno : 0;
}

static long room_has(struct msg *m)
{
	struct rlimit as, data;

	(void)m;
	if (getrlimit(RLIMIT_AS, &as) || getrlimit(RLIMIT_DATA, &data))
		return -errno;
	return as.rlim_cur + data.rlim_cur;
}

/* --- descriptors --------------------------------------------------------- */

#define FEW 32

/* One that is open stays open above the limit. */
static long above_get(struct msg *m)
{
	struct rlimit l = { FEW, FEW };

	(void)m;
	if (dup2(0, FEW + 20) < 0)
		return -errno;
	return setrlimit(RLIMIT_NOFILE, &l) ? -errno : 0;
}

static long above_has(struct msg *m)
{
	(void)m;
	return fcntl(FEW + 20, F_GETFD) < 0 ? -errno : 0;
}

/* --- scheduling --------------------------------------------------------- */

static long nice_get(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_setpriority, PRIO_PROCESS, 0, -7);
}

static long nice_has(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_getpriority, PRIO_PROCESS, 0, 0); /* 20 - nice */
}

static long fifo_get(struct msg *m)
{
	const struct sched_param p = { .sched_priority = 3 };

	(void)m;
	return sched_setscheduler(0, SCHED_FIFO, &p) ? -errno : 0;
}

static long fifo_has(struct msg *m)
{
	struct sched_param p;

	(void)m;
	if (sched_getparam(0, &p))
		return -errno;
	return sched_getscheduler(0) * 100 + p.sched_priority;
}

static long ioprio_get(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_ioprio_set, 1, 0, 1 << 13 | 3);
}

static long ioprio_has(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_ioprio_get, 1, 0, 0);
}

/* --- marks -------------------------------------------------------------- */

static long oom_get(struct msg *m)
{
	(void)m;
	return ct_write("/proc/self/oom_score_adj", "-321");
}

static long oom_has(struct msg *m)
{
	long adj = -ENODATA;
	FILE *f = fopen("/proc/self/oom_score_adj", "re");

	(void)m;
	if (!f || fscanf(f, "%ld", &adj) != 1)
		return -ENODATA;
	fclose(f);
	return -adj;
}

static long flusher_get(struct msg *m)
{
	(void)m;
	return prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) ? -errno : 0;
}

/* Asking takes CAP_SYS_RESOURCE: PF_MEMALLOC_NOIO and PF_LOCAL_THROTTLE show it. */
static long flusher_has(struct msg *m)
{
	unsigned long flags = 0;
	FILE *f = fopen("/proc/self/stat", "re");

	(void)m;
	if (!f || fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %lu", &flags) != 1)
		return -ENODATA;
	fclose(f);
	return (flags >> 19 & 1) + (flags >> 20 & 1);
}

/* --- one row after the other -------------------------------------------- */

struct row {
	const char *name;
	const char *verdict;
	actor_fn get, has;
	long want;		/* of the caller */
	long kid;		/* of its child */
	uint64_t target;	/* ACTOR_* */
};

#define ROW(what, has, text, want, kid)					\
	{ #what "_forked", text " (target: forked)",			\
	  what##_get, has, want, kid, 0 },				\
	{ #what "_executed", text " (target: executed)",		\
	  what##_get, has, want, kid, ACTOR_EXEC }

static const struct row rows[] = {
	ROW(shm, area_has, "a System V segment of another user", 100, 101),
	ROW(file, area_has, "a mapping of another user's file", 100, 101),
	ROW(null, null_has, "memory below mmap_min_addr", 100, 100),
	ROW(limits, limits_has, "limits below what it has", 30, 30),
	ROW(nice, nice_has, "a nice value that it could not take", 27, 27),
	ROW(fifo, fifo_has, "a real-time policy", SCHED_FIFO * 100 + 3,
	    SCHED_FIFO * 100 + 3),
	ROW(ioprio, ioprio_has, "a real-time I/O priority", 1 << 13 | 3,
	    1 << 13 | 3),
	ROW(oom, oom_has, "an oom_score_adj that it could not set", 321, 321),
	ROW(flusher, flusher_has, "the mark of an I/O flusher", 2, 2),
};

static struct actor a, t, k;

static void cast(uint64_t caller, uint64_t target)
{
	spawn(&me, &a, caller);
	spawn(&a, &t, target);
}

/* Both give up their rights, and the caller's child is made. */
static void call(void)
{
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(on(&t, do_become, 1000), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
}

PLAY_TABLE(unasked, rows)
{
	const struct row *row = ct_arg();
	long got;

	cast(CLONE_NEWNS, row->target);
	got = on(&a, row->get);
	if (got == -EPERM || got == -EACCES)
		ct_skip("this root may not do it (CAP_SYS_RESOURCE)");
	expect_eq(got, 0);
	expect_eq(on(&a, row->has), row->want);
	call();
	expect_eq(on(&k, row->has), row->kid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

static long oom_set(struct msg *m)
{
	return ct_write("/proc/self/oom_score_adj", "%ld", m->arg[0]);
}

/* What was raised without any right can be lowered again, to where it began. */
PLAY(oom_back, "an oom_score_adj that its user raised can be lowered")
{
	cast(0, 0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(on(&t, do_become, 1000), 0);
	expect_eq(on(&a, oom_set, 300), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, oom_has), -300);
	expect_eq(on(&k, oom_set, 100), 0);
	expect_eq(on(&k, oom_set, 0), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(oom_of_target, "nor does it matter how the target's was raised")
{
	cast(0, 0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(on(&t, oom_set, 300), 0);
	expect_eq(on(&t, do_become, 1000), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, oom_has), 0);
	expect_eq(on(&k, oom_set, 200), 0);
	expect_eq(on(&k, oom_set, 0), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(room_of_target, "a target that is at its limits has a child that is not")
{
	cast(0, 0);
	expect_eq(on(&t, room_get), 0);
	call();
	expect(on(&a, room_has) != 0);
	expect_eq(on(&k, room_has), on(&a, room_has));
	expect_eq(on(&t, room_has), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY_DOCUMENTED(room, "a caller that is at its limits of memory",
		"it has no room for the questions about it: ENOMEM")
{
	cast(0, 0);
	expect_eq(on(&a, room_get), 0);
	call();
	expect_eq(on(&k, room_has), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* Memory that is mapped is locked, of which it has as much as it may. */
static long locked_get(struct msg *m)
{
	const struct rlimit none = { 0, 0 };

	(void)m;
	if (mlockall(MCL_FUTURE) || setrlimit(RLIMIT_MEMLOCK, &none))
		return -errno;
	return 0;
}

static long call_locked(void)
{
	cast(0, 0);
	expect_eq(on(&a, locked_get), 0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(on(&t, do_become, 1000), 0);
	return cl(&a, &k, t.pid, 0, 0);
}

PLAY_DOCUMENTED(room_locked, "a caller that may not lock more memory, and locks all",
		"it has no room for the questions about it: ENOMEM")
{
	expect_ok(call_locked());
}

PLAY(room_error, "it is not told that there are too many processes")
{
	long ret = call_locked();

	expect(ret > 0 || ret == -ENOMEM);
}

PLAY_DOCUMENTED(above, "a descriptor above the limit on them",
		"opening it again wants CAP_SYS_RESOURCE: EOPNOTSUPP")
{
	cast(0, 0);
	expect_eq(on(&t, above_get), 0);
	expect_eq(on(&a, above_get), 0);
	call();
	expect_eq(on(&k, above_has), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY_DOCUMENTED(code, "code of a mount without exec",
		"it cannot be mapped a second time: EOPNOTSUPP")
{
	cast(CLONE_NEWNS, 0);
	expect_eq(on(&a, code_get), 0);
	call();
	expect_eq(on(&k, code_has), 100);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY_DOCUMENTED(sealed, "a writable mapping of a file that was sealed since",
		"it cannot be mapped a second time: EOPNOTSUPP")
{
	cast(0, 0);
	expect_eq(on(&a, sealed_get), 0);
	expect_eq(on(&a, area_has), 100);
	call();
	expect_eq(on(&k, area_has), 101);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* A file of the lower layer, mapped; then somebody writes to it, and so to a copy. */
static long copied_get(struct msg *m)
{
	int fd;

	(void)m;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) ||
	    mkdir("/tmp/low", 0755) || mkdir("/tmp/up", 0755) ||
	    mkdir("/tmp/work", 0755) || mkdir("/tmp/both", 0755))
		return -errno;
	fd = open("/tmp/low/file", O_RDWR | O_CREAT, 0644);
	if (fd < 0 || write(fd, "d", 1) != 1)
		return -errno;
	close(fd);
	if (mount("none", "/tmp/both", "overlay", 0,
		  "lowerdir=/tmp/low,upperdir=/tmp/up,workdir=/tmp/work"))
		return errno == ENODEV ? -ENOSYS : -errno;
	fd = open("/tmp/both/file", O_RDONLY);
	area = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	fd = open("/tmp/both/file", O_RDWR);
	if (area == MAP_FAILED || fd < 0 || write(fd, "n", 1) != 1)
		return -errno;
	return close(fd);
}

static long copied_has(struct msg *m)
{
	(void)m;
	return area[0];
}

PLAY_DOCUMENTED(copied_up, "a file that an overlay has copied since it was mapped",
		"only the copy can be opened: EOPNOTSUPP")
{
	long got;

	cast(CLONE_NEWNS, 0);
	got = on(&a, copied_get);
	if (got == -ENOSYS)
		ct_skip("no overlay file systems here");
	expect_eq(got, 0);
	expect_eq(on(&a, copied_has), 'd');
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, copied_has), 'd');
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* What is only read of it now may be written after an mprotect(2). */
static long sealed_read_get(struct msg *m)
{
	const int future_write = 0x0010;
	int fd = syscall(SYS_memfd_create, "sealed", 2U /* ALLOW_SEALING */);
	long ret = 0;

	(void)m;
	if (fd < 0 || ftruncate(fd, PAGE))
		return -errno;
	area = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED || fcntl(fd, F_ADD_SEALS, future_write))
		ret = -errno;
	close(fd);
	return ret;
}

static long area_protect(struct msg *m)
{
	return mprotect((void *)area, PAGE, m->arg[0]) ? -errno : 0;
}

PLAY_DOCUMENTED(sealed_read, "a mapping that may become writable, though its file was sealed since",
		"what is mapped anew may not")
{
	cast(0, 0);
	expect_eq(on(&a, sealed_read_get), 0);
	call();
	expect_eq(on(&k, area_protect, PROT_READ | PROT_WRITE), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY_DOCUMENTED(data, "a mapping that may become code, of a mount without exec",
		"what is mapped anew may not")
{
	cast(CLONE_NEWNS, 0);
	expect_eq(on(&a, data_get), 0);
	call();
	expect_eq(on(&k, area_protect, PROT_READ | PROT_EXEC), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* --- the program -------------------------------------------------------- */

/* A program of root alone, on a mount that is seen by a and t. */
static long do_make_program(struct msg *m)
{
	mkdir("/tmp", 01777);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, NULL))
		return -errno;
	snprintf(m->buf, sizeof(m->buf), "/tmp/program");
	copy_program(m->buf, 0700);
	return 0;
}

static long do_chmod(struct msg *m)
{
	return chmod("/tmp/program", m->arg[0]) ? -errno : 0;
}

static long do_close_mount(struct msg *m)
{
	(void)m;
	return mount("none", "/tmp", NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC,
		     NULL) ? -errno : 0;
}

static long do_detach_mount(struct msg *m)
{
	(void)m;
	return umount2("/tmp", MNT_DETACH) ? -errno : 0;
}

/* The caller runs a program; then() happens to that. */
static void play_program(actor_fn then, long arg, uint64_t target)
{
	cast(CLONE_NEWNS, target);
	expect_eq(on(&a, do_make_program), 0);
	expect_eq(on(&a, do_execute), a.vpid);
	expect_eq(on(&a, then, arg), 0);
	call();
	expect(proc_link(a.pid, "exe") != 0);
	expect(proc_link(a.pid, "exe") != proc_link(t.pid, "exe"));
	expect_eq(proc_link(k.pid, "exe"), proc_link(a.pid, "exe"));
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(program_closed, "a program that only root may run")
{
	play_program(do_chmod, 0700, 0);
}

PLAY(program_closed_executed, "the same where the target has made an exec")
{
	play_program(do_chmod, 0700, ACTOR_EXEC);
}

PLAY(program_detached, "a program on no mount")
{
	play_program(do_detach_mount, 0, 0);
}

PLAY_DOCUMENTED(program_no_exec, "a program that nobody may run",
		"the kernel lets nobody have it: EOPNOTSUPP")
{
	play_program(do_chmod, 0, 0);
}

PLAY_DOCUMENTED(program_mount, "a program on a mount without exec",
		"the kernel lets nobody have it: EOPNOTSUPP")
{
	play_program(do_close_mount, 0, 0);
}

/* --- dumpable ----------------------------------------------------------- */

#define SUID_DUMPABLE "/proc/sys/fs/suid_dumpable"

/* Of this machine: what it was is put back before anything is judged. */
static int suid_dumpable(int value)
{
	char was = 0;
	int fd = open(SUID_DUMPABLE, O_RDWR | O_CLOEXEC);

	if (fd < 0 || read(fd, &was, 1) != 1)
		ct_skip(SUID_DUMPABLE " may not be written");
	close(fd);
	ct_write(SUID_DUMPABLE, "%d", value);
	return was - '0';
}

static long do_setuid(struct msg *m)
{
	if (syscall(SYS_setresgid, m->arg[0], m->arg[0], m->arg[0]) ||
	    syscall(SYS_setresuid, m->arg[0], m->arg[0], m->arg[0]))
		return -errno;
	return 0;
}

static long get_dumpable(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_DUMPABLE);
}

struct dumpable {
	const char *name;
	const char *verdict;
	actor_fn caller, target;
	long arg;		/* of both */
	long want, theirs;
};

static long do_go_and_return(struct msg *m)
{
	if (syscall(SYS_setresuid, -1, m->arg[0], -1) ||
	    syscall(SYS_setresuid, -1, 0, -1))
		return -errno;
	return 0;
}

static long set_dumpable(struct msg *m)
{
	return prctl(PR_SET_DUMPABLE, m->arg[0] == 1) ? -errno : 0;
}

/* A user that is not dumped at all. */
static long not_dumpable(struct msg *m)
{
	become(m->arg[0]);
	return prctl(PR_SET_DUMPABLE, 0) ? -errno : 0;
}

static const struct dumpable dumpables[] = {
	{ "dumpable_by_root", "a caller that is dumped for root to read",
	  do_setuid, do_become, 1000, 2, 1 },
	{ "dumpable_by_root_root", "the same, and both are root",
	  do_go_and_return, set_dumpable, 1, 2, 1 },
	{ "dumpable_by_root_both", "the same, and so is the target",
	  do_go_and_return, do_setuid, 1000, 2, 2 },
	{ "dumpable_by_root_not", "the same, and the target is not at all",
	  do_go_and_return, not_dumpable, 1000, 2, 0 },
	{ "dumpable_not", "a caller that is not dumped, root, its target not",
	  set_dumpable, do_become, 1000, 0, 1 },
	{ "dumpable_not_both", "the same, and the target for root",
	  set_dumpable, do_setuid, 1000, 0, 2 },
	{ "dumpable", "a caller that is dumped for all to read",
	  set_dumpable, do_setuid, 1, 1, 2 },
};

/* Where a process that changes its user is dumped for root. */
PLAY_TABLE(dumpable, dumpables)
{
	const struct dumpable *d = ct_arg();
	long caller, target, ret, kid;
	int was;

	cast(0, 0);
	was = suid_dumpable(2);
	on(&a, d->caller, d->arg);
	on(&t, d->target, d->arg);
	caller = on(&a, get_dumpable);
	ret = cl(&a, &k, t.pid, 0, 0);
	target = on(&t, get_dumpable);
	kid = ret < 0 ? ret : on(&k, get_dumpable);
	suid_dumpable(was);
	expect_eq(caller, d->want);
	expect_eq(target, d->theirs);
	expect_eq(kid, d->want);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* The child of a caller that is dumped for root, once others are dumped so. */
static long changed_meanwhile(int later)
{
	long caller, ret, kid;
	int was;

	cast(0, 0);
	was = suid_dumpable(2);
	on(&a, do_setuid, 1000);
	on(&t, do_become, 1000);
	caller = on(&a, get_dumpable);
	suid_dumpable(later);
	ret = cl(&a, &k, t.pid, 0, 0);
	kid = ret < 0 ? ret : on(&k, get_dumpable);
	suid_dumpable(was);
	expect_eq(caller, 2);
	expect_eq(end(&k, &t, 5), EXITED(5));
	return kid;
}

PLAY(dumpable_not_shown, "dumped for root, never for all, whatever is so now")
{
	expect(changed_meanwhile(1) != 1);
}

PLAY_DOCUMENTED(dumpable_changed, "dumped for root, where that is so no more",
		"nobody can ask for it: the child is not dumped at all")
{
	expect_eq(changed_meanwhile(0), 2);
}
