// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/moby/sys/capability"
	"golang.org/x/sys/unix"
)

// rights are what the command gives up: an identity and capabilities.
type rights struct {
	user *user
	drop []capability.Cap
}

// newRights reads what the options say about rights.
func newRights(o *Options, t *Target) (*rights, error) {
	r := &rights{}
	var err error
	if r.drop, err = parseCaps(o.CapDrop); err != nil {
		return nil, err
	}
	if o.User != "" {
		if r.user, err = lookUp(o.User, t.root); err != nil {
			return nil, fmt.Errorf("user %q: %w", o.User, err)
		}
	}
	return r, nil
}

// parseCaps turns names into capabilities that this kernel has.
func parseCaps(names []string) ([]capability.Cap, error) {
	all, err := capability.ListSupported()
	if err != nil {
		return nil, fmt.Errorf("capabilities: %w", err)
	}
	byName := map[string]capability.Cap{}
	for _, c := range all {
		byName[strings.ToUpper(c.String())] = c
	}
	var caps []capability.Cap
	for _, name := range names {
		n := strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		c, ok := byName[n]
		switch {
		case n == "ALL":
			return all, nil
		case !ok:
			return nil, fmt.Errorf("capability %q is not one of this kernel's; see capabilities(7)", name)
		}
		caps = append(caps, c)
	}
	return caps, nil
}

// apply gives up rights in a task. The bounding set comes first, it takes
// CAP_SETPCAP; the sets of the thread last, setresuid takes CAP_SETUID. Groups stay as
// they are where that is all there can be.
func (r *rights) apply(s *steps, groupsFixed bool) {
	for _, c := range r.drop {
		s.call("prctl(PR_CAPBSET_DROP "+c.String()+")", unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(c))
	}
	if u := r.user; u != nil {
		groups := make([]byte, 0, 4*len(u.groups))
		for _, g := range u.groups {
			groups = binary.NativeEndian.AppendUint32(groups, g)
		}
		if !groupsFixed {
			s.call("setgroups", unix.SYS_SETGROUPS, uintptr(len(u.groups)), s.bytes(groups))
		}
		s.call("setresgid", unix.SYS_SETRESGID, uintptr(u.gid), uintptr(u.gid), uintptr(u.gid))
		s.call("setresuid", unix.SYS_SETRESUID, uintptr(u.uid), uintptr(u.uid), uintptr(u.uid))
	}
	if len(r.drop) > 0 {
		r.capset(s)
	}
}

// capset takes the capabilities out of the thread's three sets. The ambient
// set follows by itself.
func (r *rights) capset(s *steps) {
	head := binary.NativeEndian.AppendUint32(nil, unix.LINUX_CAPABILITY_VERSION_3)
	header := s.bytes(append(head, 0, 0, 0, 0))
	sets := s.bytes(make([]byte, 24)) // effective, permitted, inheritable, twice
	s.call("capget", unix.SYS_CAPGET, header, sets)
	if s.err != nil {
		return
	}
	view := s.task.Machine().View(sets, 24)
	for _, c := range r.drop {
		for set := range 3 {
			view[12*(int(c)/32)+4*set+int(c)%32/8] &^= 1 << (c % 8)
		}
	}
	s.call("capset", unix.SYS_CAPSET, header, sets)
}
