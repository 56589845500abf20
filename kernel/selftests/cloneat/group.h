/* SPDX-License-Identifier: GPL-2.0 */
/* A control group for one target, and what it is in. */
#ifndef GROUP_H
#define GROUP_H

#include "actor.h"

/* A version 2 control group of its own for t, in a mount that only we see. */
void give_group(struct actor *t);
int in_group(const char *file, const char *text);
/* Its control group is frozen as a whole. */
void await_frozen(void);
/* t ends, and its group. */
void remove_group(struct actor *t);
/* The control groups of a process, as text. */
void groups_of(pid_t pid, char *text, size_t size);

#endif /* GROUP_H */
