// SPDX-License-Identifier: Apache-2.0
/* The text of one child, and reading files under /proc/self into it. */
#include "eye.h"
#include <asm/unistd.h>
#include <fcntl.h>

int which_child;

static char *put(size_t n)
{
	if (board->len[which_child] + n > TEXT_SIZE) {
		board->lost[which_child]++;
		return NULL;
	}
	board->len[which_child] += n;
	return board->text[which_child] + board->len[which_child] - n;
}

static void put_text(const char *s, size_t n)
{
	char *to = put(n);

	if (to)
		memcpy(to, s, n);
}

static void put_formed(const char *format, va_list ap)
{
	char buf[2048];

	put_text(buf, vform(buf, sizeof(buf), format, ap));
}

void key(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put_formed(format, ap);
	va_end(ap);
	put_text("\t", 1);
}

void value(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put_formed(format, ap);
	va_end(ap);
}

void value_bytes(const void *p, size_t n)
{
	const unsigned char *s = p;

	for (; n; n--, s++) {
		if (*s >= ' ' && *s < 127)
			put_text((const char *)s, 1);
		else
			value("\\%x.", (unsigned long)*s);
	}
}

void value_hex(const void *p, size_t n)
{
	const unsigned char *s = p;

	for (; n; n--, s++)
		value("%s%x", *s < 16 ? "0" : "", (unsigned long)*s);
}

void end(void)
{
	put_text("\n", 1);
}

int open_self(const char *name, int flags)
{
	char path[300];

	form(path, sizeof(path), "self/%s", name);
	return sys(__NR_openat, PROC_FD, path, flags | O_CLOEXEC);
}

long slurp(const char *name, char *buf, size_t size)
{
	long fd = open_self(name, O_RDONLY), n, all = 0;

	if (fd < 0)
		return fd;
	while ((n = sys(__NR_read, fd, buf + all, size - 1 - all)) > 0)
		all += n;
	sys(__NR_close, fd);
	buf[all] = 0;
	return n < 0 ? n : all;
}

char *next_line(char **text)
{
	char *s = *text, *p = s;

	if (!*s)
		return NULL;
	while (*p && *p != '\n')
		p++;
	*text = *p ? p + 1 : p;
	*p = 0;
	return s;
}

struct dirent64 {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

void each_entry(int fd, void (*fn)(const char *name, void *arg), void *arg)
{
	char buf[4096];
	long n;

	while ((n = sys(__NR_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			struct dirent64 *d = (struct dirent64 *)(buf + at);

			fn(d->name, arg);
			at += d->reclen;
		}
	}
	sys(__NR_close, fd);
}
