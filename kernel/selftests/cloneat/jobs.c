// SPDX-License-Identifier: GPL-2.0
/*
 * Job control.  A process whose parent is in another process group of the
 * session keeps its own group from being orphaned; where the last such process
 * ends while another one in the group is stopped, all in there get SIGHUP.  A
 * call that fails has made no such process.
 *
 *	check
 *	  +-- a (caller; founds a session, and its group, which is orphaned)
 *	        +-- idle (of that group, stopped)
 *	        +-- target (a group of its own)
 */
#include "group.h"
#include "scene.h"

static struct actor a, idle, t, k;

static void cast(uint64_t kind)
{
	spawn(&me, &a, 0);
	expect_eq(sys(&a, SYS_setsid), a.pid);
	spawn(&a, &idle, 0);
	spawn(&a, &t, kind);
	expect_eq(sys(&t, SYS_setpgid, 0, 0), 0);
	must(kill(idle.pid, SIGSTOP));
	wait_state(idle.pid, 'T');
}

/* A caller that got SIGHUP would answer no more. */
static void undisturbed(void)
{
	expect_eq(sys(&a, SYS_getpid), a.pid);
	expect_eq(proc_state(idle.pid), 'T');
}

/* Nowhere to store the pidfd is found out when there is a child. */
static void no_pidfd(uint64_t kind)
{
	const struct extra nowhere = { .ptid = 8 };

	cast(kind);
	expect_eq(cl_extra(&a, &k, t.vpid, 0, CLONE_PIDFD, &nowhere), -EFAULT);
	undisturbed();
}

PLAY(failed_forked, "a call that fails hangs up no stopped job")
{
	no_pidfd(0);
}

PLAY(failed_executed, "the same (target: executed)")
{
	no_pidfd(ACTOR_EXEC);
}

PLAY(failed_shared, "the same (target: shares memory)")
{
	no_pidfd(CLONE_VM);
}

PLAY(failed_init, "the same (target: init)")
{
	no_pidfd(CLONE_NEWPID);
}

/* Emulated, the child has to execute something before it is found to be too many. */
PLAY(failed_fewer_caps, "the same (target: lacks a capability of the caller's)")
{
	struct hierarchy tasks = { .controller = "pids" };
	char path[250], file[300];

	find_hierarchy(&tasks);
	new_group(tasks.path, "cloneat", path, sizeof(path));
	cast(0);
	expect_eq(on(&t, do_drop, CAP_SYS_ADMIN), 0);
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	expect_eq(ct_write(file, "%d", a.pid), 0);
	snprintf(file, sizeof(file), "%s/pids.max", path);
	expect_eq(ct_write(file, "1"), 0);
	expect_eq(cl(&a, &k, t.vpid, 0, 0), -EAGAIN);
	undisturbed();
	expect_eq(ct_write(file, "2"), 0);
	expect_ok(cl(&a, &k, t.vpid, 0, 0));
}

/* The child is the link then, and its end hangs up, as that of any process. */
PLAY(ended, "the end of a child that orphans the group does")
{
	cast(0);
	expect_ok(cl(&a, &k, t.vpid, 0, 0));
	undisturbed();
	expect_eq(end(&k, &t, 0), EXITED(0));
	wait_end(idle.pid);
	wait_end(a.pid);
}

/* --- a caller that was such a link is killed ----------------------------- */

#define ROUNDS 40

static long tracer_of(pid_t pid)
{
	char path[64], line[128];
	long tracer = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && tracer < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "TracerPid: %ld", &tracer);
	if (f)
		fclose(f);
	return tracer;
}

static pid_t child_of_target(void)
{
	char path[64];
	pid_t pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", t.pid, t.pid);
	f = fopen(path, "re");
	if (!f)
		ct_skip("no %s here", path);
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid;
}

/* A child that was made is a link in the caller's place, until it ends. */
static void end_child(void)
{
	pid_t pid;

	while ((pid = child_of_target())) {
		if (tracer_of(pid) == 0) {	/* it may end by itself */
			kill(pid, SIGKILL);
			on(&t, do_wait4, -1, 0);
		}
		usleep(100);
	}
}

/* check -> shell (founds a session) -> a (a group of its own) -> idle, target */
static void killed(uint64_t kind)
{
	struct actor shell;

	spawn(&me, &shell, 0);
	expect_eq(sys(&shell, SYS_setsid), shell.pid);
	for (int i = 0; i < ROUNDS; i++) {
		spawn(&shell, &a, 0);
		expect_eq(sys(&a, SYS_setpgid, 0, 0), 0);
		spawn(&a, &idle, 0);
		spawn(&a, &t, kind);
		expect_eq(sys(&t, SYS_setpgid, 0, 0), 0);
		must(kill(idle.pid, SIGSTOP));
		wait_state(idle.pid, 'T');
		cl_start(&a, t.vpid, 0, 0);
		usleep(i * 100);
		kill_end(a.pid);
		end_child();
		wait_end(idle.pid);	/* SIGHUP */
		must(kill(t.pid, SIGKILL));
		expect_eq(on(&shell, do_wait4, a.pid, 0), a.pid);
		close(a.fd);
		close(idle.fd);
		close(t.fd);
	}
}

PLAY(killed_forked, "the caller is killed: its end hangs up stopped jobs, or its child's does")
{
	killed(0);
}

PLAY(killed_init, "the same (target: init)")
{
	killed(CLONE_NEWPID);
}
