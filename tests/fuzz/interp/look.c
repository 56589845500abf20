// SPDX-License-Identifier: Apache-2.0
/* What the controller sees of the actors, in names instead of numbers. */
#include "interp.h"
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/nsfs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KILLED 0x100UL	/* SIGKILL waits for it */
#define PF_EXITING 4UL	/* include/linux/sched.h */
#define KNOWN 512	/* identities of one program */
#define FULL_CAPS 0x1fffeffffffUL

struct who who[MAX_ACTORS + 1] = { [MAX_ACTORS] = { .depth = 1 } };

/* --- small files ---------------------------------------------------------- */

static char *slurp(const struct who *w, const char *file, char *buf, size_t room)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", w->pid, w->tid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, buf, room - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	return buf;
}

/* The rest of the line of /proc/PID/status that begins with key. */
static const char *field(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? at + strlen(key) : "";
}

static int open_of(const struct who *w, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", w->pid, w->tid, file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The number in a link such as "uts:[4026531838]", or 0. */
static uint64_t identity(const struct who *w, const char *file)
{
	char path[64], target[64], *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", w->pid, w->tid, file);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	at = strchr(target, '[');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/*
 * Namespaces are only equal or not: they get small numbers, by first
 * appearance.  A known one is kept alive, or its inode might come again.
 */
static int class_of(char kind, const struct who *w, const char *file)
{
	uint64_t id = identity(w, file);
	static struct { char kind; uint64_t id; } known[KNOWN];
	static int n;
	int count = 0;

	if (!id)
		return -1;
	for (int i = 0; i < n; i++) {
		if (known[i].kind != kind)
			continue;
		if (known[i].id == id)
			return count;
		count++;
	}
	if (n < KNOWN) {
		open_of(w, file);
		known[n].kind = kind;
		known[n++].id = id;
	}
	return count;
}

/* --- who is who ----------------------------------------------------------- */

/* The pid namespaces of w, outermost (the controller's) first. */
static void read_chain(struct who *w)
{
	uint64_t up[MAX_DEPTH];
	char path[64];
	int fd, parent, n = 0;
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/ns/pid", w->pid, w->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n < MAX_DEPTH && !fstat(fd, &st)) {
		up[n++] = st.st_ino;
		parent = ioctl(fd, NS_GET_PARENT);
		close(fd);
		fd = parent;
	}
	for (int i = 0; i < w->depth && i < n; i++)
		w->chain[i] = up[w->depth - 1 - i];
}

void identify(struct who *w, int pid, int tid)
{
	char buf[4096], *end;
	const char *at;

	w->pid = pid;
	w->tid = tid;
	w->depth = 0;
	if (!slurp(w, "status", buf, sizeof(buf)))
		return;
	at = field(buf, "\nNSpid:");
	while (w->depth < MAX_DEPTH) {
		w->num[w->depth] = strtol(at, &end, 10);
		if (end == at || memchr(at, '\n', end - at))
			break;
		at = end;
		w->depth++;
	}
	read_chain(w);
}

int number_in(const struct who *viewer, const struct who *w)
{
	int at = viewer->depth - 1;

	if (!w->born || w->depth < viewer->depth || at < 0 ||
	    w->chain[at] != viewer->chain[at])
		return 0;
	return w->num[at];
}

static int index_of(const struct who *viewer, int number)
{
	int old = -1;

	for (int i = MAX_ACTORS - 1; i >= 0; i--) {
		if (number_in(viewer, &who[i]) != number)
			continue;
		if (!who[i].reaped)
			return i;
		if (old < 0)
			old = i;
	}
	return old;
}

void name_of(const struct who *viewer, int number, char *name, size_t size)
{
	int i = number > 0 ? index_of(viewer, number) : -1;

	if (i >= 0)
		snprintf(name, size, "P%d", i);
	else if (number == 1 && viewer->depth == 1)
		snprintf(name, size, "I");
	else if (number > 300 || number <= 1)
		snprintf(name, size, "%d", number);
	else
		snprintf(name, size, "?");
}

/*
 * The letter of /proc/PID/stat, X for who is gone.  An init that waits for the
 * last of its namespace sleeps, but is exiting (zap_pid_ns_processes()): E.
 */
static char state_of(const struct who *w)
{
	unsigned long flags = 0, pending = 0;
	char buf[512], *paren;

	if (!slurp(w, "stat", buf, sizeof(buf)))
		return 'X';
	paren = strrchr(buf, ')');
	if (!paren)
		return 'X';
	/* Fields 9 and 31. */
	sscanf(paren + 4, "%*d %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u "
	       "%*d %*d %*d %*d %*d %*d %*u %*u %*d %*u %*u %*u %*u %*u %*u %lu",
	       &flags, &pending);
	if (paren[2] != 'Z' && paren[2] != 'X' &&
	    ((flags & PF_EXITING) || (pending & KILLED)))
		return 'E';
	return paren[2];
}

/* --- the world comes to rest ---------------------------------------------- */

/* Waits until w rests; true if it is as it was before. */
static bool rest(struct who *w)
{
	const struct timespec pause = { 0, 50000 };
	char state, before = w->state;

	for (;;) {
		state = state_of(w);
		/* Who waits for a vfork child is held by the emulator: t. */
		if (strchr(w->vfork_child >= 0 ? "STZXDt" : "STZX", state))
			break;
		nanosleep(&pause, NULL);
	}
	w->state = state;
	w->stopped = state == 'T';
	w->reaped = state == 'X';
	w->dead = w->reaped || state == 'Z';
	return state == before;
}

/*
 * Until everybody waits for a command, is stopped, or is dead.  The end of one
 * may have been the end of another that was looked at before: once more.
 */
void settle(void)
{
	bool same;

	do {
		same = true;
		for (int i = 0; i < MAX_ACTORS; i++)
			if (who[i].born && !who[i].reaped)
				same &= rest(&who[i]);
	} while (!same);
}

/* After w was told to exit: it is at least on its way. */
void await_exit(struct who *w)
{
	const struct timespec pause = { 0, 50000 };

	while (!strchr("EZX", state_of(w)))
		nanosleep(&pause, NULL);
}

/* --- descriptions --------------------------------------------------------- */


struct text {
	char buf[1024];
	size_t n;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	t->n += vsnprintf(t->buf + t->n, sizeof(t->buf) - t->n, format, ap);
	va_end(ap);
}

static void add_name(struct text *t, const char *key, int number)
{
	char name[16];

	name_of(&who[MAX_ACTORS], number, name, sizeof(name));
	add(t, " %s=%s", key, name);
}

/* Parent, group, session and exit signal, from /proc/PID/stat. */
static void add_family(struct text *t, const struct who *w)
{
	char buf[1024], *at;
	int ppid, pgrp, session;

	if (!slurp(w, "stat", buf, sizeof(buf)))
		return;
	at = strrchr(buf, ')');
	if (sscanf(at + 4, "%d %d %d", &ppid, &pgrp, &session) != 3)
		return;
	add_name(t, "ppid", ppid);
	add_name(t, "pgid", pgrp);
	add_name(t, "sid", session);
	/* Field 38; at + 4 is field 4. */
	at += 4;
	for (int i = 4; i < 38 && at; i++)
		at = strchr(at + 1, ' ');
	if (at)
		add(t, " signal=%d", atoi(at));
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
	if (n == 16)	/* a set of signals */
		sprintf(value, "%lx", strtoul(value, NULL, 16));
	add(t, " %s=%s", name, value);
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
}

static void add_namespaces(struct text *t, const struct who *w)
{
	static const char *const ns[] = {
		"user", "pid", "pid_for_children", "mnt", "uts", "ipc", "net",
		"cgroup", "time", "time_for_children",
	};
	static const char kind[] = "uppmUingTT";
	char file[32];

	add(t, " ns=");
	for (int i = 0; i < 10; i++) {
		snprintf(file, sizeof(file), "ns/%s", ns[i]);
		add(t, "%s%d", i ? "," : "", class_of(kind[i], w, file));
	}
	add(t, " depth=%d", w->depth);
}

static void add_cells(struct text *t, const struct who *w)
{
	const unsigned long where[CELLS] = {
		(unsigned long)&data_cell, PRIVATE_CELL, SHARED_CELL, FILE_CELL,
	};
	char path[64];
	long value;
	int tid[TIDS], fd;
	char name[16];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/mem", w->pid, w->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	add(t, " cells=");
	for (int i = 0; i < CELLS; i++) {
		if (pread(fd, &value, sizeof(value), where[i]) != sizeof(value))
			add(t, "%s-", i ? "," : "");
		else
			add(t, "%s%ld", i ? "," : "", value);
	}
	if (pread(fd, tid, sizeof(tid), (unsigned long)tids) == sizeof(tid)) {
		for (int i = 0; i < TIDS; i++) {
			name_of(w, tid[i], name, sizeof(name));
			add(t, "%s%s", i ? "," : " tids=", name);
		}
	}
	close(fd);
}

/* Which of do_open()'s four. */
static char letter(const char *target)
{
	return strstr(target, "memfd") ? 'm' : strstr(target, "eventfd") ? 'e' :
	       strstr(target, "timerfd") ? 't' : 'd';
}

static void add_files(struct text *t, const struct who *w)
{
	char file[32], buf[512], target[64], path[64];
	long flags;
	ssize_t n;

	add(t, " fds=");
	for (int fd = OPEN_FD; fd < OPEN_FD + OPEN_FDS; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", w->pid,
			 w->tid, fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0) {
			add(t, "-");
			continue;
		}
		target[n] = '\0';
		snprintf(file, sizeof(file), "fdinfo/%d", fd);
		flags = -1;
		if (slurp(w, file, buf, sizeof(buf)))
			flags = strtol(field(buf, "flags:"), NULL, 8);
		add(t, "%c%lo,", letter(target), flags);
	}
}

