// SPDX-License-Identifier: GPL-2.0
/*
 * What the checks are made of: clones with stacks, targets, rights, /proc.
 * See cloneat_test.h.
 */
#define CT_LINE 0
#include "cloneat_test.h"
#include <time.h>
#include <dirent.h>
#include <grp.h>
#include <sys/mount.h>
#include <linux/futex.h>

/* --- ending, waiting --- */

void ct_exit(int status)
{
	for (;;)
		ct_syscall3(SYS_exit_group, status, 0, 0);
}

void ct_exit_thread(int status)
{
	for (;;)
		ct_syscall3(SYS_exit, status, 0, 0);
}

pid_t ct_pid(void)
{
	return ct_syscall3(SYS_getpid, 0, 0, 0);
}

pid_t ct_tid(void)
{
	return ct_syscall3(SYS_gettid, 0, 0, 0);
}

pid_t ct_ppid(void)
{
	return ct_syscall3(SYS_getppid, 0, 0, 0);
}

static long reap(pid_t pid, int *status)
{
	long ret;

	do {
		ret = ct_syscall6(SYS_wait4, pid, (long)status, __WALL, 0, 0, 0);
	} while (ret == -EINTR);
	return ret;
}

void ct_expect_exit(int line, pid_t pid, int want)
{
	int status = 0;
	long ret = reap(pid, &status);

	if (ret < 0)
		ct_fail(line, "wait for %d: %s", pid, ct_errname(-ret));
	if (WIFSIGNALED(status))
		ct_fail(line, "child %d: expected exit %d, got signal %d", pid,
			want, WTERMSIG(status));
	if (WEXITSTATUS(status) != want)
		ct_fail(line, "child %d: expected exit %d, got exit %d", pid,
			want, WEXITSTATUS(status));
}

int ct_open_pidfd(pid_t pid)
{
	return ct_syscall3(SYS_pidfd_open, pid, 0, 0);
}

void wait_end_fd(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	while (poll(&p, 1, -1) != 1)
		;
	if (!(p.revents & POLLIN))
		fail("poll of a pidfd: expected POLLIN, got %#x", p.revents);
}

void wait_end(pid_t pid)
{
	int fd = ct_open_pidfd(pid);

	if (fd == -ESRCH)
		return;
	/* EINVAL: the number is there, its process was reaped in between. */
	if (fd == -EINVAL && kill(pid, 0) && errno == ESRCH)
		return;
	if (fd < 0)
		fail("pidfd_open(%d): %s", pid, ct_errname(-fd));
	wait_end_fd(fd);
	close(fd);
}

void kill_end(pid_t pid)
{
	must(kill(pid, SIGKILL));
	wait_end(pid);
}

void kill_reap(pid_t pid)
{
	long ret;

	must(kill(pid, SIGKILL));
	ret = reap(pid, NULL);
	if (ret != pid)
		fail("wait for %d: got %ld", pid, ret);
}

void ct_exec_pause(void)
{
	char *argv[] = { "pause", "--pause", NULL };

	execv("/proc/self/exe", argv);
	fail("exec: %s", ct_errname(errno));
}

static void futex(int slot, int op, int value)
{
	ct_syscall3(SYS_futex, &ct_slot[slot], op, value);
}

void slot_set(int slot, long value)
{
	__atomic_store_n(&ct_slot[slot], value, __ATOMIC_SEQ_CST);
	futex(slot, FUTEX_WAKE, INT_MAX);
}

