// SPDX-License-Identifier: Apache-2.0
/* What is to be seen of an actor: family, credentials, signals. */
#include "interp.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FULL_CAPS 0x1fffeffffffUL

void add(struct text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	t->n += vsnprintf(t->buf + t->n, sizeof(t->buf) - t->n, format, ap);
	va_end(ap);
	need(t->n < sizeof(t->buf), "a description is too long");
}

static void add_name(struct text *t, const char *key, int number)
{
	char name[16];

	name_of(&who[MAX_ACTORS], number, name, sizeof(name));
	add(t, " %s=%s", key, name);
}

static void add_family(struct text *t, const struct who *w)
{
	add_name(t, "ppid", w->stat.ppid);
	add_name(t, "pgid", w->stat.pgrp);
	add_name(t, "sid", w->stat.session);
	add(t, " signal=%d", w->stat.exit_signal);
}

static void add_caps(struct text *t, const char *status, const char *key,
		     const char *name)
{
	uint64_t caps = strtoull(field(status, key), NULL, 16);

	if (caps == FULL_CAPS)
		add(t, " %s=all", name);
	else
		add(t, " %s=%lx", name, (unsigned long)caps);
}

static void add_line(struct text *t, const char *status, const char *key,
		     const char *name)
{
	const char *at = field(status, key);
	char value[128];
	size_t n = 0;

	at += strspn(at, "\t ");
	for (; at[n] && at[n] != '\n' && n < sizeof(value) - 1; n++)
		value[n] = at[n] == '\t' || at[n] == ' ' ? ',' : at[n];
	value[n] = '\0';
	while (n && value[n - 1] == ',')
		value[--n] = '\0';
	if (strstr(key, "\nSig") || strstr(key, "Pnd"))	/* a set */
		sprintf(value, "%lx", strtoul(value, NULL, 16));
	add(t, " %s=%s", name, value);
}

/* How many seccomp filters a status tells of, or the controller's own. */
static int filters(const char *status)
{
	static char own[4096];

	if (!status && !*own)
		slurp(&who[MAX_ACTORS], "status", own, sizeof(own));
	return atoi(field(status ? status : own, "\nSeccomp_filters:"));
}

static void add_status(struct text *t, const struct who *w)
{
	char buf[4096];

	if (!slurp(w, "status", buf, sizeof(buf)))
		return;
	add_line(t, buf, "\nUid:", "uid");
	add_line(t, buf, "\nGid:", "gid");
	add_line(t, buf, "\nGroups:", "groups");
	add_line(t, buf, "\nUmask:", "umask");
	add_line(t, buf, "\nThreads:", "threads");
	add_line(t, buf, "\nNoNewPrivs:", "nnp");
	/* A tracee keeps even signals that it ignores (sig_ignored()). */
	if (!w->owes) {
		add_line(t, buf, "\nSigPnd:", "pnd");
		add_line(t, buf, "\nShdPnd:", "shd");
	}
	add_line(t, buf, "\nSigBlk:", "blk");
	add_line(t, buf, "\nSigIgn:", "ign");
	add_line(t, buf, "\nSigCgt:", "cgt");
	add_caps(t, buf, "\nCapPrm:", "prm");
	add_caps(t, buf, "\nCapEff:", "eff");
	add_caps(t, buf, "\nCapBnd:", "bnd");
	add_caps(t, buf, "\nCapInh:", "inh");
	add_caps(t, buf, "\nCapAmb:", "amb");
	add_line(t, buf, "\nName:", "comm");
	add(t, " filters=%d", filters(buf) - filters(NULL));
}

/* Soft and hard, of the resources that programs limit; and the like. */
static void add_limits(struct text *t, const struct who *w)
{
	static const char *const names[] = {
		"\nMax file size", "\nMax data size", "\nMax stack size",
		"\nMax core file size", "\nMax processes", "\nMax open files",
		"\nMax locked memory", "\nMax address space",
		"\nMax pending signals", "\nMax nice priority",
		"\nMax realtime priority",
	};
	char buf[4096], soft[24], hard[24];

	if (!slurp(w, "limits", buf, sizeof(buf)))
		return;
	add(t, " limits=");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sscanf(field(buf, names[i]), "%23s %23s", soft, hard) == 2)
			add(t, "%s/%s,", soft[0] == 'u' ? "u" : soft,
			    hard[0] == 'u' ? "u" : hard);
	if (slurp(w, "oom_score_adj", buf, sizeof(buf)))
		add(t, " oom=%d", atoi(buf));
}

/* The emulator traces who waits in vfork, and the child: say who they are. */
static void add_vfork(struct text *t, const struct who *w)
{
	if (vfork_child_of(w))
		add(t, " vfork-waits");
	for (int i = 0; i < MAX_ACTORS; i++)
		if (who[i].born && &who[i] != w && vfork_child_of(&who[i]) == w)
			add(t, " vfork-child");
}

/* What others change. */
void describe(struct text *t, const struct who *w)
{
	if (w->reaped) {
		add(t, " gone");
		return;
	}
	if (w->tid != w->pid)
		add_name(t, "thread-of", w->pid);
	add(t, "%s", w->stat.state == 'E' ? " exiting" : w->dead ? " zombie" :
	       w->stopped ? " stopped" : "");
	add_family(t, w);
	if (!w->dead)
		add_vfork(t, w);
}

/* What only the process itself or its maker changes, and costs more to read. */
void describe_more(struct text *t, const struct who *w)
{
	if (w->dead)
		return;
	add_status(t, w);
	add_limits(t, w);
	describe_resources(t, w);
	describe_memory(t, w);
	describe_report(t, w);
}
