// SPDX-License-Identifier: GPL-2.0
/*
 * Credentials are the caller's, whatever the target's are, and a target that
 * the caller might not trace is refused.
 *
 *	check
 *	  +-- a         the caller
 *	        +-- target    with other credentials
 *	              +-- kid      must have a's
 */
#include "scene.h"
#include <grp.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/resource.h>

static long do_groups(struct msg *m)
{
	gid_t groups[] = { m->arg[0], m->arg[0] + 1, m->arg[0] + 7 };

	return setgroups(3, groups) ? -errno : 0;
}

/* Everything about identity in /proc/PID/status, to the letter. */
static const char *const fields[] = {
	"Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:",
	"CapAmb:", "NoNewPrivs:", NULL
};

static void identity(pid_t pid, char *text, size_t size)
{
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		fail("%s: %s", path, ct_errname(errno));
	*text = 0;
	while (fgets(line, sizeof(line), f))
		for (int i = 0; fields[i]; i++)
			if (!strncmp(line, fields[i], strlen(fields[i])) &&
			    strlen(text) + strlen(line) < size)
				strcat(text, line);
	fclose(f);
}

static void same_identity(pid_t a, pid_t b)
{
	char one[2048], two[2048];

	identity(a, one, sizeof(one));
	identity(b, two, sizeof(two));
	if (strcmp(one, two))
		fail("identity of %d:\n%s\nof %d:\n%s", a, one, b, two);
}

static void other_identity(pid_t a, pid_t b)
{
	char one[2048], two[2048];

	identity(a, one, sizeof(one));
	identity(b, two, sizeof(two));
	expect(strcmp(one, two));
}

/* check -> a -> target, changed by fn(arg) */
static struct actor a, t, k;

static void cast(uint64_t flags)
{
	spawn(&me, &a, 0);
	spawn(&a, &t, flags);
}

