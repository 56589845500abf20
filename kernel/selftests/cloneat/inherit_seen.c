// SPDX-License-Identifier: GPL-2.0
/*
 * What fork() hands down and what shows only to who looks closely: where one
 * mapping ends and the next begins, memory policies, what the kernel notes
 * about a process.
 *
 *	check      owns it
 *	  +-- target    another, executed
 *	        +-- kid
 */
#include "scene.h"
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/mempolicy.h>

static char *area;

/* Does a mapping begin there? */
static long starts_mapping(const void *at)
{
	char line[512], start[32];
	long found = 0;
	FILE *f = fopen("/proc/self/maps", "re");

	if (!f)
		return -errno;
	snprintf(start, sizeof(start), "%lx-", (unsigned long)at);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, start, strlen(start)))
			found = 1;
	fclose(f);
	return found;
}

static long do_starts(struct msg *m)
{
	return starts_mapping(area + m->arg[0] * PAGE);
}

static void map_page(long page, int prot, int flags, int fd)
{
	char *at = mmap(area + page * PAGE, PAGE, prot,
			flags | MAP_FIXED, fd, page * PAGE);

	expect(at != MAP_FAILED);
}

static void reserve(long pages)
{
	area = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	expect(area != MAP_FAILED);
}

/* Both are written while something sets them apart. */
static void neighbours_anon(enum kind kind)
{
	struct actor k;

	reserve(2);
	must(mprotect(area, 2 * PAGE, PROT_READ | PROT_WRITE));
	must(madvise(area + PAGE, PAGE, MADV_DONTDUMP));
	area[0] = 1;
	area[PAGE] = 1;
	must(madvise(area + PAGE, PAGE, MADV_DODUMP));
	expect_eq(starts_mapping(area + PAGE), 1);
	kid_of(kind, &k);
	expect_eq(on(&k, do_starts, 1), 1);
}

/* A lock, which is not inherited, sets the first page apart. */
static void neighbours_file(enum kind kind)
{
	int fd = must(memfd_create("two", MFD_CLOEXEC));
	struct actor k;

	must(ftruncate(fd, 2 * PAGE));
	reserve(2);
	map_page(0, PROT_READ, MAP_SHARED, fd);
	map_page(1, PROT_READ, MAP_SHARED, fd);
	must(mlock(area, PAGE));
	expect_eq(starts_mapping(area + PAGE), 1);
	kid_of(kind, &k);
	expect_eq(on(&k, do_starts, 1), 1);
}

/* The mode of the policy of a page; the task's is left out of account. */
static long do_policy(struct msg *m)
{
	int mode = -1;
	long ret = ct_syscall6(SYS_get_mempolicy, (long)&mode, 0, 0,
			       (long)area + m->arg[0] * PAGE, MPOL_F_ADDR, 0);

	return ret ? ret : mode;
}

static void policy_of_mapping(enum kind kind)
{
	unsigned long node = 1;
	struct actor k;
	long ret;

	reserve(2);
	ret = ct_syscall6(SYS_mbind, (long)area + PAGE, PAGE, MPOL_BIND,
			  (long)&node, 64, 0);
	if (ret == -ENOSYS)
		ct_skip("no NUMA in this kernel");
	expect_eq(ret, 0);
	kid_of(kind, &k);
	expect_eq(on(&k, do_policy, 0), MPOL_DEFAULT);
	expect_eq(on(&k, do_policy, 1), MPOL_BIND);
}

static const struct kinds seen[] = {
	KINDS(neighbours_anon, "neighbours that were never one stay two"),
	KINDS(neighbours_file, "neighbours of a file, one locked, stay two"),
	KINDS(policy_of_mapping, "the memory policy of one mapping"),
};

PLAY_TABLE(kinds, seen)
{
	play_kind();
}

/* --- what only fork() itself can give ----------------------------------- */

/* Field 9 of /proc/self/stat: PF_FORKNOEXEC and PF_SUPERPRIV. */
static long do_flags(struct msg *m)
{
	FILE *f = fopen("/proc/self/stat", "re");
	unsigned long flags = 0;
	int got;

	(void)m;
	if (!f)
		return -errno;
	got = fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %lu", &flags);
	fclose(f);
	return got == 1 ? (long)(flags & 0x140) : -ENODATA;
}

PLAY_DOCUMENTED(process_flags, "the kernel's notes on a process begin anew",
		"rebuilding takes privileges, which the kernel notes")
{
	gid_t group = 5;
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	must(setgroups(1, &group));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_flags), 0x40);
}

static long do_map_much(struct msg *m)
{
	void *at = mmap(NULL, m->arg[0], PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? -errno : 0;
}

PLAY_DOCUMENTED(peak, "the most memory that the target had mapped is its own",
		"the peak can grow, but not shrink")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	expect_eq(on(&t, do_map_much, 1L << 30), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect(proc_field(k.pid, "VmPeak") <
	       proc_field(ct_pid(), "VmSize") + (512L << 10));
}

static long do_next_address(struct msg *m)
{
	void *at = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);

	(void)m;
	munmap(at, PAGE);
	return (long)at;
}

PLAY_DOCUMENTED(next_address, "the next mapping goes where the caller's would",
		"mm->mmap_base is chosen by exec alone")
{
	struct actor t, k;
	long next = on(&me, do_next_address);

	spawn(&me, &t, ACTOR_EXEC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_next_address), next);
}

