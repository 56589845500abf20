// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"os/signal"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
	"cloneat-emu/emu/launch"
)

// witnessStage is the argv[0] of the process that writes the trace and the table of
// a run with --linger, which ends before what it is to tell of.
const witnessStage = "cloneat-witness"

// witnessTrace is its descriptor for the trace (emu.Witness has those before).
const witnessTrace = 5

// witness prepares it; nil if there is nothing to write.
func (r *runCmd) witness(t *tracer) *exec.Cmd {
	if !r.Linger || t.out == nil && !r.Stats {
		return nil
	}
	w := exec.Command("/proc/self/exe")
	w.Args = []string{witnessStage, "", ""}
	w.Stderr = os.Stderr
	if t.out != nil {
		w.Args[1] = "trace"
		w.ExtraFiles = []*os.File{os.Stderr}
	}
	if t.file != nil {
		w.ExtraFiles = []*os.File{t.file}
	}
	if r.Stats {
		w.Args[2] = "stats"
	}
	return w
}

// witnessInit is the witness if this process is it, and does not return then.
// Nothing but the end of what is served ends it, as it is with the operator.
func witnessInit() {
	if len(os.Args) != 3 || os.Args[0] != witnessStage {
		return
	}
	signal.Ignore(append(launch.Forwarded(), unix.SIGPIPE)...)
	t := &tracer{}
	last := witnessTrace - 1
	if os.Args[1] != "" {
		last = witnessTrace
		t.out = os.NewFile(witnessTrace, "trace")
	}
	files, _ := launch.InheritedFiles() // those of the front, which are not for us
	for _, fd := range files {
		if fd > last {
			unix.Close(fd)
		}
	}
	stats := emu.Witness(t.event)
	if os.Args[2] != "" {
		printStats(os.Stderr, stats)
	}
	os.Exit(0)
}
