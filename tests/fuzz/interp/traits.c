// SPDX-License-Identifier: Apache-2.0
/* What an actor changes of itself that is more than one call with numbers. */
#include "interp.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

static long do_sched(const long *g)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} a = { .size = 48, .policy = g[0], .priority = g[1], .nice = g[2],
		.flags = g[3] };

	return raw(SYS_sched_setattr, 0, (long)&a, 0, 0, 0, 0);
}

static long do_altstack(const long *g)
{
	stack_t s = { .ss_sp = (void *)g[0], .ss_size = g[1], .ss_flags = g[2] };

	return raw(SYS_sigaltstack, (long)&s, 0, 0, 0, 0, 0);
}

/* Effective and permitted: what stays; inheritable: what of permitted. */
static long do_capsets(const long *g)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	long ret = raw(SYS_capget, (long)&h, (long)d, 0, 0, 0, 0);

	for (int i = 0; i < 2; i++) {
		d[i].permitted &= (uint32_t)(g[1] >> 32 * i);
		d[i].effective = d[i].permitted & (uint32_t)(g[0] >> 32 * i);
		d[i].inheritable = d[i].permitted & (uint32_t)(g[2] >> 32 * i);
	}
	return ret ? ret : raw(SYS_capset, (long)&h, (long)d, 0, 0, 0, 0);
}

/* A filter that answers one call with an error, or kills for it. */
static long do_filter(long nr, long error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, error ? SECCOMP_RET_ERRNO | error :
			 SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	return raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&prog, 0, 0, 0);
}

static long do_keyring(long n)
{
	char name[] = { 'k', '0' + n % 10, 0 };
	long ret = raw(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, (long)name, 0, 0,
		       0, 0);

	return ret > 0 ? 0 : ret;
}

/* Far away: that it is armed, or not, is what counts. */
static long do_timer(long seconds)
{
	struct itimerval v = { .it_value = { seconds, 0 } };

	return raw(SYS_setitimer, ITIMER_REAL, (long)&v, 0, 0, 0, 0);
}

static long do_path(long what, long n)
{
	static const char *const paths[] = { "/", "/proc", "/dev", "..", "x" };
	const char *path = paths[n % 5];

	return raw(what ? SYS_chroot : SYS_chdir, (long)path, 0, 0, 0, 0, 0);
}

/* An empty file system that only the actor's mount namespace has. */
static long do_mount(long flags)
{
	long ret = raw(SYS_mount, (long)"none", (long)"/dev", (long)"tmpfs",
		       flags, 0, 0);

	return ret ? ret : raw(SYS_mkdir, (long)"/dev/x", 0711, 0, 0, 0, 0);
}

static long write_text(const char *path, const char *text, long n)
{
	long fd = raw(SYS_openat, AT_FDCWD, (long)path, O_WRONLY, 0, 0, 0), ret;

	if (fd < 0)
		return fd;
	ret = raw(SYS_write, fd, (long)text, n, 0, 0, 0);
	raw(SYS_close, fd, 0, 0, 0, 0, 0);
	return ret < 0 ? ret : 0;
}

static long do_oom(long value)
{
	char text[5] = { value < 0 ? '-' : '0' };
	long n = value < 0 ? -value : value;

	for (int i = 4; i > 0; i--, n /= 10)
		text[i] = '0' + n % 10;
	return write_text("/proc/thread-self/oom_score_adj", text, 5);
}

/* Who is in a user namespace of its own becomes its root. */
static long do_idmap(void)
{
	long ret = write_text("/proc/thread-self/uid_map", "0 0 1", 5);

	return ret ? ret : write_text("/proc/thread-self/gid_map", "0 0 1", 5);
}

static long do_softlimit(long resource, long value)
{
	struct rlimit r;
	long ret = raw(SYS_getrlimit, resource, (long)&r, 0, 0, 0, 0);

	r.rlim_cur = value;
	return ret ? ret : raw(SYS_setrlimit, resource, (long)&r, 0, 0, 0, 0);
}

static long do_comm(long n)
{
	char name[] = { 'c', '0' + n % 10, 0 };

	return raw(SYS_prctl, PR_SET_NAME, (long)name, 0, 0, 0, 0);
}

/* As a store would, but with an error where that is deadly. */
static long do_poke(long page, long value)
{
	struct iovec { void *at; size_t n; } from = { &value, sizeof(value) };
	struct iovec to = { (void *)(MEM + page % MEM_PAGES * 4096), sizeof(value) };

	return raw(SYS_process_vm_writev, raw(SYS_gettid, 0, 0, 0, 0, 0, 0),
		   (long)&from, 1, (long)&to, 1, 0);
}

static long do_sem(long change)
{
	struct sembuf op = { 0, change, SEM_UNDO | IPC_NOWAIT };
	long id = raw(SYS_semget, SEM_KEY, 1, IPC_CREAT | 0666, 0, 0, 0);

	return id < 0 ? id : raw(SYS_semop, id, (long)&op, 1, 0, 0, 0);
}

/* Attaches, detaches or removes the segment; it has two pages. */
static long do_shm(const long *g)
{
	long at = MEM + g[1] % MEM_PAGES * 4096, id;

	if (g[0] == 1)
		return raw(SYS_shmdt, at, 0, 0, 0, 0, 0);
	id = raw(SYS_shmget, SHM_KEY, 8192, IPC_CREAT | 0600, 0, 0, 0);
	if (id < 0)
		return id;
	if (g[0] == 2)
		return raw(SYS_shmctl, id, IPC_RMID, 0, 0, 0, 0);
	id = raw(SYS_shmat, id, at, g[2], 0, 0, 0);
	return id == at ? 0 : id;
}

static long do_brk(long pages)
{
	long now = raw(SYS_brk, 0, 0, 0, 0, 0, 0);

	raw(SYS_brk, now + pages * 4096, 0, 0, 0, 0, 0);
	return (raw(SYS_brk, 0, 0, 0, 0, 0, 0) - now) / 4096;
}

/* A file without a name is a program's own; other locks would be everybody's. */
bool is_own(long fd)
{
	struct stat st;

	return !raw(SYS_fstat, fd, (long)&st, 0, 0, 0, 0) && S_ISREG(st.st_mode) &&
	       !st.st_nlink;
}

static long do_lock(long fd, long how, long type)
{
	struct flock l = { .l_type = type };

	return is_own(fd) ? raw(SYS_fcntl, fd, how, (long)&l, 0, 0, 0) : -EINVAL;
}

long do_trait(const struct command *c)
{
	const long *g = c->arg;

	switch (c->kind) {
	case DO_SCHED: return do_sched(g);
	case DO_ALTSTACK: return do_altstack(g);
	case DO_CAPSETS: return do_capsets(g);
	case DO_FILTER: return do_filter(g[0], g[1]);
	case DO_KEYRING: return do_keyring(g[0]);
	case DO_TIMER: return do_timer(g[0]);
	case DO_PATH: return do_path(g[0], g[1]);
	case DO_MOUNT: return do_mount(g[0]);
	case DO_OOM: return do_oom(g[0]);
	case DO_IDMAP: return do_idmap();
	case DO_SOFTLIMIT: return do_softlimit(g[0], g[1]);
	case DO_COMM: return do_comm(g[0]);
	case DO_POKE: return do_poke(g[0], g[1]);
	case DO_SEM: return do_sem(g[0]);
	case DO_SHM: return do_shm(g);
	case DO_BRK: return do_brk(g[0]);
	case DO_LOCK: return do_lock(g[0], g[1], g[2]);
	default: return -1;
	}
}
