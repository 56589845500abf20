// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"cloneat-emu/emu"
	"cloneat-emu/emu/listen"
)

// wantsMore says what the program would not have if it were only executed.
func (r *runCmd) wantsMore() error {
	const force = "--force emulates all the same, but not within another run"
	switch {
	case len(r.Prototype) != 0:
		return errors.New("--prototype: cloneat is there already, so that nothing would be emulated; " + force)
	case r.Userns:
		return errors.New("--userns: cloneat is there already, so that the program would only be executed, in no namespaces " +
			"of its own; unshare -Urmpf --mount-proc makes them; " + force)
	}
	return nil
}

// runNatively becomes the program: the call is there already.
func (r *runCmd) runNatively() error {
	if !listen.Filtered() {
		fmt.Fprintln(os.Stderr, "cloneat-emu: this kernel has cloneat itself; running the program on it (--force emulates all the same)")
	}
	return startFailed(emu.Command(r.Program[0], r.Program[1:]...).Exec())
}
