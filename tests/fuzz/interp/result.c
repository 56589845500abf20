// SPDX-License-Identifier: Apache-2.0
/* What an operation returned, in words. */
#include "interp.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char *error(long ret)
{
	const char *name = strerrorname_np(-ret);

	return name ? name : "E?";
}

/* A number as actor i calls it. */
void say_number(int i, long number)
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

/* Its result is a number, too. */
static bool is_setsid(const struct command *c)
{
	return c->kind == DO_SYSCALL && c->arg[0] == SYS_setsid;
}

void say_result(int i, const struct command *c, const struct answer *a)
{
	if (a->ret < 0)
		say(" %s", error(a->ret));
	else if (makes_child(c) || is_setsid(c))
		say_number(i, a->ret);
	else if (c->kind == DO_WAIT && a->ret > 0)
		say_number(i, a->ret), say_status(a->extra);
	else
		say(" %ld", a->ret);
	if (wants_pidfd(c) && a->ret > 0)
		check_pidfd(i, a->extra);
}

/* The descriptor of the child that the caller was given: right, and closed. */
void check_pidfd(int i, int fd)
{
	struct command close_it = { .kind = DO_SYSCALL, .arg = { SYS_close, fd } };
	char file[32], buf[512], name[16] = "nobody";
	struct answer a;

	snprintf(file, sizeof(file), "fdinfo/%d", fd);
	if (slurp(&who[i], file, buf, sizeof(buf)))
		name_of(&who[MAX_ACTORS], atoi(field(buf, "\nPid:")), name,
			sizeof(name));
	say(" pidfd %d of %s", fd, name);
	tell(i, &close_it);
	if (await(i, &close_it))
		hear(i, &a);
}
