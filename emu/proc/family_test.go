// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/reexec"
)

// test ─ parent ─ child
func TestFamily(t *testing.T) {
	p := reexec.Start(t, "parent", nil)
	child := openDir(t, p.Number())
	parent := openDir(t, p.PID())

	for _, list := range []func() ([]int, error){parent.Children, parent.searchChildren} {
		if children, err := list(); err != nil || !slices.Equal(children, []int{child.PID}) {
			t.Errorf("children: %v, %v", children, err)
		}
	}
	up, err := child.Parent()
	if err != nil || up.PID != parent.PID {
		t.Fatalf("parent of the child: %v, %v", up, err)
	}
	up.Close()
	for _, tc := range []struct {
		of       *Dir
		ancestor int
		want     bool
	}{
		{child, child.PID, true},
		{child, parent.PID, true},
		{child, os.Getpid(), true},
		{parent, child.PID, false},
	} {
		got, err := tc.of.DescendsFrom(tc.ancestor)
		if err != nil || got != tc.want {
			t.Errorf("%d descends from %d: %v, %v", tc.of.PID, tc.ancestor, got, err)
		}
	}
}

func TestNamespaces(t *testing.T) {
	d := start(t, "idle", func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUTS | unix.CLONE_NEWPID}
	})
	own := openDir(t, os.Getpid())
	for _, kind := range append([]Kind{User, PIDForChildren, TimeForChildren}, Nsproxy...) {
		mine, err := own.NS(kind)
		if err != nil {
			t.Fatal(err)
		}
		other, err := d.NS(kind)
		if err != nil {
			t.Fatal(err)
		}
		differs := kind == UTS || kind == PID || kind == PIDForChildren
		if (mine != other) != differs {
			t.Errorf("%s: %v and %v", kind, mine, other)
		}
		checkOpenNS(t, d, kind, other)
	}
	st, err := d.Status()
	if err != nil || !slices.Equal(st.NSpid, []int{d.PID, 1}) {
		t.Errorf("NSpid: %v, %v", st, err)
	}
}

func checkOpenNS(t *testing.T, d *Dir, kind Kind, want NSID) {
	t.Helper()
	f, err := d.OpenNS(kind)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := FileNSID(f); err != nil || got != want {
		t.Errorf("%s opened: %v, %v, want %v", kind, got, err, want)
	}
}

func TestNamespaceWithoutInit(t *testing.T) {
	d := start(t, "unshared", nil)
	if _, err := d.NS(PIDForChildren); !errors.Is(err, os.ErrNotExist) || Gone(err) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

// TestParentOfOneThatIsReaped: until it is gone a child has its parent.
func TestParentOfOneThatIsReaped(t *testing.T) {
	for range 300 {
		cmd := exec.Command("true")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		d, err := Open(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		reaped := make(chan error)
		go func() { reaped <- cmd.Wait() }()
		for err == nil {
			var up *Dir
			switch up, err = d.Parent(); {
			case err == nil && up == nil:
				t.Fatalf("process %d has no parent", d.PID)
			case err == nil:
				up.Close()
			case !Gone(err):
				t.Error(err)
			}
		}
		d.Close()
		if err := <-reaped; err != nil {
			t.Error(err)
		}
	}
}
