// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
)

// runInit is process 1 of the pid namespace that Cmd.UserNS makes: it mounts that
// namespace's /proc, starts the operator and reaps whatever is left to it. It ends when
// it has no children any more, for its end kills the namespace.
func runInit() {
	signal.Ignore(append(launch.Forwarded(), unix.SIGPIPE)...)
	spec, own, err := launch.Enter(3)
	if err == nil {
		err = launch.MountProc()
	}
	if err == nil {
		_, err = launch.Start(launch.StageOperator, spec, own, nil)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", launch.StageInit, err)
		os.Exit(1)
	}
	for _, fd := range own {
		unix.Close(fd)
	}
	spec.DropFiles(-1)
	for {
		if _, err := unix.Wait4(-1, nil, unix.WALL, nil); errors.Is(err, unix.ECHILD) {
			os.Exit(0)
		}
	}
}