void slot_count(int slot, long most)
{
	long now = __atomic_load_n(&ct_slot[slot], __ATOMIC_SEQ_CST);

	do {
		if (now >= most)
			return;
	} while (!__atomic_compare_exchange_n(&ct_slot[slot], &now, now + 1,
					      false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	futex(slot, FUTEX_WAKE, INT_MAX);
}

/* A futex word is the low half of the long (little endian). */
void slot_wait(int slot, long value)
{
	for (;;) {
		long now = __atomic_load_n(&ct_slot[slot], __ATOMIC_SEQ_CST);

		if (now == value)
			return;
		futex(slot, FUTEX_WAIT, (int)now);
	}
}

/* --- clones that run a function --- */

/*
 * The function and its argument are kept in registers that the kernel hands
 * down, so that nothing need be on the child's stack.  The child steps over a
 * red zone: with CLONE_VFORK it may run on the caller's own stack.
 */
#if defined(__x86_64__)
long ct_clone(long nr, const long a[5], long (*fn)(void *), void *arg)
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register void *r12 __asm__("r12") = (void *)fn;
	register void *r13 __asm__("r13") = arg;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "sub $256, %%rsp\n\t"
			 "and $-16, %%rsp\n\t"
			 "mov %%r13, %%rdi\n\t"
			 "call *%%r12\n\t"
			 "mov %%rax, %%rdi\n\t"
			 "mov $60, %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10),
			   "r"(r8), "r"(r12), "r"(r13)
			 : "rcx", "r11", "memory");
	return ret;
}
#else
long ct_clone(long nr, const long a[5], long (*fn)(void *), void *arg)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a[0];
	register long x1 __asm__("x1") = a[1];
	register long x2 __asm__("x2") = a[2];
	register long x3 __asm__("x3") = a[3];
	register long x4 __asm__("x4") = a[4];
	register void *x19 __asm__("x19") = (void *)fn;
	register void *x20 __asm__("x20") = arg;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x20\n\t"
			 "blr x19\n\t"
			 "mov x8, #93\n\t"
			 "svc #0\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4),
			   "r"(x19), "r"(x20)
			 : "memory");
	return x0;
}
#endif

long ct_return(void *arg)
{
	return (long)arg;
}

long long ct_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

long now_us(void)
{
	return ct_clock() / 1000;
}

long cloneat_call(pid_t pid, pid_t hint, struct cloneat_args *args,
		  long (*fn)(void *), void *arg)
{
	const long a[5] = { pid, hint, (long)args };

	return ct_clone(__NR_cloneat, a, fn, arg);
}

long clone_call(unsigned long flags, void *stack_base, size_t stack_size,
		void *parent_tid, void *child_tid, unsigned long tls,
		long (*fn)(void *), void *arg)
{
	long sp = stack_base ? (long)stack_base + (long)stack_size : 0;
#if defined(__x86_64__)
	const long a[5] = { flags, sp, (long)parent_tid, (long)child_tid, tls };
#else
	const long a[5] = { flags, sp, (long)parent_tid, tls, (long)child_tid };
#endif

	return ct_clone(SYS_clone, a, fn, arg);
}

long clone_words(unsigned long flags)
{
	return ct_syscall6(SYS_clone, flags, 0, 0, 0, 0, 0);
}

