// SPDX-License-Identifier: GPL-2.0
/*
 * A child that is killed while it is made, or a moment later, leaves nothing
 * where it shares its memory or its descriptors with caller and target.
 *
 *	init of a pid namespace, calls
 *	  +-- target, sharing with it
 *	  |     +-- child, by the same number every time
 *	  +-- killer of that number, again and again
 */
#include "cloneat_test.h"
#include <dirent.h>
#include <time.h>

#define ROUNDS 60

static const struct shared_row {
	const char *name;
	const char *verdict;
	unsigned int word0;
} rows[] = {
	{ "vm", "CLONE_VM: no mapping is left", CLONE_VM },
	{ "files", "CLONE_FILES: no descriptor is left", CLONE_FILES },
	{ "vm_files", "CLONE_VM | CLONE_FILES: nothing is left",
	  CLONE_VM | CLONE_FILES },
};

static long mappings(void)
{
	long n = 0;
	FILE *f = fopen("/proc/self/maps", "r");
	int c;

	expect(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

static long descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	long n = 0;

	expect(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static long wait_for_it(void *arg)
{
	(void)arg;
	for (;;)
		ct_syscall3(SYS_pause, 0, 0, 0);
	return 0;
}

/* At all moments of a call: some are as short as this, none much longer. */
static pid_t start_killer(pid_t victim)
{
	pid_t pid = must(fork());

	while (pid == 0) {
		const struct timespec ts = { .tv_nsec = rand() % 1500 * 1000 };

		nanosleep(&ts, NULL);
		kill(victim, SIGKILL);
	}
	return pid;
}

static void killed_inside(void *arg)
{
	const struct shared_row *row = arg;
	long maps, fds, pid;
	struct ct_args args;
	pid_t hint, killer;
	struct target t;

	target_clone(&t, row->word0);
	hint = free_pid();
	killer = start_killer(hint);
	ct_args(&args, row->word0 | SIGCHLD, 0);
	ct_stack(&args.a);
	mappings();
	descriptors();	/* what they allocate they keep */
	maps = mappings();
	fds = descriptors();
	for (int i = 0; i < ROUNDS; i++) {
		pid = cloneat_call(t.pid, hint, &args.a, wait_for_it, NULL);
		if (pid > 0)
			expect_ok(target_wait(&t, pid));
	}
	kill_reap(killer);
	expect_eq(descriptors(), fds);
	expect_eq(mappings(), maps);
	target_end(&t);
}

CHECK_TABLE(killed, rows)
{
	in_pidns(killed_inside, (void *)ct_arg());
}
