// SPDX-License-Identifier: Apache-2.0
/*
 * usage: strict caller|target|both
 *
 *	main ── caller ── target
 *
 * One of them, or both, has a seccomp filter that kills for what it does not
 * make itself. Prints what the caller's call came to, and who was killed.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/cloneat.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define SYS_CLONEAT 511

static const unsigned int own[] = {
	SYS_read, SYS_write, SYS_exit, SYS_exit_group, SYS_pause, SYS_clone, SYS_kill, SYS_wait4,
	SYS_fstat, SYS_newfstatat, SYS_rt_sigreturn, SYS_restart_syscall, SYS_set_robust_list,
	SYS_rseq, SYS_prctl, SYS_rt_sigprocmask, SYS_gettid, SYS_CLONEAT,
};

#define CALLS (sizeof(own) / sizeof(*own))

static void filter(void)
{
	struct sock_filter code[2 + 2 * CALLS];
	struct sock_fprog prog = { 0, code };

	code[prog.len++] = (struct sock_filter)
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CALLS; i++) {
		code[prog.len++] = (struct sock_filter)
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own[i], 0, 1);
		code[prog.len++] = (struct sock_filter)
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	code[prog.len++] = (struct sock_filter)
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		perror("filter");
}

static void ended(const char *who, pid_t pid, int options)
{
	int status;

	if (waitpid(pid, &status, options) == pid && WIFSIGNALED(status))
		printf("%s killed by signal %d\n", who, WTERMSIG(status));
}

static void be_caller(int target_strict, int caller_strict)
{
	int words[2] = { SIGCHLD, 0 }, up[2];
	struct cloneat_args args = { .flags = words, .flags_size = sizeof(words) };
	pid_t target;
	char byte;
	long ret;

	if (pipe(up))
		perror("pipe");
	target = fork();
	if (!target) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (target_strict)
			filter();
		if (write(up[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(up[0], &byte, 1) != 1)
		perror("target");
	if (caller_strict)
		filter();
	ret = syscall(SYS_CLONEAT, target, 0, &args);
	if (!ret)
		_exit(0);
	printf("%s\n", ret > 0 ? "made" : errno == EOPNOTSUPP ? "EOPNOTSUPP" : strerror(errno));
	fflush(stdout);
	ended("target", target, WNOHANG);
	kill(target, SIGTERM);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	static char buffer[BUFSIZ];	/* none is allocated behind the filter */
	const char *who = argc == 2 ? argv[1] : "";
	pid_t caller;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	caller = fork();
	if (!caller)
		be_caller(strcmp(who, "caller") != 0, strcmp(who, "target") != 0);
	ended("caller", caller, 0);
	return 0;
}
