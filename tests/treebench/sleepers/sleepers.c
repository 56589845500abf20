// SPDX-License-Identifier: Apache-2.0
/*
 * What tests/treebench/criu dumps: a tree of N processes, ten wide, that sleep.
 * It writes a line when all are there.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

/* Makes the children of number i of n: the parent of j is (j-2)/10+1. */
static void grow(long i, long n)
{
	long j, first = (i - 1) * 10 + 2;

	for (j = first; j < first + 10 && j <= n; j++) {
		switch (fork()) {
		case -1:
			_exit(1);
		case 0:
			grow(j, n);
			return;
		}
	}
}

int main(int argc, char **argv)
{
	long i, n = argc > 1 ? atol(argv[1]) : 0;
	pid_t root = getpid();
	int up[2];
	char c = 'x';

	/* Nothing but the tree is to be restored. */
	if (n <= 0 || close_range(3, ~0U, 0) || pipe(up))
		return 2;
	grow(1, n);
	if (write(up[1], &c, 1) != 1)
		return 1;
	for (i = 0; getpid() == root && i < n; i++)
		if (read(up[0], &c, 1) != 1)
			return 1;
	if (getpid() == root && write(1, "all\n", 4) != 4)
		return 1;
	close_range(0, ~0U, 0);
	for (;;)
		pause();
}
