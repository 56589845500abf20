// SPDX-License-Identifier: GPL-2.0
/*
 * What the caller can see of a child that it cannot wait for: a pidfd, the
 * child's numbers, the word that is cleared, and the end of CLONE_VFORK.
 *
 *	check (caller)
 *	  +-- target
 *	        +-- kid
 */
#include "scene.h"
#include <linux/futex.h>

/* --- CLONE_PIDFD -------------------------------------------------------- */

/* Where the descriptor is stored: parent_tid_ptr. */
static int word;

static struct extra at_word(void)
{
	return (struct extra){ .ptid = (uintptr_t)&word };
}

static void with_pidfd(struct actor *t, struct actor *k, uint64_t flags)
{
	struct extra x = at_word();

	word = -1;
	expect_ok(cl_extra(&me, k, t->pid, 0, flags, &x));
	expect(word >= 0);
}

static int ended(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return must(poll(&p, 1, 0));
}

PLAY(pidfd_poll, "CLONE_PIDFD: the caller sees the end of a target's child")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	with_pidfd(&t, &k, CLONE_PIDFD);
	expect_eq(ended(word), 0);
	quit(&k, 3);
	wait_end_fd(word);
	expect_eq(on(&t, do_wait4, k.pid, 0), k.pid);
	expect_eq(status_of(&t), EXITED(3));
}

PLAY(pidfd_extended, "CLONEXT_PIDFD is the same flag")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	with_pidfd(&t, &k, EXT(CLONEXT_PIDFD));
	expect_eq(ended(word), 0);
	quit(&k, 3);
	wait_end_fd(word);
}

PLAY(pidfd_self, "CLONE_PIDFD to self")
{
	struct actor k;
	siginfo_t si;

	me.pid = getpid();
	with_pidfd(&me, &k, CLONE_PIDFD);
	quit(&k, 3);
	must(syscall(SYS_waitid, 3, word, &si, WEXITED, NULL));
	expect_eq(si.si_pid, k.pid);
	expect_eq(si.si_status, 3);
}

PLAY(pidfd_wait, "waitid with that pidfd is ECHILD at the caller")
{
	struct actor t, k;
	siginfo_t si;

	spawn(&me, &t, 0);
	with_pidfd(&t, &k, CLONE_PIDFD);
	quit(&k, 3);
	expect_eq(ct_syscall6(SYS_waitid, 3, word, (long)&si, WEXITED, 0, 0),
		  -ECHILD);
}

PLAY(pidfd_kill, "a signal through that pidfd reaches the child")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	with_pidfd(&t, &k, CLONE_PIDFD);
	must(syscall(SYS_pidfd_send_signal, word, SIGKILL, NULL, 0));
	wait_end_fd(word);
	expect_eq(on(&t, do_wait4, k.pid, 0), k.pid);
	expect_eq(status_of(&t), SIGKILL);
}

PLAY(pidfd_is_ours, "the pidfd is the caller's alone, and close-on-exec")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	with_pidfd(&t, &k, CLONE_PIDFD);
	expect_eq(fcntl(word, F_GETFD), FD_CLOEXEC);
	expect_eq(sys(&k, SYS_fcntl, word, F_GETFD), -EBADF);
}

PLAY(pidfd_container, "a pidfd of a child in a container")
{
	struct actor t, k;
	pid_t number;

	spawn(&me, &t, CLONE_NEWPID);
	with_pidfd(&t, &k, CLONE_PIDFD);
	number = number_in(&k, &t);
	quit(&k, 3);
	wait_end_fd(word);
	expect_eq(on(&t, do_wait4, number, 0), number);
}

PLAY(pidfd_settid, "CLONE_PIDFD together with CLONE_PARENT_SETTID: EINVAL")
{
	struct extra x = at_word();
	struct actor t, k;

	spawn(&me, &t, 0);
	word = -1;
	expect_eq(cl_extra(&me, &k, t.pid, 0, CLONE_PIDFD |
			   CLONE_PARENT_SETTID, &x), -EINVAL);
	expect_eq(word, -1);
}

PLAY(pidfd_detached, "CLONE_PIDFD together with CLONE_DETACHED: EINVAL")
{
	struct extra x = at_word();
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(cl_extra(&me, &k, t.pid, 0, CLONE_PIDFD | CLONE_DETACHED,
			   &x), -EINVAL);
	expect_ok(cl(&me, &k, t.pid, 0, CLONE_DETACHED));
}

