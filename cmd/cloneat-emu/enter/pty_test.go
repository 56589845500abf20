// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// expect reads lines until one has the text, and returns that; it fails at the end of the input.
func expect(t *testing.T, in *bufio.Reader, text string) string {
	t.Helper()
	var seen strings.Builder
	for {
		l, err := in.ReadString('\n')
		seen.WriteString(l)
		if strings.Contains(l, text) {
			return l
		}
		if err != nil {
			t.Fatalf("%q did not come: %v\n%s", text, err, seen.String())
		}
	}
}

// outer is a terminal as a shell has one.
func outer(t *testing.T) *terminal {
	t.Helper()
	host, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	term, err := newTerminal(host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = term.master.Close() })
	return term
}

// startOn starts the command on a terminal, as a shell would, to which the terminal is left.
func startOn(t *testing.T, ours *terminal, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = ours.slave, ours.slave, ours.slave
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = ours.slave.Close()
}

// TestTerminalToShow: without -i our terminal keeps its keys, of which those for signals are
// passed on, and shows lines as the command ended them. At the end it is as it was.
func TestTerminalToShow(t *testing.T) {
	o := sh(`trap 'echo interrupted; exit 6' INT; echo wait; while :; do sleep 0.02; done`)
	o.TTY = true
	maker := append([]string{"setsid"}, unshareMaker...) // our terminal's keys are not for the container
	for _, way := range []struct {
		name string
		cmd  func() *exec.Cmd
	}{
		{"admin", func() *exec.Cmd { return command(unshared(t), o) }},
		{"call", func() *exec.Cmd { return called(t, maker, o) }},
	} {
		t.Run(way.name, func(t *testing.T) {
			ours := outer(t)
			before, err := unix.IoctlGetTermios(int(ours.master.Fd()), unix.TCGETS) // the slave's
			if err != nil {
				t.Fatal(err)
			}
			cmd := way.cmd()
			startOn(t, ours, cmd)
			in := bufio.NewReader(ours.master)
			if l := expect(t, in, "wait"); l != "wait\r\n" {
				t.Errorf("shown: %q", l)
			}
			if _, err := ours.master.Write([]byte{3}); err != nil {
				t.Fatal(err)
			}
			expect(t, in, "interrupted")
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != 6 {
				t.Errorf("status %d", got)
			}
			after, err := unix.IoctlGetTermios(int(ours.master.Fd()), unix.TCGETS)
			if err != nil || *after != *before {
				t.Errorf("the terminal's mode is %+v, was %+v, %v", after, before, err)
			}
		})
	}
}

// TestBackgroundLeavesTerminal: with -i in the background a command waits for fg, and the
// terminal is meanwhile as whoever has it wants it.
func TestBackgroundLeavesTerminal(t *testing.T) {
	o := sh("cat")
	o.TTY, o.Interactive = true, true
	for _, way := range []struct {
		name string
		cmd  func() *exec.Cmd
	}{
		{"admin", func() *exec.Cmd { return command(unshared(t), o) }},
		{"call", func() *exec.Cmd { return called(t, append([]string{"setsid"}, unshareMaker...), o) }},
	} {
		t.Run(way.name, func(t *testing.T) {
			ours, cmd := outer(t), way.cmd()
			shell := exec.Command("bash", append([]string{
				"-mc",
				`"$@" & wait $!; echo "state $(ps -o stat= $!)" $(stty -a | grep -o ".icanon"); kill -9 -$!`, "bash", cmd.Path,
			}, cmd.Args[1:]...)...)
			shell.Env, shell.ExtraFiles = cmd.Env, cmd.ExtraFiles
			startOn(t, ours, shell)
			if l := expect(t, bufio.NewReader(ours.master), "state "); !strings.HasPrefix(l, "state T") || strings.Contains(l, "-icanon") {
				t.Errorf("in the background: %q", l)
			}
			_ = shell.Wait()
		})
	}
}

func TestTerminalIsResizedWithOurs(t *testing.T) {
	init := bubble(t)
	ours := outer(t)
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
	startOn(t, ours, cmd)
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
