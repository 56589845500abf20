// SPDX-License-Identifier: Apache-2.0
/* Strings without a C library. */
#include "eye.h"
#include <asm/unistd.h>

size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int str_eq(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

int starts(const char *s, const char *with)
{
	while (*with)
		if (*s++ != *with++)
			return 0;
	return 1;
}

long number(const char *s)
{
	long n = 0;

	while (*s >= '0' && *s <= '9')
		n = n * 10 + *s++ - '0';
	return n;
}

void *memcpy(void *to, const void *from, size_t n)
{
	void *ret = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return ret;
}

void *memset(void *to, int c, size_t n)
{
	void *ret = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return ret;
}

static size_t put_number(char *to, unsigned long v, unsigned int base)
{
	char digits[24];
	size_t n = 0, i;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	for (i = 0; i < n; i++)
		to[i] = digits[n - 1 - i];
	return n;
}

/* One conversion; at most 24 bytes but for strings, which are cut to @room. */
static size_t convert(char *to, size_t room, char how, va_list *ap)
{
	const char *s;
	size_t n;
	long v;

	switch (how) {
	case 's':
		s = va_arg(*ap, const char *);
		n = str_len(s);
		n = n < room ? n : room;
		memcpy(to, s, n);
		return n;
	case 'd':
		v = va_arg(*ap, long);
		if (v >= 0)
			return put_number(to, v, 10);
		*to = '-';
		return 1 + put_number(to + 1, -(unsigned long)v, 10);
	case 'u':
		return put_number(to, va_arg(*ap, unsigned long), 10);
	case 'x':
		return put_number(to, va_arg(*ap, unsigned long), 16);
	}
	*to = how;
	return 1;
}

size_t vform(char *to, size_t size, const char *format, va_list ap)
{
	size_t n = 0;
	va_list copy;

	va_copy(copy, ap);
	for (; *format && n + 32 < size; format++) {
		if (*format != '%')
			to[n++] = *format;
		else
			n += convert(to + n, size - n - 1, *++format, &copy);
	}
	va_end(copy);
	to[n] = 0;
	return n;
}

size_t form(char *to, size_t size, const char *format, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, format);
	n = vform(to, size, format, ap);
	va_end(ap);
	return n;
}

void say(const char *format, ...)
{
	static char buf[8192];
	size_t n, at = 0;
	va_list ap;

	va_start(ap, format);
	n = vform(buf, sizeof(buf), format, ap);
	va_end(ap);
	while (at < n) {
		long w = sys(__NR_write, 1, buf + at, n - at);

		if (w <= 0)
			return;
		at += w;
	}
}
