// SPDX-License-Identifier: Apache-2.0
/* Everything that prctl(2) tells. */
#include "eye.h"
#include <asm/unistd.h>
#include <sys/prctl.h>

static const struct {
	const char *name;
	int option;
} plain[] = {
	{ "dumpable", PR_GET_DUMPABLE }, { "keepcaps", PR_GET_KEEPCAPS }, { "timing", PR_GET_TIMING },
	{ "seccomp", PR_GET_SECCOMP }, { "securebits", PR_GET_SECUREBITS },
	{ "timerslack", PR_GET_TIMERSLACK }, { "mce_kill", PR_MCE_KILL_GET },
	{ "no_new_privs", PR_GET_NO_NEW_PRIVS }, { "thp_disable", PR_GET_THP_DISABLE },
	{ "tagged_addr", 56 }, { "io_flusher", 58 }, { "mdwe", 66 }, { "memory_merge", 68 },
	{ "shadow_stack", 74 },
}, by_pointer[] = {
	{ "pdeathsig", PR_GET_PDEATHSIG }, { "child_subreaper", PR_GET_CHILD_SUBREAPER },
	{ "tsc", PR_GET_TSC }, { "tid_address", 40 }, { "name", PR_GET_NAME },
};

void look_prctl(void)
{
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		key("prctl.%s", plain[i].name);
		value("%d", sys(__NR_prctl, plain[i].option, 0, 0, 0, 0)), end();
	}
	for (size_t i = 0; i < sizeof(by_pointer) / sizeof(by_pointer[0]); i++) {
		char v[16] = "";
		long ret = sys(__NR_prctl, by_pointer[i].option, v, 0, 0, 0);

		key("prctl.%s", by_pointer[i].name), value("%d ", ret), value_hex(v, sizeof(v)), end();
	}
	for (long i = 0; i < 4; i++)
		key("prctl.speculation.%d", i), value("%d", sys(__NR_prctl, 52, i, 0, 0, 0)), end();
	line("prctl.sched_core", "%d", sys(__NR_prctl, 62, 0, 0, 0, 0));
	line("prctl.timer_restore_ids", "%d", sys(__NR_prctl, 77, 2, 0, 0, 0));
	line("prctl.futex_hash_slots", "%d", sys(__NR_prctl, 78, 2, 0, 0, 0));
}
