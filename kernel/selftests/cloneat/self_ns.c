// SPDX-License-Identifier: GPL-2.0
/*
 * To self, the call is clone(2): new namespaces, and those that a caller has
 * set for its children.
 *
 *	check  <-- calls, and is the target
 *	  +-- child
 */
#include "thread.h"

/* --- new namespaces --- */

static const struct ns_row {
	const char *name;
	const char *verdict;
	unsigned int word0, word1;
	const char *kind;	/* of /proc/PID/ns */
} spaces[] = {
	{ "newuts", "CLONE_NEWUTS makes a new uts namespace only",
	  CLONE_NEWUTS, 0, "uts" },
	{ "newipc", "CLONE_NEWIPC makes a new ipc namespace only",
	  CLONE_NEWIPC, 0, "ipc" },
	{ "newns", "CLONE_NEWNS makes a new mount namespace only",
	  CLONE_NEWNS, 0, "mnt" },
	{ "newnet", "CLONE_NEWNET makes a new net namespace only",
	  CLONE_NEWNET, 0, "net" },
	{ "newcgroup", "CLONE_NEWCGROUP makes a new cgroup namespace only",
	  CLONE_NEWCGROUP, 0, "cgroup" },
	{ "newpid", "CLONE_NEWPID makes a new pid namespace only",
	  CLONE_NEWPID, 0, "pid" },
	{ "newuser", "CLONE_NEWUSER makes a new user namespace only",
	  CLONE_NEWUSER, 0, "user" },
	{ "newtime", "CLONEXT_NEWTIME makes a new time namespace only", 0,
	  CT_EXT(CLONEXT_NEWTIME), "time" },
	{ "ext_newuts", "CLONEXT_NEWUTS makes a new uts namespace only", 0,
	  CT_EXT(CLONEXT_NEWUTS), "uts" },
	{ "ext_newipc", "CLONEXT_NEWIPC makes a new ipc namespace only", 0,
	  CT_EXT(CLONEXT_NEWIPC), "ipc" },
	{ "ext_newns", "CLONEXT_NEWNS makes a new mount namespace only", 0,
	  CT_EXT(CLONEXT_NEWNS), "mnt" },
	{ "ext_newnet", "CLONEXT_NEWNET makes a new net namespace only", 0,
	  CT_EXT(CLONEXT_NEWNET), "net" },
	{ "ext_newcgroup", "CLONEXT_NEWCGROUP makes a new cgroup namespace only",
	  0, CT_EXT(CLONEXT_NEWCGROUP), "cgroup" },
	{ "ext_newpid", "CLONEXT_NEWPID makes a new pid namespace only", 0,
	  CT_EXT(CLONEXT_NEWPID), "pid" },
	{ "ext_newuser", "CLONEXT_NEWUSER makes a new user namespace only", 0,
	  CT_EXT(CLONEXT_NEWUSER), "user" },
};

static const char * const kinds[] = {
	"uts", "ipc", "mnt", "net", "cgroup", "pid", "user", "time",
	"pid_for_children", "time_for_children",
};

CHECK_TABLE(new_namespace, spaces)
{
	const struct ns_row *row = ct_arg();
	pid_t self = ct_pid();
	long pid;

	if (!ns_id(self, row->kind))
		ct_skip("this kernel has no %s namespaces", row->kind);
	pid = expect_ok(cloneat_words(self, 0, SIGCHLD | row->word0,
				      row->word1));
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	for (size_t i = 0; i < ct_count(kinds); i++) {
		bool same = ns_id(pid, kinds[i]) == ns_id(self, kinds[i]);
		bool want = strncmp(kinds[i], row->kind, strlen(row->kind));

		if (same != want)
			fail("/proc/PID/ns/%s: expected %s", kinds[i],
			     want ? "the caller's" : "a new one");
	}
	slot_set(0, 1);
	expect_exit(pid, 5);
}

CHECK(newpid_init, "a CLONE_NEWPID child is 1, and its parent reads as 0")
{
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_NEWPID, 0);

	if (pid == 0)
		ct_exit(ct_pid() == 1 && ct_ppid() == 0 ? 5 : 9);
	if (pid == -EINVAL)
		ct_skip("this kernel has no pid namespaces");
	expect_exit(expect_ok(pid), 5);
}

CHECK(newuser_caps, "a CLONE_NEWUSER child has all capabilities in its namespace")
{
	long pid;

	become(1000);
	pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_NEWUSER, 0);
	if (pid == 0) {
		must(unshare(CLONE_NEWUTS));
		ct_exit(5);
	}
	if (pid == -EINVAL || pid == -EPERM)
		ct_skip("no user namespaces here: %s", ct_errname(-pid));
	expect_exit(expect_ok(pid), 5);
}

