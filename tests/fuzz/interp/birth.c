// SPDX-License-Identifier: Apache-2.0
/* Who is born says so, and is found in /proc. */
#include "interp.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Which thread of pid calls itself own? */
static void find_thread(struct who *w, int pid, int own)
{
	char path[32];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (atoi(e->d_name) <= 0)
			continue;
		identify(w, pid, atoi(e->d_name));
		if (w->depth && w->num[w->depth - 1] == own)
			break;
	}
	if (d)
		closedir(d);
}

void meet(int i)
{
	struct who *w = &who[i];
	struct answer a;
	int pid = hear(i, &a);

	find_thread(w, pid, a.tid);
	w->born = true;
	w->vfork_child = -1;
	w->pidfd = syscall(SYS_pidfd_open, pid, 0);
}

void first_actor(void)
{
	char *argv[] = { "interp", "--actor", "0", NULL }, *env[] = { NULL };
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (!pid) {
		syscall(SYS_execveat, EXE_FD, "", argv, env, AT_EMPTY_PATH);
		_exit(98);
	}
	meet(0);
}
