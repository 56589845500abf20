// SPDX-License-Identifier: Apache-2.0
/* Each mapping: place, file, permissions, VmFlags, policy, a sum of contents. */
#include "eye.h"
#include <asm/unistd.h>
#include <fcntl.h>

#define PAGE 4096UL
#define CHUNK 64UL	/* pages read at a time */

static int mem_fd, pagemap_fd;

/* Our own memory, which either child changes. */
static int apart(unsigned long start)
{
	return start >= EYE_BASE && start < BOARD_BASE + (2UL << 30);
}

static int ours(unsigned long start)
{
	for (int i = 0; i < num_own; i++)
		if (start >= own_maps[i].start && start < own_maps[i].end)
			return 1;
	return 0;
}

static unsigned long sum_page(const unsigned long *p)
{
	unsigned long h = 0, any = 0;

	for (int i = 0; i < 512; i++) {
		h = (h ^ p[i]) * 0x9e3779b97f4a7c15UL;
		h ^= h >> 29;
		any |= p[i];
	}
	return any ? h | 1 : 0;
}

struct sum { unsigned long all, pages, holes; };

static void add_page(struct sum *s, unsigned long at, const unsigned long *p)
{
	unsigned long h = sum_page(p);

	if (!h)
		return;
	s->pages++;
	s->all += (h ^ at) * 0xff51afd7ed558ccdUL;
}

/* A page that cannot be read counts as a hole. */
static void add_pages(struct sum *s, unsigned long at, unsigned long n)
{
	static unsigned long buf[CHUNK * 512];
	long got = sys(__NR_pread64, mem_fd, buf, n * PAGE, at), pages = got > 0 ? got / PAGE : 0;

	for (long i = 0; i < pages; i++)
		add_page(s, at + i * PAGE, buf + i * 512);
	if ((unsigned long)pages == n)
		return;
	s->holes++;
	s->all += (at + pages * PAGE) * 0xc4ceb9fe1a85ec53UL;
	if (n > (unsigned long)pages + 1)
		add_pages(s, at + (pages + 1) * PAGE, n - pages - 1);
}

/* Pages of anonymous memory that nobody touched are zeroes, and left alone. */
static void sum_mapping(struct sum *s, unsigned long start, unsigned long end, int anonymous)
{
	static unsigned long entry[CHUNK];

	for (unsigned long at = start; at < end; at += CHUNK * PAGE) {
		unsigned long n = (end - at) / PAGE, any = !anonymous;

		n = n < CHUNK ? n : CHUNK;
		if (anonymous && sys(__NR_pread64, pagemap_fd, entry, n * 8, at / PAGE * 8) == (long)n * 8)
			for (unsigned long i = 0; i < n; i++)
				any |= entry[i] >> 58;	/* present, swapped, file, guard */
		if (any)
			add_pages(s, at, n);
	}
}

static unsigned long hex(char **p)
{
	unsigned long v = 0;

	for (;; (*p)++) {
		char c = **p;

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (c - 'a' + 10);
		else
			return v;
	}
}

static int torn;	/* counters of busy threads seen at two instants */

/* In an instant's picture a thread is somewhere between two rounds. */
static int is_torn(const struct counters *c)
{
	unsigned long first = c->page[0][0], behind;
	int bad = 0, changes = 0;

	for (int i = 1; i < COUNTERS; i++) {
		behind = c->page[i - 1][0] - c->page[i][0];
		bad |= behind > 1;
		changes += behind;
	}
	return bad || changes > 1 || first < 1;
}

static void contents(unsigned long start, unsigned long end_at, const char *rest)
{
	struct sum s = { 0 };
	const char *p = rest;

	if (start == COUNTERS_BASE)
		for (const struct counters *c = (void *)start; (unsigned long)c < end_at; c++)
			torn |= is_torn(c);
	if (apart(start) || (options & OPT_OWN_ONLY && !ours(start)))
		return;
	for (int blanks = 0; *p && blanks < 3; p++)	/* offset, device */
		blanks += *p == ' ';
	sum_mapping(&s, start, end_at, rest[4] == 'p' && *p == '0' && p[1] == ' ');
	value(" sum %x pages %d holes %d", s.all, (long)s.pages, (long)s.holes);
}

static void look_smaps(void)
{
	static const char *const kept[] = {
		"KernelPageSize", "MMUPageSize", "Locked", "THPeligible", "ProtectionKey", "VmFlags",
	};
	char *text = big_buf, *l;
	int open = 0;

	slurp("smaps", big_buf, BUF_SIZE);
	while ((l = next_line(&text))) {
		char *p = l;
		unsigned long from = hex(&p), to;

		if (p > l && *p == '-') {
			p++;
			to = hex(&p);
			if (open)
				end();
			key("map.%x", from), value("%x%s", to, p);
			contents(from, to, p);
			open = 1;
			continue;
		}
		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			if (starts(l, kept[i]))
				value("|%s", l);
	}
	if (open)
		end();
}

/* Address and policy only: the rest counts pages. */
static void look_policies(void)
{
	char *text = big_buf, *l;

	if (slurp("numa_maps", big_buf, BUF_SIZE) < 0)
		return;
	while ((l = next_line(&text))) {
		char *p = l;

		for (int blanks = 0; *p && (blanks += *p == ' ') < 2; p++)
			;
		*p = 0;
		key("mempolicy.%s", l), end();
	}
}

void look_memory(void)
{
	line("mem.brk", "%x", sys(__NR_brk, 0));
	mem_fd = open_self("mem", O_RDONLY);
	pagemap_fd = open_self("pagemap", O_RDONLY);
	look_policies();
	look_smaps();
	line("mem.torn", "%d", (long)torn);
	sys(__NR_close, mem_fd);
	sys(__NR_close, pagemap_fd);
}
