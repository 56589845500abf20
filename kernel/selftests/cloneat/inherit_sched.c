// SPDX-License-Identifier: GPL-2.0
/*
 * How a process is scheduled, and what else the kernel treats it by, comes from
 * the caller, whoever the target is (see property.h).
 */
#include "property.h"

static long get_nice(struct msg *m)
{
	(void)m;
	return 20 - ct_syscall3(SYS_getpriority, PRIO_PROCESS, 0, 0);
}

static long put_nice(struct msg *m)
{
	return setpriority(PRIO_PROCESS, 0, m->arg[0]) ? -errno : 0;
}

static long get_policy(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_sched_getscheduler, 0, 0, 0);
}

static long put_policy(struct msg *m)
{
	struct sched_param none = { 0 };

	return ct_syscall3(SYS_sched_setscheduler, 0, m->arg[0], &none);
}

/* 1: on the first CPU only, else the number of CPUs. */
static long get_affinity(struct msg *m)
{
	cpu_set_t set;

	(void)m;
	if (sched_getaffinity(0, sizeof(set), &set))
		return -errno;
	return CPU_COUNT(&set) == 1 && CPU_ISSET(0, &set);
}

static long put_affinity(struct msg *m)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (m->arg[0])
		CPU_SET(0, &set);
	else
		for (int i = 0; i < CPU_SETSIZE; i++)
			CPU_SET(i, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static long get_ioprio(struct msg *m)
{
	(void)m;
	return ct_syscall3(SYS_ioprio_get, 1, 0, 0);
}

static long put_ioprio(struct msg *m)
{
	return ct_syscall3(SYS_ioprio_set, 1, 0, m->arg[0]);
}

static long get_oom(struct msg *m)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "re");
	long adj = -ENODATA;

	(void)m;
	if (!f || fscanf(f, "%ld", &adj) != 1)
		return -ENODATA;
	fclose(f);
	return adj;
}

static long put_oom(struct msg *m)
{
	return ct_write("/proc/self/oom_score_adj", "%ld", m->arg[0]);
}

static long get_login(struct msg *m)
{
	FILE *f = fopen("/proc/self/loginuid", "re");
	long uid = -1;

	(void)m;
	if (!f || fscanf(f, "%ld", &uid) != 1)
		uid = -errno;
	if (f)
		fclose(f);
	return uid;
}

static long put_login(struct msg *m)
{
	return ct_write("/proc/self/loginuid", "%ld", m->arg[0]);
}

static const struct property properties[] = {
	OF_TASK(nice, "nice value", 3, 7),
	OF_TASK(policy, "scheduling policy", SCHED_BATCH, SCHED_OTHER),
	OF_TASK(affinity, "CPU affinity", 1, 0),
	OF_TASK(ioprio, "I/O priority", 2 << 13 | 6, 2 << 13 | 2),
	PROPERTY(oom, "oom_score_adj", 300, 500),
	OF_TASK(login, "who auditing holds to account", 301, 302),
};

PLAY_TABLE(property, properties)
{
	const struct property *p = ct_arg();

	if (p->get == get_login &&
	    (on(&me, put_login, 1) || on(&me, put_login, 2)))
		ct_skip("no right to set it twice, or no auditing");
	if (p->get == get_affinity && sysconf(_SC_NPROCESSORS_ONLN) < 2)
		ct_skip("an affinity cannot differ on one CPU");
	play_property();
}
