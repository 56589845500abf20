// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// TestParentDeath: a program whose starter wants it to end with it does, as without run.
func TestParentDeath(t *testing.T) {
	path := "PATH=" + bin(t) + ":" + os.Getenv("PATH")
	for _, run := range []string{"", "cloneat-emu run --", "cloneat-emu run --userns --"} {
		for _, sig := range []string{"TERM", "KILL"} {
			t.Run(sig+" "+run, func(t *testing.T) {
				t.Parallel()
				cmd := exec.Command("bash", "-c", "setpriv --pdeathsig "+sig+" "+run+" bash -c 'echo there; exec sleep 1000' & wait")
				cmd.Env = append(os.Environ(), path)
				endsWithStarter(t, cmd)
			})
		}
	}
}

// endsWithStarter has the starter of a program killed.
func endsWithStarter(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	_, out := built.Talk(t, cmd)
	defer func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }()
	built.Says(t, out, "there")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := io.Copy(io.Discard, out)
		ended <- err
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the program lives on")
	}
}
