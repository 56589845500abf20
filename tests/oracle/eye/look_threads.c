// SPDX-License-Identifier: Apache-2.0
/* What belongs to a thread alone: robust list, rseq, resource usage. */
#include "eye.h"
#include <asm/unistd.h>

/* Only who knows address, size and signature may unregister. */
static void look_rseq(void)
{
	unsigned int cpu = 0;

	if (!rseq_at)
		return;
	sys(__NR_getcpu, &cpu, 0, 0);
	line("thread.rseq_works", "%d", (long)(*(unsigned int *)rseq_at < 4096 && cpu < 4096));
	line("thread.rseq_again", "%d", sys(__NR_rseq, rseq_at, rseq_size, 0, 0x53053053));
	line("thread.rseq_unregister", "%d", sys(__NR_rseq, rseq_at, rseq_size, 1, 0x53053053));
}

void look_threads(void)
{
	unsigned long head = 0, len = 0;
	long usage[18] = { 0 };

	sys(__NR_get_robust_list, 0, &head, &len);
	line("thread.robust_list", "%x %d", head, len);
	line("thread.is_leader", "%d", (long)(sys(__NR_getpid) == sys(__NR_gettid)));
	look_rseq();
	sys(__NR_getrusage, -1, usage);
	line("usage.children", "%d %d %d %d", usage[0], usage[1], usage[2], usage[3]);
}