static void add_paths(struct text *t, const struct who *w)
{
	static const char *const links[] = { "cwd", "root" };
	char path[64], target[128];
	ssize_t n;

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", w->pid,
			 w->tid, links[i]);
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		add(t, " %s=%s", links[i], target);
	}
}

/* What w shares with an actor of a lower number, as the lowest such. */
static void add_sharing(struct text *t, const struct who *w)
{
	static const struct { int what; char letter; } kinds[] = {
		{ KCMP_VM, 'v' }, { KCMP_FILES, 'f' }, { KCMP_FS, 'c' },
		{ KCMP_SIGHAND, 's' },
	};

	for (int k = 0; k < 4; k++) {
		for (int i = 0; &who[i] != w; i++) {
			if (!who[i].born || who[i].dead)
				continue;
			if (syscall(SYS_kcmp, w->tid, who[i].tid, kinds[k].what, 0, 0))
				continue;
			add(t, " %c~P%d", kinds[k].letter, i);
			break;
		}
	}
}

/* The emulator traces who waits in vfork, and the child: say who they are. */
static void add_vfork(struct text *t, const struct who *w)
{
	if (w->owes && w->vfork_child >= 0)
		add(t, " vfork-waits");
	for (int i = 0; i < MAX_ACTORS; i++)
		if (who[i].born && who[i].owes && &who[i] != w &&
		    who[i].vfork_child == w - who)
			add(t, " vfork-child");
}

