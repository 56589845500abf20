// SPDX-License-Identifier: Apache-2.0
/* The controller of one program: reads operations, has them carried out. */
#include "interp.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

static bool is_vfork_child(const struct who *w)
{
	for (int i = 0; i < MAX_ACTORS; i++) {
		const struct who *child = vfork_child_of(&who[i]);

		if (who[i].born && !who[i].dead && child && child->pid == w->pid)
			return true;
	}
	return false;
}

/*
 * The emulator traces a vfork child: when it is stopped, a tracing stop is all
 * that is to be seen, as at many moments at which it is not.
 */
static bool stops_vfork_child(const struct command *c, const struct who *by)
{
	if (!stops(c))
		return false;
	for (int i = 0; i < MAX_ACTORS; i++)
		if (who[i].born && !who[i].dead &&
		    number_in(by, &who[i]) == c->arg[1] &&
		    is_vfork_child(&who[i]))
			return true;
	return false;
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
	if ((makes_child(&c) && who[c.child].born) ||
	    stops_vfork_child(&c, &who[i])) {
		say(" skip");
		return false;
	}
	run(i, &c);
	return true;
}

static void equal_limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit r = { soft, hard };

	need(!setrlimit(resource, &r), "setrlimit");
}

/* What machines and their users differ in is made alike. */
static void equal_rights(void)
{
	equal_limit(RLIMIT_NPROC, 5000, 5000);
	equal_limit(RLIMIT_SIGPENDING, 5000, 5000);
	equal_limit(RLIMIT_NOFILE, 1024, 4096);
	equal_limit(RLIMIT_MEMLOCK, 1 << 23, 1 << 23);
	equal_limit(RLIMIT_STACK, 1 << 23, RLIM_INFINITY);
	equal_limit(RLIMIT_CORE, 0, RLIM_INFINITY);
	setpriority(PRIO_PROCESS, 0, 0);
	need(!prctl(PR_CAPBSET_DROP, 24 /* CAP_SYS_RESOURCE */), "CAPBSET_DROP");
	umask(022);
	chdir("/");
}

static void prepare(void)
{
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
	prepare();
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
