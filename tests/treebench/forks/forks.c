// SPDX-License-Identifier: Apache-2.0
/*
 * The measure of make tree-bench: forks N processes that wait, kills and reaps
 * them.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 0, i;
	pid_t *pids = calloc(n + 1, sizeof(*pids));
	int status = 0;

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
			status = 1;
			break;
		}
	}
	while (i-- > 0)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return status;
}