void *ct_stack(struct cloneat_args *args)
{
	long page = sysconf(_SC_PAGESIZE);
	char *base = mmap(NULL, CT_STACK_SIZE + page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		fail("mmap: %s", ct_errname(errno));
	must(mprotect(base, page, PROT_NONE));
	if (args) {
		args->child_stack_base = (uintptr_t)base + page;
		args->child_stack_size = CT_STACK_SIZE;
	}
	return base + page;
}

/* --- targets --- */

struct order {
	long (*fn)(void *arg);
	void *arg;
};

/*
 * Closes nothing: it may share the table of descriptors with the check.  It
 * holds both ends of its pipes, so only target_end() ends it, and a target
 * that is forgotten is always seen as a leak.
 */
static long serve(void *arg)
{
	struct target *t = arg;
	struct order order;
	long ret;

	for (;;) {
		if (read(t->order[0], &order, sizeof(order)) != sizeof(order))
			continue;
		ret = order.fn(order.arg);
		while (write(t->answer[1], &ret, sizeof(ret)) != sizeof(ret))
			;
	}
	return 0;
}

static long nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void open_pipes(struct target *t)
{
	must(pipe2(t->order, O_CLOEXEC));
	must(pipe2(t->answer, O_CLOEXEC));
}

void target_start(struct target *t)
{
	open_pipes(t);
	t->pid = must(fork());
	if (t->pid == 0)
		serve(t);
	target_do(t, nothing, NULL);
}

/* The child's view of *t lacks the pid, which it has no use for. */
void target_clone(struct target *t, unsigned long flags)
{
	long pid;

	open_pipes(t);
	pid = clone_call(flags | SIGCHLD, ct_stack(NULL), CT_STACK_SIZE, NULL,
			 NULL, 0, serve, t);
	if (pid == -EINVAL)
		ct_skip("this kernel refuses clone flags %#lx", flags);
	if (pid < 0)
		fail("clone(%#lx): %s", flags, ct_errname(-pid));
	t->pid = pid;
	target_do(t, nothing, NULL);
}

/* Polls the answer together with the target's end: a dead one is no hang. */
long target_do(struct target *t, long (*fn)(void *), void *arg)
{
	struct order order = { fn, arg };
	struct pollfd p[2] = { { .fd = t->answer[0], .events = POLLIN },
			       { .events = POLLIN } };
	long ret;

	must(write(t->order[1], &order, sizeof(order)));
	p[1].fd = ct_open_pidfd(t->pid);
	while (poll(p, 2, -1) < 1)
		;
	close(p[1].fd);
	if (!(p[0].revents & POLLIN))
		fail("target %d ended before it answered", t->pid);
	must(read(t->answer[0], &ret, sizeof(ret)));
	return ret;
}

static long reap_in_target(void *arg)
{
	int status = 0;
	long ret = reap((pid_t)(long)arg, &status);

	return ret < 0 ? ret : status;
}

long target_wait(struct target *t, pid_t pid)
{
	return target_do(t, reap_in_target, (void *)(long)pid);
}

void target_end(struct target *t)
{
	kill_reap(t->pid);
	for (int i = 0; i < 2; i++) {
		close(t->order[i]);
		close(t->answer[i]);
	}
}

/* --- rights and namespaces --- */

static void change_caps(void (*change)(struct __user_cap_data_struct *, int),
			int cap)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	must(syscall(SYS_capget, &header, data));
	change(data, cap);
	must(syscall(SYS_capset, &header, data));
}

static void clear_one(struct __user_cap_data_struct *data, int cap)
{
	unsigned int keep = ~(1U << (cap % 32));

	data[cap / 32].effective &= keep;
	data[cap / 32].permitted &= keep;
	data[cap / 32].inheritable &= keep;
}

static void clear_all(struct __user_cap_data_struct *data, int cap)
{
	(void)cap;
	memset(data, 0, 2 * sizeof(*data));
}

void drop_cap(int cap)
{
	change_caps(clear_one, cap);
}

static void clear_effective(struct __user_cap_data_struct *data, int cap)
{
	(void)cap;
	data[0].effective = 0;
	data[1].effective = 0;
}

void suspend_caps(void)
{
	change_caps(clear_effective, 0);
}

void drop_all_caps(void)
{
	change_caps(clear_all, 0);
}

void become(unsigned int id)
{
	must(syscall(SYS_setgroups, 0, NULL));
	must(syscall(SYS_setresgid, id, id, id));
	must(syscall(SYS_setresuid, id, id, id));
	must(prctl(PR_SET_DUMPABLE, 1));
}

void ct_unshare(int flags)
{
	if (unshare(flags) == 0)
		return;
	if (errno == EINVAL)
		ct_skip("this kernel refuses unshare flags %#x", flags);
	fail("unshare(%#x): %s", flags, ct_errname(errno));
}

void enter_userns(void)
{
	unsigned int uid = geteuid(), gid = getegid();

	ct_unshare(CLONE_NEWUSER);
	expect_ok(ct_write("/proc/self/setgroups", "deny"));
	expect_ok(ct_write("/proc/self/uid_map", "0 %u 1", uid));
	expect_ok(ct_write("/proc/self/gid_map", "0 %u 1", gid));
}

static void init_of_pidns(void (*fn)(void *), void *arg)
{
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mount("proc", "/proc", "proc", 0, NULL));
	fn(arg);
	ct_exit(0);
}

void in_pidns(void (*fn)(void *), void *arg)
{
	pid_t pid = clone_words(CLONE_NEWPID | CLONE_NEWNS | SIGCHLD);

	if (pid == 0)
		init_of_pidns(fn, arg);
	if (pid == -EINVAL)
		ct_skip("this kernel has no pid namespaces");
	expect_ok(pid);
	expect_exit(pid, 0);
}

