// SPDX-License-Identifier: GPL-2.0
/*
 * What fork() hands down comes from the caller, whoever the target is: one
 * property of a process after the other.
 *
 *	check      has the property, with the value "mine"
 *	  +-- target    has the value "theirs"
 *	        +-- kid      must have "mine"; the target keeps "theirs"
 */
#include "scene.h"
#include <linux/keyctl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#ifdef __x86_64__
#include <asm/ldt.h>
#endif
#include <linux/securebits.h>
#include <sys/personality.h>
#include <sys/time.h>

struct property {
	const char *name;
	const char *verdict;
	enum kind kind;
	long (*get)(struct msg *m);
	long (*put)(struct msg *m);	/* to arg[0]; NULL: nothing to set */
	long mine, theirs;
};

/* --- memory ------------------------------------------------------------- */

static long data_word;
static __thread long tls_word;
static long *heap_word, *map_word;

static long get_data(struct msg *m)
{
	(void)m;
	return data_word;
}

static long put_data(struct msg *m)
{
	data_word = m->arg[0];
	return 0;
}

static long get_tls(struct msg *m)
{
	(void)m;
	return tls_word;
}

static long put_tls(struct msg *m)
{
	tls_word = m->arg[0];
	return 0;
}

static long get_heap(struct msg *m)
{
	(void)m;
	return heap_word ? *heap_word : -ENODATA;
}

static long put_heap(struct msg *m)
{
	if (!heap_word)
		heap_word = malloc(sizeof(long));
	*heap_word = m->arg[0];
	return 0;
}

static long get_map(struct msg *m)
{
	(void)m;
	return map_word ? *map_word : -ENODATA;
}

static long put_map(struct msg *m)
{
	if (!map_word)
		map_word = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map_word == MAP_FAILED)
		return -errno;
	*map_word = m->arg[0];
	return 0;
}

/* --- files and directories ---------------------------------------------- */

static long get_umask(struct msg *m)
{
	mode_t mask = umask(0);

	(void)m;
	umask(mask);
	return mask;
}

static long put_umask(struct msg *m)
{
	umask(m->arg[0]);
	return 0;
}

static long get_cwd(struct msg *m)
{
	char path[PATH_MAX];

	(void)m;
	if (!getcwd(path, sizeof(path)))
		return -errno;
	return !strcmp(path, "/proc") ? 1 : !strcmp(path, "/") ? 2 : 3;
}

static long put_cwd(struct msg *m)
{
	return chdir(m->arg[0] == 1 ? "/proc" : "/") ? -errno : 0;
}

/* Descriptor 77, told by the size of what it refers to. */
static long get_fd(struct msg *m)
{
	struct stat st;

	(void)m;
	return fstat(77, &st) ? -errno : st.st_size;
}

static long put_fd(struct msg *m)
{
	int fd = memfd_create("seventy-seven", 0);

	if (fd < 0 || ftruncate(fd, m->arg[0]) || dup2(fd, 77) < 0)
		return -errno;
	close(fd);
	return 0;
}

static long get_cloexec(struct msg *m)
{
	long flags = fcntl(78, F_GETFD);

	(void)m;
	return flags < 0 ? -errno : flags;
}

static long put_cloexec(struct msg *m)
{
	int fd = memfd_create("seventy-eight", 0);

	if (fd < 0 || dup2(fd, 78) < 0 || fcntl(78, F_SETFD, m->arg[0]))
		return -errno;
	close(fd);
	return 0;
}

/* --- scheduling and limits ---------------------------------------------- */

static long get_nice(struct msg *m)
{
	(void)m;
	return 20 - ct_syscall3(SYS_getpriority, PRIO_PROCESS, 0, 0);
}

static long put_nice(struct msg *m)
{
	return setpriority(PRIO_PROCESS, 0, m->arg[0]) ? -errno : 0;
}

static long get_policy(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_sched_getscheduler, 0, 0, 0);
}

static long put_policy(struct msg *m)
{
	struct sched_param none = { 0 };

	return ct_syscall3(SYS_sched_setscheduler, 0, m->arg[0], &none);
}

