// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"os"

	"github.com/sirupsen/logrus"
)

// Options say what of the caller C is to have, by the flags of the call.
type Options struct {
	// BestEffort builds a child that keeps something of the target, and logs
	// it, where otherwise the call fails (the spec's section 5).
	BestEffort bool
	// Files bounds how many of the caller's files the operator has open at a time;
	// 0 is MaxFiles.
	Files int
	// Target is the thread that C is a clone of; 0 is one that has nothing of its own which
	// C could not tell.
	Target int
	// Log gets what is left over; nil discards.
	Log *logrus.Entry
	// StackPointer is the child's; 0 is the caller's.
	StackPointer uint64
	// TLS is CLONE_SETTLS's value; nil keeps the caller's.
	TLS *uint64
	// ChildClearTID is an address in the child, or 0.
	ChildClearTID uint64
	// ShareFiles, ShareFS, ShareSighand: C shares these with the caller
	// already, through the target; they are left alone.
	ShareFiles, ShareFS, ShareSighand bool
	// NoFiles: C has no descriptors.
	NoFiles bool
	// ShareVM: C shares the caller's memory (CLONE_VM).
	ShareVM bool
	// KeepMemory: C's memory is the caller's already, as a copy on write.
	KeepMemory bool
	// Unshare are the CLONE_NEW* flags of namespaces to be made on top of the
	// target's, but for those that only a clone can make (pid and time).
	Unshare uint64
	// TimeNS is the time namespace that C has to join, nil if it was born
	// where it belongs.
	TimeNS *os.File
	// ClearSighand is CLONE_CLEAR_SIGHAND.
	ClearSighand bool
	// ClearAltStack: CLONE_VM without CLONE_VFORK.
	ClearAltStack bool

	// OnStage is called before each stage, by tests that disturb it.
	OnStage func(name string)
}

// files is Files, or what a message can carry.
func (o *Options) files() int {
	if o.Files == 0 {
		return MaxFiles
	}
	n := min(o.Files, MaxFiles)
	if o.ShareFiles { // each is held as well (Leftovers)
		n = max(1, n/2)
	}
	return n
}

// keepsMemory reports whether C's memory needs no rebuilding.
func (o *Options) keepsMemory() bool { return o.ShareVM || o.KeepMemory }
