// SPDX-License-Identifier: Apache-2.0
/*
 * caller DIR OPTIONS TARGET...: one cell after the other, each in a process of
 * its own. DIR has eye.bin and the targets; OPTIONS are eye.h's, as a number,
 * after a comma the number of busy threads.
 */
#define _GNU_SOURCE
#include "../eye/eye.h"
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/wait.h>
#include <unistd.h>

/* The static program leaves it out where nothing refers to it. */
extern const ptrdiff_t __rseq_offset;
extern const unsigned int __rseq_size;

static long (*load(const char *programs))(const char *, const char *, unsigned long, long, long)
{
	char path[4096];
	void *at = mmap((void *)EYE_BASE, EYE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	int fd;

	snprintf(path, sizeof(path), "%s/eye.bin", programs);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || at != (void *)EYE_BASE || read(fd, at, EYE_SIZE) <= 0)
		err(1, "%s", path);
	close(fd);
	return at;
}

/*
 * Pages whose first words a thread counts up, one after the other, without
 * end. In a snapshot of one instant no word is less than the one behind it, nor
 * more than one more. The eye looks at the array by its name.
 */
static void *count(void *arg)
{
	struct counters *c = arg;

	for (unsigned long n = 1;; n++)
		for (int i = 0; i < COUNTERS; i++)
			__atomic_store_n(&c->page[i][0], n, __ATOMIC_SEQ_CST);
	return NULL;
}

static void start_threads(int n)
{
	size_t size = sizeof(struct counters) * n;
	struct counters *c = mmap((void *)COUNTERS_BASE, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	sigset_t all, old;
	pthread_t t;

	if (c != (void *)COUNTERS_BASE)
		err(1, "mmap");
	sigfillset(&all);	/* what the eye sends is for its own thread */
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (int i = 0; i < n; i++)
		if (pthread_create(&t, NULL, count, &c[i]))
			errx(1, "pthread_create");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	for (int i = 0; i < n; i++) {	/* until each has counted: see is_torn() */
		while (!__atomic_load_n(&c[i].page[COUNTERS - 1][0], __ATOMIC_SEQ_CST))
			usleep(100);
	}
}

static int cell(char **argv, const char *target)
{
	char *comma;
	unsigned long options = strtoul(argv[2], &comma, 0);
	long rseq = 0, size = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (__rseq_size) {
		rseq = (long)__builtin_thread_pointer() + __rseq_offset;
		size = 32;	/* what glibc registers, whatever it uses */
	}
	if (*comma == ',')
		start_threads(atoi(comma + 1));
	return load(argv[1])(target, argv[1], options, rseq, size);
}

int main(int argc, char **argv)
{
	int bad = 0, status;

	if (argc < 4)
		errx(2, "usage: caller DIR OPTIONS TARGET...");
	for (int i = 3; i < argc; i++) {
		printf("cell %s\n", argv[i]);
		fflush(stdout);
		if (fork() == 0)
			exit(cell(argv, argv[i]));
		if (wait(&status) < 0 || status) {
			printf("failed status %#x\n", status);
			bad = 1;
		}
	}
	return bad;
}
