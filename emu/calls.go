// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cloneat-emu/emu/check"
	"cloneat-emu/emu/listen"
)

// kind is one system call that is emulated: its name, and what sets it apart from
// the others. What they have in common is in call.go.
type kind struct {
	name   string
	naming check.Naming
}

// kinds are all of them, by number. Only cloneat is always there: the others are
// prototypes, and answer ENOSYS unless they are asked for ([Cmd.Prototypes]).
// docs/prototype.md says how one is added.
var kinds = map[int]kind{
	listen.NrCloneat: {name: "cloneat", naming: check.ByNumber},
	510:              {name: "cloneat_pidfd", naming: check.ByPidFD},
}

// Prototypes are the names of the calls that have to be asked for.
func Prototypes() (names []string) {
	for nr, k := range kinds {
		if nr != listen.NrCloneat {
			names = append(names, k.name)
		}
	}
	slices.Sort(names)
	return names
}

// prototypeNumbers are the numbers that the filter is to notify besides cloneat's.
func prototypeNumbers(names []string) (numbers []uint32, err error) {
	known := Prototypes()
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("emu: no prototype call is named %q (there is: %s)", name, strings.Join(known, ", "))
		}
	}
	for _, nr := range slices.Sorted(maps.Keys(kinds)) {
		if slices.Contains(names, kinds[nr].name) {
			numbers = append(numbers, uint32(nr))
		}
	}
	return numbers, nil
}
