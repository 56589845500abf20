// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/listen"
)

// Where a filter is around this process, a child of it asks what the call comes to, for
// the filter may kill for it.

// What the child's exit status says.
const (
	askedFree = iota
	askedExists
	askedAnswered
)

// stages is set where this executable plays stages.
var stages bool

// CallExists probes as any program would: cloneat(0, 0, NULL) is EFAULT where the call
// exists and ENOSYS where it does not.
func CallExists() bool {
	exists, _ := ask()
	return exists
}

func exists() bool {
	_, _, errno := unix.Syscall(listen.NrCloneat, 0, 0, 0)
	return errno == unix.EFAULT
}

// Answered is listen.ErrAnswered where a filter keeps the call from any listener.
func Answered() error {
	_, err := ask()
	return err
}

// ask finds out, once: by the call itself where nothing can kill for it.
var ask = sync.OnceValues(func() (bool, error) {
	if !stages || !listen.Filtered() {
		return exists(), nil
	}
	return askChild()
})

// askChild starts the child. What keeps it from finding out is no answer: who is to serve
// the call will meet it again.
func askChild() (exists bool, err error) {
	attr := &syscall.ProcAttr{Files: []uintptr{0, 1, 2}, Env: stageEnv()}
	pid, err := syscall.ForkExec("/proc/self/exe", []string{stageAsk, ""}, attr)
	if err != nil {
		return false, nil
	}
	var status unix.WaitStatus
	_, err = unix.Wait4(pid, &status, 0, nil)
	for errors.Is(err, unix.EINTR) {
		_, err = unix.Wait4(pid, &status, 0, nil)
	}
	switch {
	case err != nil:
		return false, nil
	case status.Signaled() && status.Signal() == unix.SIGSYS:
		return false, fmt.Errorf("%w: it kills", listen.ErrAnswered)
	case status.ExitStatus() == askedAnswered:
		return false, listen.ErrAnswered
	}
	return status.ExitStatus() == askedExists, nil
}

// askStage is the child's main function.
func askStage() {
	switch {
	case exists():
		os.Exit(askedExists)
	case errors.Is(listen.Reaches(), listen.ErrAnswered):
		os.Exit(askedAnswered)
	}
	os.Exit(askedFree)
}
