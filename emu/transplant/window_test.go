// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// secretAt is where testdata/secret.c has its secret.
const secretAt = 0x2000000000

// TestNobodyKeepsAWindow lets the target's user open the child's memory as soon as
// it is born, when it is the target's own, and read from it when it is the caller's,
// which that user may not read. The access is checked when /proc/PID/mem is opened,
// and never again.
func TestNobodyKeepsAWindow(t *testing.T) {
	for name, target := range map[string][]string{"forked": nil, "executed": {"/bin/sleep", "1000"}} {
		t.Run(name, func(t *testing.T) { keepWindow(t, target) })
	}
}

func keepWindow(t *testing.T, target []string) {
	s := start(t, append([]string{program(t, "secret", "-static"), fmt.Sprint(secretAt)}, target...)...)
	settle(t, s.thread)
	if target == nil { // a fork of the program, which begins here
		const image = 0x400000
		if got := peep(t, s.target).read(t, image); !strings.HasPrefix(got, "\x7fELF") {
			t.Errorf("user 1000 reads %q of its own process: the attack does not work", got)
		}
	}
	var window *peeper
	s.born = func(pid int) func(string) {
		return func(stage string) {
			if window == nil {
				window = peep(t, pid)
			}
		}
	}
	s.inspect = func(int) {
		if got := window.read(t, secretAt); strings.Contains(got, "secret") {
			t.Errorf("user 1000 reads %q", got)
		}
	}
	if o := s.transplant(s.thread, Options{}); o.err != nil {
		t.Fatal(o.err)
	}
}

// peeper is a shell of user 1000 that has a process's memory open.
type peeper struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// peep is not called by the test's own goroutine: it reports, and goes on.
func peep(t *testing.T, pid int) *peeper {
	t.Helper()
	script := fmt.Sprintf("exec 3</proc/%d/mem && echo open && read at && "+
		"dd bs=1 count=32 iflag=skip_bytes skip=$at <&3 2>/dev/null; echo", pid)
	cmd := exec.Command("setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "sh", "-c", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Error(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
	}
	if err := cmd.Start(); err != nil {
		t.Error(err)
	}
	p := &peeper{cmd, in, bufio.NewReader(out)}
	if line, err := p.out.ReadString('\n'); line != "open\n" {
		t.Errorf("the attack does not begin: %q, %v", line, err)
	}
	return p
}

// read is what the user gets at an address.
func (p *peeper) read(t *testing.T, at int) string {
	t.Helper()
	fmt.Fprintln(p.in, at)
	got, err := io.ReadAll(p.out)
	if err != nil {
		t.Error(err)
	}
	p.in.Close()
	_ = p.cmd.Wait()
	return string(got)
}