/* The kid is a's double; the target is what it was. */
static void double_of_caller(void)
{
	char before[2048], after[2048];

	identity(t.pid, before, sizeof(before));
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_identity(a.pid, k.pid);
	identity(t.pid, after, sizeof(after));
	expect(!strcmp(before, after));
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* --- the caller's, not the target's ------------------------------------- */

PLAY(same, "caller and target alike: the child is as well")
{
	cast(0);
	double_of_caller();
}

PLAY(target_other_uid, "a target with another uid: the child has the caller's")
{
	cast(0);
	expect_eq(on(&t, do_become, 2000), 0);
	other_identity(a.pid, t.pid);
	double_of_caller();
}

PLAY(target_other_uid_executed, "the same with an executed target")
{
	cast(ACTOR_EXEC);
	expect_eq(on(&t, do_become, 2000), 0);
	double_of_caller();
}

PLAY(target_other_uid_init, "the same with the init of a container")
{
	cast(CLONE_NEWPID);
	expect_eq(on(&t, do_become, 2000), 0);
	double_of_caller();
}

PLAY(target_fewer_caps, "a target that dropped a capability")
{
	cast(0);
	expect_eq(on(&t, do_drop, CAP_NET_ADMIN), 0);
	other_identity(a.pid, t.pid);
	double_of_caller();
}

static volatile char untouched[4 * 4096];

static long do_write(struct msg *m)
{
	(void)m;
	untouched[2 * 4096] = 1;
	return 0;
}

PLAY(target_fewer_caps_wrote, "the same, and it wrote where the caller did not")
{
	cast(0);
	expect_eq(on(&t, do_drop, CAP_NET_ADMIN), 0);
	expect_eq(on(&t, do_write), 0);
	double_of_caller();
}

static long do_drop_all(struct msg *m)
{
	(void)m;
	drop_all_caps();
	return 0;
}

PLAY(target_no_caps, "a target that dropped all capabilities")
{
	cast(0);
	expect_eq(on(&t, do_drop_all), 0);
	double_of_caller();
}

static long do_suspend(struct msg *m)
{
	(void)m;
	suspend_caps();
	return 0;
}

PLAY(target_caps_aside, "a target that put all capabilities aside")
{
	cast(0);
	expect_eq(on(&t, do_suspend), 0);
	double_of_caller();
}

PLAY(target_caps_aside_new, "new namespaces below such a target")
{
	cast(0);
	expect_eq(on(&t, do_suspend), 0);
	expect_ok(cl(&a, &k, t.pid, 0, CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC));
	same_identity(a.pid, k.pid);
	expect(ns_id(k.pid, "uts") != ns_id(t.pid, "uts"));
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY_DOCUMENTED(target_no_caps_newpid,
		"a new pid namespace below such a target: by the caller's right",
		"the target makes the clone, and has no right to: EOPNOTSUPP")
{
	cast(0);
	expect_eq(on(&t, do_drop_all), 0);
	expect_ok(cl(&a, &k, t.pid, 0, CLONE_NEWPID));
	expect_eq(sys(&k, SYS_getpid), 1);
}

PLAY_DOCUMENTED(target_no_caps_newtime,
		"a new time namespace below such a target: by the caller's right",
		"the target makes the clone, and has no right to: EOPNOTSUPP")
{
	cast(0);
	if (!ns_id(a.pid, "time"))
		ct_skip("this kernel has no time namespaces");
	expect_eq(on(&t, do_drop_all), 0);
	expect_ok(cl(&a, &k, t.pid, 0, EXT(CLONEXT_NEWTIME)));
	expect(ns_id(k.pid, "time") != ns_id(a.pid, "time"));
}

PLAY_DOCUMENTED(target_bounding_set, "a target with a smaller bounding set",
		"a process cannot enlarge its bounding set: EOPNOTSUPP")
{
	cast(0);
	expect_eq(sys(&t, SYS_prctl, PR_CAPBSET_DROP, CAP_SYS_TIME), 0);
	double_of_caller();
}

PLAY_DOCUMENTED(target_securebits, "a target with locked securebits",
		"a process cannot unlock them: EOPNOTSUPP")
{
	cast(0);
	expect_eq(sys(&t, SYS_prctl, PR_SET_SECUREBITS,
		      SECBIT_NOROOT | SECBIT_NOROOT_LOCKED), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_prctl, PR_GET_SECUREBITS), 0);
}

PLAY_DOCUMENTED(caller_unbound_caps,
		"a caller with a capability outside its bounding set",
		"a target without it has no child that can get it: EOPNOTSUPP")
{
	cast(0);
	expect_eq(sys(&a, SYS_prctl, PR_CAPBSET_DROP, CAP_SYS_TIME), 0);
	expect_eq(sys(&t, SYS_prctl, PR_CAPBSET_DROP, CAP_SYS_TIME), 0);
	expect_eq(on(&t, do_drop_all), 0);
	double_of_caller();
}

PLAY_DOCUMENTED(target_fewer_caps_nnp,
		"the target dropped a capability, both have no_new_privs",
		"no exec gives a right to its child: EOPNOTSUPP")
{
	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_prctl, PR_SET_NO_NEW_PRIVS, 1), 0);
	spawn(&a, &t, 0);
	expect_eq(on(&t, do_drop, CAP_NET_ADMIN), 0);
	double_of_caller();
}

PLAY_DOCUMENTED(target_fewer_caps_rootless,
		"the target dropped one in a user namespace without a root",
		"no exec gives a right to its child: EOPNOTSUPP")
{
	spawn(&me, &a, CLONE_NEWUSER);
	spawn(&a, &t, 0);
	expect_eq(on(&t, do_drop, CAP_NET_ADMIN), 0);
	double_of_caller();
}

/* No mount that the target sees has set-user-ID programs. */
static long do_nosuid(struct msg *m)
{
	struct { uint64_t set, clear, propagation, fd; } attr = {
		.set = 2, /* MOUNT_ATTR_NOSUID */
		.propagation = MS_PRIVATE,
	};

	(void)m;
	return ct_syscall6(442 /* mount_setattr */, AT_FDCWD, (long)"/",
			   0x8000 /* AT_RECURSIVE */, (long)&attr, sizeof(attr), 0);
}

static void cast_nosuid(void)
{
	long ret;

	cast(CLONE_NEWNS);
	ret = on(&t, do_nosuid);
	if (ret == -ENOSYS)
		ct_skip("no mount_setattr in this kernel");
	expect_eq(ret, 0);
}

PLAY(target_fewer_caps_nosuid, "the target dropped one, and sees nothing but nosuid mounts")
{
	cast_nosuid();
	expect_eq(on(&t, do_drop, CAP_NET_ADMIN), 0);
	double_of_caller();
}

