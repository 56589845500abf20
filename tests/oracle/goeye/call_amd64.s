// SPDX-License-Identifier: Apache-2.0

#include "textflag.h"

// func callEye(target, dir *byte, options uint64) int64
TEXT ·callEye(SB), 0, $64-32
	MOVQ target+0(FP), DI
	MOVQ dir+8(FP), SI
	MOVQ options+16(FP), DX
	XORQ CX, CX
	XORQ R8, R8
	MOVQ $0x10000000000, AX
	CALL AX
	MOVQ AX, ret+24(FP)
	RET
