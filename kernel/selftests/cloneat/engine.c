// SPDX-License-Identifier: GPL-2.0
/* Who makes children in each way: see engine.h. */
#include "engine.h"

struct actor s;

static const struct engine *played;	/* by a check without a table */

const struct engine *engine(void)
{
	return played ? played : ct_arg();
}

void play_engine(void)
{
	srand(getpid());
	engine()->play();
}

void play_one(struct engine e)
{
	static struct engine one;

	one = e;
	played = &one;
	play_engine();
}

/* The parent of the children. */
static struct actor *parent(void)
{
	return engine()->target == SELF_TARGET ? &a : &t;
}

void cast_target(void)
{
	if (engine()->target != SELF_TARGET)
		spawn(&a, &t, engine()->target);
}

void cast_engine(void)
{
	spawn(&me, &a, 0);
	cast_target();
}

void quit_target(void)
{
	if (engine()->target != SELF_TARGET)
		quit(&t, 0);
}

void call(void)
{
	cl_start(&a, parent()->pid, 0, engine()->flags);
}

void finish(void)
{
	expect_ok(cl_finish(&a, &k));
	expect(k.pid > 0);
}

void bury(void)
{
	expect_eq(end(&k, parent(), 3), EXITED(3));
}

bool unborn(void)
{
	return engine()->target != SELF_TARGET && !latest_child(t.pid);
}

long measure_call(void)
{
	long best = 1000000, start;

	for (int i = 0; i < 3; i++) {
		start = now_us();
		call();
		finish();
		start = now_us() - start;
		best = start < best ? start : best;
		bury();
	}
	return best;
}

void moment(long us)
{
	long until = now_us() + rand() % us;

	while (now_us() < until)
		;
}
