// SPDX-License-Identifier: GPL-2.0
/*
 * Flags with a target other than the caller: what the child has of them.
 *
 *	check  <-- calls
 *	  +-- target
 *	        +-- child of the call
 */
#include "target.h"
#include "thread.h"

CHECK(parent_settid, "CLONE_PARENT_SETTID stores in the caller, not the target")
{
	struct ct_args args;
	static volatile pid_t tid = 7;
	struct target t;
	long pid;

	target_start(&t);
	ct_args(&args, SIGCHLD | CLONE_PARENT_SETTID, 0);
	args.a.parent_tid_ptr = (uintptr_t)&tid;
	pid = expect_ok(cloneat(t.pid, 0, &args));
	if (pid == 0)
		ct_exit(tid == 7 ? 5 : 9);
	expect_eq(tid, pid);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(child_settid, "CLONE_CHILD_SETTID stores in the child, not the caller")
{
	struct ct_args args;
	static volatile pid_t tid = 7;
	struct target t;
	long pid;

	target_start(&t);
	ct_args(&args, SIGCHLD | CLONE_CHILD_SETTID, 0);
	args.a.child_tid_ptr = (uintptr_t)&tid;
	pid = expect_ok(cloneat(t.pid, 0, &args));
	if (pid == 0)
		ct_exit(tid == ct_pid() ? 5 : 9);
	expect_eq(tid, 7);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

static long has_tls(void *arg)
{
	return tls_pointer() == arg ? 5 : 9;
}

CHECK(settls, "CLONE_SETTLS sets the child's TLS")
{
	static void *tls[16];
	struct ct_args args;
	struct target t;
	long pid;

	tls[0] = tls;
	target_start(&t);
	ct_args(&args, SIGCHLD | CLONE_SETTLS, 0);
	args.a.reserved3 = (uintptr_t)tls;
	pid = expect_ok(cloneat_call(t.pid, 0, &args.a, has_tls, tls));
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

static long on_stack(void *arg)
{
	char here;
	uintptr_t base = (uintptr_t)arg, at = (uintptr_t)&here;

	return at > base && at < base + CT_STACK_SIZE ? 5 : 9;
}

CHECK(stack, "the child runs on the stack that was asked for")
{
	struct ct_args args;
	struct target t;
	long pid;

	target_start(&t);
	ct_stack(ct_args(&args, SIGCHLD, 0));
	pid = expect_ok(cloneat_call(t.pid, 0, &args.a, on_stack,
				     (void *)(long)args.a.child_stack_base));
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(vfork_blocks, "CLONE_VFORK: the caller waits, the target does not")
{
	struct target t;
	long pid;

	target_start(&t);
	pid = cloneat_words(t.pid, 0, SIGCHLD | CLONE_VFORK, 0);
	if (pid == 0) {
		expect_eq(target_do(&t, ct_return, (void *)5), 5);
		for (int i = 0; i < 20; i++)
			usleep(1000);
		ct_slot[0] = ct_slot[1] ? 2 : 1;
		ct_exit(5);
	}
	ct_slot[1] = 1;
	expect_ok(pid);
	expect_eq(ct_slot[0], 1);
	expect_eq(WEXITSTATUS(target_wait(&t, pid)), 5);
	target_end(&t);
}

CHECK(clear_sighand_effect, "CLONEXT_CLEAR_SIGHAND resets the caller's handlers")
{
	struct target t;

	target_start(&t);
	expect_eq(WEXITSTATUS(target_wait(&t, without_handlers(t.pid))), 5);
	target_end(&t);
}

/* --- its end --- */

/* In each round as soon as the call has returned: perhaps before it has ended. */
CHECK(killed_at_once, "children that are killed at once: the target reaps them")
{
	struct target t;

	target_start(&t);
	for (int i = 0; i < 100; i++) {
		long pid = expect_ok(cloneat_fork(t.pid, 0));
		long status;

		if (pid == 0)
			for (;;)
				pause();
		must(kill(pid, SIGKILL));
		status = expect_ok(target_wait(&t, pid));
		expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	target_end(&t);
}

CHECK(init_killed_at_once, "an init that is killed at once takes its child along")
{
	for (int i = 0; i < 30; i++) {
		struct target t;
		long pid;

		target_clone(&t, CLONE_NEWPID);
		pid = expect_ok(cloneat_fork(t.pid, 0));
		if (pid == 0)
			for (;;)
				pause();
		target_end(&t);
		expect_eq(kill(pid, 0), -1);
	}
}
