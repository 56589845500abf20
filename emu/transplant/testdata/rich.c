// SPDX-License-Identifier: GPL-2.0
/*
 * rich: a process in a rich state. It makes a reference child by fork, which
 * writes down all it can see of itself, and then waits in pause(2): the test
 * makes a clone of it there, in which pause returns 0 and which writes down
 * the same.
 *
 *	rich ──fork──► target (stays, or execs argv[2...])
 *	  └────fork──► reference, writes and exits
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <asm/prctl.h>

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif
#define OUT_SIZE (4 << 20)
static char *out;	/* not compared */
static size_t len;
static char *io;	/* not compared */

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	len += vsnprintf(out + len, OUT_SIZE - len, fmt, ap);
	va_end(ap);
}

static char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t k;

	if (fd < 0) {
		sprintf(io, "open: %d\n", errno);
		return io;
	}
	while ((k = read(fd, io + n, OUT_SIZE - 1 - n)) > 0)
		n += k;
	io[n] = 0;
	close(fd);
	return io;
}

static uint64_t sum(const unsigned char *p, size_t n)
{
	uint64_t h = 1469598103934665603ull;
	const uint64_t *w = (const void *)p;

	for (n /= 8; n; n--)
		h = (h ^ *w++) * 1099511628211ull;
	return h;
}

static void lines(const char *path, int (*keep)(const char *))
{
	char *p = slurp(path);

	say("== %s\n", path);
	for (char *l = strtok(p, "\n"); l; l = strtok(NULL, "\n"))
		if (!keep || keep(l))
			say("%s\n", l);
}

static int keep_status(const char *l)
{
	static const char *const drop[] = { "Pid:", "Tgid:", "PPid:", "NSpid:", "NStgid:",
		"Vm", "Rss", "HugetlbPages", "State", "SigQ:", "voluntary", "nonvoluntary", "Ngid" };

	for (size_t i = 0; i < sizeof(drop) / sizeof(*drop); i++)
		if (!strncmp(l, drop[i], strlen(drop[i])))
			return 0;
	return 1;
}

static int keep_smaps(const char *l)
{
	if (*l >= 'A' && *l <= 'Z')
		return !strncmp(l, "VmFlags", 7) || !strncmp(l, "KernelPageSize", 14);
	return 1;
}

static int probe[2];

/* a page that can be read at all: the kernel tells without a signal */
static int readable(const void *page)
{
	if (write(probe[1], page, 1) != 1)
		return 0;
	return read(probe[0], io, 1) == 1;
}

static void dump_memory(void)
{
	char *p = slurp("/proc/self/maps");

	say("== memory\n");
	for (char *l = strtok(p, "\n"); l; l = strtok(NULL, "\n")) {
		unsigned long lo, hi;
		uint64_t h = 0;
		char perm[8];

		sscanf(l, "%lx-%lx %7s", &lo, &hi, perm);
		if (perm[0] != 'r' || strstr(l, "[vvar") || strstr(l, "[stack]") || strstr(l, "[vsyscall]"))
			continue;
		if ((char *)lo <= out && out < (char *)hi)
			continue;
		if ((char *)lo <= io && io < (char *)hi)
			continue;
		if ((char *)lo <= (char *)&len && (char *)&len < (char *)hi)
			continue;
		for (unsigned long at = lo; at < hi; at += 4096)
			if (!readable((void *)at)) {
				say("%lx: unreadable\n", at);
			} else {
				h = h * 31 + sum((void *)at, 4096);
			}
		say("%lx %lx %llx\n", lo, hi, (unsigned long long)h);
	}
}

static void dump_fds(void)
{
	say("== fds\n");
	for (int fd = 0; fd < 1200; fd++) {
		int f = fcntl(fd, F_GETFD);
		char path[64], link[512];
		ssize_t n;

		if (f < 0)
			continue;
		sprintf(path, "/proc/self/fd/%d", fd);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = 0;
		say("%d %x %s\n", fd, f, link);
		sprintf(path, "/proc/self/fdinfo/%d", fd);
		say("%s", slurp(path));
	}
}

struct kaction { void *handler; unsigned long flags; void *restorer; unsigned long mask; };

static void dump_signals(void)
{
	stack_t ss;

	say("== signals\n");
	for (int s = 1; s <= 64; s++) {
		struct kaction a;

		memset(&a, 0, sizeof(a));
		syscall(SYS_rt_sigaction, s, NULL, &a, 8);
		say("%d %p %lx %p %lx\n", s, a.handler, a.flags, a.restorer, a.mask);
	}
	sigaltstack(NULL, &ss);
	say("altstack %p %x %zx\n", ss.ss_sp, ss.ss_flags, ss.ss_size);
}

