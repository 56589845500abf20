// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"fmt"
	"math/bits"
	"strings"

	"golang.org/x/sys/unix"
)

var flagNames = map[uint64]string{
	unix.CLONE_NEWTIME:        "CLONE_NEWTIME",
	unix.CLONE_VM:             "CLONE_VM",
	unix.CLONE_FS:             "CLONE_FS",
	unix.CLONE_FILES:          "CLONE_FILES",
	unix.CLONE_SIGHAND:        "CLONE_SIGHAND",
	unix.CLONE_PIDFD:          "CLONE_PIDFD",
	unix.CLONE_PTRACE:         "CLONE_PTRACE",
	unix.CLONE_VFORK:          "CLONE_VFORK",
	unix.CLONE_PARENT:         "CLONE_PARENT",
	unix.CLONE_THREAD:         "CLONE_THREAD",
	unix.CLONE_NEWNS:          "CLONE_NEWNS",
	unix.CLONE_SYSVSEM:        "CLONE_SYSVSEM",
	unix.CLONE_SETTLS:         "CLONE_SETTLS",
	unix.CLONE_PARENT_SETTID:  "CLONE_PARENT_SETTID",
	unix.CLONE_CHILD_CLEARTID: "CLONE_CHILD_CLEARTID",
	unix.CLONE_UNTRACED:       "CLONE_UNTRACED",
	unix.CLONE_CHILD_SETTID:   "CLONE_CHILD_SETTID",
	unix.CLONE_NEWCGROUP:      "CLONE_NEWCGROUP",
	unix.CLONE_NEWUTS:         "CLONE_NEWUTS",
	unix.CLONE_NEWIPC:         "CLONE_NEWIPC",
	unix.CLONE_NEWUSER:        "CLONE_NEWUSER",
	unix.CLONE_NEWPID:         "CLONE_NEWPID",
	unix.CLONE_NEWNET:         "CLONE_NEWNET",
	unix.CLONE_IO:             "CLONE_IO",
	unix.CLONE_CLEAR_SIGHAND:  "CLONE_CLEAR_SIGHAND",
}

// String shows the arguments in strace's manner, without what is zero:
// {flags=[SIGCHLD|CLONE_VM], stack=0x7f0000000000, stack_size=0x8000}. The exit
// signal comes first, then the flags from the lowest bit on.
func (a *Args) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "{flags=[%s]", strings.Join(a.names(), "|"))
	for _, f := range []struct {
		name  string
		value uint64
	}{
		{"stack", a.StackBase},
		{"stack_size", a.StackSize},
		{"parent_tid", a.ParentTID},
		{"child_tid", a.ChildTID},
		{"tls", a.TLS},
	} {
		if f.value != 0 {
			fmt.Fprintf(&b, ", %s=%#x", f.name, f.value)
		}
	}
	b.WriteByte('}')
	return b.String()
}

func (a *Args) names() []string {
	var names []string
	if a.ExitSignal != 0 {
		names = append(names, signalName(a.ExitSignal))
	}
	for rest := a.Flags; rest != 0; rest &= rest - 1 {
		bit := uint64(1) << bits.TrailingZeros64(rest)
		name, ok := flagNames[bit]
		if !ok {
			name = fmt.Sprintf("%#x", bit)
		}
		names = append(names, name)
	}
	return names
}

// signalName names real-time signals as strace does, by the kernel's SIGRTMIN
// of 32 and not the C library's.
func signalName(sig int) string {
	const rtMin = 32
	if sig >= rtMin {
		return fmt.Sprintf("SIGRT_%d", sig-rtMin)
	}
	if name := unix.SignalName(unix.Signal(sig)); name != "" {
		return name
	}
	return fmt.Sprint(sig)
}
