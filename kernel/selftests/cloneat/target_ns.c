// SPDX-License-Identifier: GPL-2.0
/*
 * New namespaces with a target other than the caller: all others are the
 * target's.
 *
 *	check  <-- calls
 *	  +-- target
 *	        +-- child of the call
 */
#include "target.h"

static const struct ns_row {
	const char *name;
	const char *verdict;
	unsigned int word0, word1;
	const char *kind;
} spaces[] = {
	{ "newuts", "CLONE_NEWUTS: a new uts namespace, else the target's",
	  CLONE_NEWUTS, 0, "uts" },
	{ "newipc", "CLONE_NEWIPC: a new ipc namespace, else the target's",
	  CLONE_NEWIPC, 0, "ipc" },
	{ "newns", "CLONE_NEWNS: a new mount namespace, else the target's",
	  CLONE_NEWNS, 0, "mnt" },
	{ "newnet", "CLONE_NEWNET: a new net namespace, else the target's",
	  CLONE_NEWNET, 0, "net" },
	{ "newcgroup", "CLONE_NEWCGROUP: a new cgroup namespace, else the target's",
	  CLONE_NEWCGROUP, 0, "cgroup" },
	{ "newpid", "CLONE_NEWPID: a new pid namespace, else the target's",
	  CLONE_NEWPID, 0, "pid" },
	{ "newtime", "CLONEXT_NEWTIME: a new time namespace, else the target's",
	  0, CT_EXT(CLONEXT_NEWTIME), "time" },
	{ "ext_newuts", "CLONEXT_NEWUTS: a new uts namespace, else the target's",
	  0, CT_EXT(CLONEXT_NEWUTS), "uts" },
	{ "ext_newpid", "CLONEXT_NEWPID: a new pid namespace, else the target's",
	  0, CT_EXT(CLONEXT_NEWPID), "pid" },
};

static const char * const kinds[] = {
	"uts", "ipc", "mnt", "net", "cgroup", "pid", "time",
	"pid_for_children", "time_for_children",
};

static long new_uts_and_ipc(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUTS | CLONE_NEWIPC) ? -errno : 0;
}

/* A target whose uts and ipc namespaces are not ours. */
static void compare_spaces(const struct ns_row *row, struct target *t)
{
	long pid = expect_ok(cloneat_words(t->pid, 0, SIGCHLD | row->word0,
					   row->word1));

	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	expect_eq(proc_ppid(pid), t->pid);
	for (size_t i = 0; i < ct_count(kinds); i++) {
		bool same = ns_id(pid, kinds[i]) == ns_id(t->pid, kinds[i]);
		bool want = strncmp(kinds[i], row->kind, strlen(row->kind));

		if (same != want)
			fail("/proc/PID/ns/%s: expected %s", kinds[i],
			     want ? "the target's" : "a new one");
	}
	expect(ns_id(pid, "uts") != ns_id(ct_pid(), "uts"));
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(t, pid)), 5);
}

CHECK_TABLE(new_namespace, spaces)
{
	const struct ns_row *row = ct_arg();
	struct target t;

	if (!ns_id(ct_pid(), row->kind))
		ct_skip("this kernel has no %s namespaces", row->kind);
	target_start(&t);
	if (target_do(&t, new_uts_and_ipc, NULL))
		ct_skip("this kernel has no uts or ipc namespaces");
	compare_spaces(row, &t);
	target_end(&t);
}

CHECK(newpid_init, "CLONE_NEWPID: the child is 1 there, in the target's a number")
{
	struct target t;
	pid_t ids[4];
	long pid;

	target_clone(&t, CLONE_NEWPID);
	pid = expect_ok(cloneat_words(t.pid, 0, SIGCHLD | CLONE_NEWPID, 0));
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(ct_pid() == 1 && ct_ppid() == 0 ? 5 : 9);
	}
	expect_eq(proc_nspid(pid, ids, 4), 3);
	expect_eq(ids[0], pid);
	expect_eq(ids[2], 1);
	slot_set(0, 1);
	expect_eq(WEXITSTATUS(target_wait(&t, ids[1])), 5);
	target_end(&t);
}

CHECK(newns_fs, "CLONE_NEWNS | CLONE_FS is EINVAL, though fs is shared")
{
	struct target t;

	target_clone(&t, CLONE_FS);
	expect_errno(target_refused(&t, SIGCHLD | CLONE_FS | CLONE_NEWNS, 0), EINVAL);
	target_end(&t);
}

CHECK(newuts_unprivileged, "CLONE_NEWUTS without CAP_SYS_ADMIN is EPERM")
{
	pid_t caller = must(fork());

	if (caller == 0) {
		struct target t;

		become(1000);
		target_start(&t);
		expect_errno(cloneat_words(t.pid, 0, SIGCHLD | CLONE_NEWUTS, 0),
			     EPERM);
		target_end(&t);
		ct_exit(0);
	}
	expect_exit(caller, 0);
}
