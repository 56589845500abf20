// SPDX-License-Identifier: Apache-2.0
/* Waits for what comes of an operation: an answer, or the reason for none. */
#include "interp.h"
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

bool makes_child(const struct command *c)
{
	return c->kind == DO_CLONE || c->kind == DO_CLONE3 ||
	       c->kind == DO_CLONEAT;
}

/* An array of four bytes ends before the second word. */
static uint32_t second_word(const struct at *at)
{
	bool third = at->fault == THIRD_WORD || at->fault == HIGH_WORD ||
		     at->fault == LONG_ARRAY;

	return at->size == 4 && !third ? 0 : at->word[1];
}

/* The classic flags of a birth, from wherever they are set. */
static uint32_t flags_of(const struct command *c)
{
	return c->kind == DO_CLONE || c->kind == DO_CLONE3 ? (uint32_t)c->arg[0] :
	       c->kind == DO_CLONEAT ? c->at.word[0] | second_word(&c->at) << 8 : 0;
}

bool wants_pidfd(const struct command *c)
{
	return c->kind == DO_CLONEAT && (flags_of(c) & 0x1000) &&
	       c->at.fault != BAD_POINTERS && c->at.fault != READ_ONLY;
}

static bool vforks(const struct command *c)
{
	return flags_of(c) & 0x4000;
}

static bool exits(const struct command *c)
{
	return c->kind == DO_SYSCALL &&
	       (c->arg[0] == SYS_exit || c->arg[0] == SYS_exit_group);
}

/*
 * There will be no answer soon.  A thread that executes gives up its number for
 * the leader's: that it is gone from /proc says nothing.
 */
static bool given_up(const struct who *w, const struct command *c)
{
	return strchr(c->kind == DO_EXEC ? "T" : "TEZX", read_stat(w).state);
}

/*
 * Until the actor has answered, or is on its way out, or stopped, or sleeps
 * until its vfork child is through.  True if there is an answer.
 */
bool await(int i, const struct command *c)
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
		if (given_up(&who[i], c))
			return readable(i);
	}
}

/* Who was told to exit is at least on its way. */
static void await_exit(const struct who *w)
{
	for (int round = 0; !strchr("EZX", read_stat(w).state); round++)
		pause_briefly(round);
}

/* The threads of who executes die, and it takes over the leader's number. */
static void executed(int i, int pid)
{
	identify(&who[i], pid, pid);
	who[i].released = true;
	for (int j = 0; j < MAX_ACTORS; j++) {
		if (j == i || !who[j].born || who[j].pid != pid)
			continue;
		who[j].dead = who[j].reaped = true;
		who[j].stat.state = 'X';
	}
}

bool stops(const struct command *c)
{
	return c->kind == DO_SYSCALL && c->arg[0] == SYS_kill && c->arg[2] == SIGSTOP;
}

/*
 * A thread that stops its own process answers before it stops, or after it goes
 * on: another thread may have the signal.  Both count as the latter.
 */
static bool answers_early(struct who *w, const struct command *c, long ret)
{
	if (!stops(c))
		return false;
	settle();
	w->early_ret = ret;
	return w->early = w->stopped;
}

/*
 * Who kills its own child may die of the exit signal before it answers, or just
 * after: no answer, either way.
 */
static bool died_of_it(struct who *w, const struct command *c)
{
	if (c->kind != DO_SYSCALL ||
	    (c->arg[0] != SYS_kill && c->arg[0] != SYS_tkill))
		return false;
	settle();
	return w->dead;
}

void run(int i, const struct command *c)
{
	struct answer a;
	int pid;

	if (vforks(c))
		who[i].vfork_child = c->child;
	tell(i, c);
	if (exits(c)) {
		await_exit(&who[i]);
		return;
	}
	who[i].owes = !await(i, c);
	if (!who[i].owes) {
		pid = hear(i, &a);
		who[i].owes = answers_early(&who[i], c, a.ret) ||
			      died_of_it(&who[i], c);
	}
	if (who[i].owes) {
		say(" -");
		return;
	}
	if (c->kind == DO_EXEC && a.ret >= 0)
		executed(i, pid);
	who[i].vfork_child = -1;
	if (makes_child(c) && a.ret > 0 && !who[c->child].born)
		meet(c->child);
	say_result(i, c, &a);
}

/* Takes the answer of who owed one, if it is there. */
static bool pays(int i, struct answer *a)
{
	struct who *w = &who[i];

	if (!w->owes || w->dead || w->stopped)
		return false;
	if (w->early) {
		w->early = false;
		a->ret = w->early_ret;
		return true;
	}
	if (!readable(i))
		return false;
	hear(i, a);
	return true;
}

/* The answer of who owed one is there when what it waited for has happened. */
void collect(void)
{
	struct answer a;

	for (int i = 0; i < MAX_ACTORS; i++) {
		struct who *w = &who[i];

		if (!pays(i, &a))
			continue;
		w->owes = false;
		w->vfork_child = -1;
		say("  P%d returns", i);
		say_number(i, a.ret);
		say("\n");
		settle();
	}
}