/* --- /proc --- */

static FILE *open_proc(pid_t pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return fopen(path, "re");
}

/* The text after "FIELD:" in /proc/PID/status. */
static bool status_line(pid_t pid, const char *field, char *text, int size)
{
	FILE *f = open_proc(pid, "status");
	size_t n = strlen(field);
	bool found = false;

	while (f && !found && fgets(text, size, f))
		found = !strncmp(text, field, n) && text[n] == ':';
	if (found)
		memmove(text, text + n + 1, strlen(text + n + 1) + 1);
	if (f)
		fclose(f);
	return found;
}

long vma_line(unsigned long at, const char *field, char *text, int size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long from, to;
	bool inside = false;
	long err = -ENODATA;
	char line[512];

	if (!f)
		return -errno;
	while (err && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
			inside = from <= at && at < to;
		} else if (inside && !strncmp(line, field, strlen(field))) {
			snprintf(text, size, "%s", line + strlen(field));
			err = 0;
		}
	}
	fclose(f);
	return err;
}

long vma_flag(unsigned long at, const char *flag)
{
	char text[512];
	long err = vma_line(at, "VmFlags:", text, sizeof(text));

	return err ?: !!strstr(text, flag);
}

long proc_field(pid_t pid, const char *field)
{
	char text[256];

	if (!status_line(pid, field, text, sizeof(text)))
		fail("no %s in /proc/%d/status", field, pid);
	return strtol(text, NULL, 0);
}

unsigned long proc_mask(pid_t pid, const char *field)
{
	char text[256];

	if (!status_line(pid, field, text, sizeof(text)))
		fail("no %s in /proc/%d/status", field, pid);
	return strtoul(text, NULL, 16);
}

pid_t proc_ppid(pid_t pid)
{
	return proc_field(pid, "PPid");
}

int proc_nspid(pid_t pid, pid_t *ids, int max)
{
	char text[256], *at = text, *end;
	int n = 0;

	if (!status_line(pid, "NSpid", text, sizeof(text)))
		fail("no NSpid in /proc/%d/status", pid);
	while (n < max) {
		long id = strtol(at, &end, 10);

		if (end == at)
			break;
		ids[n++] = id;
		at = end;
	}
	return n;
}

char proc_state(pid_t pid)
{
	FILE *f = open_proc(pid, "stat");
	char text[512] = "", *end;

	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : 0;
}

void wait_state(pid_t pid, char state)
{
	while (proc_state(pid) != state)
		usleep(1000);
}

unsigned long ns_id(pid_t pid, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	return stat(path, &st) ? 0 : st.st_ino;
}

long ct_pid_max(void)
{
	FILE *f = fopen("/proc/sys/kernel/pid_max", "re");
	long max = 0;

	if (!f || fscanf(f, "%ld", &max) != 1)
		fail("/proc/sys/kernel/pid_max cannot be read");
	fclose(f);
	return max;
}

/* A session or group without its leader: no process has this number. */
static bool used_as_group(pid_t wanted)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool used = false;

	if (!dir)
		fail("/proc: %s", ct_errname(errno));
	while (!used && (entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name);

		used = pid > 0 && (getpgid(pid) == wanted ||
				   getsid(pid) == wanted);
	}
	closedir(dir);
	return used;
}

pid_t free_pid(void)
{
	static pid_t last;
	char path[64];

	if (!last)
		last = 1000 + ct_pid() * 7 % 2500;
	for (int tries = 0; tries < 4000; tries++) {
		last = last < 3999 ? last + 1 : 400;
		snprintf(path, sizeof(path), "/proc/%d", last);
		if (access(path, F_OK) && !used_as_group(last))
			return last;
	}
	fail("no free pid below 4000");
}

int ct_write(const char *path, const char *format, ...)
{
	char text[256];
	va_list ap;
	int fd, n, ret = 0;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, n) != n)
		ret = -errno;
	close(fd);
	return ret;
}
