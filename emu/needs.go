package emu

import (
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
	"cloneat-emu/emu/proc"
)

// Ready is why Command could serve no call here, whatever the kernel lets it do: the
// supervisor would say so and not start the program.
func Ready() error {
	err := proc.Own()
	if err == nil {
		_, err = launch.InheritedFiles()
	}
	return errors.Join(err, enoughFiles(), enoughTasks(), kernelLacks(), mayTrace(false))
}

// kernelLacks names what this kernel was built without, though nothing can be done without it.
// For the rest there is another way, or an error of the call that needs it; package probe
// tells.
func kernelLacks() error {
	if _, err := unix.ProcessVMReadv(unix.Getpid(), nil, nil, 0); errors.Is(err, unix.ENOSYS) {
		return errors.New("this kernel has no process_vm_readv(2) (CONFIG_CROSS_MEMORY_ATTACH), or a seccomp filter forbids it, and the supervisor reads its tracees by that")
	}
	if !proc.Has(proc.PID) {
		return errors.New("this kernel has no pid namespaces (CONFIG_PID_NS), whose numbers the supervisor goes by")
	}
	return nil
}
