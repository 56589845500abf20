// A process with threads: the leader, argv[1] more that wait in pause(3), one that
// executes this program again when there is something to read, and one more that waits
// if argv[2] is given. It says its number of threads ("ready N"); the new program says
// "executed", and ends when its input does.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *wait_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void *execute(void *path)
{
	char c;

	if (read(0, &c, 1) == 1)
		execl(path, path, "again", NULL);
	_exit(1);
}

static void thread(void *(*f)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, f, arg))
		exit(2);
}

int main(int argc, char **argv)
{
	char c;

	if (!strcmp(argv[1], "again")) {
		printf("executed\n");
		fflush(stdout);
		return read(0, &c, 1);
	}
	for (int i = 0; i < atoi(argv[1]); i++)
		thread(wait_for_ever, NULL);
	thread(execute, argv[0]);
	if (argc > 2)
		thread(wait_for_ever, NULL);
	printf("ready\n");
	fflush(stdout);
	wait_for_ever(NULL);
}
