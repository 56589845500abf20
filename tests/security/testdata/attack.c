// SPDX-License-Identifier: Apache-2.0
/*
 * Attacks on the supervisor's promise that no right passes from target or
 * supervisor to the child or the caller. Started as root under the supervisor.
 * Exit status 0: the attack failed. usage: attack NAME | attack --list | attack --files
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/cloneat.h>

#define SYS_CLONEAT 511
#define USER 1000
#define SKIPPED 77

__attribute__((noreturn, format(printf, 1, 2)))
static void bad(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(1);
}

#define must(x) ({ long must_ = (x); if (must_ < 0) bad("%s: %s", #x, strerror(errno)); must_; })

static long call(pid_t target, unsigned int flags)
{
	int words[2] = { SIGCHLD | flags, 0 };
	struct cloneat_args args;

	memset(&args, 0, sizeof(args));
	args.flags = words;
	args.flags_size = sizeof(words);
	return syscall(SYS_CLONEAT, target, 0, &args) < 0 ? -errno : 0;
}

/* The call, where child runs in the child and its status must be 0. */
static void child_must(pid_t target, unsigned int flags, void (*child)(void), int reaper)
{
	int words[2] = { SIGCHLD | flags, 0 }, report[2];
	struct cloneat_args args;
	char c = 1;
	long ret;

	memset(&args, 0, sizeof(args));
	args.flags = words;
	args.flags_size = sizeof(words);
	must(pipe2(report, O_CLOEXEC));
	ret = syscall(SYS_CLONEAT, target, 0, &args);
	if (ret < 0)
		bad("the call: %s", strerror(errno));
	if (!ret) {
		child();
		must(write(report[1], "", 1));
		_exit(0);
	}
	close(report[1]);
	if (read(report[0], &c, 1) != 1 || c)
		bad("the child %ld says nothing good", ret);
	close(report[0]);
	if (reaper)
		must(waitpid(ret, NULL, 0));
}

static void become(int uid)
{
	must(syscall(SYS_setgroups, 0, NULL));
	must(setresgid(uid, uid, uid));
	must(setresuid(uid, uid, uid));
	must(prctl(PR_SET_DUMPABLE, 1));
}

/* A target that does prepare() and then waits. */
static pid_t target(void (*prepare)(void))
{
	int ready[2];
	pid_t pid;
	char c;

	must(pipe2(ready, O_CLOEXEC));
	pid = must(fork());
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (prepare)
			prepare();
		must(write(ready[1], "", 1));
		close(ready[0]);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		bad("the target is not ready");
	close(ready[0]);
	return pid;
}

static void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	must(waitpid(pid, NULL, 0));
}

static void field(const char *path, const char *name, char *value, int size)
{
	char line[512];
	FILE *f = fopen(path, "re");

	if (!f)
		bad("%s: %s", path, strerror(errno));
	*value = 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			snprintf(value, size, "%s", line + strlen(name));
	fclose(f);
}

/* --- rights ----------------------------------------------------------------- */

static const char *self_exe;