static void dump_prctl(void)
{
	static const int get[] = { PR_GET_DUMPABLE, PR_GET_KEEPCAPS, PR_GET_SECUREBITS,
		PR_GET_TIMERSLACK, PR_GET_THP_DISABLE, PR_MCE_KILL_GET, PR_GET_NO_NEW_PRIVS,
		PR_GET_IO_FLUSHER, 66, 68, PR_GET_SECCOMP };

	say("== prctl\n");
	for (size_t i = 0; i < sizeof(get) / sizeof(*get); i++)
		say("%d: %d\n", get[i], prctl(get[i], 0, 0, 0, 0));
	say("pdeathsig %d\n", prctl(PR_GET_PDEATHSIG, io) ?: *(int *)io);
	say("subreaper %d\n", prctl(PR_GET_CHILD_SUBREAPER, io) ?: *(int *)io);
	say("tsc %d\n", prctl(PR_GET_TSC, io) ?: *(int *)io);
	*(int *)io = -1;
	syscall(SYS_get_mempolicy, io, io + 8, 1024, 0, 0);
	say("mempolicy %d %lx\n", *(int *)io, *(long *)(io + 8));
	for (int i = 0; i < 3; i++)
		say("spec %d\n", prctl(PR_GET_SPECULATION_CTRL, i, 0, 0, 0));
}

static void dump_sched(void)
{
	cpu_set_t set;
	char a[64] = {};

	say("== sched\n");
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	say("affinity %lx\n", *(unsigned long *)&set);
	syscall(SYS_sched_getattr, 0, a, 56, 0);
	for (int i = 0; i < 56; i += 4)
		say("%x ", *(unsigned *)(a + i));
	say("\nioprio %ld\n", syscall(SYS_ioprio_get, 1, 0));
}

static void dump_cpu(void)
{
	unsigned long fs = 0, gs = 0;
	unsigned int mxcsr;
	unsigned short cw;
	unsigned long long ymm[4];

	asm volatile("vmovdqu %%ymm9, %0" : "=m"(ymm));
	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	asm volatile("fnstcw %0" : "=m"(cw));
	syscall(SYS_arch_prctl, ARCH_GET_FS, &fs);
	syscall(SYS_arch_prctl, ARCH_GET_GS, &gs);
	say("== cpu\nmxcsr %x cw %x fs %lx gs %lx ymm9 %llx %llx %llx %llx\n", mxcsr, cw, fs, gs,
	    ymm[0], ymm[1], ymm[2], ymm[3]);
}

static void dump_links(void)
{
	static const char *const l[] = { "cwd", "root", "exe" };
	char path[64], b[512];

	say("== links\n");
	for (int i = 0; i < 3; i++) {
		ssize_t n;

		sprintf(path, "/proc/self/%s", l[i]);
		n = readlink(path, b, sizeof(b) - 1);
		b[n > 0 ? n : 0] = 0;
		say("%s %s\n", l[i], b);
	}
}

static void bytes(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, io, OUT_SIZE);

	close(fd);
	say("== %s %zd %llx\n", path, n, (unsigned long long)sum((void *)io, n > 0 ? n : 0));
}

static void dump(int to)
{
	size_t done = 0;

	len = 0;
	dump_cpu();
	lines("/proc/self/status", keep_status);
	lines("/proc/self/smaps", keep_smaps);
	dump_memory();
	dump_fds();
	dump_signals();
	dump_prctl();
	dump_sched();
	dump_links();
	say("uname %d\n", uname((void *)io) ? errno : 0);
	say("brk %lx\n", syscall(SYS_brk, 0));
	say("umask %o pgid %d sid %d\n", umask(0), getpgrp(), getsid(0));
	lines("/proc/self/limits", NULL);
	lines("/proc/self/comm", NULL);
	lines("/proc/self/cgroup", NULL);
	lines("/proc/self/oom_score_adj", NULL);
	lines("/proc/self/coredump_filter", NULL);
	lines("/proc/self/personality", NULL);
	bytes("/proc/self/cmdline");
	bytes("/proc/self/environ");
	bytes("/proc/self/auxv");
	while (done < len) {
		ssize_t n = write(to, out + done, len - done);

		if (n <= 0)
			_exit(9);
		done += n;
	}
	_exit(0);
}

static void handler(int sig) { (void)sig; }

