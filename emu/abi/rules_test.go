// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestCombinations(t *testing.T) {
	const threadSet = unix.CLONE_VM | unix.CLONE_SIGHAND | unix.CLONE_THREAD
	for _, tc := range []struct {
		name  string
		flags uint32
		want  unix.Errno
	}{
		{"none", 0, 0},
		{"THREAD alone", unix.CLONE_THREAD, unix.EINVAL},
		{"THREAD without SIGHAND", unix.CLONE_THREAD | unix.CLONE_VM, unix.EINVAL},
		{"SIGHAND without VM", unix.CLONE_SIGHAND, unix.EINVAL},
		{"a thread", threadSet, 0},
		{"THREAD, NEWUSER", threadSet | unix.CLONE_NEWUSER, unix.EINVAL},
		{"THREAD, NEWPID", threadSet | unix.CLONE_NEWPID, unix.EINVAL},
		{"THREAD, NEWNET", threadSet | unix.CLONE_NEWNET, 0},
		{"FS, NEWNS", unix.CLONE_FS | unix.CLONE_NEWNS, unix.EINVAL},
		{"FS, NEWUSER", unix.CLONE_FS | unix.CLONE_NEWUSER, unix.EINVAL},
		{"PIDFD, DETACHED", unix.CLONE_PIDFD | unix.CLONE_DETACHED, unix.EINVAL},
		{"PIDFD, PARENT_SETTID", unix.CLONE_PIDFD | unix.CLONE_PARENT_SETTID, unix.EINVAL},
		{"NEWIPC, SYSVSEM", unix.CLONE_NEWIPC | unix.CLONE_SYSVSEM, unix.EINVAL},
		{"DETACHED", unix.CLONE_DETACHED, 0},
		{"PIDFD, THREAD: the kernel's to judge", threadSet | unix.CLONE_PIDFD, 0},
		{"PARENT with exit signal", unix.CLONE_PARENT | uint32(unix.SIGUSR1), 0},
	} {
		if _, errno := (call{raw: rawOf(1), set: FlagSet{tc.flags}}).decode(); errno != tc.want {
			t.Errorf("%s in word 0: got %v, want %v", tc.name, errno, tc.want)
		}
		c := call{raw: rawOf(2), set: FlagSet{tc.flags & signalMask, tc.flags >> 8}}
		if _, errno := c.decode(); errno != tc.want {
			t.Errorf("%s in word 1: got %v, want %v", tc.name, errno, tc.want)
		}
	}
}

func TestClearSighand(t *testing.T) {
	for _, tc := range []struct {
		word0 uint32
		want  unix.Errno
	}{{0, 0}, {unix.CLONE_VM, 0}, {unix.CLONE_VM | unix.CLONE_SIGHAND, unix.EINVAL}} {
		c := call{raw: rawOf(2), set: FlagSet{tc.word0, 0}}
		c.set.Set(ExtClearSighand)
		if _, errno := c.decode(); errno != tc.want {
			t.Errorf("with %#x: got %v, want %v", tc.word0, errno, tc.want)
		}
	}
}

func TestSignals(t *testing.T) {
	for sig := range uint32(256) {
		want := unix.Errno(0)
		if sig > 64 {
			want = unix.EINVAL
		}
		if _, errno := (call{raw: rawOf(1), set: FlagSet{sig}}).decode(); errno != want {
			t.Errorf("signal %d: got %v, want %v", sig, errno, want)
		}
	}
}

func TestStack(t *testing.T) {
	const limit = 1<<47 - 4096 // TASK_SIZE_MAX with four levels of page tables
	for _, tc := range []struct {
		base, size uint64
		want       bool
	}{
		{0, 0, true},
		{0, 1, false},
		{4096, 0, false},
		{4096, 1, true},
		{limit - 1, 1, true},
		{limit, 1, false},
		{limit - 4096, 4096, true},
		{limit - 4096, 4097, false},
		{1, limit, false},
		{1 << 63, 4096, false},
		{4096, 1 << 63, false},
		{^uint64(0), 2, false}, // wraps
		{4096, ^uint64(0) - 100, false},
	} {
		if got := validStack(tc.base, tc.size, limit); got != tc.want {
			t.Errorf("validStack(%#x, %#x): got %v", tc.base, tc.size, got)
		}
	}
}

func TestStackIsChecked(t *testing.T) {
	c := call{raw: rawOf(1), set: FlagSet{0}}
	c.raw.ChildStackSize = 4096
	if _, errno := c.decode(); errno != unix.EINVAL {
		t.Errorf("size without base: got %v, want EINVAL", errno)
	}
}
