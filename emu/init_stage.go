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
		err = mountProc()
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

// mountProc makes /proc show the new pid namespace, here only.
func mountProc() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount(/, MS_PRIVATE): %w", err)
	}
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	if err := unix.Mount("proc", "/proc", "proc", flags, ""); err != nil {
		return fmt.Errorf("mounting /proc of the new pid namespace: %w", err)
	}
	return nil
}
