// SPDX-License-Identifier: GPL-2.0
/* Scenes that many plays have: see scene.h. */
#include "scene.h"

/* The target is told of the kid's end, and nobody else can wait for it. */
void child_of(struct actor *t)
{
	struct actor k;

	expect_ok(cl(&me, &k, t->pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t->vpid);
	expect_eq(proc_ppid(k.pid), t->pid);
	expect_eq(end(&k, t, 7), EXITED(7));
	expect_eq(proc_state(k.pid), 0);
}

/* A thread of the actor a, which stays alive. */
void thread_of(struct actor *a, struct actor *thread)
{
	expect_ok(spawn(a, thread, ACTOR_THREAD));
}

/* The leader of a ends alone: what is left are its threads. */
long do_exit_thread(struct msg *m)
{
	ct_exit_thread(m->arg[0]);
	return 0;
}

void kill_leader(struct actor *a)
{
	start(a, do_exit_thread, 0);
	wait_state(a->pid, 'Z');
}

/* check -> target with leader dead, thread alive */
void dead_leader(struct actor *t, struct actor *thread)
{
	spawn(&me, t, 0);
	thread_of(t, thread);
	kill_leader(t);
}

void refused(struct actor *by, pid_t pid, int err)
{
	struct actor k;

	expect_eq(cl(by, &k, pid, 0, 0), -err);
	expect_eq(cl(by, &k, pid, 0, CLONE_NEWUTS), -err);
}

/* Blocks SIGCHLD and SIGUSR1, so that they can be looked for. */
long do_block(struct msg *m)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	(void)m;
	return sigprocmask(SIG_BLOCK, &set, NULL) ? -errno : 0;
}

/* Takes the signal arg[0] if it is pending: -EAGAIN if not. */
long do_take_signal(struct msg *m)
{
	struct timespec now = { 0, 0 };
	sigset_t set;
	long ret;

	sigemptyset(&set);
	sigaddset(&set, m->arg[0]);
	ret = sigtimedwait(&set, (siginfo_t *)m->buf, &now);
	return ret < 0 ? -errno : ret;
}

/* Waits for the signal arg[0]. */
long do_wait_signal(struct msg *m)
{
	sigset_t set;
	long ret;

	sigemptyset(&set);
	sigaddset(&set, m->arg[0]);
	do {
		ret = sigwaitinfo(&set, (siginfo_t *)m->buf);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

static long execute(const char *path, struct msg *m)
{
	char num[16], *argv[] = { "actor", "--actor", num, NULL };

	snprintf(num, sizeof(num), "%d", m->own);
	execv(path, argv);
	return -errno;
}

long do_execute_loop(struct msg *m)
{
	return execute("/proc/self/exe", m);
}

long do_become(struct msg *m)
{
	become(m->arg[0]);
	return 0;
}

long do_chdir(struct msg *m)
{
	return chdir(m->buf) ? -errno : 0;
}

long do_execute(struct msg *m)
{
	char path[ACTOR_BUF];

	memcpy(path, m->buf, sizeof(path));
	return execute(path, m);
}

void copy_program(const char *path, mode_t mode)
{
	int in = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)), out;
	char buf[65536];
	ssize_t n;

	out = must(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	while ((n = read(in, buf, sizeof(buf))) > 0)
		expect_eq(write(out, buf, n), n);
	must(fchmod(out, mode));
	must(close(out));
	close(in);
}

char setuid_path[] = "/tmp/cloneat-setuid-XXXXXX";

void make_setuid_program(void)
{
	mkdir("/tmp", 01777);
	must(close(must(mkostemp(setuid_path, O_CLOEXEC))));
	copy_program(setuid_path, 04755);
}

long do_execute_setuid(struct msg *m)
{
	return execute(setuid_path, m);
}

long do_drop(struct msg *m)
{
	drop_cap(m->arg[0]);
	return 0;
}

long do_ignore_sigchld(struct msg *m)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	if (m->arg[0]) {
		sa.sa_handler = SIG_DFL;
		sa.sa_flags = SA_NOCLDWAIT;
	}
	return sigaction(SIGCHLD, &sa, NULL) ? -errno : 0;
}

const char *const ns_names[] = {
	"uts", "ipc", "mnt", "net", "cgroup", "time", "pid", NULL
};

void same_ns(pid_t a, pid_t b, const char *but)
{
	for (int i = 0; ns_names[i]; i++) {
		if (strstr(but, ns_names[i]))
			continue;
		if (ns_id(a, ns_names[i]) != ns_id(b, ns_names[i]))
			fail("%d and %d are in different %s namespaces", a, b,
			     ns_names[i]);
	}
}

static long do_unshare_time(struct msg *m)
{
	(void)m;
	if (ct_syscall3(SYS_unshare, CLONE_NEWTIME, 0, 0))
		return -EINVAL;
	return ct_write("/proc/self/timens_offsets",
			"monotonic 86400 0\nboottime 86400 0\n");
}

/* me -> a, which is not in the namespace -> t, which is */
void spawn_in_time(struct actor *t)
{
	static struct actor a;

	spawn(&me, &a, 0);
	if (on(&a, do_unshare_time))
		ct_skip("this kernel has no time namespaces");
	spawn(&a, t, 0);
}

void play_kind(void)
{
	const struct kinds *row = ct_arg();

	row->play(row->kind);
}

struct actor *target_of(enum kind kind, struct actor *store)
{
	if (kind == SELF) {
		me.pid = getpid();
		return &me;
	}
	spawn(&me, store, kind == EXECUTED ? ACTOR_EXEC :
			  kind == SHARED ? CLONE_VM : 0);
	return store;
}

void kid_of(enum kind kind, struct actor *kid)
{
	struct actor store;

	expect_ok(cl(&me, kid, target_of(kind, &store)->pid, 0, 0));
}

volatile sig_atomic_t hits;

static void hit(int sig)
{
	(void)sig;
	hits++;
}

long do_count_hits(struct msg *m)
{
	struct sigaction act = { .sa_handler = hit, .sa_flags = SA_RESTART };

	if (sigaction(m->arg[0], &act, NULL) || setpgid(0, 0))
		return -errno;
	return 0;
}

long do_hits(struct msg *m)
{
	(void)m;
	return hits;
}

void side_by_side(int n, void (*play)(int i))
{
	pid_t pid[n];
	int status;

	for (int i = 0; i < n; i++) {
		pid[i] = must(fork());
		if (pid[i])
			continue;
		play(i);
		ct_exit(0);
	}
	for (int i = 0; i < n; i++) {
		expect_eq(waitpid(pid[i], &status, 0), pid[i]);
		if (status)
			ct_fail(0, "scene %d", i);
	}
}
