// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestBuildIsStopped lets a signal come at every step: nothing is left, and the
// error says why, whatever else the signal has done.
func TestBuildIsStopped(t *testing.T) {
	tree := parse(t, "1 0 1 1 S", "70 1 70 70 S", "71 70 71 70 S", "72 70 70 70 Z", "73 1 5 5 S")
	steps := len(NewPlan(tree, options("new").Callers, false).Steps)
	for at := 1; at <= steps; at++ {
		stop := make(chan os.Signal, 1)
		o := options("new")
		o.Stop = stop
		var b *builder
		var pidfds []int
		o.Progress = func(done, _ int) {
			if done == at {
				pidfds = below(t, b.cmd.Process.Pid)
				stop <- unix.SIGINT
			}
		}
		b = newBuilder(tree, o)
		built, err := b.run()
		stopped, ok := errors.AsType[*StoppedError](err)
		if !ok || stopped.Signal != unix.SIGINT || built != nil {
			t.Fatalf("step %d: built %v, error %v", at, built, err)
		}
		for _, fd := range pidfds {
			if err := unix.PidfdSendSignal(fd, 0, nil, 0); err != unix.ESRCH {
				t.Errorf("step %d: a process is left behind (%v)", at, err)
			}
			_ = unix.Close(fd)
		}
	}
}

// below opens pidfds of a process and all below it.
func below(t *testing.T, pid int) []int {
	t.Helper()
	live, err := Live(pid)
	if err != nil {
		t.Fatal(err)
	}
	var fds []int
	for _, p := range live.Processes {
		fd, err := unix.PidfdOpen(p.host(), 0)
		if err == unix.ESRCH {
			continue // a temporary one that was reaped meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		fds = append(fds, fd)
	}
	return fds
}

// TestKeysDoNotReachTheCreator: it has to live to take the tree down.
func TestKeysDoNotReachTheCreator(t *testing.T) {
	b := stand(t, parse(t, "20 0 20 20 S"), options("new"))
	group, err := unix.Getpgid(b.b.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if group == unix.Getpgrp() {
		t.Error("the creator is in our process group")
	}
}
