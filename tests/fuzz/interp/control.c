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

void need(bool ok, const char *what)
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

bool makes_child(const struct command *c)
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
