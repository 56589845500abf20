// SPDX-License-Identifier: Apache-2.0
/* The text of an operation, and the command that it becomes. */
#include "interp.h"
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define NOBODY 31000	/* a number that nobody has, below every pid_max */

const char *cursor;

/* The next word of the line, or "". */
const char *word(void)
{
	static char w[32];
	size_t n = 0;

	while (*cursor == ' ')
		cursor++;
	while (*cursor && *cursor != ' ' && *cursor != '\n' && n < sizeof(w) - 1)
		w[n++] = *cursor++;
	w[n] = '\0';
	return w;
}

static long number(void)
{
	return strtol(word(), NULL, 0);
}

int actor_word(void)
{
	const char *w = word();
	int i = *w == 'P' ? atoi(w + 1) : -1;

	need(i >= 0 && i < MAX_ACTORS, "no such actor in the program");
	return i;
}

/* A pid as the viewer calls it: P3, I, or a number. */
static long pid_word(const struct who *viewer)
{
	const char *w = word();
	int n;

	if (*w == 'I')
		return viewer->depth == 1 ? 1 : NOBODY;
	if (*w != 'P')
		return strtol(w, NULL, 0);
	n = number_in(viewer, &who[atoi(w + 1) % MAX_ACTORS]);
	return n ? n : NOBODY;
}

static void cloneat_words(struct command *c, const struct who *by)
{
	const char *target = cursor;
	const struct who *seen = by;

	c->arg[0] = pid_word(by);
	while (*target == ' ')
		target++;
	if (*target == 'P' && who[atoi(target + 1) % MAX_ACTORS].born)
		seen = &who[atoi(target + 1) % MAX_ACTORS];
	c->arg[1] = pid_word(seen);
	if (c->arg[1] == NOBODY)	/* which stays nobody's */
		c->arg[1] = NOBODY + 1;
	c->at.word[0] = number();
	c->at.word[1] = number();
	c->at.size = number();
	c->at.fault = number() % FAULTS;
}

static const struct {
	const char *name;
	int nr, args;
	bool pid;	/* the first argument is a process */
	long first;	/* what goes before the arguments, or -1 */
} calls[] = {
	{ "exit", SYS_exit, 1, false, -1 },
	{ "exitgroup", SYS_exit_group, 1, false, -1 },
	{ "kill", SYS_kill, 2, true, -1 },
	{ "tkill", SYS_tkill, 2, true, -1 },
	{ "unshare", SYS_unshare, 1, false, -1 },
	{ "setsid", SYS_setsid, 0, false, -1 },
	{ "umask", SYS_umask, 1, false, -1 },
	{ "close", SYS_close, 1, false, -1 },
	{ "subreaper", SYS_prctl, 1, false, PR_SET_CHILD_SUBREAPER },
	{ "dumpable", SYS_prctl, 1, false, PR_SET_DUMPABLE },
	{ "bound", SYS_prctl, 1, false, PR_CAPBSET_DROP },
	{ "nnp", SYS_prctl, 1, false, PR_SET_NO_NEW_PRIVS },
	{ "keepcaps", SYS_prctl, 1, false, PR_SET_KEEPCAPS },
	{ "pdeath", SYS_prctl, 1, false, PR_SET_PDEATHSIG },
	{ "secure", SYS_prctl, 1, false, PR_SET_SECUREBITS },
	{ "slack", SYS_prctl, 1, false, PR_SET_TIMERSLACK },
	{ "thp", SYS_prctl, 1, false, PR_SET_THP_DISABLE },
	{ "tsc", SYS_prctl, 1, false, PR_SET_TSC },
	{ "mce", SYS_prctl, 2, false, PR_MCE_KILL },
	{ "ambient", SYS_prctl, 2, false, PR_CAP_AMBIENT },
	{ "persona", SYS_personality, 1, false, -1 },
	{ "nice", SYS_setpriority, 2, false, 0 },
	{ "ioprio", SYS_ioprio_set, 2, false, 1 },
	{ "resuid", SYS_setresuid, 3, false, -1 },
	{ "resgid", SYS_setresgid, 3, false, -1 },
	{ "fsuid", SYS_setfsuid, 1, false, -1 },
	{ "fchdir", SYS_fchdir, 1, false, -1 },
	{ "fcntl", SYS_fcntl, 3, false, -1 },
	{ "dup3", SYS_dup3, 3, false, -1 },
	{ "lseek", SYS_lseek, 3, false, -1 },
	{ "ftruncate", SYS_ftruncate, 2, false, -1 },
	{ "mmap", SYS_mmap, 6, false, -1 },
	{ "munmap", SYS_munmap, 2, false, -1 },
	{ "mprotect", SYS_mprotect, 3, false, -1 },
	{ "madvise", SYS_madvise, 3, false, -1 },
	{ "mlock", SYS_mlock2, 3, false, -1 },
	{ "mremap", SYS_mremap, 5, false, -1 },
	{ "mlockall", SYS_mlockall, 1, false, -1 },
};

