// SPDX-License-Identifier: Apache-2.0
/* Dispositions, mask, alternate stack; nothing pending, no timers. */
#include "eye.h"
#include <asm/unistd.h>
#include <signal.h>

struct kernel_action { unsigned long handler, flags, restorer, mask; };

void look_signals(void)
{
	struct kernel_action sa;
	unsigned long mask;
	long stack[3], timer[4];

	for (long sig = 1; sig <= 64; sig++) {
		sys(__NR_rt_sigaction, sig, 0, &sa, 8);
		key("signal.action.%d", sig);
		value("%x flags %x restorer %x mask %x", sa.handler, sa.flags, sa.restorer, sa.mask), end();
	}
	sys(__NR_rt_sigprocmask, SIG_BLOCK, 0, &mask, 8);
	line("signal.mask", "%x", mask);
	sys(__NR_rt_sigpending, &mask, 8);
	line("signal.pending", "%x", mask);
	stack[1] = 0;
	sys(__NR_sigaltstack, 0, stack);
	line("signal.altstack", "%x flags %x size %x", stack[0], stack[1] & 0xffffffff, stack[2]);
	for (long i = 0; i < 3; i++) {
		sys(__NR_getitimer, i, timer);
		key("signal.itimer.%d", i);
		value("%d %d", timer[2], timer[3] > 0), end();
	}
	for (long i = 0; i < 4; i++)
		key("signal.timer.%d", i), value("%d", sys(__NR_timer_gettime, i, timer)), end();
}
