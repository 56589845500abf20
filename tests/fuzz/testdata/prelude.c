/*
 * Printed by cloneat-emu's random test. Build: gcc -static -Ikernel/include/uapi
 * FILE. Run it under cloneat-emu run, and on a patched kernel with kernel/boot.sh;
 * "unshare -pf --mount-proc" before it gives the numbers that a hint asks for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/cloneat.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXE_FD 91
#define SHARED_FD 92
#define STACK_SIZE 65536
#define OWN_STACK 1
#define VFORK 2

/* What all processes share: the next step, and their numbers. */
static volatile struct shared { int step, pid[24]; } *all;
static long cell[4];
static int tids[2];
static char tls[256] __attribute__((unused));

static void program(int me);

/*
 * Waits until it is this step's turn.  A step whose actor is dead, stopped or
 * in vfork, or that has been carried out, is passed over.
 */
static int turn(int step, int actor, int me)
{
	int idle = 0, now;

	while ((now = all->step) < step) {
		usleep(1000);
		idle = all->step == now ? idle + 1 : 0;
		if (idle == 2000)
			__sync_bool_compare_and_swap(&all->step, now, now + 1);
	}
	if (now > step || actor != me)
		return 0;
	usleep(20000);	/* an exit before may still be under way */
	return 1;
}

static void done(int step, const char *what, long ret)
{
	dprintf(1, "%d: %s = %ld %s\n", step, what, ret, ret < 0 ? strerror(errno) : "");
	__sync_bool_compare_and_swap(&all->step, step, step + 1);
}

/* A child goes through the list, too, and passes over what has been done. */
static void born(long child)
{
	program(child);
	syscall(SYS_exit, 0);
}

static inline unsigned long new_stack(void)
{
	return (unsigned long)mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* With a stack of its own a child cannot return: see r12 and r13. */
static inline long call(long nr, long a, long b, long c, long d, long child, int how)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = 0;
	register long r12 __asm__("r12") = child;
	register long r13 __asm__("r13") = how & OWN_STACK ? (long)born : 0;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "test %%r13, %%r13\n\t"
			 "jz 1f\n\t"
			 "and $-16, %%rsp\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call *%%r13\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r12), "r"(r13)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Both go on, the child as another actor; in vfork at once. */
static inline void birth(int step, int child, int how, long nr, long a, long b, long c, long d)
{
	char what[32];
	long ret;

	if (how & VFORK)
		all->step = step + 1;
	ret = call(nr, a, b, c, d, child, how);
	if (!ret)
		born(child);
	if (ret > 0)
		all->pid[child] = ret;
	if (ret < 0)
		errno = -ret;
	sprintf(what, "birth of P%d", child);
	done(step, what, ret < 0 ? -1 : ret);
}

/* A clone3() that chooses the child's numbers. */
static inline void exact(int step, int child, unsigned long flags, const int set[2])
{
	struct clone_args a = { .flags = flags, .exit_signal = SIGCHLD, .set_tid = (long)set, .set_tid_size = 1 + !!set[1] };

	a.parent_tid = (long)tids;
	a.child_tid = (long)(tids + 1);
	birth(step, child, 0, SYS_clone3, (long)&a, sizeof(a), 0, 0);
}

/* The first n bytes, at the end of what is mapped. */
static inline void *edge(const void *what, size_t n)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(page + 4096, 4096);
	return memcpy(page + 4096 - n, what, n);
}

static inline void *long_set(const clone_flag_t *set)
{
	static clone_flag_t words[1024];

	return memcpy(words, set, 8);
}

static inline long put(int where, long value)
{
	cell[where] = value;
	return 0;
}

static inline long put_fd(int fd, int what)
{
	(void)what;
	return dup2(open("/", O_RDONLY), fd);
}

static inline long setid(int id)
{
	return syscall(SYS_setgroups, 0, NULL) ?: setresgid(id, id, id) ?: setresuid(id, id, id);
}

static inline long set_caps(unsigned long eff, unsigned long prm, unsigned long inh)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	syscall(SYS_capget, &h, d);
	for (int i = 0; i < 2; i++) {
		d[i].permitted &= prm >> 32 * i;
		d[i].effective = d[i].permitted & eff >> 32 * i;
		d[i].inheritable = d[i].permitted & inh >> 32 * i;
	}
	return syscall(SYS_capset, &h, d);
}

static inline long keep_caps(unsigned long keep)
{
	return set_caps(keep, keep, 0);
}

