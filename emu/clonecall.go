// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/abi"
)

// cloneArgs is struct clone_args of clone3(2), up to cgroup.
type cloneArgs struct {
	Flags, PIDFD, ChildTID, ParentTID, ExitSignal uint64
	Stack, StackSize, TLS, SetTID, SetTIDSize     uint64
	Cgroup                                        uint64
}

// setTIDOffset is where the set_tid array lies in the scratch memory, behind
// the struct.
const setTIDOffset = 96

// encode lays the struct and the pids out for a tracee that has them at addr.
// The innermost namespace's number comes first (clone(2), set_tid).
func (a cloneArgs) encode(addr uintptr, setTID []int32) []byte {
	if len(setTID) > 0 {
		a.SetTID, a.SetTIDSize = uint64(addr)+setTIDOffset, uint64(len(setTID))
	}
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, a) // a bytes.Buffer takes everything
	b.Write(make([]byte, setTIDOffset-b.Len()))
	_ = binary.Write(&b, binary.LittleEndian, setTID)
	return b.Bytes()
}

// cloneArgsSize is CLONE_ARGS_SIZE_VER2.
const cloneArgsSize = 88

// hidden are flags that mean nothing while nobody else traces the caller, and
// would keep the supervisor from the child.
const hidden = unix.CLONE_PTRACE | unix.CLONE_UNTRACED

// forSelf is the call that makes the child of a call to the caller's process.
func forSelf(a *abi.Args) cloneArgs {
	c := cloneArgs{
		Flags: a.Flags &^ hidden, ExitSignal: uint64(a.ExitSignal),
		ChildTID: a.ChildTID, ParentTID: a.ParentTID, PIDFD: a.ParentTID,
		Stack: a.StackBase, StackSize: a.StackSize, TLS: a.TLS,
	}
	if a.Has(unix.CLONE_THREAD | unix.CLONE_PARENT) {
		c.ExitSignal = 0 // clone(2) ignores it, clone3(2) refuses it
	}
	return c
}

// needsClone3 reports whether registers cannot hold the call.
func (a cloneArgs) needsClone3(setTID []int32) bool {
	const beyond = unix.CLONE_CLEAR_SIGHAND | unix.CLONE_NEWTIME
	return len(setTID) > 0 || a.Flags&beyond != 0
}

// registers are the arguments of clone(2) on x86-64.
func (a cloneArgs) registers() []uintptr {
	stack := uintptr(0)
	if a.Stack != 0 {
		stack = uintptr(a.Stack + a.StackSize)
	}
	return []uintptr{
		uintptr(a.Flags | a.ExitSignal), stack,
		uintptr(a.ParentTID), uintptr(a.ChildTID), uintptr(a.TLS),
	}
}