/* 1: on the first CPU only, else the number of CPUs. */
static long get_affinity(struct msg *m)
{
	cpu_set_t set;

	(void)m;
	if (sched_getaffinity(0, sizeof(set), &set))
		return -errno;
	return CPU_COUNT(&set) == 1 && CPU_ISSET(0, &set);
}

static long put_affinity(struct msg *m)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (m->arg[0])
		CPU_SET(0, &set);
	else
		for (int i = 0; i < CPU_SETSIZE; i++)
			CPU_SET(i, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static long get_ioprio(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_ioprio_get, 1, 0, 0);
}

static long put_ioprio(struct msg *m)
{
	return ct_syscall3(SYS_ioprio_set, 1, 0, m->arg[0]);
}

static long get_rlimit(struct msg *m)
{
	struct rlimit r;

	return getrlimit(m->arg[1], &r) ? -errno : (long)r.rlim_cur;
}

static long put_rlimit_of(int what, long value)
{
	struct rlimit r;

	if (getrlimit(what, &r))
		return -errno;
	r.rlim_cur = value;
	return setrlimit(what, &r) ? -errno : 0;
}

static long get_nofile(struct msg *m)
{
	m->arg[1] = RLIMIT_NOFILE;
	return get_rlimit(m);
}

static long put_nofile(struct msg *m)
{
	return put_rlimit_of(RLIMIT_NOFILE, m->arg[0]);
}

static long get_fsize(struct msg *m)
{
	m->arg[1] = RLIMIT_FSIZE;
	return get_rlimit(m);
}

static long put_fsize(struct msg *m)
{
	return put_rlimit_of(RLIMIT_FSIZE, m->arg[0]);
}

static long get_oom(struct msg *m)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "re");
	long adj = -ENODATA;

	(void)m;
	if (!f || fscanf(f, "%ld", &adj) != 1)
		return -ENODATA;
	fclose(f);
	return adj;
}

static long get_login(struct msg *m)
{
	FILE *f = fopen("/proc/self/loginuid", "re");
	long uid = -1;

	(void)m;
	if (!f || fscanf(f, "%ld", &uid) != 1)
		uid = -errno;
	if (f)
		fclose(f);
	return uid;
}

static long put_login(struct msg *m)
{
	return ct_write("/proc/self/loginuid", "%ld", m->arg[0]);
}

static long put_oom(struct msg *m)
{
	return ct_write("/proc/self/oom_score_adj", "%ld", m->arg[0]);
}

/* --- prctl and the like ------------------------------------------------- */

static long get_comm(struct msg *m)
{
	char name[16] = "";

	(void)m;
	if (prctl(PR_GET_NAME, name))
		return -errno;
	return strtol(name + 1, NULL, 10);
}

static long put_comm(struct msg *m)
{
	char name[16];

	snprintf(name, sizeof(name), "n%ld", m->arg[0]);
	return prctl(PR_SET_NAME, name) ? -errno : 0;
}

static long get_dumpable(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_DUMPABLE);
}

static long put_dumpable(struct msg *m)
{
	return prctl(PR_SET_DUMPABLE, m->arg[0]) ? -errno : 0;
}

static long get_slack(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_TIMERSLACK);
}

static long put_slack(struct msg *m)
{
	return prctl(PR_SET_TIMERSLACK, m->arg[0]) ? -errno : 0;
}

static long get_thp(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0);
}

static long put_thp(struct msg *m)
{
	return prctl(PR_SET_THP_DISABLE, m->arg[0], 0, 0, 0) ? -errno : 0;
}

static long get_securebits(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_SECUREBITS);
}

static long put_securebits(struct msg *m)
{
	return prctl(PR_SET_SECUREBITS, m->arg[0]) ? -errno : 0;
}

