// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestString(t *testing.T) {
	for _, tc := range []struct {
		args Args
		want string
	}{
		{Args{}, "{flags=[]}"},
		{Args{ExitSignal: 17}, "{flags=[SIGCHLD]}"},
		{Args{ExitSignal: 64}, "{flags=[SIGRT_32]}"},
		{
			Args{ExitSignal: 10, Flags: unix.CLONE_NEWTIME | unix.CLONE_VM | unix.CLONE_IO | unix.CLONE_CLEAR_SIGHAND},
			"{flags=[SIGUSR1|CLONE_NEWTIME|CLONE_VM|CLONE_IO|CLONE_CLEAR_SIGHAND]}",
		},
		{
			Args{Flags: unix.CLONE_SETTLS, StackBase: 0x1000, StackSize: 0x20, ParentTID: 3, ChildTID: 4, TLS: 5},
			"{flags=[CLONE_SETTLS], stack=0x1000, stack_size=0x20, parent_tid=0x3, child_tid=0x4, tls=0x5}",
		},
	} {
		if got := tc.args.String(); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

func TestEveryFlagHasAName(t *testing.T) {
	for bit := 8; bit <= 32; bit++ {
		flag := uint64(1) << bit
		if _, ok := flagNames[flag]; !ok && flag != unix.CLONE_DETACHED {
			t.Errorf("no name for %#x", flag)
		}
	}
}
