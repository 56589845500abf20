// SPDX-License-Identifier: Apache-2.0
/*
 * Processes that adopt what a caller leaves that is killed in its calls for a container's init,
 * and whose own filter kills them for what they do not do themselves.
 */
#define _GNU_SOURCE
#include "adopt.h"
#include "init_caller.h"
#include <err.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 60

/* This program waits by waitid(2). */
static void confine(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_wait4, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter))
		err(2, "seccomp");
}

static void heir(int i, pid_t *init)
{
	siginfo_t si;
	pid_t pid = start_caller(call_for_init, init);

	confine();
	usleep(500 + i * 150);
	kill(pid, SIGKILL);
	if (waitid(P_PID, pid, &si, WEXITED))
		err(2, "waitid");
	kill(*init, SIGKILL);
	while (!waitid(P_ALL, 0, &si, WEXITED | __WALL))
		;
	_exit(0);
}

int main(void)
{
	pid_t *init = mmap(NULL, sizeof(*init), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i, status, bad = 0;
	pid_t pid;

	if (init == MAP_FAILED)
		err(2, "mmap");
	for (i = 0; i < ROUNDS; i++) {
		*init = 0;
		pid = fork();
		if (pid < 0)
			err(2, "fork");
		if (pid == 0)
			heir(i, init);
		if (waitpid(pid, &status, 0) != pid)
			err(2, "wait");
		if (status) {
			bad++;
			if (*init > 0)
				kill(*init, SIGKILL);
		}
	}
	if (bad)
		errx(1, "%d of %d ended otherwise", bad, ROUNDS);
	return 0;
}
