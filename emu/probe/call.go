package probe

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/listen"
)

// CallExists probes as any program would: cloneat(0, 0, NULL) is EFAULT where the call
// exists and ENOSYS where it does not.
func CallExists() bool {
	_, _, errno := unix.Syscall(listen.NrCloneat, 0, 0, 0)
	return errno == unix.EFAULT
}

// Filtered reports whether a seccomp filter is in force, so that a call that exists is
// rather an emulation around this process than the kernel's.
func Filtered() bool {
	status, err := os.ReadFile("/proc/thread-self/status")
	return err == nil && strings.Contains(string(status), "\nSeccomp:\t2")
}

func callProbes() []probe {
	return []probe{{
		"cloneat", "nothing else, where it is there", "this emulator",
		func() (string, error) {
			switch {
			case !CallExists():
				return "", fmt.Errorf("cloneat(0, 0, NULL): %w", unix.ENOSYS)
			case Filtered():
				return "an emulator serves this process", nil
			}
			return "the kernel's own", nil
		},
	}}
}
