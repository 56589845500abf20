// SPDX-License-Identifier: GPL-2.0
/*
 * What a process has and cannot shed: it comes from the caller, whoever the
 * target is (see property.h), and what the target has the child has not.
 */
#include "property.h"
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>

static long get_nnp(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static long put_nnp(struct msg *m)
{
	if (!m->arg[0])
		return 0;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

/* A filter shows itself by the errno of a number that no call has. */
#define MARKED_NR 1023

static long get_filter(struct msg *m)
{
	(void)m;
	return -ct_syscall3(MARKED_NR, 0, 0, 0);
}

static long put_filter(struct msg *m)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARKED_NR, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | m->arg[0]),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ct_count(f), f };

	if (m->arg[0] == ENOSYS)
		return 0;
	return ct_syscall3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

/* Is MEMBARRIER_CMD_PRIVATE_EXPEDITED registered for? */
static long get_barrier(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_membarrier, 1 << 3, 0, 0) == 0;
}

static long put_barrier(struct msg *m)
{
	return m->arg[0] ? ct_syscall3(SYS_membarrier, 1 << 4, 0, 0) : 0;
}

static const struct property properties[] = {
	PROPERTY(barrier, "the registration for membarrier(2)", 1, 0),
	OF_TASK(nnp, "no_new_privs", 1, 0),
	OF_TASK(filter, "a seccomp filter", 77, ENOSYS),
};

PLAY_TABLE(property, properties)
{
	play_property();
}

/* --- what a target has of its own and cannot give ----------------------- */

/* A target with its own filter or no_new_privs: the child has neither. */
PLAY_DOCUMENTED(target_filter, "a target's own seccomp filter is not the child's",
		"a process cannot shed a filter: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	expect_eq(on(&t, put_filter, 78), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_filter), ENOSYS);
}

PLAY_DOCUMENTED(target_barrier,
		"a target's own registration for membarrier(2) is not the child's",
		"only an exec takes it back")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, put_barrier, 1), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_barrier), 0);
}

PLAY_DOCUMENTED(target_nnp, "a target's own no_new_privs is not the child's",
		"a process cannot shed no_new_privs: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	expect_eq(on(&t, put_nnp, 1), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_nnp), 0);
}

/* The serial number of the session keyring. */
static long do_session_keyring(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
			   KEY_SPEC_SESSION_KEYRING, 0);
}

PLAY_DOCUMENTED(target_keyring, "a target's own session keyring is not the child's",
		"a process can join none but by name: EOPNOTSUPP")
{
	struct actor t, k;
	long ours = on(&me, do_session_keyring);

	if (ours == -ENOSYS)
		ct_skip("no keys in this kernel");
	spawn(&me, &t, 0);
	expect_ok(sys(&t, SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_session_keyring), ours);
}

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif

PLAY_DOCUMENTED(target_mdwe, "a target that denies itself writable code",
		"a process cannot allow it again: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	if (sys(&t, SYS_prctl, PR_SET_MDWE, 1, 0, 0, 0) == -EINVAL)
		ct_skip("no PR_SET_MDWE in this kernel");
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_prctl, PR_GET_MDWE, 0, 0, 0, 0), 0);
}