PLAY_DOCUMENTED(target_other_uid_nosuid,
		"a target without capabilities or root's uid, and the same",
		"no exec gives a right to its child: EOPNOTSUPP")
{
	cast_nosuid();
	expect_eq(sys(&t, SYS_setresuid, 1000, 1000, 1000), 0);
	double_of_caller();
}

static long do_no_descriptor(struct msg *m)
{
	const struct rlimit none = { 0, 0 };

	(void)m;
	return setrlimit(RLIMIT_NOFILE, &none) ? -errno : 0;
}

/* Whoever may not raise the limit again is told so, and not that memory is short. */
PLAY(target_fewer_caps_no_files, "the target dropped one, and may have no descriptor")
{
	long ret;

	cast(0);
	expect_eq(on(&t, do_no_descriptor), 0);
	expect_eq(on(&t, do_become, 1000), 0);
	ret = cl(&a, &k, t.pid, 0, 0);
	if (ret == -EOPNOTSUPP)
		return;
	expect_ok(ret);
	same_identity(a.pid, k.pid);
}

#define NOROOT_FOR_GOOD (1 << 0 | 1 << 1)
#define NO_AMBIENT_FOR_GOOD (1 << 6 | 1 << 7)

PLAY(noroot_fewer_caps, "the target dropped one with SECBIT_NOROOT")
{
	cast(0);
	expect_eq(sys(&t, SYS_prctl, PR_SET_SECUREBITS, 1), 0);
	expect_eq(on(&t, do_drop, CAP_NET_ADMIN), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_identity(a.pid, k.pid);
	expect_eq(sys(&k, SYS_prctl, PR_GET_SECUREBITS), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* Neither may the kid be dumped, and it has a's securebits. */
static void undumpable_double(long securebits)
{
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_identity(a.pid, k.pid);
	expect_eq(sys(&k, SYS_prctl, PR_GET_SECUREBITS), securebits);
	expect_eq(sys(&k, SYS_prctl, PR_GET_DUMPABLE), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(noroot_undumpable, "a caller that may not be dumped, a target with SECBIT_NOROOT")
{
	cast(0);
	expect_eq(sys(&a, SYS_prctl, PR_SET_DUMPABLE, 0), 0);
	expect_eq(sys(&t, SYS_prctl, PR_SET_SECUREBITS, 1), 0);
	undumpable_double(0);
}

PLAY(noroot_locked_undumpable, "the same where both have locked it")
{
	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_prctl, PR_SET_SECUREBITS, NOROOT_FOR_GOOD), 0);
	spawn(&a, &t, 0);
	expect_eq(sys(&a, SYS_prctl, PR_SET_DUMPABLE, 0), 0);
	undumpable_double(NOROOT_FOR_GOOD);
}

PLAY_DOCUMENTED(noroot_unset, "the target dropped CAP_SETPCAP with SECBIT_NOROOT",
		"no exec gives a right to its child: EOPNOTSUPP")
{
	cast(0);
	expect_eq(sys(&t, SYS_prctl, PR_SET_SECUREBITS, 1), 0);
	expect_eq(on(&t, do_drop, CAP_SETPCAP), 0);
	double_of_caller();
}

PLAY_DOCUMENTED(noroot_no_ambient, "caller and target with rights that no exec keeps",
		"an exec to hide memory would take them: EOPNOTSUPP")
{
	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_prctl, PR_SET_SECUREBITS,
		      NOROOT_FOR_GOOD | NO_AMBIENT_FOR_GOOD), 0);
	spawn(&a, &t, 0);
	expect_eq(sys(&a, SYS_prctl, PR_SET_DUMPABLE, 0), 0);
	double_of_caller();
}

PLAY(rootless_no_new_privs, "no_new_privs in a user namespace without a root")
{
	spawn(&me, &a, CLONE_NEWUSER);
	spawn(&a, &t, 0);
	expect_eq(sys(&a, SYS_prctl, PR_SET_NO_NEW_PRIVS, 1), 0);
	double_of_caller();
}

PLAY(rootless_bounding_set, "a smaller bounding set there")
{
	spawn(&me, &a, CLONE_NEWUSER);
	spawn(&a, &t, 0);
	expect_eq(sys(&a, SYS_prctl, PR_CAPBSET_DROP, CAP_SYS_TIME), 0);
	double_of_caller();
}

PLAY(rootless_undumpable, "a caller there that may not be dumped")
{
	spawn(&me, &a, CLONE_NEWUSER);
	spawn(&a, &t, 0);
	expect_eq(sys(&a, SYS_prctl, PR_SET_DUMPABLE, 0), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_prctl, PR_GET_DUMPABLE), 0);
	same_identity(a.pid, k.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY_DOCUMENTED(target_fewer_caps_files,
		"CLONE_FILES with a target that dropped a capability",
		"an exec for the right would end the sharing: EOPNOTSUPP")
{
	cast(CLONE_FILES);
	expect_eq(on(&t, do_drop, CAP_NET_ADMIN), 0);
	expect_ok(cl(&a, &k, t.pid, 0, CLONE_FILES));
	same_identity(a.pid, k.pid);
}

PLAY_DOCUMENTED(target_fewer_caps_fs,
		"CLONE_FS with a target that dropped a capability",
		"an exec gives no right to who shares its root: EOPNOTSUPP")
{
	cast(CLONE_FS);
	expect_eq(on(&t, do_drop, CAP_NET_ADMIN), 0);
	expect_ok(cl(&a, &k, t.pid, 0, CLONE_FS));
	same_identity(a.pid, k.pid);
}

PLAY(fs_undumpable, "CLONE_FS of a caller that may not be dumped")
{
	cast(CLONE_FS);
	expect_eq(sys(&a, SYS_prctl, PR_SET_DUMPABLE, 0), 0);
	expect_ok(cl(&a, &k, t.pid, 0, CLONE_FS));
	same_identity(a.pid, k.pid);
	expect_eq(sys(&k, SYS_prctl, PR_GET_DUMPABLE), 0);
}

PLAY_DOCUMENTED(target_fewer_caps_vm,
		"CLONE_VM with a target that dropped a capability",
		"an exec for the right would end the sharing: EOPNOTSUPP")
{
	cast(CLONE_VM);
	expect_eq(on(&t, do_drop, CAP_NET_ADMIN), 0);
	expect_ok(cl(&a, &k, t.pid, 0, CLONE_VM));
	same_identity(a.pid, k.pid);
}

/* Memory that may be dumped again after its process has changed its user. */
PLAY(vm_dumpable, "CLONE_VM with a target of another user: all may be dumped as before")
{
	cast(CLONE_VM);
	expect_eq(sys(&a, SYS_setresuid, -1, 1000, 0), 0);
	expect_eq(sys(&t, SYS_prctl, PR_SET_DUMPABLE, 1), 0);
	expect_ok(cl(&a, &k, t.pid, 0, CLONE_VM));
	same_identity(a.pid, k.pid);
	expect_eq(sys(&a, SYS_prctl, PR_GET_DUMPABLE), 1);
	expect_eq(sys(&k, SYS_prctl, PR_GET_DUMPABLE), 1);
}

PLAY_DOCUMENTED(undumpable_files,
		"CLONE_FILES of a caller that may not be dumped",
		"an exec to hide memory would end the sharing: EOPNOTSUPP")
{
	cast(CLONE_FILES);
	expect_eq(sys(&a, SYS_prctl, PR_SET_DUMPABLE, 0), 0);
	expect_ok(cl(&a, &k, t.pid, 0, CLONE_FILES));
	expect_eq(sys(&k, SYS_prctl, PR_GET_DUMPABLE), 0);
}

/* All descriptors of the caller are in use when it calls. */
static long do_call_full(struct msg *m)
{
	struct rlimit few = { 64, 64 };
	struct ct_args args;
	long ret;

	if (setrlimit(RLIMIT_NOFILE, &few))
		return -errno;
	while (dup(0) >= 0)
		;
	ct_args(&args, SIGCHLD, 0);
	ret = ct_syscall3(__NR_cloneat, m->arg[0], 0, &args);
	if (!ret)
		_exit(0);
	return ret;
}

/* No room is an answer that may come anywhere; a child is none. */
PLAY(other_user_full, "the same memory, the target is root, no descriptor is free")
{
	long ret;

	cast(CLONE_VM);
	expect_eq(on(&a, do_become, 1000), 0);
	ret = on(&a, do_call_full, t.pid);
	if (ret != -ENOMEM)
		expect_eq(ret, -EPERM);
}

PLAY_DOCUMENTED(memory_full, "the same memory, and no descriptor is free",
		"it takes one to ask whether it may trace the target: ENOMEM")
{
	cast(CLONE_VM);
	expect_ok(on(&a, do_call_full, t.pid));
}

PLAY(caller_bounding_set, "a caller with a smaller bounding set")
{
	cast(0);
	expect_eq(sys(&a, SYS_prctl, PR_CAPBSET_DROP, CAP_SYS_TIME), 0);
	double_of_caller();
}

PLAY(caller_fewer_caps, "a caller that dropped a capability the target has")
{
	cast(0);
	expect_eq(on(&a, do_drop, CAP_NET_ADMIN), 0);
	other_identity(a.pid, t.pid);
	double_of_caller();
}

PLAY(target_groups, "a target with groups of its own")
{
	cast(0);
	expect_eq(on(&t, do_groups, 3000), 0);
	other_identity(a.pid, t.pid);
	double_of_caller();
}

PLAY(caller_groups, "a caller with groups that the target lacks")
{
	cast(0);
	expect_eq(on(&a, do_groups, 4000), 0);
	double_of_caller();
}

/* Real, effective, saved and file system ids, all different. */
static long do_four_ids(struct msg *m)
{
	long n = m->arg[0];

	if (setresgid(n + 10, n + 11, n + 12) || setresuid(0, 0, n + 2))
		return -errno;
	setfsgid(n + 13);
	setfsuid(n + 3);
	return prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

PLAY(four_ids, "real, effective, saved and file system ids are the caller's")
{
	cast(0);
	expect_eq(on(&a, do_four_ids, 5000), 0);
	expect_eq(on(&t, do_four_ids, 6000), 0);
	double_of_caller();
}

/* Inheritable and ambient: one capability each in caller and target. */
static long do_ambient(struct msg *m)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];
	int cap = m->arg[0];

	if (syscall(SYS_capget, &h, d))
		return -errno;
	d[cap / 32].inheritable |= 1U << (cap % 32);
	if (syscall(SYS_capset, &h, d))
		return -errno;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) ?
	       -errno : 0;
}