static long get_nnp(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static long put_nnp(struct msg *m)
{
	if (!m->arg[0])
		return 0;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

static long get_personality(struct msg *m)
{
	(void)m;
	return personality(0xffffffff);
}

static long put_personality(struct msg *m)
{
	return personality(m->arg[0]) == -1 ? -errno : 0;
}

static long get_dumpfilter(struct msg *m)
{
	FILE *f = fopen("/proc/self/coredump_filter", "re");
	unsigned int filter = 0;

	(void)m;
	if (!f || fscanf(f, "%x", &filter) != 1)
		return -ENODATA;
	fclose(f);
	return filter;
}

static long put_dumpfilter(struct msg *m)
{
	return ct_write("/proc/self/coredump_filter", "0x%lx", m->arg[0]);
}

/* A filter shows itself by the errno of a number that no call has. */
#define MARKED_NR 1023

static long get_filter(struct msg *m)
{
	(void)m;
	return -ct_syscall3(MARKED_NR, 0, 0, 0);
}

static long put_filter(struct msg *m)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARKED_NR, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | m->arg[0]),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ct_count(f), f };

	if (m->arg[0] == ENOSYS)
		return 0;
	return ct_syscall3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

/* --- signals ------------------------------------------------------------ */

static long get_mask(struct msg *m)
{
	sigset_t set;

	(void)m;
	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, SIGUSR2) | sigismember(&set, SIGRTMIN) << 1;
}

static long put_mask(struct msg *m)
{
	sigset_t set;

	sigemptyset(&set);
	if (m->arg[0] & 1)
		sigaddset(&set, SIGUSR2);
	if (m->arg[0] & 2)
		sigaddset(&set, SIGRTMIN);
	return sigprocmask(SIG_SETMASK, &set, NULL) ? -errno : 0;
}

static void handler_1(int sig)
{
	(void)sig;
}

static void handler_2(int sig)
{
	(void)sig;
}

static long get_handler(struct msg *m)
{
	struct sigaction sa;

	(void)m;
	sigaction(SIGUSR2, NULL, &sa);
	if (sa.sa_handler == handler_1)
		return sigismember(&sa.sa_mask, SIGTTIN) &&
		       (sa.sa_flags & (SA_NODEFER | SA_ONSTACK)) ==
		       (SA_NODEFER | SA_ONSTACK) ? 1 : -1;
	return sa.sa_handler == handler_2 ? 2 : 0;
}

static long put_handler(struct msg *m)
{
	struct sigaction sa = { .sa_handler = handler_2 };

	if (m->arg[0] == 1) {
		sa.sa_handler = handler_1;
		sa.sa_flags = SA_NODEFER | SA_ONSTACK;
		sigaddset(&sa.sa_mask, SIGTTIN);
	}
	return sigaction(SIGUSR2, &sa, NULL) ? -errno : 0;
}

static long get_ignored(struct msg *m)
{
	struct sigaction sa;

	(void)m;
	sigaction(SIGTTOU, NULL, &sa);
	return sa.sa_handler == SIG_IGN;
}

static long put_ignored(struct msg *m)
{
	return signal(SIGTTOU, m->arg[0] ? SIG_IGN : SIG_DFL) == SIG_ERR ?
	       -errno : 0;
}

static char altstacks[2][65536];

static long get_altstack(struct msg *m)
{
	stack_t s;

	(void)m;
	sigaltstack(NULL, &s);
	if (s.ss_flags & SS_DISABLE)
		return 0;
	return s.ss_sp == altstacks[0] ? 1 : s.ss_sp == altstacks[1] ? 2 : -1;
}

static long put_altstack(struct msg *m)
{
	stack_t s = { .ss_sp = altstacks[m->arg[0] - 1],
		      .ss_size = sizeof(altstacks[0]) };

	return sigaltstack(&s, NULL) ? -errno : 0;
}

/* --- what /proc/self says ----------------------------------------------- */

static long hash_of(const char *path)
{
	unsigned char buf[4096];
	unsigned long h = 5381;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			h = h * 33 + buf[i];
	close(fd);
	return h >> 1;
}

static long get_cmdline(struct msg *m)
{
	(void)m;
	return hash_of("/proc/self/cmdline");
}

static long get_environ(struct msg *m)
{
	(void)m;
	return hash_of("/proc/self/environ");
}

static long get_auxv(struct msg *m)
{
	(void)m;
	return hash_of("/proc/self/auxv");
}

static long get_maps(struct msg *m)
{
	(void)m;
	return hash_of("/proc/self/maps");
}

