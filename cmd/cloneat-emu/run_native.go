package main

import (
	"fmt"
	"os"

	"cloneat-emu/emu"
	"cloneat-emu/emu/listen"
)

// runNatively becomes the program: the call is there already.
func (r *runCmd) runNatively() error {
	if !listen.Filtered() {
		fmt.Fprintln(os.Stderr, "cloneat-emu: this kernel has cloneat itself; running the program on it (--force emulates all the same)")
	}
	return startFailed(emu.Command(r.Program[0], r.Program[1:]...).Exec())
}