static void describe(struct text *t, const struct who *w)
{
	if (w->reaped) {
		add(t, " gone");
		return;
	}
	if (w->tid != w->pid)
		add_name(t, "thread-of", w->pid);
	add(t, "%s", w->dead ? " zombie" : w->stopped ? " stopped" : "");
	add_family(t, w);
	if (w->dead)
		return;
	add_vfork(t, w);
}

/* What only the process itself or its maker changes, and costs more to read. */
static void describe_more(struct text *t, const struct who *w)
{
	if (w->dead)
		return;
	add_status(t, w);
	add_namespaces(t, w);
	add_cells(t, w);
	add_files(t, w);
	add_paths(t, w);
	add_sharing(t, w);
}

/* Does the operation name this actor? */
static bool named(const char *operation, int i)
{
	char name[8];
	size_t n = sprintf(name, " P%d", i);
	const char *at = operation;

	while ((at = strstr(at, name))) {
		at += n;
		if (*at < '0' || *at > '9')
			return true;
	}
	return false;
}

static void look_at(int i, bool closely)
{
	struct who *w = &who[i];
	struct text t = { .n = 0 };

	describe(&t, w);
	if (!closely && !strncmp(t.buf, w->last, t.n))
		return;
	describe_more(&t, w);
	if (!strcmp(t.buf, w->last))
		return;
	strcpy(w->last, t.buf);
	say("  P%d%s\n", i, t.buf);
}

/*
 * Writes down what has changed: of those that the operation names, or of all if
 * it is NULL, everything; of others the family.
 */
void look(const char *operation)
{
	for (int i = 0; i < MAX_ACTORS; i++)
		if (who[i].born)
			look_at(i, !operation || named(operation, i));
}
