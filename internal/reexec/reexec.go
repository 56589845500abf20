// SPDX-License-Identifier: Apache-2.0

// Package reexec gives tests real processes to look at: the test binary starts
// itself again and plays a role instead of running tests.
//
// A role speaks one line per thing that is ready and ends when its input does,
// so that a test neither sleeps nor leaves anything behind, even if it is
// killed.
package reexec

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

const variable = "CLONEAT_TEST_ROLE"

// Main plays the role that the binary was started for, or runs the tests.
func Main(m *testing.M, roles map[string]func()) {
	role := os.Getenv(variable)
	if role == "" {
		os.Exit(m.Run())
	}
	os.Unsetenv(variable)
	play, ok := roles[role]
	if !ok {
		fmt.Fprintf(os.Stderr, "no role %q\n", role)
		os.Exit(2)
	}
	play()
	os.Exit(0)
}

// Say tells the test a line.
func Say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// Wait blocks until the test is done with the process.
func Wait() { io.Copy(io.Discard, os.Stdin) }

// Command is this binary in a role, not started yet.
func Command(role string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), variable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// Process is a process that plays a role, or any other that keeps to the rules
// of one.
type Process struct {
	t     testing.TB
	cmd   *exec.Cmd
	input io.WriteCloser
	lines *bufio.Reader
}

// Start starts a role; prepare, if not nil, may change the command before. The
// process is gone when the test has ended.
func Start(t testing.TB, role string, prepare func(*exec.Cmd)) *Process {
	t.Helper()
	cmd := Command(role)
	if prepare != nil {
		prepare(cmd)
	}
	return Run(t, cmd)
}

// Run starts a command that keeps to the rules of a role.
func Run(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	input, lines := built.Talk(t, cmd)
	p := &Process{t: t, cmd: cmd, input: input, lines: lines}
	t.Cleanup(p.End)
	return p
}

// PID is the number of the process in the namespace of the test.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Line waits for the next line that the process says.
func (p *Process) Line() string {
	p.t.Helper()
	line, err := p.lines.ReadString('\n')
	if err != nil {
		p.t.Fatalf("process %d (%v) ended before it was ready: %v", p.PID(), p.cmd.Args, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// Number waits for the next line and reads it as a number.
func (p *Process) Number() (n int) {
	p.t.Helper()
	line := p.Line()
	if _, err := fmt.Sscan(line, &n); err != nil {
		p.t.Fatalf("process %d said %q, not a number", p.PID(), line)
	}
	return n
}

// Tell gives the process a line to read.
func (p *Process) Tell(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.input, format+"\n", args...); err != nil {
		p.t.Fatalf("process %d: %v", p.PID(), err)
	}
}

// End lets the process end and reaps it. It may be called again.
func (p *Process) End() {
	p.input.Close()
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}