/* A program with a file capability, executed by an ordinary user. */
static void file_capability(void)
{
	struct vfs_ns_cap_data cap = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1U << CAP_SYS_ADMIN,
	};
	char path[] = "./capable", caps[64];
	struct statvfs mount;
	int ready[2], st, in, out;
	char buf[65536], num[16];
	ssize_t n;
	pid_t a;

	in = must(open(self_exe, O_RDONLY | O_CLOEXEC));
	out = must(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
	while ((n = read(in, buf, sizeof(buf))) > 0)
		must(write(out, buf, n));
	must(close(out));
	if (setxattr(path, "security.capability", &cap, XATTR_CAPS_SZ_2, 0)) {
		fprintf(stderr, "no file capabilities here: %s\n", strerror(errno));
		_exit(SKIPPED);
	}
	must(statvfs(path, &mount));
	if (mount.f_flag & ST_NOSUID) {
		fprintf(stderr, "no file capabilities here: TMPDIR is mounted nosuid\n");
		_exit(SKIPPED);
	}
	must(pipe(ready));
	a = must(fork());
	if (!a) {
		pid_t t;
		char c;

		become(USER);
		t = must(fork());
		if (!t) {
			snprintf(num, sizeof(num), "%d", ready[1]);
			must(execl(path, "attack", "--wait", num, NULL));
		}
		close(ready[1]);
		if (read(ready[0], &c, 1) != 1)
			bad("the program with a capability does not start");
		snprintf(buf, sizeof(buf), "/proc/%d/status", t);
		field(buf, "CapEff:\t", caps, sizeof(caps));
		if (!strtoul(caps, NULL, 16))
			bad("the program has no capability: nothing is attacked");
		if (call(t, 0) != -EPERM || call(t, CLONE_NEWUTS) != -EPERM)
			bad("an ordinary user used a program with a capability");
		finish(t);
		_exit(0);
	}
	must(waitpid(a, &st, 0));
	if (st)
		bad("status %#x", st);
}

static void unshare_user(void)
{
	must(unshare(CLONE_NEWUSER));
}

/* A target that is all-powerful in a user namespace of its own. */
static void user_namespace(void)
{
	pid_t a = must(fork());
	int st;

	if (!a) {
		pid_t t;

		become(USER);
		t = target(unshare_user);
		if (call(t, 0) != -EOPNOTSUPP)
			bad("a target in another user namespace was used");
		if (call(t, CLONE_NEWNET) >= 0)
			bad("a namespace was made by the target's rights");
		finish(t);
		_exit(0);
	}
	must(waitpid(a, &st, 0));
	if (st)
		bad("status %#x", st);
}

/* --- memory and descriptors -------------------------------------------------- */

static const unsigned char key[32] = {
	0x13, 0x57, 0x9b, 0xdf, 0x24, 0x68, 0xac, 0xe0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
	0x31, 0x75, 0xb9, 0xfd, 0x42, 0x86, 0xca, 0x0e, 0x12, 0x21, 0x34, 0x43, 0x56, 0x65, 0x78, 0x87,
};

static char untouched[3 * 4096]; /* zero in the caller */

static void write_secret(char *at)
{
	for (unsigned int i = 0; i < sizeof(key); i++)
		at[i] = key[i] ^ 0x5a;
}

static void keep_secrets(void)
{
	char *heap = malloc(100000), *map;
	int fd;

	write_secret(untouched + 5000);
	write_secret(heap + 50000);
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	write_secret(map + 4096);
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	write_secret(map + 100);
	fd = must(memfd_create("secret", 0));
	must(ftruncate(fd, 4096));
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	write_secret(map);
	must(dup2(fd, 500));
}

/* Does this process see a secret anywhere? */
static int finds_secret(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512], perms[8];
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), found = 0;

	while (f && fgets(line, sizeof(line), f)) {
		static unsigned char page[4096];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, perms) != 3)
			continue;
		for (; from < to; from += sizeof(page)) {
			if ((char *)from <= (char *)page + sizeof(page) && (char *)from + 4096 > (char *)page)
				continue; /* the copy itself */
			if (pread(mem, page, sizeof(page), from) != sizeof(page))
				continue;
			for (unsigned int i = 0; i + sizeof(key) <= sizeof(page); i++) {
				unsigned int n = 0;

				while (n < sizeof(key) && page[i + n] == (key[n] ^ 0x5a))
					n++;
				found |= n == sizeof(key);
			}
		}
	}
	if (f)
		fclose(f);
	close(mem);
	return found;
}

static void find_secret(void)
{
	if (finds_secret())
		bad("the child has memory of the target's");
	if (fcntl(500, F_GETFD) != -1)
		bad("the child has a descriptor of the target's");
}

static void target_memory(void)
{
	pid_t t;

	t = target(keep_secrets);
	child_must(t, 0, find_secret, 0);
	finish(t);
	t = target(keep_secrets);
	keep_secrets();
	if (!finds_secret())
		bad("the search finds nothing where there is something");
	finish(t);
}

