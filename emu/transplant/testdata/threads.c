// SPDX-License-Identifier: GPL-2.0
/*
 * threads: a caller whose other threads count in step: first[i], then
 * second[i], in pages far apart. At any instant the two differ by at most one.
 * Its child must be single-threaded, and hold what one instant held.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 3
#define STRIDE 512
#define ROOM (16 << 20)
static volatile uint64_t *first, *second;

static void *count(void *arg)
{
	long i = (long)arg * STRIDE;

	for (;;) {
		first[i]++;
		asm volatile("" ::: "memory");
		second[i]++;
	}
	return NULL;
}

static void *call(void *arg)
{
	char buf[8192];
	int fd, n;

	for (long i = 0; i < THREADS; i++)
		while (!second[i * STRIDE]) /* not yet running */
			sched_yield();
	dprintf(2, "thread %ld\n", syscall(SYS_gettid));
	dprintf(2, "target %d\n", (int)(long)arg);
	if (syscall(SYS_pause))
		exit(1);
	for (long i = 0; i < THREADS; i++) {
		uint64_t a = first[i * STRIDE], b = second[i * STRIDE];

		if (!a || a - b > 1) {
			dprintf(1, "torn: %llu %llu\n", (unsigned long long)a, (unsigned long long)b);
			_exit(1);
		}
	}
	fd = open("/proc/self/status", O_RDONLY);
	n = read(fd, buf, sizeof(buf) - 1);
	buf[n] = 0;
	dprintf(1, "%.10s", strstr(buf, "Threads:"));
	_exit(0);
}

int main(void)
{
	static char told[32];
	char *p = mmap(NULL, ROOM, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t t;
	pid_t target;

	memset(p, 1, ROOM);
	memset(p, 0, THREADS * STRIDE * 8);
	memset(p + ROOM - THREADS * STRIDE * 8, 0, THREADS * STRIDE * 8);
	second = (void *)p;
	first = (void *)(p + ROOM - THREADS * STRIDE * 8);
	sprintf(told, "x");
	target = fork();
	if (!target) {
		close(1);
		close(2);
		for (;;)
			pause();
	}
	for (long i = 0; i < THREADS; i++)
		pthread_create(&t, NULL, count, (void *)i);
	pthread_create(&t, NULL, call, (void *)(long)target);
	pthread_exit(NULL);
}
