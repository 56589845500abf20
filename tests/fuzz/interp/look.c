// SPDX-License-Identifier: Apache-2.0
/* Writes down what has changed. */
#include "interp.h"
#include <stdio.h>
#include <string.h>

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

/* Or a thread of the same process? */
static bool concerns(const char *operation, int i)
{
	for (int k = 0; k < MAX_ACTORS; k++)
		if (who[k].born && who[k].pid == who[i].pid && named(operation, k))
			return true;
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
 * Writes down what has changed: of those that the operation names and their
 * threads, or of all if it is NULL, everything; of others the family.
 */
void look(const char *operation)
{
	for (int i = 0; i < MAX_ACTORS; i++)
		if (who[i].born)
			look_at(i, !operation || concerns(operation, i));
}
