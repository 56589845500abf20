/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage: a process without a runtime that makes system calls to order.
 *
 * Descriptor 3 is memory shared with the program that gives the orders; it is
 * mapped at BASE.  A task of the stage serves one slot in it (stage.go):
 *
 *	 0  u32 seq	the orderer counts it up: there is an order
 *	 4  u32 ack	the stage sets it to seq: the order was carried out
 *	 8  u64 nr	number of the system call, or IDLE
 *	16  u64 child	slot of a task for which the call returns 0, or 0
 *	24  s64 ret	what the call returned
 *	32  u64 arg[6]
 *	80  u32 born	set by the task that begins to serve the slot
 *	88  u32 owner	of the first slot: the orderer's death is noted here
 *	    ...		unused
 *	256		end, below which an idler without a stack has one
 *
 * A call that makes a task returns twice.  The new one goes on with the slot
 * `child`, so that one order to the maker is the only thing needed.  No stack
 * and no memory but the slot is used, so that tasks may share their memory; the
 * stack only by an idler that has let go of the slots, and so its own.
 *
 * The number LIST stands for as many calls as the list has that arg[0] points
 * to (list.go).  Its entries have nr, child, ret and arg where a slot has them, and
 * the next one's address, or 0, at their beginning.  The list ends early behind a
 * call that failed, or when the word HALT of the first slot is not 0.  A task may
 * have its first order before it is born.
 *
 * A task that waits for an order looks now and then whether the orderer has died
 * (owner.go), and ends then.
 *
 * rbx: slot, r14d: the last order seen, r13: what is carried out, the slot itself
 * or an entry.
 */
	.set	BASE, 0x10000000000
	.set	SIZE, 0x1000000
	.set	NR, 8
	.set	CHILD, 16
	.set	RET, 24
	.set	ARG, 32
	.set	ACK, 4
	.set	BORN, 80
	.set	SLOT, 256		/* size; the end is a stack, see report */
	.set	HALT, 84		/* of the first slot */
	.set	OWNER, 88		/* of the first slot */
	.set	OWNER_DIED, 0x40000000	/* FUTEX_OWNER_DIED */
	.set	IDLE, -1
	.set	LIST, -2

	.set	SYS_write, 1
	.set	SYS_mmap, 9
	.set	SYS_munmap, 11
	.set	SYS_rt_sigprocmask, 14
	.set	SYS_getpid, 39
	.set	SYS_exit_group, 231
	.set	SYS_getppid, 110
	.set	SYS_getpgrp, 111
	.set	SYS_getsid, 124
	.set	SYS_rt_sigtimedwait, 128
	.set	SYS_futex, 202
	.set	SIGUSR1, 10
	.set	SIGTERM, 15

	.text
	.globl	_start
_start:
	mov	$SYS_mmap, %eax
	movabs	$BASE, %rdi
	mov	$SIZE, %esi
	mov	$3, %edx		/* PROT_READ | PROT_WRITE */
	mov	$0x100001, %r10d	/* MAP_SHARED | MAP_FIXED_NOREPLACE */
	mov	$3, %r8d
	xor	%r9d, %r9d
	syscall
	mov	%rax, %rbx
	movabs	$BASE, %rdi
	cmp	%rdi, %rbx
	je	begin
	mov	$SYS_exit_group, %eax
	mov	$126, %edi
	syscall

/* Serve the slot in rbx from its first order on. */
begin:
	xor	%r14d, %r14d
	movl	$1, BORN(%rbx)
	lea	BORN(%rbx), %rdi
wake:
	mov	$1, %esi		/* FUTEX_WAKE */
	mov	$1, %edx
	mov	$SYS_futex, %eax
	syscall

/* Wait for an order.  The last one is seen if the orderer's death is. */
await:
	movabs	$BASE, %rcx
	mov	OWNER(%rcx), %ecx
	mov	(%rbx), %eax
	cmp	%r14d, %eax
	jne	order
	test	$OWNER_DIED, %ecx
	jnz	orphaned
	mov	%rbx, %rdi
	xor	%esi, %esi		/* FUTEX_WAIT */
	mov	%r14d, %edx
	lea	patience(%rip), %r10
	mov	$SYS_futex, %eax
	syscall
	jmp	await

orphaned:
	mov	$SYS_exit_group, %eax
	mov	$137, %edi		/* what a shell says of a SIGKILL */
	syscall

/* Carry it out. */
order:
	mov	%eax, %r14d
	mov	%rbx, %r13
	cmpq	$LIST, NR(%rbx)
	jne	call
	mov	ARG(%rbx), %r13
