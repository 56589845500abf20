// SPDX-License-Identifier: GPL-2.0
/*
 * The call needs no seccomp filter, and leaves a program all that seccomp(2) has.
 * Under the emulator there is a filter with a listener.
 */
#include "cloneat_test.h"
#include <linux/filter.h>
#include <linux/seccomp.h>

/* The number behind a word of /proc/self/status, or -1. */
static int status_word(const char *word)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");
	int n = -1;

	expect(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, word, strlen(word)))
			sscanf(line + strlen(word), "%d", &n);
	fclose(f);
	return n;
}

CHECK_DOCUMENTED(no_filter, "no seccomp filter is in force",
		 "the emulator's is, and shows")
{
	expect_eq(prctl(PR_GET_SECCOMP), SECCOMP_MODE_DISABLED);
	expect_eq(status_word("Seccomp:"), SECCOMP_MODE_DISABLED);
}

CHECK_DOCUMENTED(new_privs, "a program may gain privileges by what it executes",
		 "without CAP_SYS_ADMIN a filter takes no_new_privs")
{
	expect_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	expect_eq(status_word("NoNewPrivs:"), 0);
}

CHECK_DOCUMENTED(own_listener, "a program can have a filter with a listener",
		 "there is one in a chain of filters: EBUSY")
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { 1, &allow };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	expect_ok(ct_syscall3(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			      SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog));
}

CHECK_DOCUMENTED(strict_mode, "a program can restrict itself to four calls",
		 "that takes a program without a filter: EINVAL")
{
	pid_t pid = fork();

	must(pid);
	if (!pid) {
		int bad = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);

		syscall(SYS_exit, bad ? 1 : 7);
	}
	expect_exit(pid, 7);
}