static long get_exe(struct msg *m)
{
	struct stat st;

	(void)m;
	return stat("/proc/self/exe", &st) ? -errno : (long)st.st_ino;
}

static long get_brk(struct msg *m)
{
	(void)m;
	return (long)sbrk(0);
}

static long get_root(struct msg *m)
{
	struct stat st;

	(void)m;
	return stat("/", &st) ? -errno : (long)st.st_ino;
}

static long put_brk(struct msg *m)
{
	return sbrk(m->arg[0]) == (void *)-1 ? -errno : 0;
}

/* Is MEMBARRIER_CMD_PRIVATE_EXPEDITED registered for? */
static long get_barrier(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_membarrier, 1 << 3, 0, 0) == 0;
}

static long put_barrier(struct msg *m)
{
	return m->arg[0] ? ct_syscall3(SYS_membarrier, 1 << 4, 0, 0) : 0;
}

#ifdef __x86_64__
#define LDT_ENTRY 3

/* The base address of a segment in the local descriptor table; 0: there is none. */
static long get_ldt(struct msg *m)
{
	uint64_t table[LDT_ENTRY + 1] = { 0 }, d;
	long ret;

	(void)m;
	ret = ct_syscall3(SYS_modify_ldt, 0, table, sizeof(table));
	d = table[LDT_ENTRY];
	return ret < 0 ? ret : (long)((d >> 16 & 0xffffff) | (d >> 56) << 24);
}

static long put_ldt(struct msg *m)
{
	struct user_desc d = {
		.entry_number = LDT_ENTRY, .base_addr = m->arg[0], .limit = 0xfffff,
		.seg_32bit = 1, .limit_in_pages = 1, .useable = 1,
	};

	if (!m->arg[0])
		return 0;
	return ct_syscall3(SYS_modify_ldt, 0x11, &d, sizeof(d));
}

#define get_ldt_only get_ldt
#define put_ldt_only put_ldt
#define get_ldt_none get_ldt
#define put_ldt_none put_ldt
#endif

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static char *named;

/* -EINVAL: this kernel knows no names (CONFIG_ANON_VMA_NAME). */
static long put_name(struct msg *m)
{
	char name[16];

	if (!named)
		named = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	snprintf(name, sizeof(name), "cloneat %ld", m->arg[0]);
	return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named + PAGE, PAGE,
		     m->arg[0] ? name : NULL) ? -errno : 0;
}

/* Of that page alone. */
static long get_name(struct msg *m)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[256];
	long number = 0;

	(void)m;
	while (f && fgets(line, sizeof(line), f)) {
		char *name = strstr(line, "[anon:cloneat ");

		if (!name)
			continue;
		if (strtoul(line, NULL, 16) != (unsigned long)named + PAGE ||
		    number)
			number = -EBADMSG;
		else
			number = atol(name + strlen("[anon:cloneat "));
	}
	if (f)
		fclose(f);
	return number;
}

#define get_personality_none get_personality
#define put_personality_none put_personality
#define get_name_only get_name
#define put_name_only put_name
#define get_name_none get_name
#define put_name_none put_name

/* --- the checks --------------------------------------------------------- */

