// SPDX-License-Identifier: Apache-2.0
/* Small files in /proc. */
#include "interp.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void path_of(const struct who *w, const char *file, char *path, size_t room)
{
	snprintf(path, room, "/proc/%d/task/%d/%s", w->pid, w->tid, file);
}

int open_of(const struct who *w, const char *file)
{
	char path[64];

	path_of(w, file, path, sizeof(path));
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Reads a file of /proc anew that is open already; NULL if there is nothing. */
char *again(int fd, char *buf, size_t room)
{
	ssize_t n = pread(fd, buf, room - 1, 0);

	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	return buf;
}

char *slurp(const struct who *w, const char *file, char *buf, size_t room)
{
	int fd = open_of(w, file);
	char *text = again(fd, buf, room);

	if (fd >= 0)
		close(fd);
	return text;
}

/* The rest of the line of /proc/PID/status that begins with key. */
const char *field(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? at + strlen(key) : "";
}

bool link_of(const struct who *w, const char *file, char *target, size_t room)
{
	char path[64];
	ssize_t n;

	path_of(w, file, path, sizeof(path));
	n = readlink(path, target, room - 1);
	target[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}
