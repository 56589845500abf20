// SPDX-License-Identifier: GPL-2.0
/*
 * To self, the call is clone(2): the caller makes threads, or is one.
 *
 *	check  <-- calls, and is the target
 *	  +-- child
 */
#include "thread.h"
#include <pthread.h>

/* --- threads --- */

static long thread_main(void *arg)
{
	struct thread *t = arg;

	t->saw = tls_pointer() == t->tls && t->tid == ct_tid() ? 1 : 2;
	return 0;
}

CHECK(thread, "a thread: TLS by reserved3, join by CLONE_CHILD_CLEARTID")
{
	static struct thread t;

	expect_ok(thread_create(&t, thread_main));
	thread_join(&t);
	expect_eq(t.saw, 1);
}

CHECK(threads, "fifty threads at once, all joined")
{
	static struct thread t[50];

	for (size_t i = 0; i < ct_count(t); i++)
		expect_ok(thread_create(&t[i], thread_main));
	for (size_t i = 0; i < ct_count(t); i++) {
		thread_join(&t[i]);
		expect_eq(t[i].saw, 1);
	}
}

static long thread_ids(void *arg)
{
	struct thread *t = arg;

	ct_slot[0] = ct_pid();
	ct_slot[1] = ct_tid();
	ct_slot[2] = ct_ppid();
	t->saw = 1;
	return 0;
}

CHECK(thread_id, "the result is the thread's id; process and parent are ours")
{
	static struct thread t;
	long tid = expect_ok(thread_create(&t, thread_ids));

	thread_join(&t);
	expect_eq(ct_slot[0], ct_pid());
	expect_eq(ct_slot[1], tid);
	expect_eq(ct_slot[2], ct_ppid());
}

CHECK(thread_no_wait, "a thread cannot be waited for")
{
	static struct thread t;
	long tid = expect_ok(thread_create(&t, thread_main));

	expect_errno(ct_syscall6(SYS_wait4, tid, 0, __WALL, 0, 0, 0), ECHILD);
	thread_join(&t);
}

static long fork_in_thread(void *arg)
{
	struct thread *t = arg;
	pid_t self = ct_pid(), tid = ct_tid();
	long pid;

	t->saw = cloneat_fork(tid, 0);
	pid = cloneat_fork(self, 0);
	if (pid == 0)
		ct_exit(ct_ppid() == self && ct_tid() == ct_pid() &&
			ct_pid() != tid ? 5 : 9);
	slot_set(0, pid);
	return 0;
}

CHECK(from_thread, "a thread's child is the process's child, with one thread")
{
	static struct thread t;

	expect_ok(thread_create(&t, fork_in_thread));
	thread_join(&t);
	expect_exit(expect_ok(ct_slot[0]), 5);
}

CHECK(own_thread_id, "a thread's own id is no process id: EINVAL")
{
	static struct thread t;

	expect_ok(thread_create(&t, fork_in_thread));
	thread_join(&t);
	expect_exit(expect_ok(ct_slot[0]), 5);
	expect_errno(t.saw, EINVAL);
}

static long signal_in_thread(void *arg)
{
	long pid = cloneat_words(ct_pid(), 0, SIGUSR2, 0);

	(void)arg;
	if (pid == 0)
		ct_exit(5);
	ct_slot[0] = pid;
	return 0;
}

CHECK(from_thread_signal, "a thread's child sends its exit signal to the process")
{
	static struct thread t;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	expect_ok(thread_create(&t, signal_in_thread));
	thread_join(&t);
	expect_ok(ct_slot[0]);
	expect_eq(sigwaitinfo(&set, &info), SIGUSR2);
	expect_eq(info.si_pid, ct_slot[0]);
	expect_eq(info.si_status, 5);
	expect_exit(ct_slot[0], 5);
}

static long fork_without_leader(void *arg)
{
	pid_t self = ct_pid();
	int status = 0;
	long pid;

	(void)arg;
	wait_state(self, 'Z');
	pid = cloneat_fork(self, 0);
	if (pid == 0)
		ct_exit(ct_ppid() == self ? 5 : 9);
	if (pid > 0)
		ct_syscall6(SYS_wait4, pid, (long)&status, 0, 0, 0, 0);
	ct_exit(pid > 0 ? WEXITSTATUS(status) : 10);
}

CHECK(leader_is_dead, "a thread whose leader is dead may call")
{
	pid_t pid = must(fork());

	if (pid == 0) {
		expect_ok(clone_call(THREAD_FLAGS, ct_stack(NULL), CT_STACK_SIZE,
				     NULL, NULL, 0, fork_without_leader, NULL));
		ct_exit_thread(0);
	}
	expect_exit(pid, 5);
}

static long thread_without_leader(void *arg)
{
	static struct thread t;

	(void)arg;
	wait_state(ct_pid(), 'Z');
	if (thread_create(&t, thread_main) < 0)
		ct_exit(10);
	thread_join(&t);
	ct_exit(t.saw == 1 ? 5 : 9);
}

CHECK(leader_is_dead_thread, "a thread whose leader is dead may make threads")
{
	pid_t pid = must(fork());

	if (pid == 0) {
		expect_ok(clone_call(THREAD_FLAGS, ct_stack(NULL), CT_STACK_SIZE,
				     NULL, NULL, 0, thread_without_leader,
				     NULL));
		ct_exit_thread(0);
	}
	expect_exit(pid, 5);
}

static void *fork_often(void *arg)
{
	for (int i = 0; i < 50; i++) {
		long pid = cloneat_fork(ct_pid(), 0);
		int status = 0;

		if (pid == 0)
			ct_exit((long)arg);
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
		    WEXITSTATUS(status) != (long)arg)
			return (void *)1;
	}
	return NULL;
}

CHECK(threads_call, "four threads call at once; each gets its own children")
{
	pthread_t thread[4];
	void *bad;

	for (long i = 0; i < 4; i++)
		expect_eq(pthread_create(&thread[i], NULL, fork_often,
					 (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &bad);
		expect_eq((long)bad, 0);
	}
}

static long vfork_in_thread(void *arg)
{
	long pid = cloneat_words(ct_pid(), 0, SIGCHLD | CLONE_VFORK, 0);

	(void)arg;
	if (pid == 0) {
		slot_wait(0, 1);
		ct_exit(5);
	}
	slot_set(1, pid);
	return 0;
}

CHECK(vfork_thread, "CLONE_VFORK in a thread holds up that thread only")
{
	static struct thread t;
	long tid = expect_ok(thread_create(&t, vfork_in_thread));

	while (proc_state(tid) != 'D' && !ct_slot[1])
		sched_yield();
	expect_eq(ct_slot[1], 0);
	slot_set(0, 1);
	thread_join(&t);
	expect_exit(expect_ok(ct_slot[1]), 5);
}