#define PROPERTY(what, text, mine, theirs)				\
	{ #what "_self", text ": the caller's (target: self)",		\
	  SELF, get_##what, put_##what, mine, theirs },			\
	{ #what "_forked", text ": the caller's (target: forked)",	\
	  FORKED, get_##what, put_##what, mine, theirs },		\
	{ #what "_executed", text ": the caller's (target: executed)",	\
	  EXECUTED, get_##what, put_##what, mine, theirs }
/* Of the task's, so that who shares the caller's memory may have another. */
#define OF_TASK(what, text, mine, theirs)				\
	PROPERTY(what, text, mine, theirs),				\
	{ #what "_shared",						\
	  text ": the caller's (target: shares memory)",		\
	  SHARED, get_##what, put_##what, mine, theirs }
#define SEEN(what, text)						\
	{ #what "_self", text ": the caller's (target: self)",		\
	  SELF, get_##what, NULL, 0, 0 },				\
	{ #what "_forked", text ": the caller's (target: forked)",	\
	  FORKED, get_##what, NULL, 0, 0 },				\
	{ #what "_executed", text ": the caller's (target: executed)",	\
	  EXECUTED, get_##what, NULL, 0, 0 }

static const struct property properties[] = {
	PROPERTY(data, "a variable in the data segment", 11, 22),
	PROPERTY(tls, "a thread-local variable", 12, 23),
	PROPERTY(heap, "a variable on the heap", 13, 24),
	PROPERTY(map, "anonymous private memory", 14, 25),
	PROPERTY(barrier, "the registration for membarrier(2)", 1, 0),
#ifdef __x86_64__
	PROPERTY(ldt, "an entry of the local descriptor table", 0x12345000, 0x54321000),
	PROPERTY(ldt_only, "a local descriptor table of its own", 0x12345000, 0),
	PROPERTY(ldt_none, "no local descriptor table", 0, 0x54321000),
#endif
	PROPERTY(name, "the name of memory", 17, 18),
	PROPERTY(name_only, "the name of memory that the target has not named", 17, 0),
	PROPERTY(name_none, "no name for memory that the target has named", 0, 18),
	PROPERTY(brk, "the end of the heap", 4096, 40960),
	OF_TASK(umask, "umask", 0037, 0002),
	OF_TASK(cwd, "current directory in the same mount namespace", 1, 2),
	OF_TASK(fd, "what a descriptor refers to", 1000, 2000),
	OF_TASK(cloexec, "a descriptor's close-on-exec flag", FD_CLOEXEC, 0),
	OF_TASK(nice, "nice value", 3, 7),
	OF_TASK(policy, "scheduling policy", SCHED_BATCH, SCHED_OTHER),
	OF_TASK(affinity, "CPU affinity", 1, 0),
	OF_TASK(ioprio, "I/O priority", 2 << 13 | 6, 2 << 13 | 2),
	OF_TASK(nofile, "RLIMIT_NOFILE", 300, 400),
	OF_TASK(fsize, "RLIMIT_FSIZE", 1 << 30, 1 << 29),
	PROPERTY(oom, "oom_score_adj", 300, 500),
	OF_TASK(login, "who auditing holds to account", 301, 302),
	OF_TASK(comm, "thread name", 31, 32),
	PROPERTY(dumpable, "dumpable flag", 0, 1),
	OF_TASK(slack, "timer slack", 77777, 88888),
	PROPERTY(thp, "PR_SET_THP_DISABLE", 1, 0),
	OF_TASK(securebits, "securebits", SECBIT_NO_SETUID_FIXUP,
		SECBIT_KEEP_CAPS),
	OF_TASK(nnp, "no_new_privs", 1, 0),
	OF_TASK(personality, "personality", ADDR_NO_RANDOMIZE, UNAME26),
	OF_TASK(personality_none, "no personality", 0, UNAME26),
	PROPERTY(dumpfilter, "coredump_filter", 0x11, 0x22),
	OF_TASK(filter, "a seccomp filter", 77, ENOSYS),
	OF_TASK(mask, "signal mask", 3, 1),
	OF_TASK(handler, "a handler with its flags and mask", 1, 2),
	OF_TASK(ignored, "an ignored signal", 1, 0),
	OF_TASK(altstack, "alternate signal stack", 1, 2),
	SEEN(cmdline, "/proc/self/cmdline"),
	SEEN(environ, "/proc/self/environ"),
	SEEN(auxv, "/proc/self/auxv"),
	SEEN(maps, "/proc/self/maps, to the letter"),
	SEEN(exe, "/proc/self/exe"),
	SEEN(root, "root directory"),
};

static void put_theirs(const struct property *p, struct actor *t)
{
	if (p->put && p->kind != SELF)
		expect_eq(on(t, p->put, p->theirs), 0);
}

PLAY_TABLE(property, properties)
{
	const struct property *p = ct_arg();
	struct actor store, *t, k;
	long mine, theirs;

#ifdef __x86_64__
	if (p->get == get_ldt && on(&me, get_ldt) == -ENOSYS)
		ct_skip("this kernel has no modify_ldt(2)");
#endif
	if (p->get == get_name && on(&me, put_name, 1) == -EINVAL)
		ct_skip("this kernel has no names for memory");
	if (p->get == get_login &&
	    (on(&me, put_login, 1) || on(&me, put_login, 2)))
		ct_skip("no right to set it twice, or no auditing");
	if (p->get == get_affinity && sysconf(_SC_NPROCESSORS_ONLN) < 2)
		ct_skip("an affinity cannot differ on one CPU");
	t = target_of(p->kind, &store);
	if (p->put)
		expect_eq(on(&me, p->put, p->mine), 0);
	put_theirs(p, t);
	theirs = on(t, p->get);
	if (p->put && p->kind != SELF && p->put != put_brk)
		expect_eq(theirs, p->theirs);
	mine = on(&me, p->get);
	if (p->put && p->put != put_brk)
		expect_eq(mine, p->mine);
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	expect_eq(on(&k, p->get), mine);
	expect_eq(on(t, p->get), theirs);
	expect_eq(on(&me, p->get), mine);
}

#ifdef __x86_64__
#define LDT_KINDS 64

/* Segments of every kind. */
static long put_ldt_kinds(struct msg *m)
{
	long ret = 0;

	(void)m;
	for (unsigned int i = 0; i < LDT_KINDS && !ret; i++) {
		struct user_desc d = {
			.entry_number = i, .base_addr = 0x87654321 + i,
			.limit = 0xabcde - i, .seg_32bit = 1,
			.contents = i & 1 ? 2 : 0, .read_exec_only = i >> 1,
			.limit_in_pages = i >> 2, .seg_not_present = i >> 3,
			.useable = i >> 4,
		};

		ret = ct_syscall3(SYS_modify_ldt, 0x11, &d, sizeof(d));
	}
	return ret;
}

static long get_ldt_kinds(struct msg *m)
{
	return ct_syscall3(SYS_modify_ldt, 0, m->buf, LDT_KINDS * 8);
}

PLAY(ldt_kinds, "segments of every kind in the local descriptor table")
{
	char mine[LDT_KINDS * 8];
	struct actor t, k;

	if (on(&me, get_ldt) == -ENOSYS)
		ct_skip("this kernel has no modify_ldt(2)");
	spawn(&me, &t, 0);
	expect_eq(on(&me, put_ldt_kinds), 0);
	expect_eq(on(&me, get_ldt_kinds), LDT_KINDS * 8);
	memcpy(mine, me.m.buf, sizeof(mine));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_ldt_kinds), LDT_KINDS * 8);
	expect(!memcmp(k.m.buf, mine, sizeof(mine)));
	expect_eq(on(&t, get_ldt_kinds), 0);
}
#endif

/* --- what a target has of its own and cannot give ----------------------- */

/* A target with its own filter or no_new_privs: the child has neither. */
PLAY_DOCUMENTED(target_filter, "a target's own seccomp filter is not the child's",
		"a process cannot shed a filter: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	expect_eq(on(&t, put_filter, 78), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_filter), ENOSYS);
}

PLAY_DOCUMENTED(target_barrier,
		"a target's own registration for membarrier(2) is not the child's",
		"only an exec takes it back")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, put_barrier, 1), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_barrier), 0);
}

PLAY_DOCUMENTED(target_nnp, "a target's own no_new_privs is not the child's",
		"a process cannot shed no_new_privs: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	expect_eq(on(&t, put_nnp, 1), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_nnp), 0);
}

/* The serial number of the session keyring. */
static long do_session_keyring(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
			   KEY_SPEC_SESSION_KEYRING, 0);
}