/* The open files of this process, as text. */
static void files(char *text, size_t size)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	*text = 0;
	while (d && (e = readdir(d))) {
		char path[300], to[256];
		ssize_t n;

		if (!isdigit(e->d_name[0]) || atoi(e->d_name) == dirfd(d))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%s", e->d_name);
		n = readlink(path, to, sizeof(to) - 1);
		to[n < 0 ? 0 : n] = 0;
		n = strlen(text);
		snprintf(text + n, size - n, "%s %s\n", e->d_name, to);
	}
	if (d)
		closedir(d);
}

static char before[8192];

/* NATIVE_FILES: what a program started natively has besides 0, 1 and 2. */
static const char *natively;

static const char *beyond_stderr(void)
{
	static char text[8192], list[sizeof(text)];
	char *line, *save;
	int n = 0;

	files(text, sizeof(text));
	*list = 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (atoi(line) > 2)
			n += snprintf(list + n, sizeof(list) - n, "%s;", line);
	return list;
}

static void same_files(void)
{
	char now[8192];

	files(now, sizeof(now));
	if (strcmp(now, before))
		bad("open files:\n%sand not\n%s", now, before);
}

/* In the child the report's pipe is open, which the caller opened for it. */
static void only_the_pipe_more(void)
{
	char now[8192], *line, *save;
	int more = 0;

	files(now, sizeof(now));
	for (line = strtok_r(now, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strstr(before, line))
			continue;
		if (!strstr(line, " pipe:"))
			bad("an open file of nobody's: %s", line);
		more++;
	}
	if (more != 2)
		bad("%d files more", more);
}

static void target_descriptors(void)
{
	pid_t t = target(keep_secrets);

	files(before, sizeof(before));
	child_must(t, 0, only_the_pipe_more, 0);
	same_files();
	finish(t);
}

struct looted {
	long sockets;
	char file[256];
};

/* User 1000, who has the same table of descriptors, looks at what comes and goes there. */
__attribute__((noreturn))
static int looter(void *arg)
{
	struct looted *found = arg;
	char path[64], to[256];

	become(USER);
	for (;;) {
		for (int fd = 3; fd < 32; fd++) {
			ssize_t n;

			snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
			n = readlink(path, to, sizeof(to) - 1);
			to[n < 0 ? 0 : n] = 0;
			if (!strncmp(to, "socket:", 7))
				found->sockets++;
			else if (n > 4 && (!strcmp(to + n - 4, "/mem") || (*to == '/' && strncmp(to, "/proc/", 6))))
				strcpy(found->file, to);
		}
	}
}

__attribute__((noreturn))
static int waits(void *unused)
{
	(void)unused;
	for (;;)
		pause();
}

/* What a child works with that shares its descriptors is not what they share. */
static void shared_descriptors(void)
{
	struct looted *found = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *stack = malloc(131072);
	pid_t t, l, own = getpid();
	long start = 0, ret;

	for (int fd = 3; fd < 32; fd++) /* the tests' own */
		close(fd);
	t = must(clone(waits, stack + 65536, CLONE_FILES | SIGCHLD, NULL));
	l = must(clone(looter, stack + 131072, CLONE_FILES | SIGCHLD, found));
	must(chdir("/etc"));
	for (int i = 0; i < 1000 && (i < 50 || found->sockets - start < 50) && !*found->file; i++) {
		start = i ? start : found->sockets;
		ret = call(t, CLONE_FILES);
		if (getpid() != own)
			_exit(0);
		if (ret)
			bad("the call: %ld", ret);
	}
	if (*found->file)
		bad("another user who has the descriptors has %s", found->file);
	if (found->sockets - start < 50)
		bad("nothing was seen at all: nothing is attacked");
	finish(l);
	finish(t);
}

static void init_of_container(void)
{
	for (;;)
		pause();
}