/* A failed call leaves no process: the target has no child. */
static void no_child(struct actor *t)
{
	expect_eq(on(t, do_wait4, -1, WNOHANG | __WALL), -ECHILD);
}

PLAY(pidfd_fault, "CLONE_PIDFD with a bad pointer: EFAULT, and no child")
{
	struct extra x = { .ptid = 8 };
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(cl_extra(&me, &k, t.pid, 0, CLONE_PIDFD, &x), -EFAULT);
	no_child(&t);
}

/* Two numbers are left, for the sockets of the kid, which come first. */
static void no_number(void)
{
	struct rlimit few;
	int low[2];

	must(pipe(low));
	must(close(low[0]));
	must(close(low[1]));
	must(getrlimit(RLIMIT_NOFILE, &few));
	few.rlim_cur = low[1] + 1;
	must(setrlimit(RLIMIT_NOFILE, &few));
}

PLAY(pidfd_emfile, "CLONE_PIDFD without a free number: EMFILE, and no child")
{
	struct extra x = at_word();
	struct actor t, k;

	spawn(&me, &t, 0);
	no_number();
	expect_eq(cl_extra(&me, &k, t.pid, 0, CLONE_PIDFD, &x), -EMFILE);
	no_child(&t);
}

/* Each with another thread, to which the signal of a child could go. */
PLAY(pidfd_unheard, "no thread of a target hears of a call that fails last of all")
{
	struct extra x = at_word();
	struct actor t[2], other[2], k;

	for (int i = 0; i < 2; i++) {
		spawn(&me, &t[i], i ? CLONE_NEWPID : 0);
		spawn(&t[i], &other[i], ACTOR_THREAD);
		expect_eq(on(&t[i], do_count_hits, SIGCHLD), 0);
	}
	no_number();
	for (int i = 0; i < 2; i++) {
		expect_eq(cl_extra(&me, &k, t[i].pid, 0, CLONE_PIDFD, &x), -EMFILE);
		expect_eq(on(&t[i], do_hits), 0);
		no_child(&t[i]);
	}
}

/* --- the tid pointers --------------------------------------------------- */

static pid_t parent_word, child_word;

static long do_parent_word(struct msg *m)
{
	(void)m;
	return parent_word;
}

static long do_child_word(struct msg *m)
{
	(void)m;
	return child_word;
}

static void parent_settid(enum kind kind)
{
	struct extra x = { .ptid = (uintptr_t)&parent_word };
	struct actor store, *t = target_of(kind, &store), k;

	parent_word = -7;
	expect_ok(cl_extra(&me, &k, t->pid, 0, CLONE_PARENT_SETTID, &x));
	expect_eq(parent_word, k.vpid);
	expect_eq(on(&k, do_parent_word), -7);
}

static void child_settid(enum kind kind)
{
	struct extra x = { .ctid = (uintptr_t)&child_word };
	struct actor store, *t = target_of(kind, &store), k;

	child_word = -7;
	expect_ok(cl_extra(&me, &k, t->pid, 0, CLONE_CHILD_SETTID, &x));
	expect_eq(on(&k, do_child_word), k.vpid);
	expect_eq(child_word, -7);
}

/* Both, and neither pointer is one: the call succeeds, as clone(2). */
static void bad_pointers(enum kind kind)
{
	struct extra x = { .ptid = 8, .ctid = 16 };
	struct actor store, *t = target_of(kind, &store), k;

	expect_ok(cl_extra(&me, &k, t->pid, 0, CLONE_PARENT_SETTID |
			   CLONE_CHILD_SETTID, &x));
	expect_eq(sys(&k, SYS_gettid), k.vpid);
}

static void unasked_pointers(enum kind kind)
{
	struct extra x = { .ptid = (uintptr_t)&parent_word,
			   .ctid = (uintptr_t)&child_word };
	struct actor store, *t = target_of(kind, &store), k;

	parent_word = -7;
	child_word = -7;
	expect_ok(cl_extra(&me, &k, t->pid, 0, 0, &x));
	expect_eq(parent_word, -7);
	expect_eq(on(&k, do_child_word), -7);
}

/* Not shared memory: at its end the child clears its own copy, for nobody. */
static void cleartid_private(enum kind kind)
{
	struct extra x = { .ctid = (uintptr_t)&child_word };
	struct actor store, *t = target_of(kind, &store), k;

	child_word = -7;
	expect_ok(cl_extra(&me, &k, t->pid, 0, CLONE_CHILD_CLEARTID, &x));
	quit(&k, 0);
	expect_eq(child_word, -7);
}

