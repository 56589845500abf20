// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// entering is a run that stands before the container's pid namespace.
func entering(t *testing.T, init int) (*run, *stage.Task) {
	t.Helper()
	runtime.LockOSThread() // the stage is to die with this thread
	t.Cleanup(runtime.UnlockOSThread)
	target, err := Open(init)
	if err != nil {
		t.Fatal(err)
	}
	o := sh("exec sleep 1000")
	r, err := newRun(&o, target)
	if err != nil {
		t.Fatal(err)
	}
	m, err := stage.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.openHand(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := m.Command(ctx)
	cmd.ExtraFiles = append(cmd.ExtraFiles, r.table.extra()...)
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	h, pidfd, err := startStage(m, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		r.close()
		_, _, _ = m.Close(), pidfd.Close(), target.Close()
	})
	s := &steps{task: h}
	s.call("setns", unix.SYS_SETNS, uintptr(r.fd.pidfd), unix.CLONE_NEWPID)
	if s.err != nil {
		t.Fatal(s.err)
	}
	return r, h
}

// TestContainerDiesWhileWeEnter kills the init between the steps: the next one
// fails instead of waiting for ever.
func TestContainerDiesWhileWeEnter(t *testing.T) {
	t.Run("before there is anybody", func(t *testing.T) {
		init := unshared(t)
		r, h := entering(t, init)
		kill(t, init)
		for !stage.Exited(int(r.t.pidfd.Fd())) {
			_ = unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
		}
		if _, _, err := r.father(h); !errors.Is(err, unix.ENOMEM) {
			t.Errorf("error %v, want alloc_pid()'s ENOMEM", err)
		}
	})
	t.Run("when there is the command's father", func(t *testing.T) {
		init := unshared(t)
		r, h := entering(t, init)
		c1, host, err := r.father(h)
		if err != nil {
			t.Fatal(err)
		}
		kill(t, init) // it ends when H has reaped C1
		for !exited(host) {
			_ = unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
		}
		if _, err := r.child(c1); !errors.Is(err, stage.ErrGone) {
			t.Errorf("error %v", err)
		}
		if err := dismiss(h, c1, host); err != nil {
			t.Error(err)
		}
	})
	t.Run("when there is the command's process", func(t *testing.T) {
		init := unshared(t)
		r, h := entering(t, init)
		b, err := r.grandchild(h)
		if err != nil {
			t.Fatal(err)
		}
		defer b.close()
		h.Start(nil, unix.SYS_EXIT_GROUP, 0) // as bear lets it go
		kill(t, init)
		if status, err := r.finish(b, r.t.differ); err == nil && status != 128+9 || err != nil && status != StatusFailed {
			t.Errorf("status %d, error %v", status, err)
		}
	})
}

// TestNotDumpableWhileItEnters: who is in the container already can neither trace nor
// read what comes in, before it executes the command.
func TestNotDumpableWhileItEnters(t *testing.T) {
	r, h := entering(t, unshared(t))
	b, err := r.grandchild(h)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	if got, err := b.task.Call(unix.SYS_PRCTL, unix.PR_GET_DUMPABLE); err != nil || got != 0 {
		t.Errorf("PR_GET_DUMPABLE is %d, %v", got, err)
	}
	h.Start(nil, unix.SYS_EXIT_GROUP, 0) // as bear lets it go
	b.task.Start(nil, unix.SYS_EXIT_GROUP, 0)
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
