// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"fmt"
	"strings"

	"github.com/moby/sys/capability"
	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
)

// right is a capability and what is lost without it.
type right struct {
	cap           capability.Cap
	need, instead string
}

// rights are those that the supervisor itself uses.
var rights = []right{
	{capability.CAP_SYS_PTRACE, "callers and targets of other users, or that changed their ids", "only processes of this user that can be dumped"},
	{capability.CAP_SYS_ADMIN, "targets in other namespaces, targets with a filter, programs that keep their set-user-ID programs", "EPERM or EOPNOTSUPP for them; the program gets no_new_privs"},
	{capability.CAP_CHECKPOINT_RESTORE, "exact pids (hint)", "EPERM for a hint, but in pid namespaces of this user's own"},
}

func rightProbes() []probe {
	list := []probe{{"user namespaces", "run --userns: everything above without privilege", "run as root", func() (string, error) { return "", launch.TryNamespaces() }}}
	for _, r := range rights {
		list = append(list, probe{capName(r.cap), r.need, r.instead, func() (string, error) { return "", r.try() }})
	}
	return list
}

// Missing says which rights this process lacks, for what, and what still works.
func Missing() (lines []string) {
	for _, r := range rights {
		if err := r.try(); err != nil && judge(err) == No {
			lines = append(lines, fmt.Sprintf("no %s: needed for %s; without it: %s", capName(r.cap), r.need, r.instead))
		}
	}
	return lines
}

// try looks for the capability, or for one that includes it.
func (r right) try() error {
	caps, err := capability.NewPid2(0)
	if err == nil {
		err = caps.Load()
	}
	if err != nil {
		return unknown(err)
	}
	if caps.Get(capability.EFFECTIVE, r.cap) ||
		r.cap == capability.CAP_CHECKPOINT_RESTORE && caps.Get(capability.EFFECTIVE, capability.CAP_SYS_ADMIN) {
		return nil
	}
	return fmt.Errorf("not in the effective set: %w", unix.EPERM)
}

// capName is a capability's name as the manuals write it.
func capName(c capability.Cap) string { return "CAP_" + strings.ToUpper(c.String()) }
