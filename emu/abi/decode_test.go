// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"testing"

	"golang.org/x/sys/unix"
)

// call is what a test changes in arguments that are valid.
type call struct {
	raw   Raw
	set   FlagSet
	noRaw bool // the struct is not mapped
	noSet bool // the words are not mapped
}

func (c call) decode() (*Args, unix.Errno) {
	m := memoryOf(c.raw, c.set)
	if c.noRaw {
		delete(m.pieces, argsAddr)
	}
	if c.noSet {
		delete(m.pieces, flagsAddr)
	}
	return Decode(m, argsAddr)
}

// faults are one for each place where Decode may fail, in the spec's order.
var faults = []struct {
	name  string
	make  func(*call)
	errno unix.Errno
}{
	{"struct not mapped", func(c *call) { c.noRaw = true }, unix.EFAULT},
	{"reserved1", func(c *call) { c.raw.Reserved1 = 1 }, unix.EINVAL},
	{"reserved2", func(c *call) { c.raw.Reserved2 = 1 << 31 }, unix.EINVAL},
	{"flags_size", func(c *call) { c.raw.FlagsSize = 8192 }, unix.E2BIG},
	{"words not mapped", func(c *call) { c.noSet = true }, unix.EFAULT},
	{"signal", func(c *call) { c.set[0] |= 65 }, unix.EINVAL},
}

func TestEarlierFaultWins(t *testing.T) {
	for i, first := range faults {
		for _, second := range faults[i:] {
			c := call{raw: rawOf(2), set: NewFlagSet()}
			first.make(&c)
			second.make(&c)
			if _, errno := c.decode(); errno != first.errno {
				t.Errorf("%s and %s: got %v, want %v", first.name, second.name, errno, first.errno)
			}
		}
	}
}

func TestFlagsSize(t *testing.T) {
	for _, tc := range []struct {
		size int32
		want unix.Errno
	}{
		{-2147483648, unix.EINVAL},
		{-4, unix.EINVAL},
		{0, unix.EINVAL},
		{3, unix.EINVAL},
		{5, unix.EINVAL},
		{4, 0},
		{8, 0},
		{4096, 0},
		{4098, unix.EINVAL},
		{4100, unix.E2BIG},
		{2147483644, unix.E2BIG},
		{2147483647, unix.EINVAL},
	} {
		c := call{raw: rawOf(0), set: make(FlagSet, 1024)}
		c.raw.FlagsSize = tc.size
		if _, errno := c.decode(); errno != tc.want {
			t.Errorf("flags_size %d: got %v, want %v", tc.size, errno, tc.want)
		}
	}
}

func TestFlagsAreCopiedInFull(t *testing.T) {
	c := call{raw: rawOf(3), set: NewFlagSet()} // the third word is missing
	c.set[1] = 1 << 26                          // undefined, but row 6
	if _, errno := c.decode(); errno != unix.EFAULT {
		t.Errorf("got %v, want EFAULT", errno)
	}
}

func TestReserved3IsTLS(t *testing.T) {
	c := call{raw: rawOf(2), set: NewFlagSet()}
	c.raw.Reserved3 = 0x1234
	if _, errno := c.decode(); errno != unix.EINVAL {
		t.Errorf("without CLONE_SETTLS: got %v, want EINVAL", errno)
	}
	c.set.Set(Ext(unix.CLONE_SETTLS))
	a, errno := c.decode()
	if errno != 0 || a.TLS != 0x1234 {
		t.Errorf("with CLONE_SETTLS: got %v %v, want the TLS value", a, errno)
	}
}

func TestPaddingIsIgnored(t *testing.T) {
	m := memoryOf(rawOf(2), NewFlagSet())
	copy(m.pieces[argsAddr][20:24], "\xff\xff\xff\xff")
	if _, errno := Decode(m, argsAddr); errno != 0 {
		t.Errorf("got %v", errno)
	}
}

func TestFieldsArrive(t *testing.T) {
	c := call{raw: rawOf(1), set: FlagSet{unix.CLONE_VM | unix.CLONE_DETACHED | uint32(unix.SIGCHLD)}}
	c.raw.ChildStackBase, c.raw.ChildStackSize = 0x5000, 0x2000
	c.raw.ParentTIDPtr, c.raw.ChildTIDPtr = 0xbad1, 0xbad2
	a, errno := c.decode()
	if errno != 0 {
		t.Fatal(errno)
	}
	want := Args{
		Flags: unix.CLONE_VM, ExitSignal: int(unix.SIGCHLD),
		StackBase: 0x5000, StackSize: 0x2000, ParentTID: 0xbad1, ChildTID: 0xbad2,
	}
	if *a != want {
		t.Errorf("got %+v, want %+v", *a, want)
	}
}
