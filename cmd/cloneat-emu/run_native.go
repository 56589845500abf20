// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

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
	inside := listen.Filtered()
	if !inside {
		fmt.Fprintln(os.Stderr, "cloneat-emu: this kernel has cloneat itself; running the program on it (--force emulates all the same)")
	}
	if flags := r.idle(inside); len(flags) != 0 {
		fmt.Fprintf(os.Stderr, "cloneat-emu: cloneat is there already, so that nothing comes of %s\n", strings.Join(flags, ", "))
	}
	return startFailed(emu.Command(r.Program[0], r.Program[1:]...).Exec())
}

// idle are the flags that say how calls are to be served, which somebody else does.
func (r *runCmd) idle(inside bool) (flags []string) {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"--trace", r.Trace.on},
		{"--stats", r.Stats},
		{"--engine", r.Engine != "auto"},
		{"--pid-driver", r.PidDriver != "auto"},
		{"--best-effort", r.BestEffort},
		{"--linger", r.Linger && inside}, // the kernel serves everybody
	} {
		if f.set {
			flags = append(flags, f.name)
		}
	}
	return flags
}
