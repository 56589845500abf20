// SPDX-License-Identifier: GPL-2.0
/*
 * A call that is cut short leaves nothing.  A child that is killed while it is
 * made, or a moment later, does not where it shares its memory or its
 * descriptors with caller and target:
 *
 *	init of a pid namespace, calls
 *	  +-- target, sharing with it
 *	  |     +-- child, by the same number every time
 *	  +-- killer of that number, again and again
 *
 * The same where the caller is killed: a child of the init then, with the target
 * below it.
 */
#include "cloneat_test.h"
#include <dirent.h>
#include <time.h>

#define ROUNDS 60

static const struct shared_row {
	const char *name;
	const char *verdict;
	unsigned int word0;
} rows[] = {
	{ "child_vm", "the child is killed: no mapping is left",
	  CLONE_VM },
	{ "child_files", "the child is killed: no descriptor is left",
	  CLONE_FILES },
	{ "child_vm_files", "the child is killed: nothing of both is left",
	  CLONE_VM | CLONE_FILES },
};

static long mappings(pid_t pid)
{
	char path[64];
	long n = 0;
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	expect(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static long descriptors(pid_t pid)
{
	char path[64];
	long n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	expect(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static long nothing(void *arg)
{
	(void)arg;
	return 0;
}

static long wait_for_it(void *arg)
{
	(void)arg;
	for (;;)
		ct_syscall3(SYS_pause, 0, 0, 0);
	return 0;
}

/* Microseconds: how long a call is, and a half more; the killer sees it too. */
#define SPAN ct_slot[2]

/*
 * A call lasts longer where a processor is emulated, and when the machine gets
 * busy meanwhile: whoever kills faster than it can be made would do so for ever.
 */
static void note_span(long begun)
{
	SPAN = (now_us() - begun) * 3 / 2 + 50;
}

/* Until any moment of a call. */
static void wait_a_little(void)
{
	const long us = rand() % (SPAN ? SPAN : 1500);
	const struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

static pid_t start_killer(pid_t victim)
{
	pid_t pid = must(fork());

	while (pid == 0) {
		wait_a_little();
		kill(victim, SIGKILL);
	}
	return pid;
}

static void killed_inside(void *arg)
{
	const struct shared_row *row = arg;
	long maps, fds, pid, begun;
	struct ct_args args;
	pid_t hint, killer;
	struct target t;

	target_clone(&t, row->word0);
	hint = free_pid();
	ct_args(&args, row->word0 | SIGCHLD, 0);
	ct_stack(&args.a);
	begun = now_us();
	expect_ok(cloneat_call(t.pid, 0, &args.a, nothing, NULL));
	note_span(begun);
	killer = start_killer(hint);
	mappings(ct_pid());
	descriptors(ct_pid());	/* what they allocate they keep */
	maps = mappings(ct_pid());
	fds = descriptors(ct_pid());
	for (int i = 0; i < ROUNDS; i++) {
		begun = now_us();
		pid = cloneat_call(t.pid, hint, &args.a, wait_for_it, NULL);
		note_span(begun);
		if (pid > 0)
			expect_ok(target_wait(&t, pid));
	}
	kill_reap(killer);
	expect_eq(descriptors(ct_pid()), fds);
	expect_eq(mappings(ct_pid()), maps);
	target_end(&t);
}

CHECK_TABLE(killed, rows)
{
	in_pidns(killed_inside, (void *)ct_arg());
}

/* Makes a target, tells of it in slot 0, and calls when slot 1 says so. */
static pid_t start_caller(const struct shared_row *row)
{
	pid_t pid = must(fork());
	struct ct_args args;
	struct target t;

	if (pid)
		return pid;
	ct_args(&args, row->word0 | SIGCHLD, 0);
	ct_stack(&args.a);
	target_clone(&t, row->word0);
	slot_set(0, t.pid);
	slot_wait(1, 1);
	for (;;)
		cloneat_call(t.pid, 0, &args.a, nothing, NULL);
}

/* The target, once the caller has told of it. */
static pid_t target_of_caller(pid_t caller)
{
	while (!ct_slot[0]) {
		if (waitpid(caller, NULL, WNOHANG))
			fail("caller %d ended before it called", caller);
		sched_yield();
	}
	return ct_slot[0];
}

/* The target's children, now the init's: a machine has room for some thousands. */
static void reap_orphans(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void caller_killed_inside(void *arg)
{
	const struct shared_row *row = arg;

	for (int i = 0; i < ROUNDS; i++) {
		long maps, fds;
		pid_t caller, t;

		slot_set(0, 0);
		slot_set(1, 0);
		caller = start_caller(row);
		t = target_of_caller(caller);
		maps = mappings(t);
		fds = descriptors(t);
		slot_set(1, 1);
		wait_a_little();
		kill_reap(caller);
		/* The child may be killed a moment after its caller. */
		while (descriptors(t) != fds || mappings(t) != maps)
			sched_yield();
		kill_end(t);
		reap_orphans();
	}
}

static const struct shared_row caller_rows[] = {
	{ "caller_vm", "the caller is killed: no mapping is left in the target",
	  CLONE_VM },
	{ "caller_files", "the caller is killed: no descriptor is left",
	  CLONE_FILES },
};

CHECK_TABLE(caller_killed, caller_rows)
{
	in_pidns(caller_killed_inside, (void *)ct_arg());
}

/* The caller is stopped and goes on, again and again. */
static pid_t start_stopper(pid_t victim)
{
	pid_t pid = must(fork());

	while (pid == 0) {
		wait_a_little();
		kill(victim, SIGSTOP);
		wait_a_little();
		kill(victim, SIGCONT);
	}
	return pid;
}

static void __noreturn call_undisturbed(void)
{
	struct target t;
	long maps, fds;

	target_start(&t);
	mappings(ct_pid());
	descriptors(ct_pid());
	maps = mappings(ct_pid());
	fds = descriptors(ct_pid());
	for (int i = 0; i < ROUNDS; i++) {
		long pid = expect_ok(cloneat_fork(t.pid, 0));

		if (pid == 0)
			ct_exit(0);
		expect_ok(target_wait(&t, pid));
	}
	expect_eq(mappings(ct_pid()), maps);
	expect_eq(descriptors(ct_pid()), fds);
	target_end(&t);
	ct_exit(0);
}

CHECK(stopped, "the caller is stopped and goes on: nothing is left in it")
{
	pid_t caller = must(fork()), stopper;

	if (caller == 0)
		call_undisturbed();
	stopper = start_stopper(caller);
	expect_exit(caller, 0);
	kill_reap(stopper);
}

/* --- a call that finds the caller's table full in the end ---------------- */

static void spin(void)
{
	for (volatile int i = 0; i < 300000; i++)
		;
}

/* Has the last descriptor of those who share it, and has it not, in turn. */
static long take_last(void *arg)
{
	(void)arg;
	while (!ct_slot[1]) {
		long fd = ct_syscall3(SYS_dup, 0, 0, 0);

		spin();
		if (fd >= 0)
			ct_syscall3(SYS_close, fd, 0, 0);
		spin();
	}
	return 0;
}

static long end_at_once(void *arg)
{
	(void)arg;
	return 0;
}

#define UNTOUCHED 0x55

CHECK(number_vm, "no descriptor is left: no child's number is stored or cleared")
{
	struct ct_args args;
	struct rlimit limit;
	struct target t;
	pid_t other;
	int pidfd;

	target_clone(&t, CLONE_VM);
	must(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = must(dup(0)) + 1;
	must(close(limit.rlim_cur - 1));
	must(setrlimit(RLIMIT_NOFILE, &limit));
	other = expect_ok(clone_call(CLONE_FILES | CLONE_VM | SIGCHLD, ct_stack(NULL),
				     CT_STACK_SIZE, NULL, NULL, 0, take_last, NULL));
	ct_args(&args, SIGCHLD | CLONE_VM | CLONE_PIDFD | CLONE_CHILD_SETTID |
		       CLONE_CHILD_CLEARTID, 0);
	ct_stack(&args.a);
	args.a.parent_tid_ptr = (unsigned long)&pidfd;
	args.a.child_tid_ptr = (unsigned long)&ct_slot[2];
	for (int i = 0; i < 6 * ROUNDS; i++) {
		long ret;

		ct_slot[2] = UNTOUCHED;
		ret = cloneat_call(t.pid, 0, &args.a, end_at_once, NULL);
		if (ret > 0) {
			must(close(pidfd));
			expect_eq(target_wait(&t, ret), 0);
			expect_eq(ct_slot[2], 0);
			continue;
		}
		/* Emulated, it takes one to ask whether the target may be traced. */
		if (ret != -ENOMEM)
			expect_eq(ret, -EMFILE);
		expect_eq(ct_slot[2], UNTOUCHED);
	}
	slot_set(1, 1);
	expect_exit(other, 0);
	target_end(&t);
}
