// SPDX-License-Identifier: Apache-2.0
/* The lines in which the texts of the two children differ. */
#include "eye.h"

static const char *line_end(const char *p, const char *stop)
{
	while (p < stop && *p != '\n')
		p++;
	return p;
}

static const char *tab(const char *p, const char *stop)
{
	while (p < stop && *p != '\t')
		p++;
	return p;
}

static int same(const char *a, size_t n, const char *b, size_t m)
{
	if (n != m)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

/* The line with that key, from a place on; NULL if there is none. */
static const char *find(const char *k, size_t n, const char *from, const char *stop)
{
	while (from < stop) {
		const char *e = line_end(from, stop), *t = tab(from, e);

		if (same(k, n, from, t - from))
			return from;
		from = e + 1;
	}
	return NULL;
}

static void tell(const char *p, const char *e)
{
	char buf[800];
	size_t n = e - p;

	n = n < sizeof(buf) - 1 ? n : sizeof(buf) - 1;
	memcpy(buf, p, n);
	buf[n] = 0;
	say("%s", buf);
}

/* One difference: the key, then what either child has ("-": no such line). */
static void tell_both(const char *a, const char *ae, const char *b, const char *be)
{
	const char *p = a ? a : b, *e = a ? ae : be, *t = tab(p, e);

	say("diff\t");
	tell(p, t);
	say("\t");
	a ? tell(tab(a, ae) + 1, ae) : tell("-", "-" + 1);
	say("\t");
	b ? tell(tab(b, be) + 1, be) : tell("-", "-" + 1);
	say("\n");
}

static void dump(int which)
{
	const char *p = board->text[which], *stop = p + board->len[which], *e;

	for (; p < stop; p = e + 1) {
		e = line_end(p, stop);
		say("text%d\t", (long)which);
		tell(p, e);
		say("\n");
	}
}

void print_differences(void)
{
	const char *a = board->text[0], *as = a + board->len[0];
	const char *b = board->text[1], *bs = b + board->len[1];
	long keys = 0;

	if (options & OPT_DUMP)
		dump(0), dump(1);
	while (a < as || b < bs) {
		const char *ae = line_end(a, as), *be = line_end(b, bs), *t = tab(a, ae), *f;

		keys++;
		if (same(a, ae - a, b, be - b)) {
			a = ae + 1, b = be + 1;
		} else if (a < as && b < bs && same(a, t - a, b, tab(b, be) - b)) {
			tell_both(a, ae, b, be);
			a = ae + 1, b = be + 1;
		} else {
			f = a < as ? find(a, t - a, b, bs) : bs;
			for (; f && b < f; b = be + 1)
				be = line_end(b, bs), tell_both(NULL, NULL, b, be);
			if (!f)
				tell_both(a, ae, NULL, NULL), a = ae + 1;
		}
	}
	say("keys %d lost %d\n", keys, (long)board->lost[0] + board->lost[1]);
}
