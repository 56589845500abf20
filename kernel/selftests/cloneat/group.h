/* SPDX-License-Identifier: GPL-2.0 */
/* Control groups: one for a target, what it is in, and where there are some. */
#ifndef GROUP_H
#define GROUP_H

#include "actor.h"

/* A version 2 control group of its own for t, in a mount that only we see. */
void give_group(struct actor *t);
/* One of version 1, which can be frozen: even who is killed stays so. */
void give_freezer(struct actor *t);
/* Freezes the group, or thaws it. */
void freeze(bool frozen);
int in_group(const char *file, const char *text);
/* Its control group is frozen as a whole. */
void await_frozen(void);
/* Who is left in the group leaves it, and it is removed. */
void leave_group(void);
/* t ends, and its group. */
void remove_group(struct actor *t);
/* The control groups of a process, as text. */
void groups_of(pid_t pid, char *text, size_t size);

/* A hierarchy of control groups that is mounted whole, with the controller. */
struct hierarchy {
	const char *controller;
	char path[200];
	bool unified;	/* version 2 */
};

/* Finds it; where there is none the check is skipped. */
void find_hierarchy(struct hierarchy *h);
/* A new one in the group `in`, until the check ends; where none can be made it is skipped. */
void new_group(const char *in, const char *prefix, char *path, size_t size);
/* The groups in path, of h, have the controller from now on. */
int divide_groups(const struct hierarchy *h, const char *path);

#endif /* GROUP_H */
