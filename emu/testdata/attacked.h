/* SPDX-License-Identifier: Apache-2.0 */
/* What attacked.c does without its C library, whose state its threads share, and by the way. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static long sys(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret = nr;

	__asm__ volatile("syscall"
			 : "+a"(ret) : "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

static void say(const char *format, ...)
{
	char line[128];
	va_list list;

	va_start(list, format);
	sys(SYS_write, 1, (long)line, vsnprintf(line, sizeof(line), format, list), 0);
	va_end(list);
}

/* Whether a list of words, between commas, has one. */
static int has(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *at;

	for (at = list; (at = strstr(at, word)); at++)
		if ((at == list || at[-1] == ',') && (!at[len] || at[len] == ','))
			return 1;
	return 0;
}

static unsigned long vdso, vdso_end;

static void find_vdso(void)
{
	unsigned long from, to;
	char line[256];
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx", &from, &to) == 2) {
			vdso = from;
			vdso_end = to;
		}
	if (maps)
		fclose(maps);
}

/* Ends this process if it makes a call that another made it make. */
static void confine(void)
{
	static const int forbidden[] = {
		SYS_socketpair, SYS_sendmsg, SYS_recvmsg, SYS_ptrace, SYS_kcmp, SYS_pidfd_open,
		SYS_pidfd_getfd, SYS_process_vm_readv, SYS_process_vm_writev, SYS_get_robust_list,
		SYS_mincore, SYS_clone3, SYS_mremap, SYS_sigaltstack, SYS_getrlimit,
	};
	enum { N = sizeof(forbidden) / sizeof(*forbidden) };
	struct sock_filter code[N + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		[N + 1] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		[N + 2] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog prog = { .len = N + 3, .filter = code };
	int i;

	for (i = 0; i < N; i++)
		code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden[i], N - i, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0))
		say("filter %d\n", errno);
}
