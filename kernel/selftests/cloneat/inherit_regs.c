// SPDX-License-Identifier: GPL-2.0
/*
 * The child goes on with the caller's registers, but for the 0 in the result:
 * general, vector and floating point ones, control words and segment bases.
 * (x86-64: each register is filled with a value of its own before the call
 * and compared after it, in the caller and in the child.)
 */
#include "scene.h"

#ifdef __x86_64__

#include <asm/prctl.h>

#define NGPR 15		/* all but rsp; rax, rcx and r11 are the call's own */
#define NVEC 16
#define MY_GS 0x7000000000L	/* any user address */

enum { RBX, RBP, RSI, RDI, RDX, R8, R9, R10, R12, R13, R14, R15, RSP };

/* For the assembly below, which has no register left to point with. */
uint64_t regs_in[NGPR], regs_out[NGPR];
uint8_t vec_in[NVEC][32] __attribute__((aligned(32)));
uint8_t vec_out[NVEC][32] __attribute__((aligned(32)));
long double x87_out;
uint32_t mxcsr_in, mxcsr_out;
uint16_t x87cw_in, x87cw_out;
uint8_t carry_out;
uint64_t saved_rsp;

long call_with_regs(pid_t pid, pid_t hint, void *args, long avx);

__asm__(
"	.text\n"
"call_with_regs:\n"
"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n"
"	push %r14\n	push %r15\n	sub $24, %rsp\n"
"	mov %rcx, (%rsp)\n"
"	stmxcsr 8(%rsp)\n	fnstcw 12(%rsp)\n"
"	mov %rsp, regs_in+96(%rip)\n"
"	test %rcx, %rcx\n	jz 1f\n"
"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
"	vmovdqu vec_in+32*\\n(%rip), %ymm\\n\n"
"	.endr\n	jmp 2f\n"
"1:	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
"	movdqu vec_in+32*\\n(%rip), %xmm\\n\n"
"	.endr\n"
"2:	ldmxcsr mxcsr_in(%rip)\n	fldcw x87cw_in(%rip)\n"
"	fldpi\n"
"	mov regs_in(%rip), %rbx\n	mov regs_in+8(%rip), %rbp\n"
"	mov regs_in+40(%rip), %r8\n	mov regs_in+48(%rip), %r9\n"
"	mov regs_in+56(%rip), %r10\n	mov regs_in+64(%rip), %r12\n"
"	mov regs_in+72(%rip), %r13\n	mov regs_in+80(%rip), %r14\n"
"	mov regs_in+88(%rip), %r15\n"
"	mov %rsi, regs_in+16(%rip)\n	mov %rdi, regs_in+24(%rip)\n"
"	mov %rdx, regs_in+32(%rip)\n"
"	mov $511, %eax\n"
"	stc\n"
"	syscall\n"
"	setc carry_out(%rip)\n"
"	mov %rbx, regs_out(%rip)\n	mov %rbp, regs_out+8(%rip)\n"
"	mov %rsi, regs_out+16(%rip)\n	mov %rdi, regs_out+24(%rip)\n"
"	mov %rdx, regs_out+32(%rip)\n	mov %r8, regs_out+40(%rip)\n"
"	mov %r9, regs_out+48(%rip)\n	mov %r10, regs_out+56(%rip)\n"
"	mov %r12, regs_out+64(%rip)\n	mov %r13, regs_out+72(%rip)\n"
"	mov %r14, regs_out+80(%rip)\n	mov %r15, regs_out+88(%rip)\n"
"	mov %rsp, regs_out+96(%rip)\n"
"	fstpt x87_out(%rip)\n"
"	stmxcsr mxcsr_out(%rip)\n	fnstcw x87cw_out(%rip)\n"
"	mov (%rsp), %rcx\n"
"	test %rcx, %rcx\n	jz 3f\n"
"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
"	vmovdqu %ymm\\n, vec_out+32*\\n(%rip)\n"
"	.endr\n	vzeroupper\n	jmp 4f\n"
"3:	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
"	movdqu %xmm\\n, vec_out+32*\\n(%rip)\n"
"	.endr\n"
"4:	ldmxcsr 8(%rsp)\n	fldcw 12(%rsp)\n"
"	add $24, %rsp\n	pop %r15\n	pop %r14\n	pop %r13\n"
"	pop %r12\n	pop %rbp\n	pop %rbx\n	ret\n"
);

static void fill(bool avx)
{
	for (int i = 0; i < NGPR; i++)
		regs_in[i] = 0x1111111111111111UL * (i + 1) ^ 0xa5a5;
	for (int i = 0; i < NVEC; i++)
		for (int j = 0; j < (avx ? 32 : 16); j++)
			vec_in[i][j] = i * 16 + j + 1;
	mxcsr_in = 0x1f80 | 0x6000;	/* rounds towards zero */
	x87cw_in = 0x037f & ~0x0300;	/* single precision */
}