/* --- pid_for_children and time_for_children --- */

CHECK(for_children, "after unshare(CLONE_NEWPID) the child is 1 there")
{
	long pid;

	ct_unshare(CLONE_NEWPID);
	pid = expect_ok(cloneat_fork(ct_pid(), 0));
	if (pid == 0)
		ct_exit(ct_pid() == 1 ? 5 : 9);
	expect(pid > 1);
	expect_exit(pid, 5);
}

CHECK(for_children_hint_1, "without an init there, hint 1 is legal")
{
	long pid;

	ct_unshare(CLONE_NEWPID);
	pid = expect_ok(cloneat_fork(ct_pid(), 1));
	if (pid == 0)
		ct_exit(ct_pid() == 1 ? 5 : 9);
	expect(pid > 1);
	expect_exit(pid, 5);
}

CHECK(for_children_hint_2, "without an init there, any other hint is EINVAL")
{
	ct_unshare(CLONE_NEWPID);
	expect_errno(cloneat_fork(ct_pid(), 2), EINVAL);
	expect_errno(cloneat_fork(ct_pid(), 300), EINVAL);
	expect_errno(cloneat_fork(ct_pid(), ct_pid()), EINVAL);
	expect_child(cloneat_fork(ct_pid(), 1));
}

/* A first child after unshare(CLONE_NEWPID): the namespace's init. */
static pid_t start_init(void)
{
	pid_t init;

	ct_unshare(CLONE_NEWPID);
	init = expect_ok(clone_words(SIGCHLD));
	if (init == 0)
		for (;;)
			pause();
	return init;
}

CHECK(for_children_hint, "with an init there, the hint is the number there")
{
	pid_t init = start_init(), ids[2];
	long pid = expect_ok(cloneat_fork(ct_pid(), 321));

	if (pid == 0)
		ct_exit(ct_pid() == 321 ? 5 : 9);
	wait_end(pid);
	expect_eq(proc_nspid(pid, ids, 2), 2);
	expect_eq(ids[0], pid);
	expect_eq(ids[1], 321);
	expect_exit(pid, 5);
	kill_reap(init);
}

CHECK(for_children_parent, "a child in pid_for_children sees parent 0")
{
	pid_t init = start_init();
	long pid = expect_ok(cloneat_fork(ct_pid(), 0));

	if (pid == 0)
		ct_exit(ct_ppid() == 0 ? 5 : 9);
	expect_exit(pid, 5);
	kill_reap(init);
}

CHECK(for_children_dead, "with a dead init there: ENOMEM")
{
	pid_t init = start_init();

	kill_reap(init);
	expect_errno(cloneat_fork(ct_pid(), 0), ENOMEM);
	expect_errno(cloneat_fork(ct_pid(), 5), ENOMEM);
}

CHECK(for_children_thread, "a thread for another pid_for_children: as clone(2)")
{
	pid_t init = start_init();
	static struct thread t;

	expect_errno(clone_call(THREAD_FLAGS, ct_stack(NULL), CT_STACK_SIZE,
				NULL, NULL, 0, ct_return, NULL), EINVAL);
	expect_errno(thread_create(&t, ct_return), EINVAL);
	kill_reap(init);
}

CHECK(time_for_children, "after unshare(CLONE_NEWTIME) the child is there")
{
	pid_t self = ct_pid();
	unsigned long want;
	long pid;

	ct_unshare(CLONE_NEWTIME);
	want = ns_id(self, "time_for_children");
	expect(want != ns_id(self, "time"));
	pid = expect_ok(cloneat_fork(self, 0));
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	expect_eq(ns_id(pid, "time"), want);
	slot_set(0, 1);
	expect_exit(pid, 5);
}

static long wait_for_slot(void *arg)
{
	(void)arg;
	slot_wait(0, 1);
	return 6;
}

/*
 * Kernels before 6.2 put the child into the new time namespace at once, whose
 * page of the clock would then be mapped in the caller as well, for good.
 */
CHECK(newtime_vm, "CLONE_VM and CLONEXT_NEWTIME: EINVAL, or no new time yet")
{
	pid_t self = ct_pid();
	struct ct_args args;
	long pid;

	ct_args(&args, CLONE_VM | SIGCHLD, CT_EXT(CLONEXT_NEWTIME));
	ct_stack(&args.a);
	pid = cloneat_call(self, 0, &args.a, wait_for_slot, NULL);
	if (pid < 0) {
		expect_errno(pid, EINVAL);
		return;
	}
	expect_eq(ns_id(pid, "time"), ns_id(self, "time"));
	expect(ns_id(pid, "time_for_children") != ns_id(self, "time"));
	slot_set(0, 1);
	expect_exit(pid, 6);
}
