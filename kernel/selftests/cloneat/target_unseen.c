// SPDX-License-Identifier: GPL-2.0
/*
 * Who shares files or memory with caller and target: nothing is there for a
 * moment that a child did not bring.
 *
 *	check  <-- calls
 *	  +-- target, sharing files or memory with the check
 *	        +-- child of the call
 */
#include "target.h"
#include <dirent.h>

static int sockets(pid_t pid)
{
	char path[300], link[64];
	struct dirent *e;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, e->d_name);
		if (readlink(path, link, sizeof(link)) > 0)
			n += !strncmp(link, "socket:", 7);
	}
	if (d)
		closedir(d);
	return n;
}

/* User-mode Linux has one of its own. */
static int written_code(pid_t pid)
{
	char line[300];
	int n = 0;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/maps", pid);
	f = fopen(line, "r");
	while (f && fgets(line, sizeof(line), f))
		n += !!strstr(line, " rwxp ");
	if (f)
		fclose(f);
	return n;
}

/* A process that shares nothing looks at the target all the time. */
static void expect_unseen(unsigned int flags, int (*sees)(pid_t))
{
	struct target t;
	pid_t watcher;
	int before;

	target_clone(&t, flags);
	before = sees(t.pid);
	slot_set(0, 0);
	watcher = must(fork());
	while (watcher == 0)
		if (sees(t.pid) > before)
			slot_set(0, 1);
	for (int i = 0; i < 50 && !ct_slot[0]; i++)
		expect_below(&t, flags, 0, ct_return, (void *)5);
	kill_reap(watcher);
	expect_eq(ct_slot[0], 0);
	target_end(&t);
}

CHECK_DOCUMENTED(files_unseen,
		 "CLONE_FILES: nothing is opened in the table for a moment",
		 "the child gets files by a socket of its own")
{
	expect_unseen(CLONE_FILES, sockets);
}

CHECK_DOCUMENTED(vm_unseen,
		 "CLONE_VM: nothing is mapped for a moment",
		 "the child's calls run in memory of its own")
{
	expect_unseen(CLONE_VM, written_code);
}
