// SPDX-License-Identifier: Apache-2.0
/* The controller of one program: reads operations, has them carried out. */
#include "interp.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 31000	/* a number that nobody has, below every pid_max */

static char *output;
static size_t room;

void say(const char *format, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, format);
	n = vsnprintf(output, room, format, ap);
	va_end(ap);
	if (n >= room)
		_exit(3);
	output += n;
	room -= n;
}

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	say("controller: %s: %s\n", what, strerror(errno));
	_exit(4);
}

/* --- channels ------------------------------------------------------------- */

static void make_channels(void)
{
	int sv[2], one = 1;

	for (int i = 0; i < MAX_ACTORS; i++) {
		need(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), "socketpair");
		need(dup2(sv[0], CHANNEL_FD + i) >= 0, "dup2");
		need(dup3(sv[1], CONTROL_FD + i, O_CLOEXEC) >= 0, "dup3");
		need(!setsockopt(CONTROL_FD + i, SOL_SOCKET, SO_PASSCRED, &one,
				 sizeof(one)), "SO_PASSCRED");
		close(sv[0]);
		close(sv[1]);
	}
}

static void tell(int i, const struct command *c)
{
	need(send(CONTROL_FD + i, c, sizeof(*c), 0) == sizeof(*c), "send");
}

/* Takes an answer and the sender's process id. */
static void hear(int i, struct answer *a, int *pid)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} c;
	struct iovec iov = { a, sizeof(*a) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c, .msg_controllen = sizeof(c) };
	struct cmsghdr *cm;
	struct ucred cred;

	need(recvmsg(CONTROL_FD + i, &h, 0) == sizeof(*a), "recvmsg");
	cm = CMSG_FIRSTHDR(&h);
	need(cm && cm->cmsg_type == SCM_CREDENTIALS, "credentials");
	memcpy(&cred, CMSG_DATA(cm), sizeof(cred));
	*pid = cred.pid;
}

static bool readable(int fd, int timeout)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, timeout) > 0;
}

/* --- births --------------------------------------------------------------- */

/* Which thread of pid calls itself own? */
static void find_thread(struct who *w, int pid, int own)
{
	char path[32];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (atoi(e->d_name) <= 0)
			continue;
		identify(w, pid, atoi(e->d_name));
		if (w->depth && w->num[w->depth - 1] == own)
			break;
	}
	if (d)
		closedir(d);
}

static void meet(int i)
{
	struct who *w = &who[i];
	struct answer a;
	int pid;

	hear(i, &a, &pid);
	find_thread(w, pid, a.tid);
	w->born = true;
	w->vfork_child = -1;
	if (w->pidfd > 0)
		close(w->pidfd);
	w->pidfd = syscall(SYS_pidfd_open, pid, 0);
}

static void first_actor(void)
{
	char *argv[] = { "interp", "--actor", "0", NULL }, *env[] = { NULL };
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (!pid) {
		syscall(SYS_execveat, EXE_FD, "", argv, env, AT_EMPTY_PATH);
		_exit(98);
	}
	meet(0);
}

/* --- the outcome of an operation ------------------------------------------ */

static const char *error(long ret)
{
	const char *name = strerrorname_np(-ret);

	return name ? name : "E?";
}

static void say_number(int i, long number)
{
	char name[16];

	name_of(&who[i], number, name, sizeof(name));
	say(" %s", name);
}

static void say_status(int status)
{
	if (WIFEXITED(status))
		say(" exit %d", WEXITSTATUS(status));
	else
		say(" signal %d", WTERMSIG(status));
}

static void say_result(int i, const struct command *c, const struct answer *a)
{
	if (a->ret < 0)
		say(" %s", error(a->ret));
	else if (c->kind == DO_CLONE || c->kind == DO_CLONEAT)
		say_number(i, a->ret);
	else if (c->kind == DO_WAIT && a->ret > 0)
		say_number(i, a->ret), say_status(a->extra);
	else
		say(" %ld", a->ret);
}

static bool makes_child(const struct command *c)
{
	return c->kind == DO_CLONE || c->kind == DO_CLONEAT;
}

static void executed(int i)
{
	int pid = who[i].pid;

	for (int j = 0; j < MAX_ACTORS; j++)
		if (j != i && who[j].born && who[j].pid == pid)
			who[j].dead = who[j].reaped = true;
}

/* The threads of who executes die, and it takes over the leader's number. */
static void hear_executed(int i, struct answer *a)
{
	int pid;

	hear(i, a, &pid);
	if (a->ret < 0)
		return;
	identify(&who[i], pid, pid);
	executed(i);
}

static bool is_stopped(const struct who *w)
{
	char path[64], buf[256], *paren;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", w->pid, w->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	paren = strrchr(buf, ')');
	return paren && paren[2] == 'T';
}

/*
 * Waits until the actor has answered, or has died, or stopped, or sleeps until
 * its vfork child is through.  True if there is an answer.
 */
static bool await(int i, const struct command *c)
{
	int child = makes_child(c) ? c->child : -1;
	struct pollfd p[3] = {
		{ CONTROL_FD + i, POLLIN, 0 },
		{ who[i].pidfd, POLLIN, 0 },
		{ child < 0 ? -1 : CONTROL_FD + child, POLLIN, 0 },
	};

	for (;;) {
		poll(p, 3, 5);
		if (p[2].revents && !who[child].born)
			meet(child);
		if (p[0].revents)
			return true;
		if (p[1].revents)
			return false;
		if (child >= 0 && who[child].born) {
			p[2].fd = -1;
			if (who[i].vfork_child == child)
				return false;
		}
		if (is_stopped(&who[i]))
			return readable(CONTROL_FD + i, 0);
	}
}

