// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"errors"
	"testing"
)

// fakeMemory holds pieces of a caller's memory by address, and counts how
// often each was read.
type fakeMemory struct {
	pieces map[uint64][]byte
	reads  map[uint64]int
}

func (m *fakeMemory) ReadAt(p []byte, addr uint64) error {
	if m.reads == nil {
		m.reads = map[uint64]int{}
	}
	m.reads[addr]++
	if b, ok := m.pieces[addr]; ok && len(b) >= len(p) {
		copy(p, b)
		return nil
	}
	return errors.New("not mapped")
}

const (
	argsAddr  = 0x10000
	flagsAddr = 0x20000
)

// memoryOf lays a struct and its flag words out.
func memoryOf(raw Raw, set FlagSet) *fakeMemory {
	b := raw.Bytes()
	return &fakeMemory{pieces: map[uint64][]byte{argsAddr: b[:], flagsAddr: set.Bytes()}}
}

// rawOf is a struct without any fault for the given number of flag words.
func rawOf(words int) Raw {
	return Raw{Flags: flagsAddr, FlagsSize: int32(words * wordBytes)}
}

func TestPartsAreReadOnce(t *testing.T) {
	m := memoryOf(rawOf(2), NewFlagSet())
	if _, errno := Decode(m, argsAddr); errno != 0 {
		t.Fatalf("Decode: %v", errno)
	}
	if m.reads[argsAddr] != 1 || m.reads[flagsAddr] != 1 || len(m.reads) != 2 {
		t.Errorf("reads by address: %v, want one of the struct and one of the words", m.reads)
	}
}