static void *map(size_t n, int prot, int flags, int fd)
{
	char *p = mmap(NULL, n, prot, flags, fd, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static void pattern(char *p, size_t n, int seed)
{
	for (size_t i = 0; i < n; i += 64)
		*(uint64_t *)(p + i) = i * 2654435761u + seed;
}

static void rich_memory(void)
{
	char name[] = "/tmp/rich-XXXXXX";
	char *p;
	int fd;

	p = map(3 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	pattern(p, 1 << 20, 1);
	mprotect(p + 8192, 4096, PROT_READ);
	mprotect(p + 32768, 8192, PROT_NONE);
	madvise(p + 65536, 4096, MADV_DONTFORK);
	madvise(p + 81920, 4096, MADV_WIPEONFORK);
	madvise(p + 98304, 4096, MADV_DONTDUMP);
	madvise(p + 114688, 4096, MADV_SEQUENTIAL);
	madvise(p + 131072, 4096, MADV_NOHUGEPAGE);
	p = map(8 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	madvise(p, 8 << 20, MADV_HUGEPAGE);
	pattern(p, 5 << 20, 2);
	map(1ul << 36, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	p = map(1 << 20, 3, MAP_SHARED | MAP_ANONYMOUS, -1);
	pattern(p, 1 << 20, 3);
	p = map(1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1);
	pattern(p, 1 << 20, 4);
	fd = mkstemp(name);
	ftruncate(fd, 1 << 20);
	p = map(1 << 20, 3, MAP_SHARED, fd);
	pattern(p, 1 << 20, 5);
	p = map(1 << 20, 3, MAP_PRIVATE, fd);
	pattern(p, 1 << 16, 6);
	p = map(1 << 20, 5, MAP_PRIVATE, fd);
	close(fd);
	fd = open(name, O_RDONLY);
	map(1 << 20, 1, MAP_SHARED, fd);
	unlink(name);
	fd = memfd_create("rich", 0);
	ftruncate(fd, 1 << 16);
	p = map(1 << 16, 3, MAP_SHARED, fd);
	pattern(p, 1 << 16, 7);
	fd = shmget(IPC_PRIVATE, 1 << 16, 0600);
	p = shmat(fd, NULL, 0);
	pattern(p, 1 << 16, 8);
	shmat(fd, NULL, SHM_RDONLY);
	shmctl(fd, IPC_RMID, NULL);
	p = map(1 << 16, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	pattern(p, 1 << 16, 10);
	madvise(p + 8192, 8192, 102 /* MADV_GUARD_INSTALL, where it exists */);
	p = sbrk(1 << 20);
	pattern((char *)(((uintptr_t)p + 4095) & ~4095ul), 1 << 19, 9);
}

static void rich_fds(void)
{
	int fd = open("/etc/passwd", O_RDONLY), p[2];
	struct epoll_event ev = { .events = EPOLLIN };
	struct itimerspec ts = { .it_value.tv_sec = 1000000 };

	lseek(fd, 17, SEEK_SET);
	dup2(fd, 700);
	dup3(fd, 1111, O_CLOEXEC);
	open("/tmp", O_PATH | O_CLOEXEC);
	pipe2(p, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, p);
	fd = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(fd, EPOLL_CTL_ADD, p[0], &ev);
	eventfd(42, 0);
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	(void)ts;
	open("/dev/null", O_WRONLY | O_APPEND);
	syscall(SYS_pidfd_open, getppid(), 0);
}

static void rich_rest(void)
{
	static char alt[65536];
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART | SA_ONSTACK };
	struct rlimit rl = { 3000, 4000 };
	sigset_t set;
	cpu_set_t cpus;

	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGRTMIN + 3, &sa, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigaltstack(&ss, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max = 5ul << 30;
	setrlimit(RLIMIT_CORE, &rl);
	umask(037);
	chdir("/usr");
	prctl(PR_SET_NAME, "rich caller");
	prctl(PR_SET_TIMERSLACK, 123456);
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	setpriority(PRIO_PROCESS, 0, 3);
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	syscall(SYS_ioprio_set, 1, 0, (2 << 13) | 6);
	personality(ADDR_COMPAT_LAYOUT);
}

static int number(const char *name)
{
	char *v = getenv(name);

	return v ? atoi(v) : -1;
}

static void become(int uid)
{
	static const gid_t groups[] = { 7, 8, 1234 };

	if (uid < 0)
		return;
	if (setgroups(3, groups) || setresgid(uid, uid + 1, uid + 2) || setresuid(uid, uid, uid))
		exit(3);
}

/* A user whom another process of the same user may trace: no two groups. */
static void become_plainly(int uid)
{
	if (uid < 0)
		return;
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		exit(3);
}

static void filter(const char *who, int nr)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = { 4, f };

	if (number(who) > 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 4, &p))
		exit(4);
}

static void keyring(const char *who)
{
	/* KEYCTL_JOIN_SESSION_KEYRING: a new one without a name */
	if (number(who) > 0 && syscall(SYS_keyctl, 1, NULL) < 0)
		exit(5);
}

static void confine(const char *who)
{
	uint64_t attr[2] = { 1 /* execution of files */ };
	int fd;

	if (number(who) < 1)
		return;
	fd = syscall(SYS_landlock_create_ruleset, attr, 8, 0);
	if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0))
		exit(8);
	close(fd);
}

static void rich_creds(void)
{
	keyring("CALLER_KEYRING");
	filter("CALLER_SECCOMP", SYS_mprotect);
	filter("CALLER_SECCOMP", SYS_uname);
	if (number("CALLER_AMBIENT") > 0) {
		unsigned int h[2] = { 0x20080522, 0 }, d[6] = { ~0u, ~0u, 1 << 10, 0x1ff, 0x1ff, 0 };

		syscall(SYS_capset, h, d);
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 10, 0, 0);
		prctl(PR_CAPBSET_DROP, 21, 0, 0, 0);
		prctl(PR_SET_SECUREBITS, 0xc0);
	}
	become(number("CALLER_UID"));
	if (number("CALLER_UID") >= 0)
		prctl(PR_SET_DUMPABLE, 1);
	if (number("CALLER_PRCTL") > 0) {
		unsigned long node = 1;

		prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
		prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
		prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE, 0, 0);
		syscall(SYS_set_mempolicy, 2 /* MPOL_BIND */, &node, 64);
		prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
		prctl(65 /* PR_SET_MDWE */, 1, 0, 0, 0);
	}
	if (number("CALLER_TRAP") > 0)
		signal(SIGTRAP, SIG_IGN);
	if (number("CALLER_URING") > 0) {
		char params[120] = {};

		if (syscall(SYS_io_uring_setup, 4, params) < 0)
			exit(6);
	}
	if (number("CALLER_NNP") > 0)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void note(const char *path, int v)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	dprintf(fd, "%d\n", v);
	close(fd);
}