/* Bit i: register i differs. */
static long different_gpr(void)
{
	long bad = 0;

	for (int i = RBX; i <= RSP; i++)
		bad |= (long)(regs_in[i] != regs_out[i]) << i;
	return bad;
}

static long different_vec(int from, int to)
{
	long bad = 0;

	for (int i = 0; i < NVEC; i++)
		bad |= (long)!!memcmp(&vec_in[i][from], &vec_out[i][from],
				      to - from) << i;
	return bad;
}

static bool x87_is_pi(void)
{
	return x87_out > 3.1415926L && x87_out < 3.1415927L;
}

/* What a child and its caller found after the call. */
struct found {
	long gpr, sse, avx, carry, x87, mxcsr, x87cw;
};

static void find(struct found *f)
{
	f->gpr = different_gpr();
	f->sse = different_vec(0, 16);
	f->avx = different_vec(16, 32);
	f->carry = carry_out;
	f->x87 = x87_is_pi();
	f->mxcsr = mxcsr_out;
	f->x87cw = x87cw_out;
}

/* Shared by us and the child. */
static struct found *found;

static void call(enum kind kind)
{
	bool avx = __builtin_cpu_supports("avx");
	struct actor store, *t = target_of(kind, &store);
	struct ct_args args;
	long ret;

	found = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	expect(found != MAP_FAILED);
	fill(avx);
	ct_args(&args, SIGCHLD, 0);
	ret = expect_ok(call_with_regs(t->pid, 0, &args, avx));
	find(&found[ret ? 0 : 1]);
	if (!ret)
		ct_exit(0);
	expect_eq(on(t, do_wait4, ret, 0), ret);
	expect_eq(status_of(t), 0);
}

static void general(enum kind kind)
{
	call(kind);
	expect_eq(found[0].gpr, 0);
	expect_eq(found[1].gpr, 0);
}

static void flags(enum kind kind)
{
	call(kind);
	expect_eq(found[0].carry, 1);
	expect_eq(found[1].carry, 1);
}

static void sse(enum kind kind)
{
	call(kind);
	expect_eq(found[0].sse, 0);
	expect_eq(found[1].sse, 0);
}

static void avx(enum kind kind)
{
	if (!__builtin_cpu_supports("avx"))
		ct_skip("this processor has no AVX");
	call(kind);
	expect_eq(found[0].avx, 0);
	expect_eq(found[1].avx, 0);
}

static void x87(enum kind kind)
{
	call(kind);
	expect_eq(found[0].x87, 1);
	expect_eq(found[1].x87, 1);
}

static void mxcsr(enum kind kind)
{
	call(kind);
	expect_eq(found[0].mxcsr, mxcsr_in);
	expect_eq(found[1].mxcsr, mxcsr_in);
}

static void x87cw(enum kind kind)
{
	call(kind);
	expect_eq(found[0].x87cw, x87cw_in);
	expect_eq(found[1].x87cw, x87cw_in);
}

/* Segment bases: fs is the C library's, gs is free. */
static long do_base(struct msg *m)
{
	long base = 0;
	long ret = ct_syscall3(SYS_arch_prctl, m->arg[0], &base, 0);

	return ret ? ret : base;
}

static void fs_base(enum kind kind)
{
	struct actor k;

	kid_of(kind, &k);
	expect_eq(on(&k, do_base, ARCH_GET_FS), on(&me, do_base, ARCH_GET_FS));
}

static void gs_base(enum kind kind)
{
	struct actor store, *t = target_of(kind, &store), k;

	expect_eq(sys(&me, SYS_arch_prctl, ARCH_SET_GS, MY_GS), 0);
	if (kind != SELF)
		expect_eq(sys(t, SYS_arch_prctl, ARCH_SET_GS, 0x1000), 0);
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	expect_eq(on(&k, do_base, ARCH_GET_GS), MY_GS);
	if (kind != SELF)
		expect_eq(on(t, do_base, ARCH_GET_GS), 0x1000);
}

static const struct kinds rows[] = {
	KINDS(general, "general registers but rax, rcx, r11 are unchanged"),
	KINDS(flags, "the carry flag is unchanged"),
	KINDS(sse, "the XMM registers are unchanged"),
	KINDS(avx, "the upper halves of the YMM registers are unchanged"),
	KINDS(x87, "the x87 register stack is unchanged"),
	KINDS(mxcsr, "the MXCSR control word is unchanged"),
	KINDS(x87cw, "the x87 control word is unchanged"),
	KINDS(fs_base, "the fs base is the caller's"),
	KINDS(gs_base, "the gs base is the caller's, not the target's"),
};

PLAY_TABLE(registers, rows)
{
	play_kind();
}

#else

CHECK(registers, "registers (not written for this architecture)")
{
	ct_skip("registers of x86-64");
}

#endif