/* set_tid_address() of the child returns what is to be cleared: ours. */
static long do_tid_address(struct msg *m)
{
	int *at = NULL;

	(void)m;
	return prctl(PR_GET_TID_ADDRESS, &at) ? -errno : (long)at;
}

static void cleartid_address(enum kind kind)
{
	struct extra x = { .ctid = (uintptr_t)&child_word };
	struct actor store, *t = target_of(kind, &store), k;

	expect_ok(cl_extra(&me, &k, t->pid, 0, CLONE_CHILD_CLEARTID, &x));
	expect_eq(on(&k, do_tid_address), (long)&child_word);
}

static const struct kinds rows[] = {
	KINDS(parent_settid, "PARENT_SETTID: in the caller's memory only"),
	KINDS(child_settid, "CHILD_SETTID: in the child's memory only"),
	KINDS(bad_pointers, "SETTID with bad pointers: ignored"),
	KINDS(unasked_pointers, "pointers without flags are not used"),
	KINDS(cleartid_private, "CHILD_CLEARTID leaves the caller's memory"),
	KINDS(cleartid_address, "CHILD_CLEARTID is registered in the child"),
};

PLAY_TABLE(tids, rows)
{
	play_kind();
}

PLAY(tids_container, "a child in a container: each side its own number")
{
	struct extra x = { .ptid = (uintptr_t)&parent_word,
			   .ctid = (uintptr_t)&child_word };
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWPID);
	expect_ok(cl_extra(&me, &k, t.pid, 44, CLONE_PARENT_SETTID |
			   CLONE_CHILD_SETTID, &x));
	expect_eq(parent_word, k.pid);
	expect_eq(on(&k, do_child_word), 44);
	expect_eq(sys(&k, SYS_gettid), 44);
	expect(parent_word != 44);
}

PLAY(tids_newpid, "CLONE_NEWPID: the child's own number is 1")
{
	struct extra x = { .ptid = (uintptr_t)&parent_word,
			   .ctid = (uintptr_t)&child_word };
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_ok(cl_extra(&me, &k, t.pid, 0, CLONE_PARENT_SETTID |
			   CLONE_CHILD_SETTID | CLONE_NEWPID, &x));
	expect_eq(parent_word, k.pid);
	expect_eq(on(&k, do_child_word), 1);
}

/* check, target and kid in one memory: the end of the kid wakes check */
PLAY(cleartid_wakes, "CHILD_CLEARTID in shared memory: cleared, and woken")
{
	struct extra x = { .ctid = (uintptr_t)&child_word };
	struct actor t, k;
	int now;

	spawn(&me, &t, CLONE_VM);
	expect_ok(cl_extra(&me, &k, t.pid, 0, CLONE_VM | CLONE_CHILD_SETTID |
			   CLONE_CHILD_CLEARTID, &x));
	expect_eq(__atomic_load_n(&child_word, __ATOMIC_SEQ_CST), k.pid);
	start(&k, do_exit_thread, 4);
	while ((now = __atomic_load_n(&child_word, __ATOMIC_SEQ_CST)))
		ct_syscall6(SYS_futex, (long)&child_word, FUTEX_WAIT, now, 0,
			    0, 0);
	wait_end(k.pid);
	expect_eq(on(&t, do_wait4, k.pid, 0), k.pid);
	expect_eq(status_of(&t), EXITED(4));
}

/* --- CLONE_VFORK -------------------------------------------------------- */

enum { RUNS = 1, GO = 2 };	/* slots */

/* A child of CLONE_VFORK runs until it is told to go on. */
static void vfork_child(long how)
{
	char *argv[] = { "actor", "--actor", "-1", NULL };

	slot_set(RUNS, ct_pid());
	slot_wait(GO, 1);
	if (how)
		execv("/proc/self/exe", argv);	/* and ends at once */
	ct_exit(how ? 99 : 6);
}

/* arg[0] target, arg[1] flags, arg[2]: the child executes a program */
static long do_vfork(struct msg *m)
{
	uint64_t flags = m->arg[1] | SIGCHLD;
	long ret = cloneat_words(m->arg[0], 0, flags, flags >> 32);

	if (!ret)
		vfork_child(m->arg[2]);
	return ret;
}

static volatile int caught;

static void on_usr1(int sig)
{
	(void)sig;
	caught++;
}

static long do_catch_usr1(struct msg *m)
{
	(void)m;
	return signal(SIGUSR1, on_usr1) == SIG_ERR ? -errno : 0;
}

