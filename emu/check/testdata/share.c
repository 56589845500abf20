// SPDX-License-Identifier: GPL-2.0
/*
 * share FLAGS [bare]: clone a child with the given CLONE_* flags (hexadecimal,
 * without an exit signal), say its pid, and end both when stdin does.  The
 * parent has semaphores to undo, unless it is to be bare.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <unistd.h>

static char stack[64 * 1024] __attribute__((aligned(16)));

static int ready[2];

static int child(void *unused)
{
	(void)unused;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || write(ready[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* A semaphore with SEM_UNDO gives the caller an undo list to share. */
static int make_undo_list(void)
{
	struct sembuf up = { .sem_num = 0, .sem_op = 1, .sem_flg = SEM_UNDO };
	int id = semget(IPC_PRIVATE, 1, 0600);

	if (id < 0 || semop(id, &up, 1))
		return -1;
	return semctl(id, 0, IPC_RMID);
}

int main(int argc, char **argv)
{
	char c;
	int pid;

	if (argc < 2 || pipe(ready) || (argc == 2 && make_undo_list()))
		return 1;
	pid = clone(child, stack + sizeof(stack), strtoul(argv[1], NULL, 16) | SIGCHLD, NULL);
	if (pid < 0 || read(ready[0], &c, 1) != 1)
		return 1;
	printf("%d\n", pid);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	kill(pid, SIGKILL);
	return 0;
}
