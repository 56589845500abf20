// SPDX-License-Identifier: GPL-2.0
/* Races: see race.h. */
#include "race.h"

struct actor a, t, k;
long canary = 0x636c6f6e656174;

void cast(void)
{
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
}

void close_all(void)
{
	settle();
	close(a.fd);
	close(t.fd);
}

void expect_among(long ret, const int *allowed)
{
	for (; *allowed >= 0; allowed++)
		if (ret == -*allowed || (ret > 0 && !*allowed))
			return;
	fail("unexpected result %ld (%s)", ret,
	     ret < 0 ? ct_errname(-ret) : "a child");
}

long do_canary(struct msg *m)
{
	(void)m;
	return canary;
}

void whole(struct actor *kid)
{
	if (kid->fd < 0)
		return;
	expect(kid->pid > 0);
	expect_eq(on(kid, do_canary), canary);
	quit(kid, 0);
}

long measure_shared(struct actor *caller, uint64_t flags)
{
	long start = now_us();

	expect_ok(cl(caller, &k, t.pid, 0, flags));
	start = now_us() - start;
	expect_eq(end(&k, &t, 3), EXITED(3));
	return start + 1;
}

long measure(struct actor *caller)
{
	return measure_shared(caller, 0);
}

long do_reap_all(struct msg *m)
{
	int status, bad = 0;
	long ret;

	(void)m;
	while ((ret = ct_syscall6(SYS_wait4, -1, (long)&status, __WALL, 0, 0,
				  0)) > 0)
		bad += status != 0 && status != SIGKILL;
	return ret == -ECHILD ? bad : ret;
}