static bool call_words(struct command *c, const char *op, const struct who *by)
{
	for (size_t k = 0; k < sizeof(calls) / sizeof(calls[0]); k++) {
		int n = 0;

		if (strcmp(op, calls[k].name))
			continue;
		c->kind = DO_SYSCALL;
		c->arg[n++] = calls[k].nr;
		if (calls[k].first >= 0)
			c->arg[n++] = calls[k].first;
		for (int i = 0; i < calls[k].args; i++)
			c->arg[n++] = !i && calls[k].pid ? pid_word(by) : number();
		return true;
	}
	return false;
}

static const struct {
	const char *name;
	enum kind kind;
	int args;
	bool pid;
} own[] = {
	{ "exec", DO_EXEC, 0, false },
	{ "wait", DO_WAIT, 1, true },
	{ "write", DO_WRITE, 2, false },
	{ "open", DO_OPEN, 2, false },
	{ "setid", DO_SETID, 1, false },
	{ "caps", DO_CAPS, 1, false },
	{ "signal", DO_SIGNAL, 2, false },
	{ "block", DO_BLOCK, 1, false },
	{ "setns", DO_SETNS, 2, true },
	{ "rlimit", DO_RLIMIT, 2, false },
	{ "softlimit", DO_SOFTLIMIT, 2, false },
	{ "sched", DO_SCHED, 4, false },
	{ "altstack", DO_ALTSTACK, 3, false },
	{ "capsets", DO_CAPSETS, 3, false },
	{ "filter", DO_FILTER, 2, false },
	{ "keyring", DO_KEYRING, 1, false },
	{ "timer", DO_TIMER, 1, false },
	{ "path", DO_PATH, 2, false },
	{ "mount", DO_MOUNT, 1, false },
	{ "oom", DO_OOM, 1, false },
	{ "idmap", DO_IDMAP, 0, false },
	{ "comm", DO_COMM, 1, false },
	{ "poke", DO_POKE, 2, false },
	{ "sem", DO_SEM, 1, false },
	{ "shm", DO_SHM, 3, false },
	{ "brk", DO_BRK, 1, false },
	{ "lock", DO_LOCK, 3, false },
};

static bool own_words(struct command *c, const char *op, const struct who *by)
{
	for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++) {
		if (strcmp(op, own[k].name))
			continue;
		c->kind = own[k].kind;
		for (int i = 0; i < own[k].args; i++)
			c->arg[i] = !i && own[k].pid ? pid_word(by) : number();
		if (planted && c->kind == DO_WRITE)
			c->arg[1]++;
		return true;
	}
	return false;
}

/* Reads the operation's arguments: true if it is one. */
bool read_words(struct command *c, const char *op, const struct who *by)
{
	if (!strcmp(op, "clone")) {
		c->kind = DO_CLONE;
		c->child = actor_word();
		c->arg[0] = number();
		return true;
	}
	if (!strcmp(op, "clone3")) {
		c->kind = DO_CLONE3;
		c->child = actor_word();
		for (int i = 0; i < 3; i++)
			c->arg[i] = number();
		if (by->depth < 2)	/* the next is outside: others' */
			c->arg[2] = 0;
		return true;
	}
	if (!strcmp(op, "killpg")) {
		c->kind = DO_SYSCALL;
		c->arg[0] = SYS_kill;
		c->arg[1] = -pid_word(by);
		c->arg[2] = number();
		return true;
	}
	if (!strcmp(op, "cloneat")) {
		c->kind = DO_CLONEAT;
		c->child = actor_word();
		cloneat_words(c, by);
		return true;
	}
	if (!strcmp(op, "setpgid")) {
		c->kind = DO_SYSCALL;
		c->arg[0] = SYS_setpgid;
		c->arg[1] = pid_word(by);
		c->arg[2] = pid_word(by);
		return true;
	}
	return call_words(c, op, by) || own_words(c, op, by);
}