PLAY_DOCUMENTED(target_keyring, "a target's own session keyring is not the child's",
		"a process can join none but by name: EOPNOTSUPP")
{
	struct actor t, k;
	long ours = on(&me, do_session_keyring);

	if (ours == -ENOSYS)
		ct_skip("no keys in this kernel");
	spawn(&me, &t, 0);
	expect_ok(sys(&t, SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_session_keyring), ours);
}

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif

PLAY_DOCUMENTED(target_mdwe, "a target that denies itself writable code",
		"a process cannot allow it again: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	if (sys(&t, SYS_prctl, PR_SET_MDWE, 1, 0, 0, 0) == -EINVAL)
		ct_skip("no PR_SET_MDWE in this kernel");
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_prctl, PR_GET_MDWE, 0, 0, 0, 0), 0);
}

/* Hard limits that the target lowered do not bind the child. */
static long do_lower_hard(struct msg *m)
{
	struct rlimit r = { m->arg[0], m->arg[0] };

	return setrlimit(RLIMIT_NOFILE, &r) ? -errno : 0;
}

static long do_hard(struct msg *m)
{
	struct rlimit r;

	(void)m;
	return getrlimit(RLIMIT_NOFILE, &r) ? -errno : (long)r.rlim_max;
}

PLAY_DOCUMENTED(target_hard_limit, "a hard limit that the target lowered is its own",
		"without CAP_SYS_RESOURCE it cannot be raised again: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	expect_eq(on(&t, do_lower_hard, 64), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_hard), on(&me, do_hard));
}