int main(int argc, char **argv)
{
	static const unsigned long long ymm[4] = { 0x1111, 0x2222, 0x3333, 0x4444 };
	unsigned int mxcsr = 0x1f80 | 0x6000;
	unsigned short cw = 0x27f;
	static char told[32];
	pid_t target, ref;
	int status, up[2];
	long r;

	out = map(OUT_SIZE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	mprotect(out - 4096, 0, 0);
	pipe2(probe, O_CLOEXEC | O_NONBLOCK);
	io = map(OUT_SIZE, 3, MAP_SHARED | MAP_ANONYMOUS, -1);
	if (argc > 2 && !strcmp(argv[1], "late")) {
		rich_memory();	/* the target gets it, too */
	}
	keyring("COMMON_KEYRING");
	confine("COMMON_LANDLOCK");
	pipe2(up, O_CLOEXEC);
	target = fork();
	if (!target) {
		keyring("TARGET_KEYRING");
		if (number("TARGET_NS") > 0 && unshare(number("TARGET_NS")))
			exit(5);
		if (number("TARGET_NS") > 0)
			chdir("/var");
		if (getenv("TARGET_ROOT") && chroot(getenv("TARGET_ROOT")))
			exit(7);
		become(number("TARGET_UID"));
		become_plainly(number("TARGET_PLAIN_UID"));
		filter("TARGET_SECCOMP", SYS_uname);
		confine("TARGET_LANDLOCK");
		close(2);
		close(1);	/* its reader waits for the end */
		if (argc > 2 && argv[2][0] == '/')
			execv(argv[2], argv + 2);
		close(up[1]);
		for (;;)
			pause();
	}
	/* the target is what it is to be */
	close(up[1]);
	read(up[0], told, 1);
	close(up[0]);
	if (argc > 2 && strcmp(argv[1], "late"))
		rich_memory();
	rich_fds();
	rich_rest();
	note("/proc/self/oom_score_adj", 77);
	rich_creds();
	asm volatile("ldmxcsr %0" :: "m"(mxcsr));
	asm volatile("fldcw %0" :: "m"(cw));
	sprintf(told, "target %d\n", target);
	ref = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!ref) {
		asm volatile("vmovdqu %0, %%ymm9" :: "m"(ymm));
		asm volatile("" ::: "memory");
		dump(1);
	}
	/* only what leaves no trace in memory: the reference is of before */
	syscall(SYS_wait4, ref, &status, 0, NULL);
	syscall(SYS_write, 1, "== end\n", 7);
	syscall(SYS_write, 2, told, strlen(told));
	asm volatile("vmovdqu %1, %%ymm9\n\tsyscall" : "=a"(r) : "m"(ymm), "0"(SYS_pause) : "rcx", "r11", "memory", "xmm9");
	if (r)
		return 1;
	dump(1);
}
