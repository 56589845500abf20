// SPDX-License-Identifier: GPL-2.0
/* Targets that are busy: see busy.h. */
#include "busy.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <time.h>

int p[2];
struct sockaddr_un name;
socklen_t name_len = sizeof(name);
int sem = -1, queue = -1;

/* --- what is shared ----------------------------------------------------- */

void make_nothing(void)
{
}

void make_pipe(void)
{
	must(pipe(p));
}

void make_sockets(void)
{
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
}

/* Writes until there is no room; from then on p[1] blocks. */
void make_full_pipe(void)
{
	char page[4096] = "";

	must(pipe2(p, O_NONBLOCK));
	while (write(p[1], page, sizeof(page)) > 0)
		;
	must(fcntl(p[1], F_SETFL, 0));
}

void make_mq(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 1 };
	char mq[32];

	snprintf(mq, sizeof(mq), "/cloneat-%d", getpid());
	p[0] = mq_open(mq, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (p[0] < 0 && errno == ENOSYS)
		ct_skip("this kernel has no POSIX queues");
	must(p[0]);
	must(mq_unlink(mq));
}

void make_sem(void)
{
	sem = semget(IPC_PRIVATE, 1, 0600);
	if (sem < 0 && errno == ENOSYS)
		ct_skip("this kernel has no System V semaphores");
	must(sem);
}

void make_queue(void)
{
	queue = msgget(IPC_PRIVATE, 0600);
	if (queue < 0 && errno == ENOSYS)
		ct_skip("this kernel has no System V queues");
	must(queue);
}

void remove_ipc(void)
{
	if (sem >= 0)
		must(semctl(sem, 0, IPC_RMID));
	if (queue >= 0)
		must(msgctl(queue, IPC_RMID, NULL));
}

void make_named(int type)
{
	name.sun_family = AF_UNIX;
	p[0] = must(socket(AF_UNIX, type, 0));
	must(bind(p[0], (struct sockaddr *)&name, sizeof(sa_family_t)));
	must(getsockname(p[0], (struct sockaddr *)&name, &name_len));
}

void nothing(struct actor *t)
{
	(void)t;
}

void wake(struct actor *t)
{
	(void)t;
	slot_set(1, 1);
}

void send_byte(struct actor *t)
{
	(void)t;
	expect_eq(write(p[1], "b", 1), 1);
}

void drain(struct actor *t)
{
	char buf[65536];

	(void)t;
	while (read(p[0], buf, sizeof(buf)) > 0)
		;
}

void signal_usr1(struct actor *t)
{
	must(kill(t->pid, SIGUSR1));
}

/* --- what the target looks at ------------------------------------------- */

#if defined(__x86_64__)

long kept_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long rdi __asm__("rdi") = a;
	register long rsi __asm__("rsi") = b;
	register long rdx __asm__("rdx") = c;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	register long r12 __asm__("r12") = a ^ 12;
	register long r13 __asm__("r13") = b ^ 13;
	register long r14 __asm__("r14") = c ^ 14;
	register long r15 __asm__("r15") = d ^ 15;
	register double xmm7 __asm__("xmm7") = nr;
	long ret = nr;

	__asm__ volatile("syscall"
			 : "+a"(ret), "+r"(rdi), "+r"(rsi), "+r"(rdx),
			   "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r12), "+r"(r13),
			   "+r"(r14), "+r"(r15), "+x"(xmm7)
			 :: "rcx", "r11", "memory");
	if (rdi != a || rsi != b || rdx != c || r10 != d || r8 != e ||
	    r9 != f || r12 != (a ^ 12) || r13 != (b ^ 13) ||
	    r14 != (c ^ 14) || r15 != (d ^ 15) || xmm7 != nr)
		return -EBADMSG;
	return ret;
}

#else

long kept_call(long nr, long a, long b, long c, long d, long e, long f)
{
	return ct_syscall6(nr, a, b, c, d, e, f);
}

#endif

/* --- kids --------------------------------------------------------------- */

void add_file(pid_t pid, const char *name, const char *const *keep, char *text,
	      size_t size)
{
	char file[64], line[512];
	FILE *f;

	snprintf(file, sizeof(file), "/proc/%d/%s", pid, name);
	f = fopen(file, "re");
	while (f && fgets(line, sizeof(line), f)) {
		int i = 0;

		while (keep && keep[i] && strncmp(line, keep[i],
						  strlen(keep[i])))
			i++;
		if ((!keep || keep[i]) && strlen(text) + strlen(line) < size)
			strcat(text, line);
	}
	if (f)
		fclose(f);
}

void portrait(pid_t pid, char *text, size_t size)
{
	static const char *const keep[] = {
		"SigPnd", "SigBlk", "SigIgn", "SigCgt", "ShdPnd", "Threads",
		"VmLck", "FDSize", "Uid", "NoNewPrivs", "Seccomp", NULL
	};

	*text = 0;
	add_file(pid, "status", keep, text, size);
	add_file(pid, "maps", NULL, text, size);
}

/* Fails with the first lines that differ. */
void expect_alike(const char *before, const char *after)
{
	size_t i = 0;

	if (!strcmp(before, after))
		return;
	while (before[i] == after[i])
		i++;
	while (i && before[i - 1] != '\n')
		i--;
	fail("the target changed from \"%.*s\" to \"%.*s\"",
	     (int)strcspn(before + i, "\n"), before + i,
	     (int)strcspn(after + i, "\n"), after + i);
}

void use_target(struct actor *t, struct actor kid[KIDS])
{
	char before[8192], after[8192];
	bool asleep;

	portrait(t->pid, before, sizeof(before));
	asleep = is_asleep(t->pid);
	for (int i = 0; i < KIDS; i++) {
		expect_ok(cl(&me, &kid[i], t->pid, 0, 0));
		expect_eq(sys(&kid[i], SYS_getppid), t->pid);
	}
	/* Some calls have a mask of their own, while they sleep. */
	if (asleep)
		wait_asleep(t);
	portrait(t->pid, after, sizeof(after));
	if (!answered(t))
		expect_alike(before, after);
}

void end_kids(struct actor kid[KIDS])
{
	for (int i = 0; i < KIDS; i++)
		quit(&kid[i], i);
}

void reap_kids(struct actor *t)
{
	int seen = 0;

	for (int i = 0; i < KIDS; i++) {
		expect(on(t, do_wait4, -1, 0) > 0);
		seen |= 1 << WEXITSTATUS(status_of(t));
	}
	expect_eq(seen, (1 << KIDS) - 1);
	expect_eq(on(t, do_wait4, -1, 0), -ECHILD);
}

void play_block(void)
{
	const struct block *b = ct_arg();
	struct actor t, kid[KIDS];

	b->make();
	spawn(&me, &t, 0);
	start(&t, b->fn, 0);
	wait_blocked(&t, b->nr);
	use_target(&t, kid);
	end_kids(kid);
	if (b->release != nothing) {
		wait_asleep(&t);
		expect_busy(&t);
	}
	b->release(&t);
	expect_eq(actor_finish(&t), b->result);
	reap_kids(&t);
	remove_ipc();
}

long do_forbid(struct msg *m)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ppoll, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ct_count(f), f };

	(void)m;
	return ct_syscall3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}