call:
	mov	NR(%r13), %rax
	cmp	$IDLE, %rax
	je	idle
	mov	CHILD(%r13), %r12
	mov	ARG(%r13), %rdi
	mov	ARG+8(%r13), %rsi
	mov	ARG+16(%r13), %rdx
	mov	ARG+24(%r13), %r10
	mov	ARG+32(%r13), %r8
	mov	ARG+40(%r13), %r9
	syscall
	test	%rax, %rax
	jnz	done
	test	%r12, %r12
	jz	done
	mov	%r12, %rbx
	jmp	begin
done:
	mov	%rax, RET(%r13)
	cmp	%rbx, %r13
	je	finished
	test	%rax, %rax
	js	last
	mov	(%r13), %r13
	test	%r13, %r13
	jz	last
	movabs	$BASE, %rcx
	cmpl	$0, HALT(%rcx)
	je	call
last:
	mov	%rax, RET(%rbx)
finished:
	mov	%r14d, ACK(%rbx)
	lea	ACK(%rbx), %rdi
	jmp	wake

/*
 * No more orders: let go of as much of the shared memory as the first argument
 * says (none where threads go on waiting in it) and answer signals.  SIGTERM
 * ends the process with status 0, SIGUSR1 makes it write a line about itself,
 * all others do what they do by default.
 */
idle:
	mov	ARG(%rbx), %r12
	xor	%edi, %edi		/* SIG_BLOCK */
	lea	signals(%rip), %rsi
	xor	%edx, %edx
	mov	$8, %r10d
	mov	$SYS_rt_sigprocmask, %eax
	syscall
	movq	$0, RET(%rbx)
	mov	%r14d, ACK(%rbx)
	lea	ACK(%rbx), %rdi
	mov	$1, %esi
	mov	$1, %edx
	mov	$SYS_futex, %eax
	syscall
	movabs	$BASE, %rdi
	mov	%r12, %rsi
	test	%r12, %r12
	jnz	1f
	lea	SLOT(%rbx), %rsp	/* others may have this memory, and stack, too */
1:	mov	$SYS_munmap, %eax	/* of nothing it fails, and does nothing */
	syscall
next_signal:
	lea	signals(%rip), %rdi
	xor	%esi, %esi
	xor	%edx, %edx
	mov	$8, %r10d
	mov	$SYS_rt_sigtimedwait, %eax
	syscall
	cmp	$SIGUSR1, %eax
	je	report
	cmp	$SIGTERM, %eax
	jne	next_signal
	xor	%edi, %edi
	mov	$SYS_exit_group, %eax
	syscall

/* Write "pid N ppid N pgid N sid N", built backwards below the stack's top. */
report:
	mov	%rsp, %r13
	lea	-1(%rsp), %rbx
	sub	$64, %rsp		/* calls must not write over the text */
	movb	$10, (%rbx)
	xor	%edi, %edi
	mov	$SYS_getsid, %eax
	syscall
	movabs	$0x20646973, %rbp	/* "sid " */
	call	prepend
	mov	$SYS_getpgrp, %eax
	syscall
	movabs	$0x2064696770, %rbp	/* "pgid " */
	call	prepend_blank
	mov	$SYS_getppid, %eax
	syscall
	movabs	$0x2064697070, %rbp	/* "ppid " */
	call	prepend_blank
	mov	$SYS_getpid, %eax
	syscall
	movabs	$0x20646970, %rbp	/* "pid " */
	call	prepend_blank
	mov	$1, %edi
	mov	%rbx, %rsi
	mov	%r13, %rdx
	sub	%rbx, %rdx
	mov	$SYS_write, %eax
	syscall
	mov	%r13, %rsp
	jmp	next_signal

prepend_blank:
	dec	%rbx
	movb	$0x20, (%rbx)
/* Put the number in eax, and before it the text in rbp, before rbx. */
prepend:
	mov	$10, %ecx
1:	xor	%edx, %edx
	div	%ecx
	add	$0x30, %dl
	dec	%rbx
	movb	%dl, (%rbx)
	test	%eax, %eax
	jnz	1b
	mov	%rbp, %rax		/* the text's last byte is its highest */
	mov	$8, %ecx
2:	rol	$8, %rax
	test	%al, %al
	jz	3f
	dec	%rbx
	movb	%al, (%rbx)
3:	dec	%ecx
	jnz	2b
	ret

patience:
	.quad	1, 0			/* a second */
signals:
	.quad	(1 << (SIGUSR1 - 1)) | (1 << (SIGTERM - 1))