PLAY(ambient, "inheritable and ambient capabilities are the caller's")
{
	cast(0);
	expect_eq(on(&a, do_ambient, CAP_NET_RAW), 0);
	expect_eq(on(&t, do_ambient, CAP_CHOWN), 0);
	double_of_caller();
}

/* Permitted but not effective. */
static long do_lay_down(struct msg *m)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];
	int cap = m->arg[0];

	if (syscall(SYS_capget, &h, d))
		return -errno;
	d[cap / 32].effective &= ~(1U << (cap % 32));
	return syscall(SYS_capset, &h, d) ? -errno : 0;
}

PLAY(not_effective, "a capability that is permitted only stays so")
{
	cast(0);
	expect_eq(on(&a, do_lay_down, CAP_CHOWN), 0);
	double_of_caller();
}

PLAY(unprivileged, "caller and target of one ordinary user")
{
	cast(0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(on(&t, do_become, 1000), 0);
	double_of_caller();
}

PLAY(unprivileged_executed, "an ordinary user's executed target")
{
	spawn(&me, &a, 0);
	expect_eq(on(&a, do_become, 1000), 0);
	spawn(&a, &t, ACTOR_EXEC);
	double_of_caller();
}

PLAY(unprivileged_grandchild, "an ordinary user's grandchild")
{
	struct actor b;

	spawn(&me, &a, 0);
	expect_eq(on(&a, do_become, 1000), 0);
	spawn(&a, &b, 0);
	spawn(&b, &t, 0);
	double_of_caller();
}

PLAY(kid_gives_up, "what the child gives up is its own affair")
{
	cast(0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_become, 1234), 0);
	other_identity(k.pid, a.pid);
	same_identity(a.pid, t.pid);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* Credentials are a thread's: the calling thread's count. */
PLAY(calling_thread, "a thread with credentials of its own gives its own")
{
	struct actor th;

	cast(0);
	thread_of(&a, &th);
	expect_eq(on(&th, do_drop, CAP_NET_ADMIN), 0);
	other_identity(a.pid, th.pid);
	expect_ok(cl(&th, &k, t.pid, 0, 0));
	same_identity(th.pid, k.pid);
}

/* Nobody is asked about the leader, whose rights are beyond the child's. */
PLAY(thread_without_caps, "a thread without capabilities, and its child")
{
	struct actor th;

	spawn(&me, &a, 0);
	thread_of(&a, &th);
	expect_eq(on(&th, do_drop_all), 0);
	other_identity(a.pid, th.pid);
	spawn(&th, &t, 0);
	same_identity(th.pid, t.pid);
	expect_ok(cl(&th, &k, t.pid, 0, 0));
	same_identity(th.pid, k.pid);
}

/* --- whom one may not use ----------------------------------------------- */

PLAY(foreign_uid, "an ordinary user may not use another user's process")
{
	cast(0);
	expect_eq(on(&t, do_become, 2000), 0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
}

PLAY(foreign_root, "nor a process of root")
{
	cast(0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
}

static long do_gid(struct msg *m)
{
	return setresgid(m->arg[0], m->arg[0], m->arg[0]) ? -errno : 0;
}

static long do_uid(struct msg *m)
{
	if (setresuid(m->arg[0], m->arg[0], m->arg[0]))
		return -errno;
	return prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

PLAY(foreign_gid, "nor one of the same uid and another gid")
{
	cast(0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(on(&t, do_gid, 1001), 0);
	expect_eq(on(&t, do_uid, 1000), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
}

PLAY(foreign_saved_uid, "nor one whose saved uid is another")
{
	cast(0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(on(&t, do_gid, 1000), 0);
	expect_eq(sys(&t, SYS_setresuid, 1000, 1000, 0), 0);
	expect_eq(sys(&t, SYS_prctl, PR_SET_DUMPABLE, 1), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
}

PLAY(foreign_not_dumpable, "nor a process of its own that is not dumpable")
{
	cast(0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(on(&t, do_become, 1000), 0);
	expect_eq(sys(&t, SYS_prctl, PR_SET_DUMPABLE, 0), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
	expect_eq(sys(&t, SYS_prctl, PR_SET_DUMPABLE, 1), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
}

PLAY(not_dumpable_root, "root may use a process that is not dumpable")
{
	cast(0);
	expect_eq(sys(&t, SYS_prctl, PR_SET_DUMPABLE, 0), 0);
	double_of_caller();
}

PLAY(not_dumpable_self, "a caller that is not dumpable may use itself")
{
	spawn(&me, &a, 0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(sys(&a, SYS_prctl, PR_SET_DUMPABLE, 0), 0);
	expect_ok(cl(&a, &k, a.pid, 0, 0));
	same_identity(a.pid, k.pid);
	expect_eq(end(&k, &a, 5), EXITED(5));
}

/* --- set-user-ID programs ----------------------------------------------- */

/* a and target are uid 1000, then the target executes a program of root's */
static void setuid_target(void)
{
	make_setuid_program();
	cast(0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(on(&t, do_become, 1000), 0);
	expect_eq(on(&t, do_execute_setuid), t.pid);
	must(unlink(setuid_path));
	expect_eq(sys(&t, SYS_geteuid), 0);
	expect_eq(sys(&t, SYS_getuid), 1000);
}

PLAY(setuid_program, "a set-user-ID target is no target of its user: EPERM")
{
	setuid_target();
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
	expect_eq(cl(&a, &k, t.pid, 0, CLONE_NEWUTS), -EPERM);
}

PLAY(setuid_back, "nor when it has given root up again: it is not dumpable")
{
	setuid_target();
	expect_eq(sys(&t, SYS_setresuid, 1000, 1000, 1000), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
}

PLAY(setuid_root, "root may use it, and the child is root's double")
{
	setuid_target();
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	same_identity(k.pid, getpid());
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* target, an ordinary user's, whose own child is the set-user-ID process */
PLAY(setuid_between, "a set-user-ID process on the way down does no harm")
{
	struct actor d;

	setuid_target();
	spawn(&t, &d, 0);
	expect_eq(on(&d, do_become, 1000), 0);
	expect_ok(cl(&a, &k, d.pid, 0, 0));
	same_identity(a.pid, k.pid);
	expect_eq(end(&k, &d, 5), EXITED(5));
}
