// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"fmt"
	"slices"

	"cloneat-emu/emu/proc"
)

// moveToCgroups puts a process into the cgroups of a target, in every hierarchy
// in which they differ.
func moveToCgroups(pid int, target *proc.Dir) error {
	d, err := proc.Open(pid)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	want, err := target.Cgroups()
	if err != nil {
		return err
	}
	have, err := d.Cgroups()
	if err != nil {
		return err
	}
	mounts, err := proc.MountedCgroups()
	if err != nil {
		return err
	}
	for _, e := range want {
		if slices.Contains(have, e) {
			continue
		}
		if err := mounts.Move(pid, e); err != nil {
			return fmt.Errorf("cgroup of the target: %w", err)
		}
	}
	return nil
}
