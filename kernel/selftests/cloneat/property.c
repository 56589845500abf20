// SPDX-License-Identifier: GPL-2.0
/* Properties that are handed down: see property.h. */
#include "property.h"

static void put_theirs(const struct property *p, struct actor *t)
{
	if (p->put && p->kind != SELF)
		expect_eq(on(t, p->put, p->theirs), 0);
}

void play_property(void)
{
	const struct property *p = ct_arg();
	struct actor store, *t = target_of(p->kind, &store), k;
	long mine, theirs;

	if (p->put)
		expect_eq(on(&me, p->put, p->mine), 0);
	put_theirs(p, t);
	theirs = on(t, p->get);
	if (p->put && p->kind != SELF)
		expect_eq(theirs, p->theirs);
	mine = on(&me, p->get);
	if (p->put)
		expect_eq(mine, p->mine);
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	expect_eq(on(&k, p->get), mine);
	expect_eq(on(t, p->get), theirs);
	expect_eq(on(&me, p->get), mine);
}
