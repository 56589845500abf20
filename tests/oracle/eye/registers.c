// SPDX-License-Identifier: Apache-2.0
/*
 * A clone that is called with a pattern in every register, and what of it the
 * child finds: general registers, flags, x87 and its control words, MXCSR and
 * all of XSTATE; the bases of fs and gs and the thread's segments.
 */
#include "eye.h"
#include <asm/prctl.h>
#include <asm/unistd.h>
#include <cpuid.h>

struct gpr {
	unsigned long rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rsp;
	unsigned long eflags;
};

struct gpr seen;
struct xsave state_in, state_seen, state_before;
unsigned long saved_rsp, call_a, call_b, call_c, call_nr;
unsigned long xmask_in, xmask_all;

/* rdi..rdx are the call's; SYS_fork does not look at them. */
__asm__(".text\n"
	"call_patterned:\n"
	"push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
	"mov %rsp, saved_rsp(%rip)\n"
	"mov xmask_all(%rip), %rax\n mov xmask_all+4(%rip), %edx\n"
	"test %rax, %rax\n jz 1f\n"
	"xsave64 state_before(%rip)\n"
	"mov xmask_in(%rip), %rax\n mov xmask_in+4(%rip), %edx\n"
	"xrstor64 state_in(%rip)\n"
	"jmp 2f\n"
	"1: fxsave64 state_before(%rip)\n fxrstor64 state_in(%rip)\n"
	"2: mov call_a(%rip), %rdi\n mov call_b(%rip), %rsi\n mov call_c(%rip), %rdx\n"
	"movabs $0x1b1b1b1b00000001, %rbx\n"
	"movabs $0x1b1b1b1b00000002, %rbp\n"
	"movabs $0x1b1b1b1b00000003, %r8\n"
	"movabs $0x1b1b1b1b00000004, %r9\n"
	"movabs $0x1b1b1b1b00000005, %r10\n"
	"movabs $0x1b1b1b1b00000006, %r12\n"
	"movabs $0x1b1b1b1b00000007, %r13\n"
	"movabs $0x1b1b1b1b00000008, %r14\n"
	"movabs $0x1b1b1b1b00000009, %r15\n"
	"mov call_nr(%rip), %rax\n"
	"std\n stc\n"
	"syscall\n"
	"mov %rax, seen+0(%rip)\n mov %rbx, seen+8(%rip)\n mov %rcx, seen+16(%rip)\n"
	"mov %rdx, seen+24(%rip)\n mov %rsi, seen+32(%rip)\n mov %rdi, seen+40(%rip)\n"
	"mov %rbp, seen+48(%rip)\n mov %r8, seen+56(%rip)\n mov %r9, seen+64(%rip)\n"
	"mov %r10, seen+72(%rip)\n mov %r11, seen+80(%rip)\n mov %r12, seen+88(%rip)\n"
	"mov %r13, seen+96(%rip)\n mov %r14, seen+104(%rip)\n mov %r15, seen+112(%rip)\n"
	"mov %rsp, seen+120(%rip)\n"
	"pushf\n pop %rax\n mov %rax, seen+128(%rip)\n"
	"cld\n"
	"mov xmask_all(%rip), %rax\n mov xmask_all+4(%rip), %edx\n"
	"test %rax, %rax\n jz 3f\n"
	"xsave64 state_seen(%rip)\n"
	"xrstor64 state_before(%rip)\n"
	"jmp 4f\n"
	"3: fxsave64 state_seen(%rip)\n fxrstor64 state_before(%rip)\n"
	"4: mov saved_rsp(%rip), %rsp\n"
	"pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
	"mov seen+0(%rip), %rax\n"
	"ret\n");
long call_patterned(void);

#define XCR0_KNOWN 0xe7UL	/* x87, SSE, AVX, opmask, ZMM; then PKRU */
#define XCR0_PKRU 0x200UL

static unsigned long xcr0(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return ((unsigned long)d << 32 | a) & (XCR0_KNOWN | XCR0_PKRU);
}

static void component(int i, unsigned int *offset, unsigned int *size)
{
	unsigned int c, d;

	__cpuid_count(0xd, i, *size, *offset, c, d);
}

