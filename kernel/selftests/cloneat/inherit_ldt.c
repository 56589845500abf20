// SPDX-License-Identifier: GPL-2.0
/*
 * The local descriptor table comes from the caller, whoever the target is (see
 * property.h).
 */
#include "property.h"

#ifdef __x86_64__
#include <asm/ldt.h>

#define LDT_ENTRY 3

/* The base address of a segment in the local descriptor table; 0: there is none. */
static long get_ldt(struct msg *m)
{
	uint64_t table[LDT_ENTRY + 1] = { 0 }, d;
	long ret;

	(void)m;
	ret = ct_syscall3(SYS_modify_ldt, 0, table, sizeof(table));
	d = table[LDT_ENTRY];
	return ret < 0 ? ret : (long)((d >> 16 & 0xffffff) | (d >> 56) << 24);
}

static long put_ldt(struct msg *m)
{
	struct user_desc d = {
		.entry_number = LDT_ENTRY, .base_addr = m->arg[0], .limit = 0xfffff,
		.seg_32bit = 1, .limit_in_pages = 1, .useable = 1,
	};

	if (!m->arg[0])
		return 0;
	return ct_syscall3(SYS_modify_ldt, 0x11, &d, sizeof(d));
}

#define get_ldt_only get_ldt
#define put_ldt_only put_ldt
#define get_ldt_none get_ldt
#define put_ldt_none put_ldt

static void need_ldt(void)
{
	if (on(&me, get_ldt) == -ENOSYS)
		ct_skip("this kernel has no modify_ldt(2)");
}

static const struct property properties[] = {
	PROPERTY(ldt, "an entry of the local descriptor table", 0x12345000, 0x54321000),
	PROPERTY(ldt_only, "a local descriptor table of its own", 0x12345000, 0),
	PROPERTY(ldt_none, "no local descriptor table", 0, 0x54321000),
};

PLAY_TABLE(property, properties)
{
	need_ldt();
	play_property();
}

#define LDT_KINDS 64

/* Segments of every kind. */
static long put_ldt_kinds(struct msg *m)
{
	long ret = 0;

	(void)m;
	for (unsigned int i = 0; i < LDT_KINDS && !ret; i++) {
		struct user_desc d = {
			.entry_number = i, .base_addr = 0x87654321 + i,
			.limit = 0xabcde - i, .seg_32bit = 1,
			.contents = i & 1 ? 2 : 0, .read_exec_only = i >> 1,
			.limit_in_pages = i >> 2, .seg_not_present = i >> 3,
			.useable = i >> 4,
		};

		ret = ct_syscall3(SYS_modify_ldt, 0x11, &d, sizeof(d));
	}
	return ret;
}

static long get_ldt_kinds(struct msg *m)
{
	return ct_syscall3(SYS_modify_ldt, 0, m->buf, LDT_KINDS * 8);
}

PLAY(ldt_kinds, "segments of every kind in the local descriptor table")
{
	char mine[LDT_KINDS * 8];
	struct actor t, k;

	need_ldt();
	spawn(&me, &t, 0);
	expect_eq(on(&me, put_ldt_kinds), 0);
	expect_eq(on(&me, get_ldt_kinds), LDT_KINDS * 8);
	memcpy(mine, me.m.buf, sizeof(mine));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, get_ldt_kinds), LDT_KINDS * 8);
	expect(!memcmp(k.m.buf, mine, sizeof(mine)));
	expect_eq(on(&t, get_ldt_kinds), 0);
}

#endif /* __x86_64__ */