static long do_caught(struct msg *m)
{
	(void)m;
	return caught;
}

static long wait_runs(void)
{
	while (!ct_slot[RUNS])
		sched_yield();
	return ct_slot[RUNS];
}

/* check -> a (caller) -> target -> child */
static void vforked(uint64_t flags, long how, int status)
{
	struct actor a, t;
	long pid;

	spawn(&me, &a, 0);
	spawn(&a, &t, flags & CLONE_VM);
	start(&a, do_vfork, t.pid, CLONE_VFORK | flags, how);
	pid = wait_runs();
	expect_busy(&a);
	expect_eq(proc_ppid(pid), t.pid);
	expect_eq(sys(&t, SYS_getpid), t.pid);
	slot_set(GO, 1);
	expect_eq(actor_finish(&a), pid);
	expect_eq(on(&t, do_wait4, pid, 0), pid);
	expect_eq(status_of(&t), status);
}

PLAY(vfork_exit, "CLONE_VFORK: the caller waits for the end of the child")
{
	vforked(0, 0, EXITED(6));
}

PLAY(vfork_exec, "CLONE_VFORK: the caller waits for the child's exec")
{
	vforked(0, 1, EXITED(0));
}

PLAY(vfork_vm, "CLONE_VFORK and CLONE_VM with a target that shares memory")
{
	vforked(CLONE_VM, 0, EXITED(6));
}

PLAY(vfork_killed, "CLONE_VFORK: the child is killed, the caller goes on")
{
	struct actor a, t;
	long pid;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	start(&a, do_vfork, t.pid, CLONE_VFORK, 0);
	pid = wait_runs();
	kill_end(pid);
	expect_eq(actor_finish(&a), pid);
	expect_eq(on(&t, do_wait4, pid, 0), pid);
	expect_eq(status_of(&t), SIGKILL);
}

PLAY(vfork_namespace_dies, "CLONE_VFORK: killed with the pid namespace")
{
	struct actor init, a, t;

	for (int i = 0; i < 8; i++) {
		ct_slot[RUNS] = 0;
		spawn(&me, &init, CLONE_NEWPID);
		spawn(&init, &a, 0);
		spawn(&a, &t, 0);
		start(&a, do_vfork, t.vpid, CLONE_VFORK, 0);
		wait_runs();
		kill_end(init.pid);
		expect_eq(on(&me, do_wait4, init.pid, 0), init.pid);
		expect_eq(status_of(&me), SIGKILL);
		close(init.fd);
		close(a.fd);
		close(t.fd);
	}
}

/* The signals that a process blocks, as /proc shows them. */
static unsigned long blocked_by(pid_t pid)
{
	unsigned long mask = -1UL;
	char path[32], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	expect(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "SigBlk:", 7))
			mask = strtoul(line + 7, NULL, 16);
	fclose(f);
	return mask;
}

PLAY(vfork_mask, "CLONE_VFORK: who waits has blocked what it had blocked")
{
	struct actor a, t;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	start(&a, do_vfork, t.pid, CLONE_VFORK, 0);
	wait_runs();
	expect_eq(blocked_by(a.pid), 0);
	slot_set(GO, 1);
	expect(actor_finish(&a) > 0);
}

PLAY(vfork_target, "CLONE_VFORK: the target goes on, and may end")
{
	struct actor a, t;
	long pid;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	start(&a, do_vfork, t.pid, CLONE_VFORK, 0);
	pid = wait_runs();
	kill_end(t.pid);
	expect_eq(proc_ppid(pid), getppid());
	slot_set(GO, 1);
	expect_eq(actor_finish(&a), pid);
}

PLAY_DOCUMENTED(vfork_as_target, "CLONE_VFORK: who waits can be a target",
		"the emulator traces it until its child is through: EBUSY")
{
	struct actor a, t, k;
	long pid;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	start(&a, do_vfork, t.pid, CLONE_VFORK, 0);
	pid = wait_runs();
	expect_ok(cl(&me, &k, a.pid, 0, 0));
	expect_eq(proc_ppid(k.pid), a.pid);
	slot_set(GO, 1);
	expect_eq(actor_finish(&a), pid);
}

PLAY_DOCUMENTED(vfork_child_as_target,
		"CLONE_VFORK: the child that is waited for can be a target",
		"the emulator traces it until it is through: EBUSY")
{
	struct actor a, t, k;
	long pid;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	start(&a, do_vfork, t.pid, CLONE_VFORK, 0);
	pid = wait_runs();
	expect_ok(cl(&me, &k, pid, 0, 0));
	expect_eq(proc_ppid(k.pid), pid);
	slot_set(GO, 1);
	expect_eq(actor_finish(&a), pid);
}

