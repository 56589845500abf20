// SPDX-License-Identifier: GPL-2.0
/*
 * Who is told: SIGCHLD goes to the target, to the caller never.
 *
 *	check (caller)
 *	  +-- target
 *	        +-- kid    made by the caller, a child of the target
 */
#include "scene.h"

/* check (SIGCHLD blocked) -> target (SIGCHLD blocked) -> kid */
static void listening(struct actor *t, struct actor *k)
{
	spawn(&me, t, 0);
	expect_eq(on(t, do_block), 0);
	expect_eq(on(&me, do_block), 0);
	expect_ok(cl(&me, k, t->pid, 0, 0));
}

PLAY(sigchld_exit, "the target gets SIGCHLD with pid, uid, status: CLD_EXITED")
{
	struct actor t, k;

	listening(&t, &k);
	quit(&k, 42);
	expect_eq(on(&t, do_wait_signal, SIGCHLD), SIGCHLD);
	expect_eq(siginfo_of(&t)->si_code, CLD_EXITED);
	expect_eq(siginfo_of(&t)->si_pid, k.pid);
	expect_eq(siginfo_of(&t)->si_uid, getuid());
	expect_eq(siginfo_of(&t)->si_status, 42);
}

PLAY(sigchld_kill, "a killed child: the target gets SIGCHLD, CLD_KILLED")
{
	struct actor t, k;

	listening(&t, &k);
	kill_end(k.pid);
	expect_eq(on(&t, do_wait_signal, SIGCHLD), SIGCHLD);
	expect_eq(siginfo_of(&t)->si_code, CLD_KILLED);
	expect_eq(siginfo_of(&t)->si_pid, k.pid);
	expect_eq(siginfo_of(&t)->si_status, SIGKILL);
}

PLAY(sigchld_stop, "a stopped child: the target gets SIGCHLD, CLD_STOPPED")
{
	struct actor t, k;

	listening(&t, &k);
	must(kill(k.pid, SIGSTOP));
	expect_eq(on(&t, do_wait_signal, SIGCHLD), SIGCHLD);
	expect_eq(siginfo_of(&t)->si_code, CLD_STOPPED);
	expect_eq(siginfo_of(&t)->si_pid, k.pid);
}

PLAY(sigchld_caller, "the caller gets no SIGCHLD for a child of a target")
{
	struct actor t, k;

	listening(&t, &k);
	quit(&k, 1);
	expect_eq(on(&t, do_wait_signal, SIGCHLD), SIGCHLD);
	expect_eq(on(&me, do_take_signal, SIGCHLD), -EAGAIN);
}

PLAY(sigchld_birth, "a call sends no signal to caller and target")
{
	struct actor t, k;

	listening(&t, &k);
	expect_eq(on(&t, do_take_signal, SIGCHLD), -EAGAIN);
	expect_eq(on(&me, do_take_signal, SIGCHLD), -EAGAIN);
}

PLAY(sigchld_self, "pid == the caller: the caller gets the SIGCHLD")
{
	struct actor k;

	expect_eq(on(&me, do_block), 0);
	expect_ok(cl(&me, &k, getpid(), 0, 0));
	quit(&k, 11);
	expect_eq(on(&me, do_wait_signal, SIGCHLD), SIGCHLD);
	expect_eq(siginfo_of(&me)->si_pid, k.pid);
	expect_eq(siginfo_of(&me)->si_status, 11);
}

PLAY(exit_signal_self, "to self any exit signal is sent, and wait needs __WALL")
{
	struct actor k;

	expect_eq(on(&me, do_block), 0);
	expect_ok(cl(&me, &k, getpid(), 0, SIGUSR1));
	quit(&k, 1);
	expect_eq(on(&me, do_wait_signal, SIGUSR1), SIGUSR1);
	expect_eq(siginfo_of(&me)->si_pid, k.pid);
	expect_eq(on(&me, do_take_signal, SIGCHLD), -EAGAIN);
	expect_eq(on(&me, do_wait4, k.pid, 0), -ECHILD);
	expect_eq(on(&me, do_wait4, k.pid, __WCLONE), k.pid);
}

PLAY(exit_signal_none, "to self no exit signal at all is allowed")
{
	struct actor k;

	expect_eq(on(&me, do_block), 0);
	expect_ok(cl(&me, &k, getpid(), 0, NOSIGNAL));
	quit(&k, 1);
	expect_eq(on(&me, do_take_signal, SIGCHLD), -EAGAIN);
	expect_eq(on(&me, do_wait4, k.pid, __WALL), k.pid);
}
