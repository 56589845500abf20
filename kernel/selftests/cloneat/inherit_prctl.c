// SPDX-License-Identifier: GPL-2.0
/*
 * What prctl(2) and the like have set comes from the caller, whoever the target
 * is (see property.h).
 */
#include "property.h"
#include <linux/securebits.h>
#include <sys/personality.h>

static long get_comm(struct msg *m)
{
	char name[16] = "";

	(void)m;
	if (prctl(PR_GET_NAME, name))
		return -errno;
	return strtol(name + 1, NULL, 10);
}

static long put_comm(struct msg *m)
{
	char name[16];

	snprintf(name, sizeof(name), "n%ld", m->arg[0]);
	return prctl(PR_SET_NAME, name) ? -errno : 0;
}

static long get_dumpable(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_DUMPABLE);
}

static long put_dumpable(struct msg *m)
{
	return prctl(PR_SET_DUMPABLE, m->arg[0]) ? -errno : 0;
}

static long get_slack(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_TIMERSLACK);
}

static long put_slack(struct msg *m)
{
	return prctl(PR_SET_TIMERSLACK, m->arg[0]) ? -errno : 0;
}

static long get_thp(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0);
}

static long put_thp(struct msg *m)
{
	return prctl(PR_SET_THP_DISABLE, m->arg[0], 0, 0, 0) ? -errno : 0;
}

static long get_securebits(struct msg *m)
{
	(void)m;
	return prctl(PR_GET_SECUREBITS);
}

static long put_securebits(struct msg *m)
{
	return prctl(PR_SET_SECUREBITS, m->arg[0]) ? -errno : 0;
}

static long get_personality(struct msg *m)
{
	(void)m;
	return personality(0xffffffff);
}

static long put_personality(struct msg *m)
{
	return personality(m->arg[0]) == -1 ? -errno : 0;
}

static long get_dumpfilter(struct msg *m)
{
	FILE *f = fopen("/proc/self/coredump_filter", "re");
	unsigned int filter = 0;

	(void)m;
	if (!f || fscanf(f, "%x", &filter) != 1)
		return -ENODATA;
	fclose(f);
	return filter;
}

static long put_dumpfilter(struct msg *m)
{
	return ct_write("/proc/self/coredump_filter", "0x%lx", m->arg[0]);
}

#define get_personality_none get_personality
#define put_personality_none put_personality

static const struct property properties[] = {
	OF_TASK(comm, "thread name", 31, 32),
	PROPERTY(dumpable, "dumpable flag", 0, 1),
	OF_TASK(slack, "timer slack", 77777, 88888),
	PROPERTY(thp, "PR_SET_THP_DISABLE", 1, 0),
	OF_TASK(securebits, "securebits", SECBIT_NO_SETUID_FIXUP,
		SECBIT_KEEP_CAPS),
	OF_TASK(personality, "personality", ADDR_NO_RANDOMIZE, UNAME26),
	OF_TASK(personality_none, "no personality", 0, UNAME26),
	PROPERTY(dumpfilter, "coredump_filter", 0x11, 0x22),
};

PLAY_TABLE(property, properties)
{
	play_property();
}
