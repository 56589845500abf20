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
 *	fields	 the same, for a process that describes its memory: it can set one field at a
 *		 time
 *	unread	 makes the kernel one without CONFIG_CROSS_MEMORY_ATTACH
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
#define SECOND offsetof(struct seccomp_data, args[1])
#define NR offsetof(struct seccomp_data, nr)

/* Of the call nr, those with that first argument (0: any) and a second one of at least so much. */
static const struct around {
	const char *name;
	unsigned int nr, ret, first, second;
} filters[] = {
	{ "empty", NR_CLONEAT, SECCOMP_RET_ALLOW, 0, 0 },
	{ "untold", SYS_ptrace, SECCOMP_RET_ERRNO | EIO, GET_SYSCALL_USER_DISPATCH_CONFIG,
	  0 },
	{ "unshown", SYS_ptrace, SECCOMP_RET_ERRNO | EINVAL, SECCOMP_GET_FILTER, 0 },
	{ "fields", SYS_prctl, SECCOMP_RET_ERRNO | EINVAL, PR_SET_MM, PR_SET_MM_MAP },
	{ "unread", SYS_process_vm_readv, SECCOMP_RET_ERRNO | ENOSYS, 0, 0 },
	{ "answers", NR_CLONEAT, SECCOMP_RET_ERRNO | ENOSYS, 0, 0 },
	{ "kills", NR_CLONEAT, SECCOMP_RET_KILL_PROCESS, 0, 0 },
};

static int install(const struct around *f)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, f->nr, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, f->first ? FIRST : NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, f->first ?: f->nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SECOND),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, f->second, 0, 1),
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
