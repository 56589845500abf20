// SPDX-License-Identifier: Apache-2.0

// Command goeye DIR OPTIONS TARGET... is the oracle's caller in Go (see
// callers/caller.c), and with the argument pause a target in Go.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	eyeBase = 0x10000000000
	eyeSize = 0x200000
)

func main() {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "pause":
		pause()
	case len(os.Args) == 5 && os.Args[1] == "cell":
		if err := cell(os.Args[2], os.Args[3], os.Args[4]); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
	case len(os.Args) > 3:
		os.Exit(cells(os.Args[1], os.Args[2], os.Args[3:]))
	default:
		fmt.Fprintln(os.Stderr, "usage: goeye DIR OPTIONS TARGET...")
		os.Exit(2)
	}
}

// pause says that it is ready, on descriptor 3, and waits for ever.
func pause() {
	_, _ = unix.Write(3, []byte("r"))
	for {
		_ = unix.Pause()
	}
}

// cells runs each in a process of its own.
func cells(dir, options string, targets []string) (status int) {
	for _, target := range targets {
		fmt.Println("cell", target)
		cmd := exec.Command("/proc/self/exe", "cell", dir, options, target)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Println("failed", err)
			status = 1
		}
	}
	return status
}

// cell maps the eye and runs it on this thread. Nothing of the runtime's may
// change memory's layout while it works.
func cell(dir, options, target string) error {
	opt, err := strconv.ParseUint(options, 0, 64)
	if err != nil {
		return err
	}
	code, err := os.ReadFile(filepath.Join(dir, "eye.bin"))
	if err != nil {
		return err
	}
	if err := load(code); err != nil {
		return err
	}
	runtime.GC()
	debug.SetGCPercent(-1)
	runtime.LockOSThread()
	if ret := look(target, dir, opt); ret != 0 {
		return fmt.Errorf("the eye returned %d", ret)
	}
	return nil
}
