// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
)

// TestMain is what main is in a program: Init comes first, because the stages of a
// command are the same executable again.
func TestMain(m *testing.M) {
	emu.Init()
	// Some tests stop a supervisor for a while. A process group with a stopped member in which
	// nobody has a parent outside any more is hung up, all of it (kill_orphaned_pgrp() in
	// kernel/exit.c): the one that go test was started in, with whatever else is there, if that
	// is its session's leader's. In this one we have such a parent.
	_ = unix.Setpgid(0, 0)
	os.Exit(m.Run())
}

// A supervised command, an event per call, and the statistics at the end. The program
// probes for the call: cloneat(0, 0, NULL) is EFAULT (14) where it exists.
func ExampleCommand() {
	cmd := emu.Command("python3", "-c", `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(511, 0, 0, None), ctypes.get_errno(), flush=True)`)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	var events []emu.Event // all there when Run returns
	cmd.Config.OnEvent = func(e emu.Event) { events = append(events, e) }
	if err := cmd.Run(); err != nil {
		fmt.Println(err)
	}
	for _, e := range events {
		fmt.Printf("cloneat(%d, %d, %#x) = %d\n", e.Pid, e.Hint, e.ArgsPtr, e.Result)
	}
	fmt.Println("calls:", cmd.Stats().Calls)
	// Output:
	// -1 14
	// cloneat(0, 0, 0x0) = -14
	// calls: 1
}
