// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
)

// traceFlag is --trace or --trace=FILE: a flag with an optional value.
type traceFlag struct {
	on   bool
	file string // empty: stderr
}

// IsBool tells kong that the flag may stand alone.
func (traceFlag) IsBool() bool { return true }

// Decode takes a value only behind "=".
func (t *traceFlag) Decode(ctx *kong.DecodeContext) error {
	t.on = true
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		if t.file = ctx.Scan.Pop().String(); t.file == "" {
			return errors.New("the value is empty")
		}
	}
	return nil
}

// tracer prints a line per call; without an output it prints nothing.
type tracer struct {
	out  io.Writer
	file *os.File // to be closed
}

// newTracer opens what --trace names.
func newTracer(flag traceFlag) (*tracer, error) {
	switch {
	case !flag.on:
		return &tracer{}, nil
	case flag.file == "":
		return &tracer{out: os.Stderr}, nil
	}
	f, err := os.OpenFile(flag.file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("--trace: %w", err)
	}
	return &tracer{out: f, file: f}, nil
}

func (t *tracer) close() {
	if t.file != nil {
		t.file.Close()
	}
}

// event prints a line in one write, so that lines of others do not fall into it. An
// output that cannot be written ends the trace, not the program.
func (t *tracer) event(e emu.Event) {
	if t.out == nil {
		return
	}
	if _, err := io.WriteString(t.out, traceLine(e)+"\n"); err != nil {
		t.out = nil
		if !errors.Is(err, unix.EPIPE) { // who read it has seen enough
			fmt.Fprintf(os.Stderr, "cloneat-emu: the trace ends here: %v\n", err)
		}
	}
}

// traceLine is a call in strace's manner:
//
//	[pid 812] cloneat(815, 900, {flags=[SIGCHLD]}) = 900 <transplant 1.4ms 312 pages>
func traceLine(e emu.Event) string {
	return fmt.Sprintf("[pid %d] %s(%d, %d, %s) = %s <%s>",
		e.Caller, e.Name, e.Pid, e.Hint, traceArgs(e), traceResult(e), traceNotes(e))
}

// traceArgs shows an address where the struct could not be read.
func traceArgs(e emu.Event) string {
	switch {
	case e.Args != nil:
		return e.Args.String()
	case e.ArgsPtr == 0:
		return "NULL"
	}
	return fmt.Sprintf("%#x", e.ArgsPtr)
}

func traceResult(e emu.Event) string {
	if e.Result >= 0 {
		return fmt.Sprint(e.Result)
	}
	errno := unix.Errno(-e.Result)
	return fmt.Sprintf("-1 %s (%s)", errnoName(errno), errorText(errno))
}

// errnoName is the name that the manual and strace(1) use: one number has two.
func errnoName(errno unix.Errno) string {
	if errno == unix.EOPNOTSUPP {
		return "EOPNOTSUPP"
	}
	return unix.ErrnoName(errno)
}

// errorText is strerror(3)'s text: Go's begins with a small letter.
func errorText(errno unix.Errno) string {
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// traceNotes says how the call was done and what it took.
func traceNotes(e emu.Event) string {
	var notes []string
	if e.Engine != "" {
		notes = append(notes, e.Engine)
	}
	notes = append(notes, duration(e.Duration))
	if e.Pages != 0 {
		notes = append(notes, fmt.Sprintf("%d pages", e.Pages))
	}
	if e.Cause != "" {
		notes = append(notes, e.Cause)
	}
	return strings.Join(notes, " ")
}

// duration has two or three digits and a unit: 85us, 1.4ms, 2.5s.
func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%dus", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}
