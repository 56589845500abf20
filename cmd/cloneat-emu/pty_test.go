// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is an interactive shell on a pseudo terminal.
type terminal struct {
	master *os.File
	mu     sync.Mutex
	more   *sync.Cond
	seen   bytes.Buffer
	closed bool
}

func startShell(t *testing.T, dir string) *terminal {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	master := os.NewFile(uintptr(fd), "ptmx") // not blocking, so that Close ends read
	defer slave.Close()
	cmd := exec.Command("bash", "--norc", "--noediting", "-i")
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "PS1=<\\j>", "TERM=dumb", "PROMPT_COMMAND=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term := &terminal{master: master}
	term.more = sync.NewCond(&term.mu)
	go term.read()
	t.Cleanup(func() {
		master.Close() // hangs the terminal up, for whatever runs there
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	term.expect(t, "<0>")
	return term
}

func (s *terminal) read() {
	buf := make([]byte, 4096)
	for {
		n, err := s.master.Read(buf)
		s.mu.Lock()
		s.seen.Write(buf[:n])
		s.closed = err != nil
		s.more.Broadcast()
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// expect waits for text that matches, and forgets everything up to it.
func (s *terminal) expect(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.AfterFunc(hang, func() {
		s.mu.Lock()
		s.closed = true
		s.more.Broadcast()
		s.mu.Unlock()
	})
	defer late.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if at := re.FindIndex(s.seen.Bytes()); at != nil {
			text := string(s.seen.Next(at[1]))
			return text
		}
		if s.closed {
			t.Fatalf("waiting for %q, the terminal shows:\n%s", pattern, s.seen.String())
		}
		s.more.Wait()
	}
}

func (s *terminal) send(t *testing.T, text string) {
	t.Helper()
	if _, err := s.master.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// TestJobControl: Ctrl-Z, bg, fg and Ctrl-C at a shell work as without us.
func TestJobControl(t *testing.T) {
	dir := bin(t)
	for _, run := range []string{"", "cloneat-emu run -- "} {
		t.Run("run="+run, func(t *testing.T) {
			s := startShell(t, dir)
			s.send(t, run+"call count\n")
			s.expect(t, "ready")
			s.send(t, "\x1a")
			s.expect(t, `Stopped`)
			s.expect(t, "<1>")
			s.send(t, "fg\n")
			s.expect(t, "call count")
			s.send(t, "a\n")
			s.expect(t, `18\*1 \.`)
			s.expect(t, `\.`)
			s.send(t, "\x1a")
			s.expect(t, `Stopped`)
			s.expect(t, "<1>")
			s.send(t, "bg; until jobs -s | grep -q call; do :; done; echo stopped again; fg\n") // when it reads
			s.expect(t, "call count &")
			s.expect(t, "\nstopped again")
			s.expect(t, "call count\r\n")
			s.send(t, "b\n")
			s.expect(t, `18\*\d+ \.`)
			s.send(t, "\x03c\n") // caught, and counted once
			s.expect(t, `2\*1 18\*\d+ \.`)
			s.send(t, "\x04") // end of input
			s.expect(t, "<0>")
			s.send(t, run+"cat; echo status $?\n")
			s.expect(t, "echo status .*\n")
			s.send(t, "hello\n")
			s.expect(t, "hello\r\nhello")
			s.send(t, "\x03")
			s.expect(t, "<0>")
			s.send(t, "echo status $?\n")
			s.expect(t, "status 130")
		})
	}
}

// TestTerminalOwner: the program is in the terminal's foreground process group.
func TestTerminalOwner(t *testing.T) {
	s := startShell(t, bin(t))
	s.send(t, "cloneat-emu run -- sh -c 'ps -o stat= -p $$'\n")
	s.expect(t, `\n\S*\+`)
	s.expect(t, "<0>")
	s.send(t, "cloneat-emu run -- bash --norc --noediting -i\n") // a shell as the program has job control
	s.expect(t, "<0>")
	s.send(t, "sh -c 'echo go; exec sleep 100'\n")
	s.expect(t, "\ngo")
	s.send(t, "\x1a")
	s.expect(t, "Stopped")
	s.expect(t, "<1>")
	s.send(t, "kill -KILL %1; while kill -0 %1 2>/dev/null; do sleep 0.05; done; exit 5\n")
	s.expect(t, "<0>")
	s.send(t, "echo status $?\n")
	s.expect(t, "status 5")
}