/* The supervisor's: in no program and no child, whichever way it was made. */
static void supervisors_descriptors(void)
{
	pid_t t, init;

	files(before, sizeof(before));
	if (!natively || strcmp(natively, beyond_stderr()))
		bad("the program was started with:\n%snatively with:\n%s", beyond_stderr(), natively);
	child_must(getpid(), 0, only_the_pipe_more, 1);
	t = target(NULL);
	child_must(t, 0, only_the_pipe_more, 0);
	init = must(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0));
	if (!init)
		init_of_container();
	child_must(init, 0, only_the_pipe_more, 0);
	same_files();
	finish(init);
	finish(t);
}

/* --- a caller's own restrictions ----------------------------------------------- */

static long filter(unsigned int nr, unsigned int answer, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static void is_confined(void)
{
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		bad("the child has no no_new_privs");
	if (syscall(SYS_getpgid, 0) != -1 || errno != 123)
		bad("the child is out of the caller's filter");
}

static void callers_filter(void)
{
	pid_t t = target(NULL);

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(filter(SYS_getpgid, SECCOMP_RET_ERRNO | 123, 0));
	child_must(getpid(), 0, is_confined, 1);
	child_must(t, 0, is_confined, 0);
	finish(t);
}

static void still_served(void);
static volatile long written;

/* Has every call that is listed in memory that is written and run set the umask. */
__attribute__((noreturn))
static int rewriter(void *unused)
{
	static char maps[1 << 16];
	const unsigned long call[2] = { SYS_umask, 0153 };
	unsigned long from;
	char perms[8];

	(void)unused;
	for (;;) {
		int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
		ssize_t n, len = 0;

		while ((n = read(fd, maps + len, sizeof(maps) - 1 - len)) > 0)
			len += n;
		close(fd);
		maps[len] = 0;
		for (char *line = strtok(maps, "\n"); line; line = strtok(NULL, "\n")) {
			if (sscanf(line, "%lx-%*x %4s", &from, perms) != 2 || strcmp(perms, "rwxp"))
				continue;
			for (int i = 0; i < 300 * 64; i++) {
				struct iovec ours = { (void *)call, sizeof(call) };
				struct iovec there = { (void *)(from + 576 + i % 64 * 64), sizeof(call) };

				if (process_vm_writev(getpid(), &ours, 1, &there, 1, 0) < 0)
					break;
				written++;
			}
		}
	}
}

/*
 * The filter of all of them forbids a call. What the caller is made to do while its filters
 * are suspended stands in memory that it shares with a process that writes there.
 */
static void suspended_filter(void)
{
	pid_t t, w, own = getpid();
	char *stack = malloc(65536);
	char mask[16];

	umask(022);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	must(filter(SYS_umask, SECCOMP_RET_ERRNO | 123, 0));
	t = target(NULL);
	w = must(clone(rewriter, stack + 65536, CLONE_VM | SIGCHLD, NULL));
	for (int i = 0; i < 1000 && (i < 60 || written < 1000); i++) {
		call(t, 0);
		if (getpid() != own)
			_exit(0);
		field("/proc/self/status", "Umask:\t", mask, sizeof(mask));
		if (strtol(mask, NULL, 8) != 022)
			bad("the caller made a call that its filter forbids");
	}
	if (written < 1000)
		bad("nothing was written: nothing is attacked");
	finish(w);
	finish(t);
	still_served();
}

/* --- the time while the child is being built ------------------------------------ */

static void as_user(void)
{
	become(USER);
}

/* User 1000 kills whatever is born below the target. */
static void killer(pid_t t)
{
	char path[64], line[512];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", t, t);
	become(USER);
	for (;;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = read(fd, line, sizeof(line) - 1);

		close(fd);
		line[n < 0 ? 0 : n] = 0;
		for (char *p = strtok(line, " "); p; p = strtok(NULL, " "))
			kill(atoi(p), SIGKILL);
	}
}

static void killed_while_built(void)
{
	pid_t t = target(as_user), k = must(fork());
	int made = 0, failed = 0;

	if (!k) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		killer(t);
	}
	for (int i = 0; i < 20; i++) {
		int words[2] = { SIGCHLD, 0 };
		struct cloneat_args args = { .flags = words, .flags_size = sizeof(words) };
		long ret = syscall(SYS_CLONEAT, t, 0, &args);

		if (!ret)
			_exit(0);
		/* In the middle of an exec it looks like nothing known. */
		if (ret < 0 && errno != ESRCH && errno != EOPNOTSUPP)
			bad("a child that is killed in the making: %s", strerror(errno));
		made += ret > 0;
		failed += ret < 0;
	}
	finish(k);
	finish(t);
}