/* Emulated, the child needs room that the target has not. */
static void no_room(int resource)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit ours, its;
	struct actor t, k;

	must(getrlimit(resource, &ours));
	spawn(&me, &t, ACTOR_EXEC);
	must(prlimit(t.pid, resource, &none, NULL));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	must(prlimit(k.pid, resource, NULL, &its));
	expect(its.rlim_cur == ours.rlim_cur && its.rlim_max == ours.rlim_max);
}

PLAY_DOCUMENTED(target_hard_memory, "so is one on its memory that it has reached",
		"without CAP_SYS_RESOURCE it cannot be raised again: EOPNOTSUPP")
{
	no_room(RLIMIT_AS);
	no_room(RLIMIT_DATA);
}

static long do_open(struct msg *m)
{
	return fcntl(m->arg[0], F_GETFD) < 0 ? -errno : 0;
}

PLAY(highest_descriptor, "a descriptor by the highest number, above the target's limit")
{
	FILE *f = fopen("/proc/sys/fs/nr_open", "re");
	struct actor t, k;
	struct rlimit r;
	unsigned long all;

	expect(f && fscanf(f, "%lu", &all) == 1);
	fclose(f);
	r.rlim_cur = all;
	r.rlim_max = all;
	if (setrlimit(RLIMIT_NOFILE, &r))
		ct_skip("this root may not raise limits (CAP_SYS_RESOURCE)");
	spawn(&me, &t, ACTOR_EXEC);
	expect_eq(on(&t, do_lower_hard, 64), 0);
	expect(dup2(0, all - 1) == (int)all - 1);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_open, all - 1), 0);
}

static long do_no_process(struct msg *m)
{
	struct rlimit none;

	(void)m;
	getrlimit(RLIMIT_NPROC, &none);
	none.rlim_cur = 0;
	return setrlimit(RLIMIT_NPROC, &none) ? -errno : 0;
}

PLAY(target_nproc, "the target's RLIMIT_NPROC does not decide")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	expect_eq(on(&a, do_become, 1234), 0);
	spawn(&a, &t, 0);
	expect_eq(on(&t, do_no_process), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.pid);
	expect_eq(sys(&t, SYS_clone, SIGCHLD), -EAGAIN);
}

PLAY(caller_nproc, "the caller's RLIMIT_NPROC decides: EAGAIN")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	expect_eq(on(&a, do_become, 1235), 0);
	spawn(&a, &t, 0);
	expect_eq(on(&a, do_no_process), 0);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EAGAIN);
	expect_eq(cl(&a, &k, a.pid, 0, 0), -EAGAIN);
}

PLAY(target_memory, "memory that only the target had is not in the child")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, put_map, 99), 0);
	expect_eq(on(&t, put_heap, 98), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_map), -ENODATA);
	expect_eq(on(&k, get_heap), -ENODATA);
	expect_eq(on(&t, get_map), 99);
}

PLAY(target_fd, "a descriptor that only the target had is not the child's")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(on(&t, put_fd, 500), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_fd), -EBADF);
	expect_eq(on(&t, get_fd), 500);
}
