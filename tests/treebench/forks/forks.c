// SPDX-License-Identifier: Apache-2.0
/*
 * The measure of make tree-bench: forks N processes that wait, kills and reaps
 * them. Prints the nanoseconds that this took.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 0, i;
	pid_t *pids = calloc(n + 1, sizeof(*pids));
	double start = now();

	if (n <= 0 || !pids)
		return 2;
	for (i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			for (;;)
				pause();
		}
		if (pids[i] < 0) {
			perror("fork");
			break;
		}
	}
	while (i-- > 0)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	printf("%.0f\n", now() - start);
	return 0;
}