/* --- numbers that become somebody else's ---------------------------------------- */

static pid_t born_as(pid_t number)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (unsigned long)&number, .set_tid_size = 1,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

/*
 * a, an ordinary user, names its target while that dies, is reaped and its number
 * goes to a process of root's that is no descendant of a: it must never get a child.
 */
static void number_reused(void)
{
	for (int round = 0; round < 15; round++) {
		volatile pid_t *t = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		int freed[2], st;
		pid_t a, other;
		char c;

		must(pipe2(freed, O_CLOEXEC));
		a = must(fork());
		if (!a) {
			pid_t reaper;

			become(USER);
			signal(SIGCHLD, SIG_IGN); /* reaps at once */
			*t = target(NULL);
			reaper = must(fork());
			if (!reaper) {
				for (int spin = (round * 37) % 400; spin > 0; spin--)
					syscall(SYS_getppid);
				kill(*t, SIGKILL);
				while (!kill(*t, 0))
					;
				must(write(freed[1], "", 1));
				_exit(0);
			}
			for (int i = 0; i < 20; i++) {
				int words[2] = { SIGCHLD, 0 };
				struct cloneat_args args = { .flags = words, .flags_size = sizeof(words) };
				long ret = syscall(SYS_CLONEAT, *t, 0, &args);

				if (!ret)
					_exit(0);
				if (ret < 0 && errno != ESRCH && errno != EPERM)
					bad("a number that is reused: %s", strerror(errno));
			}
			_exit(0);
		}
		if (read(freed[0], &c, 1) != 1)
			bad("the target was not freed");
		other = born_as(*t);
		if (!other)
			for (;;)
				pause();
		must(waitpid(a, &st, 0));
		if (st)
			bad("status %#x", st);
		if (other > 0) {
			char path[64], line[64];
			int fd;

			snprintf(path, sizeof(path), "/proc/%d/task/%d/children", other, other);
			fd = must(open(path, O_RDONLY | O_CLOEXEC));
			if (read(fd, line, sizeof(line)) > 0)
				bad("a process of root's was given a child");
			close(fd);
			finish(other);
		}
		close(freed[0]);
		close(freed[1]);
	}
}

/* --- notifications ---------------------------------------------------------------- */

static void still_served(void)
{
	pid_t self = getpid(), t = target(NULL);
	long ret = call(t, 0);

	if (getpid() != self)
		_exit(0);
	if (ret)
		bad("an honest call afterwards: %ld", ret);
	finish(t);
}

/* A program that answers its own calls, and wants a listener of its own. */
static void own_answers(void)
{
	pid_t pid = must(fork());
	int st;

	if (!pid) {
		must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		if (filter(SYS_CLONEAT, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER) != -1 || errno != EBUSY)
			bad("a second listener");
		must(filter(SYS_CLONEAT, SECCOMP_RET_ERRNO | 99, 0));
		if (call(getpid(), 0) != -99)
			bad("its own filter does not answer");
		must(filter(SYS_CLONEAT, SECCOMP_RET_KILL_PROCESS, 0));
		call(getpid(), 0);
		bad("its own filter does not kill");
	}
	must(waitpid(pid, &st, 0));
	if (!WIFSIGNALED(st) || WTERMSIG(st) != SIGSYS)
		bad("status %#x", st);
	still_served();
}