static long do_slack_default(struct msg *m)
{
	(void)m;
	must(prctl(PR_SET_TIMERSLACK, 0));
	return prctl(PR_GET_TIMERSLACK);
}

PLAY_DOCUMENTED(slack_default, "the default timer slack is the caller's slack",
		"it is set by fork alone")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	must(prctl(PR_SET_TIMERSLACK, 77777));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_slack_default), 77777);
}

static long do_realtime(struct msg *m)
{
	const struct sched_param p = { .sched_priority = 1 };

	(void)m;
	return sched_setscheduler(0, SCHED_FIFO, &p);
}

PLAY_DOCUMENTED(slack_realtime, "a realtime caller's child without its policy has its slack, 0",
		"PR_SET_TIMERSLACK with 0 sets the default")
{
	const struct sched_param p = { .sched_priority = 1 };
	struct actor t, f, k;

	spawn(&me, &t, 0);
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p))
		ct_skip("no right to a realtime policy");
	spawn(&me, &f, 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_sched_getscheduler, 0), SCHED_OTHER);
	expect_eq(sys(&k, SYS_prctl, PR_GET_TIMERSLACK),
		  sys(&f, SYS_prctl, PR_GET_TIMERSLACK));
}

PLAY(slack_realtime_target, "a realtime target: the child has the caller's timer slack")
{
	static const unsigned int flags[] = { 0, CLONE_NEWUTS };
	struct actor t, k;

	spawn(&me, &t, 0);
	if (on(&t, do_realtime))
		ct_skip("no right to a realtime policy");
	must(prctl(PR_SET_TIMERSLACK, 77777));
	for (int i = 0; i < 2; i++) {
		expect_ok(cl(&me, &k, t.pid, 0, flags[i]));
		expect_eq(sys(&k, SYS_prctl, PR_GET_TIMERSLACK), 77777);
		expect_eq(end(&k, &t, 0), EXITED(0));
	}
}

static long set_request_key(long ring)
{
	return ct_syscall3(SYS_keyctl, KEYCTL_SET_REQKEY_KEYRING, ring, 0);
}

static long do_request_key(struct msg *m)
{
	return set_request_key(m->arg[0]);
}

PLAY(request_key_session, "where requested keys go: the session keyring")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	if (set_request_key(KEY_REQKEY_DEFL_SESSION_KEYRING) == -ENOSYS)
		ct_skip("no keys in this kernel");
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_request_key, KEY_REQKEY_DEFL_NO_CHANGE),
		  KEY_REQKEY_DEFL_SESSION_KEYRING);
}

static void request_key_own(long ring)
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	if (set_request_key(ring) == -ENOSYS)
		ct_skip("no keys in this kernel");
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_request_key, KEY_REQKEY_DEFL_NO_CHANGE), ring);
}

PLAY_DOCUMENTED(request_key_process, "where requested keys go: a process keyring",
		"to say so makes a keyring, which fork does not hand down")
{
	request_key_own(KEY_REQKEY_DEFL_PROCESS_KEYRING);
}

PLAY_DOCUMENTED(request_key_thread, "where requested keys go: a thread's keyring",
		"to say so makes a keyring, which fork does not hand down")
{
	request_key_own(KEY_REQKEY_DEFL_THREAD_KEYRING);
}

/* 1 if the thread has a keyring of its own, or of its process. */
static long do_has_keyring(struct msg *m)
{
	long ret = ct_syscall3(SYS_keyctl, KEYCTL_GET_KEYRING_ID, m->arg[0], 0);

	return ret == -ENOKEY ? 0 : ret < 0 ? ret : 1;
}

static void no_keyring(long requested, long ring)
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	if (set_request_key(requested) == -ENOSYS)
		ct_skip("no keys in this kernel");
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_has_keyring, ring), 0);
}

PLAY(process_keyring, "a process keyring is not handed down")
{
	no_keyring(KEY_REQKEY_DEFL_PROCESS_KEYRING, KEY_SPEC_PROCESS_KEYRING);
}

PLAY(thread_keyring, "a thread's keyring is not handed down")
{
	no_keyring(KEY_REQKEY_DEFL_THREAD_KEYRING, KEY_SPEC_THREAD_KEYRING);
}

/* --- what only a fork hands down ----------------------------------------- */

/* The audit session, which begins with a login; -errno. */
static long do_audit_session(struct msg *m)
{
	char text[16] = "";
	int fd = open(m->arg[0] ? "/proc/self/loginuid" : "/proc/self/sessionid",
		      m->arg[0] ? O_WRONLY : O_RDONLY);
	long ret = fd < 0 ? -errno : 0;

	if (!ret && m->arg[0])
		ret = write(fd, "0", 1) < 0 ? -errno : 0;
	else if (!ret && read(fd, text, sizeof(text) - 1) < 0)
		ret = -errno;
	close(fd);
	return ret ? ret : strtol(text, NULL, 10);
}

PLAY_DOCUMENTED(audit_session, "the audit session is the caller's",
		"only a login gives one, and a new one")
{
	struct actor a, t, k;
	long ret;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	ret = on(&a, do_audit_session, 1);
	if (ret)
		ct_skip("no login here: %s", ct_errname(-ret));
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	ret = expect_ok(on(&a, do_audit_session, 0));
	expect_eq(on(&k, do_audit_session, 0), ret);
}
