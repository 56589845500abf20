// SPDX-License-Identifier: Apache-2.0
/* Scheduling, limits, umask, directories, memory policy of the task. */
#include "eye.h"
#include <asm/unistd.h>

static void look_limits(void)
{
	unsigned long v[2];

	for (long i = 0; i < 16; i++) {
		sys(__NR_prlimit64, 0, i, 0, v);
		key("limit.%d", i), value("%x %x", v[0], v[1]), end();
	}
}

void look_scheduling(void)
{
	unsigned char attr[64] = { 0 }, set[128] = { 0 };
	char path[4096];
	int mode = -1;
	long n;

	line("sched.nice", "%d", sys(__NR_getpriority, 0, 0));
	line("sched.policy", "%d", sys(__NR_sched_getscheduler, 0));
	n = sys(__NR_sched_getattr, 0, attr, sizeof(attr), 0);
	key("sched.attr"), value("%d ", n), value_hex(attr, sizeof(attr)), end();
	n = sys(__NR_sched_getaffinity, 0, sizeof(set), set);
	key("sched.affinity"), value("%d ", n), value_hex(set, sizeof(set)), end();
	line("sched.ioprio", "%d", sys(__NR_ioprio_get, 1, 0));
	look_limits();
	n = sys(__NR_umask, 0);
	sys(__NR_umask, n);
	line("fs.umask", "%x", n);
	n = sys(__NR_getcwd, path, sizeof(path));
	key("fs.cwd"), value("%d %s", n, n > 0 ? path : ""), end();
	memset(set, 0, sizeof(set));
	n = sys(__NR_get_mempolicy, &mode, set, 1024, 0, 0);
	key("mempolicy.task"), value("%d %d ", n, (long)mode), value_hex(set, sizeof(set)), end();
}