/* The listener is the operator's: another user cannot take it. */
static void listener_taken(void)
{
	char path[64], name[32];
	pid_t pid = getpid(), child;
	int st, fd;

	for (;;) {
		snprintf(path, sizeof(path), "/proc/%d/status", pid);
		field(path, "Name:\t", name, sizeof(name));
		if (!strncmp(name, "cloneat-operat", 14))
			break;
		field(path, "PPid:\t", name, sizeof(name));
		pid = atoi(name);
		if (pid <= 1)
			bad("no operator above the program");
	}
	fd = must(syscall(SYS_pidfd_open, pid, 0));
	child = must(fork());
	if (!child) {
		become(USER);
		for (int n = 0; n < 64; n++)
			if (syscall(SYS_pidfd_getfd, fd, n, 0) != -1 || errno != EPERM)
				bad("descriptor %d of the supervisor", n);
		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		if (open(path, O_RDONLY) != -1)
			bad("the supervisor's memory");
		if (ptrace(PTRACE_SEIZE, pid, 0, 0) != -1)
			bad("the supervisor is traced");
		if (kill(pid, SIGSTOP) != -1)
			bad("the supervisor is stopped");
		_exit(0);
	}
	must(waitpid(child, &st, 0));
	if (st)
		bad("status %#x", st);
}

/* Garbage from many processes, killed in the middle. */
static void flood(void)
{
	pid_t pid[12];

	for (int i = 0; i < 12; i++) {
		pid[i] = must(fork());
		if (!pid[i]) {
			srandom(i);
			for (;;)
				syscall(SYS_CLONEAT, random() % 40000, random() % 3,
					random() % 2 ? (void *)random() : untouched);
		}
	}
	for (int i = 0; i < 3; i++)
		still_served();
	for (int i = 0; i < 12; i++)
		finish(pid[i]);
	still_served();
}

/* A tracer that holds the target for ever: refused, not waited for. */
static void held_target(void)
{
	pid_t t = target(NULL), tracer;
	int ready[2];
	char c;

	must(pipe2(ready, O_CLOEXEC));
	tracer = must(fork());
	if (!tracer) {
		must(ptrace(PTRACE_SEIZE, t, 0, 0));
		must(ptrace(PTRACE_INTERRUPT, t, 0, 0));
		must(waitpid(t, NULL, __WALL));
		must(write(ready[1], "", 1));
		for (;;)
			pause();
	}
	if (read(ready[0], &c, 1) != 1)
		bad("the tracer does not trace");
	if (call(t, 0) != -EBUSY)
		bad("a target that is held by its tracer");
	finish(tracer);
	finish(t);
	still_served();
}

static const struct {
	const char *name;
	void (*run)(void);
} attacks[] = {
	{ "callers_filter", callers_filter },
	{ "file_capability", file_capability },
	{ "flood", flood },
	{ "held_target", held_target },
	{ "killed_while_built", killed_while_built },
	{ "listener_taken", listener_taken },
	{ "number_reused", number_reused },
	{ "own_answers", own_answers },
	{ "shared_descriptors", shared_descriptors },
	{ "supervisors_descriptors", supervisors_descriptors },
	{ "suspended_filter", suspended_filter },
	{ "target_descriptors", target_descriptors },
	{ "target_memory", target_memory },
	{ "user_namespace", user_namespace },
};

int main(int argc, char **argv)
{
	const int n = sizeof(attacks) / sizeof(attacks[0]);

	if (argc == 3 && !strcmp(argv[1], "--wait")) {
		must(write(atoi(argv[2]), "", 1));
		for (;;)
			pause();
	}
	if (argc == 2 && !strcmp(argv[1], "--files")) {
		puts(beyond_stderr());
		return 0;
	}
	natively = getenv("NATIVE_FILES");
	self_exe = argv[0];
	for (int i = 0; i < n; i++) {
		if (argc == 2 && !strcmp(argv[1], "--list"))
			puts(attacks[i].name);
		if (argc == 2 && !strcmp(argv[1], attacks[i].name)) {
			attacks[i].run();
			return 0;
		}
	}
	return !(argc == 2 && !strcmp(argv[1], "--list"));
}
