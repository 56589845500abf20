/*
 * Printed by cloneat-emu's random test. Build: gcc -static -Ikernel/include/uapi
 * FILE. Run it under cloneat-emu run, and on a patched kernel with kernel/boot.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/cloneat.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What all processes share: the next step, and their numbers. */
static volatile struct { int step, pid[24]; } *all;
static long cell[4];
static int tids[2];
static char tls[256] __attribute__((unused));

static int turn(int step, int actor, int me)
{
	while (all->step < step)
		usleep(1000);
	if (actor == me)
		usleep(20000);	/* an exit before may still be under way */
	return actor == me;
}

static void done(int step, const char *what, long ret)
{
	dprintf(1, "%d: %s = %ld %s\n", step, what, ret, ret < 0 ? strerror(errno) : "");
	all->step = step + 1;
}

/* Both go on, the child as another actor. */
#define BIRTH(number, child, call)					\
	do {								\
		long ret = (call);					\
									\
		if (ret > 0)						\
			all->pid[child] = ret;				\
		if (ret)						\
			done(number, "birth of P" #child, ret);		\
		else							\
			me = (child);					\
	} while (0)

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

static inline long keep_caps(unsigned long keep)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	syscall(SYS_capget, &h, d);
	for (int i = 0; i < 2; i++) {
		d[i].effective &= keep >> 32 * i;
		d[i].permitted &= keep >> 32 * i;
		d[i].inheritable = 0;
	}
	return syscall(SYS_capset, &h, d);
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

int main(void)
{
	int me = 0;

	all = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	all->pid[0] = getpid();
	all->step = 1;
