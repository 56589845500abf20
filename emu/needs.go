// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
	"cloneat-emu/emu/proc"
	"cloneat-emu/ptrace"
)

// Ready is why Command could serve no call here, whatever the kernel lets it do: the
// supervisor would say so and not start the program.
func Ready() error {
	err := proc.Own()
	if err == nil {
		_, err = launch.InheritedFiles()
	}
	return errors.Join(err, enoughFiles(), enoughStack(), enoughTasks(), kernelLacks(), mayTrace(false))
}

// kernelLacks names what this kernel was built without, or a seccomp filter around this process
// forbids, though nothing can be done without it. For the rest there is another way, or an error
// of the call that needs it; package probe tells.
func kernelLacks() error {
	for _, need := range []struct {
		call, from string
		err        error
	}{
		{"process_vm_readv", "CONFIG_CROSS_MEMORY_ATTACH", readsMemory()},
		{"pidfd_open", "Linux 5.3", opensPIDFD()},
		{"ptrace", "Linux 3.4", ptrace.Forbidden()},
		{"waitid", "Linux 2.6.9", ptrace.WaitForbidden()},
	} {
		if need.err != nil {
			return fmt.Errorf("%s(2) cannot be called: %w: a seccomp filter forbids it, or this kernel lacks it (%s), and the supervisor works by that", need.call, need.err, need.from)
		}
	}
	if !proc.Has(proc.PID) {
		return errors.New("this kernel has no pid namespaces (CONFIG_PID_NS), whose numbers the supervisor goes by")
	}
	return nil
}

func readsMemory() error {
	_, err := unix.ProcessVMReadv(unix.Getpid(), nil, nil, 0)
	return err
}

func opensPIDFD() error {
	fd, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}
