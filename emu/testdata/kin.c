// SPDX-License-Identifier: Apache-2.0
/*
 * Has children that are dead and of whose end it has not been told, and one of
 * whose end it has: writes the number of that one, and waits for its input's end.
 */
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void *thread(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* Its leader ends, and its thread lives. */
static void leaderless(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, NULL))
		_exit(1);
	pthread_exit(NULL);
}

static pid_t child(void (*run)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		run();
		_exit(0);
	}
	return pid;
}

static void forever(void)
{
	thread(NULL);
}

static void nothing(void)
{
}

static pid_t traced;
static int ready[2];

static void tracer(void)
{
	siginfo_t si;

	if (ptrace(PTRACE_SEIZE, traced, 0, 0) || kill(traced, SIGKILL) ||
	    waitid(P_PID, traced, &si, WEXITED | WNOWAIT) || write(ready[1], "", 1) != 1)
		_exit(1);
	forever();
}

int main(void)
{
	pid_t headless, held, ended;
	siginfo_t si;
	char c;

	headless = child(leaderless);
	traced = child(forever);
	if (pipe(ready))
		err(2, "pipe");
	held = child(tracer);
	ended = child(nothing);
	if (read(ready[0], &c, 1) != 1 || waitid(P_PID, ended, &si, WEXITED | WNOWAIT))
		err(2, "wait");
	printf("%d %d %d\n", headless, traced, ended);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	kill(headless, SIGKILL);
	kill(held, SIGKILL);
	return 0;
}