/* The answer of who owed one is there when what it waited for has happened. */
static void collect(void)
{
	struct answer a;
	int pid;

	for (int i = 0; i < MAX_ACTORS; i++) {
		struct who *w = &who[i];
		int kid = w->vfork_child;

		if (!w->owes || w->dead)
			continue;
		if (!readable(CONTROL_FD + i, kid >= 0 && who[kid].dead ? -1 : 0))
			continue;
		hear(i, &a, &pid);
		w->owes = false;
		w->vfork_child = -1;
		say("  P%d returns", i);
		say_number(i, a.ret);
		say("\n");
		settle();
	}
}

/* The descriptor of the child that the caller was given: right, and closed. */
static void check_pidfd(int i, int fd)
{
	struct command close_it = { .kind = DO_SYSCALL, .arg = { SYS_close, fd } };
	char path[64], line[128], name[16] = "nobody";
	struct answer a;
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fdinfo/%d", who[i].pid,
		 who[i].tid, fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "Pid:", 4))
			name_of(&who[MAX_ACTORS], atoi(line + 4), name, sizeof(name));
	if (f)
		fclose(f);
	say(" pidfd %d of %s", fd, name);
	tell(i, &close_it);
	if (await(i, &close_it))
		hear(i, &a, &pid);
}

static bool wants_pidfd(const struct command *c)
{
	uint32_t w = c->at.word[0] | c->at.word[1] << 8;

	return c->kind == DO_CLONEAT && (w & 0x1000) && c->at.fault != BAD_POINTERS;
}

static bool vforks(const struct command *c)
{
	uint32_t w = c->kind == DO_CLONE ? (uint32_t)c->arg[0] :
		     c->at.word[0] | c->at.word[1] << 8;

	return makes_child(c) && (w & 0x4000);
}

static void run(int i, const struct command *c)
{
	struct answer a;
	int pid;

	if (vforks(c))
		who[i].vfork_child = c->child;
	tell(i, c);
	if (!await(i, c)) {
		who[i].owes = true;
		say(" -");
		return;
	}
	if (c->kind == DO_EXEC)
		hear_executed(i, &a);
	else
		hear(i, &a, &pid);
	who[i].vfork_child = -1;
	if (makes_child(c) && a.ret > 0 && !who[c->child].born)
		meet(c->child);
	say_result(i, c, &a);
	if (wants_pidfd(c) && a.ret > 0)
		check_pidfd(i, a.extra);
}

/* --- the text of an operation --------------------------------------------- */

static const char *cursor;

/* The next word of the line, or "". */
static const char *word(void)
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

static int actor_word(void)
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
	{ "unshare", SYS_unshare, 1, false, -1 },
	{ "setsid", SYS_setsid, 0, false, -1 },
	{ "umask", SYS_umask, 1, false, -1 },
	{ "close", SYS_close, 1, false, -1 },
	{ "subreaper", SYS_prctl, 1, false, PR_SET_CHILD_SUBREAPER },
	{ "dumpable", SYS_prctl, 1, false, PR_SET_DUMPABLE },
	{ "bound", SYS_prctl, 1, false, PR_CAPBSET_DROP },
	{ "nnp", SYS_prctl, 1, false, PR_SET_NO_NEW_PRIVS },
	{ "keepcaps", SYS_prctl, 1, false, PR_SET_KEEPCAPS },
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
static bool read_words(struct command *c, const char *op, const struct who *by)
{
	if (!strcmp(op, "clone")) {
		c->kind = DO_CLONE;
		c->child = actor_word();
		c->arg[0] = number();
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

/* False if there is nothing to do. */
static bool operation(void)
{
	char op[32];
	struct command c = { 0 };
	int i;

	strcpy(op, word());
	i = actor_word();
	if (!who[i].born || who[i].dead || who[i].stopped || who[i].owes) {
		say(" skip");
		return false;
	}
	need(read_words(&c, op, &who[i]), op);
	if (makes_child(&c) && who[c.child].born) {
		say(" skip");
		return false;
	}
	if (c.kind == DO_SYSCALL && (c.arg[0] == SYS_exit || c.arg[0] == SYS_exit_group)) {
		tell(i, &c);
		await_exit(&who[i]);
	} else {
		run(i, &c);
	}
	return true;
}

/* Rights that not every machine has are dropped, so that all are alike. */
static void equal_rights(void)
{
	need(!prctl(PR_CAPBSET_DROP, 24 /* CAP_SYS_RESOURCE */), "CAPBSET_DROP");
	umask(022);
	chdir("/");
}

/* Line n of the program, which is not the first. */
static const char *line_of(const char *text, int n)
{
	static char line[128];

	while (n-- > 0)
		text = strchr(text, '\n') + 1;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
	return line;
}

void control(const char *text, char *out, size_t size)
{
	int line = 0;
	bool done;

	output = out;
	room = size;
	cursor = text;
	say("%.*s\n", (int)strcspn(text, "\n"), text);
	need(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	need(!mount("proc", "/proc", "proc", 0, NULL), "/proc");
	need(dup2(open("/proc/self/exe", O_RDONLY), EXE_FD) >= 0, "exe");
	close_range(3, EXE_FD - 1, 0);
	close_range(EXE_FD + 1, ~0U, 0);
	identify(&who[MAX_ACTORS], 1, 1);
	setsid();
	equal_rights();
	make_channels();
	first_actor();
	settle();
	look(NULL);
	while ((cursor = strchr(cursor, '\n')) && *++cursor) {
		say("#%d %.*s:", ++line, (int)strcspn(cursor, "\n"), cursor);
		done = operation();
		say("\n");
		if (!done)
			continue;
		settle();
		collect();
		look(line_of(text, line));
	}
	look(NULL);
	_exit(0);
}
