// SPDX-License-Identifier: Apache-2.0
/*
 * usage: around FILTER PROGRAM [ARG...]
 *
 * Runs a program, an emulator, below a seccomp filter, as a container does:
 *
 *	empty	 allows everything
 *	untold	 makes the kernel one from before Linux 6.4: it does not tell a tracer
 *		 whether a tracee's system calls are sent to it
 *	unshown	 makes the kernel one without CONFIG_CHECKPOINT_RESTORE: to a tracer that
 *		 asks for a tracee's filters it says what it says of one without any
 *	answers	 answers cloneat with ENOSYS, as a profile that allows what it knows
 *	kills	 kills for it
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#define NR_CLONEAT 511
#define GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211
#define SECCOMP_GET_FILTER 0x420c

#define FIRST offsetof(struct seccomp_data, args[0])
#define NR offsetof(struct seccomp_data, nr)

/* Of the call nr, those that have that value there. */
static const struct around {
	const char *name;
	unsigned int nr, there, value, ret;
} filters[] = {
	{ "empty", NR_CLONEAT, NR, NR_CLONEAT, SECCOMP_RET_ALLOW },
	{ "untold", SYS_ptrace, FIRST, GET_SYSCALL_USER_DISPATCH_CONFIG,
	  SECCOMP_RET_ERRNO | EIO },
	{ "unshown", SYS_ptrace, FIRST, SECCOMP_GET_FILTER, SECCOMP_RET_ERRNO | EINVAL },
	{ "answers", NR_CLONEAT, NR, NR_CLONEAT, SECCOMP_RET_ERRNO | ENOSYS },
	{ "kills", NR_CLONEAT, NR, NR_CLONEAT, SECCOMP_RET_KILL_PROCESS },
};

static int install(const struct around *f)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, f->nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, f->there),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, f->value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, f->ret),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 2 && i < sizeof(filters) / sizeof(*filters); i++) {
		if (strcmp(filters[i].name, argv[1]))
			continue;
		if (install(&filters[i])) {
			perror("filter");
			return 1;
		}
		execv(argv[2], argv + 2);
		perror(argv[2]);
		return 1;
	}
	return 2;
}
