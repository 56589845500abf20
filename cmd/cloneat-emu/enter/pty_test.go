// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// expect reads lines until one has the text, and fails at the end of the input.
func expect(t *testing.T, in *bufio.Reader, text string) {
	t.Helper()
	var seen strings.Builder
	for {
		l, err := in.ReadString('\n')
		seen.WriteString(l)
		if strings.Contains(l, text) {
			return
		}
		if err != nil {
			t.Fatalf("%q did not come: %v\n%s", text, err, seen.String())
		}
	}
}

func TestTerminalIsResizedWithOurs(t *testing.T) {
	init := bubble(t)
	host, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	ours, err := newTerminal(host)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.master.Close()
	size := func(rows, cols uint16) {
		err := unix.IoctlSetWinsize(int(ours.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols})
		if err != nil {
			t.Fatal(err)
		}
	}
	size(31, 97)
	// A trap runs when the command in the foreground has ended.
	o := sh(`stty size; trap 'stty size; exit 5' WINCH; echo wait; while :; do sleep 0.02; done`)
	o.TTY, o.Interactive = true, true
	cmd := command(init, o)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = ours.slave, ours.slave, ours.slave
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = ours.slave.Close()
	in := bufio.NewReader(ours.master)
	expect(t, in, "31 97")
	expect(t, in, "wait")
	size(40, 120)
	expect(t, in, "40 120")
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 5 {
		t.Errorf("status %d", got)
	}
}