/* check -> a (caller) -> target -> child; a gets a signal in its wait */
static void vfork_signalled(int sig, struct actor *a, struct actor *t,
			    long *pid)
{
	slot_set(RUNS, 0);
	slot_set(GO, 0);
	spawn(&me, a, 0);
	spawn(a, t, 0);
	expect_eq(on(a, do_catch_usr1), 0);
	start(a, do_vfork, t->pid, CLONE_VFORK, 0);
	*pid = wait_runs();
	must(kill(a->pid, sig));
}

PLAY(vfork_fatal, "CLONE_VFORK: a fatal signal ends who waits, not the child")
{
	static const int sigs[] = { SIGKILL, SIGTERM, SIGUSR2, SIGHUP };
	struct actor a, t;
	long pid;

	for (size_t i = 0; i < ct_count(sigs); i++) {
		vfork_signalled(sigs[i], &a, &t, &pid);
		expect_eq(on(&me, do_wait4, a.pid, 0), a.pid);
		expect_eq(status_of(&me), sigs[i]);
		expect_eq(proc_ppid(pid), t.pid);
		slot_set(GO, 1);
		expect_eq(on(&t, do_wait4, pid, 0), pid);
		expect_eq(status_of(&t), EXITED(6));
		quit(&t, 0);
		close(a.fd);
	}
}

PLAY(vfork_fatal_self, "CLONE_VFORK to self: a fatal signal ends who waits")
{
	static const int sigs[] = { SIGKILL, SIGTERM, SIGUSR2, SIGHUP };
	struct actor a;

	for (size_t i = 0; i < ct_count(sigs); i++) {
		slot_set(RUNS, 0);
		slot_set(GO, 0);
		spawn(&me, &a, 0);
		start(&a, do_vfork, a.pid, CLONE_VFORK, 0);
		wait_runs();
		must(kill(a.pid, sigs[i]));
		expect_eq(on(&me, do_wait4, a.pid, 0), a.pid);
		expect_eq(status_of(&me), sigs[i]);
		slot_set(GO, 1);
		close(a.fd);
	}
}

PLAY(vfork_held, "CLONE_VFORK: a signal with a handler waits for the child")
{
	struct actor a, t;
	long pid;

	vfork_signalled(SIGUSR1, &a, &t, &pid);
	expect_eq(sys(&t, SYS_getpid), t.pid);
	expect_busy(&a);
	slot_set(GO, 1);
	expect_eq(actor_finish(&a), pid);
	expect_eq(caught, 0);	/* here */
	expect_eq(on(&a, do_caught), 1);
}

PLAY(vfork_stopped, "CLONE_VFORK: SIGSTOP and SIGCONT wait for the child")
{
	struct actor a, t;
	long pid;

	vfork_signalled(SIGSTOP, &a, &t, &pid);
	expect_eq(sys(&t, SYS_getpid), t.pid);
	expect_eq(on(&me, do_wait4, a.pid, WNOHANG | WUNTRACED), 0);
	slot_set(GO, 1);
	expect_eq(on(&me, do_wait4, a.pid, WUNTRACED), a.pid);
	expect(WIFSTOPPED(status_of(&me)));
	must(kill(a.pid, SIGCONT));
	expect_eq(actor_finish(&a), pid);
}

PLAY(vfork_extended, "CLONEXT_VFORK is the same flag; to self as well")
{
	struct actor a;
	long pid;

	spawn(&me, &a, 0);
	start(&a, do_vfork, a.pid, EXT(CLONEXT_VFORK), 0);
	pid = wait_runs();
	expect_busy(&a);
	slot_set(GO, 1);
	expect_eq(actor_finish(&a), pid);
	expect_eq(on(&a, do_wait4, pid, 0), pid);
}

PLAY(vfork_newpid, "CLONE_VFORK into a new pid namespace returns our number")
{
	struct actor a, t;
	long pid;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	start(&a, do_vfork, t.pid, CLONE_VFORK | CLONE_NEWPID, 0);
	expect_eq(wait_runs(), 1);
	slot_set(GO, 1);
	pid = expect_ok(actor_finish(&a));
	expect_eq(on(&t, do_wait4, pid, 0), pid);
	expect_eq(status_of(&t), EXITED(6));
}
