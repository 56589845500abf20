// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/transplant"
	"cloneat-emu/ptrace"
)

// The process group of a child is the caller's of the moment in which it is born, or of a later
// one: others may set it meanwhile (setpgid(2) by the caller's parent). So are its control groups.

// joinGroup brings a child that is born in the target's process group into the caller's. What it
// was sent as a member of the first is not for it: fork(2) would have made it in the second. On
// the way it is in a group of its own, which nobody sends anything.
func (c *call) joinGroup(i *ptrace.Injection, group int) error {
	if _, err := i.Call(unix.SYS_SETPGID, 0, 0); ptrace.Gone(err) {
		return err
	}
	if err := dropStrays(i); err != nil {
		return err
	}
	_, err := i.Call(unix.SYS_SETPGID, 0, uintptr(group))
	if err == nil || ptrace.Gone(err) {
		return err
	}
	if now, err := transplant.Group(c.n.TID, i.TID); err != nil || now != group {
		return errors.Join(err, errMissed) // the caller has left it, and it is gone
	}
	return nil
}

// inGroup says errMissed where a child that was copied from the caller by way of others is not in
// the caller's process group.
func (c *call) inGroup(child int) error {
	want, err := unix.Getpgid(c.n.TID)
	if err != nil {
		return errCallerGone
	}
	have, err := unix.Getpgid(child)
	if err == nil && have != want && c.s.patience.tried(c.n.TID) < maxMissed {
		return errMissed
	}
	return nil
}

// inGroups is inGroup, and the same for control groups.
func (c *call) inGroups(child int) error {
	if err := c.inGroup(child); err != nil {
		return err
	}
	if !transplant.SameCgroups(c.n.TID, child) && c.s.patience.tried(c.n.TID) < maxMissed {
		return errMissed
	}
	return nil
}

// dropStrays takes the signals that wait for a child in the making.
func dropStrays(i *ptrace.Injection) error {
	stray, err := strays(i)
	if err != nil || stray == 0 {
		return err
	}
	if stray&stops != 0 {
		i.ForgetStop()
		if err := unix.Kill(i.TID, unix.SIGCONT); err != nil { // it takes the stops away
			return err
		}
		if stray, err = strays(i); err != nil {
			return err
		}
	}
	queued, err := i.Queued()
	if err != nil {
		return err
	}
	for sig := unix.Signal(1); sig <= lastSignal; sig++ {
		if stray&setOf(sig) == 0 {
			continue
		}
		times := 0
		for _, q := range queued {
			if q.Sig == sig {
				times++
			}
		}
		for range max(times, 1) { // it may wait without being in the queue
			takeSignal(i, sig)
		}
	}
	return nil
}

// lastSignal is the kernel's _NSIG.
const lastSignal = 64

// stops are the signals that SIGCONT takes away, of which SIGSTOP cannot be taken otherwise.
var stops = setOf(unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU)

// strays are the signals that wait for i's process, with a SIGSTOP that it has met.
func strays(i *ptrace.Injection) (uint64, error) {
	st, err := statusOf(i.TID)
	if err != nil {
		return 0, err
	}
	all := st.ShdPnd | st.SigPnd
	if i.MetStop() {
		all |= setOf(unix.SIGSTOP)
	}
	return all &^ setOf(unix.SIGKILL), nil
}
