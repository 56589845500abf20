// SPDX-License-Identifier: Apache-2.0

// Package abi is the binary interface of cloneat(2): the layout of struct
// cloneat_args, the numbering of its flag bits, and the checks that need
// nothing but the arguments themselves.
//
//	pid_t cloneat(pid_t pid, pid_t hint, struct cloneat_args *args);
//
// The flags are an array of 32-bit words of which the struct holds the address
// and the size in bytes. Word 0 is the classic CLONE_* mask of clone(2), exit
// signal included; from bit index 32 on come the CLONEXT_* bits, among them
// every classic bit once more:
//
//	word   0                  1                                    2...
//	bits   0..7    8..31      32..55          56     57     63     64...
//	       signal  CLONE_*    CLONE_* >> 8    CLEAR  INTO   NEW    undefined:
//	                                          SIG-   CGROUP TIME   EINVAL
//	                                          HAND   (no)
//
// [Decode] brings both ways of saying the same thing into one mask, that of
// clone3(2), so that nobody past this package sees an index.
//
// The struct and the array are copied once each. A program that writes into
// them during the call, or lays one over the other, changes nothing.
package abi

// Number is the system call number, the same on all architectures that have
// the call (x86-64 and arm64).
const Number = 511

// ArgsSize is sizeof(struct cloneat_args) on LP64, in bytes.
const ArgsSize = 64