/* The legacy area of fxsave(), see the processor's manual. */
static void pattern_legacy(void)
{
	uint8_t *p = state_in.byte;

	*(uint16_t *)p = 0x0c7f;		/* FCW: round to zero, 24 bits */
	*(uint16_t *)(p + 2) = 0x2800;		/* FSW: top of stack 5 */
	p[4] = 0xff;				/* FTW: all in use */
	*(uint32_t *)(p + 24) = 0xff80;		/* MXCSR: FZ, round to zero */
	for (int i = 0; i < 8; i++) {		/* a normal number each */
		for (int k = 0; k < 8; k++)
			p[32 + 16 * i + k] = 0x80 + i + k;
		*(uint16_t *)(p + 32 + 16 * i + 8) = 0x3fff + i;
	}
	for (int i = 0; i < 256; i++)
		p[160 + i] = i ^ 0x5a;
}

static void pattern_state(void)
{
	unsigned int offset, size;

	xmask_all = xcr0();
	xmask_in = xmask_all & XCR0_KNOWN;
	memset(&state_in, 0, sizeof(state_in));
	memset(&state_seen, 0, sizeof(state_seen));
	pattern_legacy();
	*(unsigned long *)(state_in.byte + 512) = xmask_in;
	for (int i = 2; i < 8; i++) {
		if (!(xmask_in >> i & 1))
			continue;
		component(i, &offset, &size);
		for (unsigned int k = 0; k < size; k++)
			state_in.byte[offset + k] = k * 7 + i;
	}
}

long clone_patterned(long nr, long a, long b, long c)
{
	pattern_state();
	call_nr = nr, call_a = a, call_b = b, call_c = c;
	return call_patterned();
}

static void look_state(void)
{
	unsigned int offset, size;

	key("regs.x87"), value_hex(state_seen.byte, 24), end();
	line("regs.mxcsr", "%x", (unsigned long)*(uint32_t *)(state_seen.byte + 24));
	key("regs.st"), value_hex(state_seen.byte + 32, 128), end();
	key("regs.xmm"), value_hex(state_seen.byte + 160, 256), end();
	if (!xmask_all)
		return;
	line("regs.xstate_bv", "%x", *(unsigned long *)(state_seen.byte + 512) & xmask_in);
	for (int i = 2; i < 10; i++) {
		if (!(xmask_all >> i & 1))
			continue;
		component(i, &offset, &size);
		key("regs.xstate.%d", (long)i);
		value_hex(state_seen.byte + offset, size), end();
	}
}

static void look_bases(void)
{
	static const struct { const char *name; int code; } codes[] = {
		{ "fs", ARCH_GET_FS }, { "gs", ARCH_GET_GS }, { "untag", 0x4001 },
		{ "shstk", 0x5005 }, { "xcomp", 0x1022 }, { "xcomp_guest", 0x1024 },
	};
	unsigned int desc[4];
	unsigned short sel;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		unsigned long v = 0;
		long ret = sys(__NR_arch_prctl, codes[i].code, &v);

		key("regs.%s", codes[i].name), value("%x %d", v, ret), end();
	}
	line("regs.cpuid_fault", "%d", sys(__NR_arch_prctl, ARCH_GET_CPUID));
	for (unsigned int i = 12; i < 15; i++) {
		desc[0] = i;
		key("regs.tls_segment.%d", (long)i);
		value("%d ", sys(__NR_get_thread_area, desc));
		value_hex(desc, sizeof(desc)), end();
	}
#define SEGMENT(r)							\
	__asm__("mov %%" #r ", %0" : "=r"(sel));			\
	line("regs.segment." #r, "%x", (unsigned long)sel)
	SEGMENT(ds);
	SEGMENT(es);
	SEGMENT(fs);
	SEGMENT(gs);
	SEGMENT(cs);
	SEGMENT(ss);
}

void look_registers(void)
{
	static const char names[][4] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10",
		"r11", "r12", "r13", "r14", "r15", "rsp", "efl",
	};

	for (int i = 0; i < 17; i++) {
		key("regs.%s", names[i]);
		value("%x", ((unsigned long *)&seen)[i]), end();
	}
	look_state();
	look_bases();
}
