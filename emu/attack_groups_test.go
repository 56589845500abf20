// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// killGroup kills a process with all below it, at once.
func killGroup(s *scene, v victim) func() {
	group := cgroup(s.t)
	for _, pid := range append(below(v.pid), v.pid) {
		_ = os.WriteFile(group+"/cgroup.procs", []byte(strconv.Itoa(pid)), 0)
	}
	write(s.t, group+"/cgroup.kill", "1")
	return func() {}
}

// freeze puts the process into a frozen control group.
func freeze(s *scene, v victim) func() {
	group, home := cgroup(s.t), cgroupOf(s.t, v.pid)
	write(s.t, group+"/cgroup.freeze", "1")
	write(s.t, group+"/cgroup.procs", strconv.Itoa(v.pid))
	return func() {
		write(s.t, group+"/cgroup.freeze", "0")
		for _, pid := range append(below(v.pid), v.pid) {
			if st := statOf(pid); st != nil && !st.Exiting() {
				_ = os.WriteFile(home+"/cgroup.procs", []byte(strconv.Itoa(pid)), 0)
			}
		}
	}
}

// cgroup is a new control group, which goes with the test.
func cgroup(t *testing.T) string {
	t.Helper()
	group, err := os.MkdirTemp(unified(t), "attack-")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		for end := time.Now().Add(bound); time.Now().Before(end) && unix.Rmdir(group) == unix.EBUSY; {
			time.Sleep(time.Millisecond)
		}
	})
	return group
}

func unified(t *testing.T) string {
	t.Helper()
	mounts, err := proc.MountedCgroups()
	if err != nil {
		t.Fatal(err)
	}
	at, mounted := mounts.At("")
	if !mounted {
		t.Skip("no such control groups here")
	}
	return at
}

func cgroupOf(t *testing.T, pid int) string {
	t.Helper()
	dir, err := proc.Open(pid)
	if err != nil {
		return unified(t)
	}
	defer dir.Close()
	entries, _ := dir.Cgroups()
	for _, e := range entries {
		if e.Controllers == "" {
			return unified(t) + e.Path
		}
	}
	return unified(t)
}

func write(t *testing.T, file, value string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(value), 0); err != nil {
		t.Error(fmt.Errorf("%s to %s: %w", value, file, err))
	}
}
