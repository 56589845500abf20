// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// joinsUsers reports whether the command is to be in another user namespace than we.
func (r *run) joinsUsers() bool { return r.o.TargetUserNS && r.t.users }

// enterPIDs puts H into the target's pid namespace. The others wait for the command's own
// process; but who has rights only as the owner of a user namespace has them in there, and
// has to join all at once: they may belong to one above the target's, as bwrap has it.
func (r *run) enterPIDs(h *stage.Task) error {
	_, err := h.Call(unix.SYS_SETNS, uintptr(r.fd.pidfd), unix.CLONE_NEWPID)
	if errors.Is(err, unix.EPERM) && r.joinsUsers() {
		_, err = h.Call(unix.SYS_SETNS, uintptr(r.fd.pidfd), unix.CLONE_NEWUSER|unix.CLONE_NEWPID|r.t.differ)
		r.inside = err == nil
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM) && r.t.users && !r.o.TargetUserNS:
		return fmt.Errorf("setns(pid namespace of the target): %w; it is in another user namespace, where "+
			"--userns=target may have the right", err)
	}
	return fmt.Errorf("setns(pid namespace of the target): %w", err)
}

// leaveGroups gives up the groups that we have outside. In a user namespace whose groups
// are fixed nobody could any more.
func (r *run) leaveGroups(task *stage.Task) error {
	_, err := task.Call(unix.SYS_SETGROUPS, 0, 0)
	if errors.Is(err, unix.EPERM) {
		return nil // no right to that: they are those of the namespace's owner
	}
	return err
}

// groupsFixed reports whether nobody in the command's user namespace may call setgroups(2)
// (user_namespaces(7)): the groups that it was made with are what all in there have.
func (r *run) groupsFixed() bool {
	b, err := r.t.dir.ReadFile("setgroups")
	return err == nil && strings.TrimSpace(string(b)) == "deny"
}
