// SPDX-License-Identifier: Apache-2.0

// A Go program starts a command as a child of another process.
//
//	go build -o build/spawn-go ./examples/go
//	cloneat-emu run -- build/spawn-go
package main

import (
	"fmt"
	"os"
	"os/exec"

	"cloneat-emu/emu/call"
)

func run() error {
	cat := exec.Command("cat")
	stdin, err := cat.StdinPipe()
	if err != nil {
		return err
	}
	if err := cat.Start(); err != nil {
		return err
	}
	fmt.Printf("caller %d, cat %d\n", os.Getpid(), cat.Process.Pid)
	script := `test $PPID = ` + fmt.Sprint(cat.Process.Pid) + ` && echo "child $$: cat is my parent"`
	command := call.Command{Path: "/bin/sh", Args: []string{"sh", "-c", script}}
	child, err := command.Start(cat.Process.Pid, 0)
	if err != nil {
		return err
	}
	defer child.PIDFD.Close()
	if err := child.Wait(); err != nil {
		return err
	}
	fmt.Printf("caller: child %d has ended\n", child.PID)
	stdin.Close()
	return cat.Wait()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "spawn:", err)
		os.Exit(1)
	}
}