static void handler(int sig)
{
	(void)sig;
}

static inline long set_signal(int sig, int how)
{
	return signal(sig, how == 0 ? SIG_DFL : how == 1 ? SIG_IGN : handler) == SIG_ERR ? -1 : 0;
}

static inline long block(unsigned long mask)
{
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
}

static inline long enter(int pid, int flags)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);
	long ret = fd < 0 ? -1 : setns(fd, flags);

	close(fd);
	return ret;
}

static inline long limit(int resource, unsigned long value)
{
	struct rlimit r = { value, value };

	return setrlimit(resource, &r);
}

static inline long soft_limit(int resource, unsigned long value)
{
	struct rlimit r;

	getrlimit(resource, &r);
	r.rlim_cur = value;
	return setrlimit(resource, &r);
}

static inline long set_policy(unsigned int policy, unsigned int priority, int nice, unsigned long flags)
{
	struct {
		unsigned int size, policy;
		unsigned long flags;
		int nice;
		unsigned int priority;
		unsigned long more[3];
	} a = { .size = 48, .policy = policy, .priority = priority, .nice = nice, .flags = flags };

	return syscall(SYS_sched_setattr, 0, &a, 0);
}

static inline long alt_stack(unsigned long at, unsigned long size, unsigned int flags)
{
	stack_t s = { .ss_sp = (void *)at, .ss_size = size, .ss_flags = flags };

	return sigaltstack(&s, NULL);
}

static inline long filter(unsigned int nr, unsigned int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, error ? SECCOMP_RET_ERRNO | error : SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

static inline long sem_undo(int change)
{
	struct sembuf op = { 0, change, SEM_UNDO | IPC_NOWAIT };

	return semop(semget(77, 1, IPC_CREAT | 0666), &op, 1);
}

static inline long segment(int how, long page, int flags)
{
	char *at = (char *)0x130000 + page * 4096;
	int id;

	if (how == 1)
		return shmdt(at);
	id = shmget(78, 8192, IPC_CREAT | 0600);
	if (how == 2)
		return shmctl(id, IPC_RMID, NULL);
	return shmat(id, at, flags) == at ? 0 : -1;
}

static inline long lock(int fd, int how, int type)
{
	struct flock l = { .l_type = type };

	return fcntl(fd, how, &l);
}

static inline long join_keyring(const char *name)
{
	return syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, name) < 0 ? -1 : 0;
}

static inline long timer(long seconds)
{
	struct itimerval v = { .it_value = { seconds, 0 } };

	return setitimer(ITIMER_REAL, &v, NULL);
}

static inline long go(int how, int where)
{
	const char *path = (const char *[]){ "/", "/proc", "/dev", "..", "x" }[where];

	return how ? chroot(path) : chdir(path);
}

static inline long mount_dev(unsigned long flags)
{
	return mount("none", "/dev", "tmpfs", flags, NULL) ?: mkdir("/dev/x", 0711);
}

static inline long put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	long ret = write(fd, text, strlen(text));

	close(fd);
	return ret < 0 ? -1 : 0;
}

static inline long be_root(void)
{
	return put_text("/proc/thread-self/uid_map", "0 0 1") ?: put_text("/proc/thread-self/gid_map", "0 0 1");
}

static inline long poke(unsigned long page, long value)
{
	struct iovec from = { &value, sizeof(value) }, to = { (void *)(0x130000 + page * 4096), sizeof(value) };

	return process_vm_writev(gettid(), &from, 1, &to, 1, 0) < 0 ? -1 : 0;
}

static inline void execute(int me, int step)
{
	char actor[12], number[12], *argv[] = { "printed", actor, number, NULL };

	sprintf(actor, "%d", me);
	sprintf(number, "%d", step);
	syscall(SYS_execveat, EXE_FD, "", argv, environ, AT_EMPTY_PATH);
	done(step, "exec", -1);
}

static void share(int fd)
{
	all = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	mmap((void *)0x130000, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		share(SHARED_FD);
		done(atoi(argv[2]), "exec", 0);
		program(atoi(argv[1]));
		return 0;
	}
	dup2(open("/proc/self/exe", O_RDONLY), EXE_FD);
	dup2(memfd_create("shared", 0), SHARED_FD);
	ftruncate(SHARED_FD, 4096);
	share(SHARED_FD);
	all->pid[0] = getpid();
	all->step = 1;
	program(0);
	return 0;
}

static void program(int me)
{
