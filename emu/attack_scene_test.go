// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
)

// What obeys a byte (testdata/attacked.c), by its descriptor.
const (
	callerOther = 3 + iota
	leader
	targetOther
	child
	caller
)

// scene is emu/testdata/attacked.c at work.
type scene struct {
	t               *testing.T
	cmd             *emu.Cmd
	to              [caller + 1]*os.File
	lines           chan string
	said            []string
	heard           int // lines of them
	caller, target  int
	company, father int // 0: there is none
}

// bound is how long anything may take.
const bound = 20 * time.Second

func startScene(t *testing.T, cmd *emu.Cmd) *scene {
	t.Helper()
	s := &scene{t: t, cmd: cmd, lines: make(chan string, 100)}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	cmd.LogLevel = os.Getenv("ATTACK_LOG")
	for fd := callerOther; fd <= caller; fd++ {
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		t.Cleanup(func() { out.Close() })
		cmd.ExtraFiles, s.to[fd] = append(cmd.ExtraFiles, in), out
	}
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer r.Close()
		defer close(s.lines)
		for in := bufio.NewScanner(r); in.Scan(); {
			s.lines <- in.Text()
		}
	}()
	return s
}

// tell writes a byte to whoever obeys.
func (s *scene) tell(fd int, what string) {
	if _, err := s.to[fd].WriteString(what); err != nil {
		s.t.Error(err)
	}
}

// calls has the caller call.
func (s *scene) calls() {
	s.heard = len(s.said)
	s.tell(caller, "c")
}

// hears takes what the scene says until a line begins so, or the time is up: which alone ends it,
// and leaves the lines unheard, where begin is empty. Children are let go as soon as they have
// said something.
func (s *scene) hears(begin string, within time.Duration) (rest string, ok bool) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		for ; s.heard < len(s.said) && begin != ""; s.heard++ {
			if rest, ok := strings.CutPrefix(s.said[s.heard], begin); ok {
				s.heard++
				return strings.TrimSpace(rest), true
			}
		}
		select {
		case line, open := <-s.lines:
			if !open {
				return "", false
			}
			s.said = append(s.said, line)
			if line == "child" {
				s.tell(child, "e")
			}
		case <-timer.C:
			return "", false
		}
	}
}

// count is how many lines begin so.
func (s *scene) count(begin string) (n int) {
	for _, line := range s.said {
		if strings.HasPrefix(line, begin) {
			n++
		}
	}
	return n
}

// must is hears for what has to be.
func (s *scene) must(begin string) string {
	rest, ok := s.hears(begin, bound)
	if !ok {
		s.t.Errorf("nobody said %q; what was said:\n%s\n%s", begin, strings.Join(s.said, "\n"), s.state())
		s.end()
		s.t.FailNow()
	}
	return rest
}

// state is who there is.
func (s *scene) state() (out string) {
	all := append(below(s.cmd.Operator()), s.cmd.Operator())
	for _, pid := range all {
		st := statOf(pid)
		if st == nil {
			continue
		}
		out += fmt.Sprintf("%d (%s), child of %d: %c\n", pid, st.Comm, st.Ppid, st.State)
		for _, tid := range tasks(pid) {
			wchan, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/wchan", pid, tid))
			call, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/syscall", pid, tid))
			if st.Comm == "program" {
				out += fmt.Sprintf("  %d in %s %s\n", tid, wchan, strings.TrimSpace(string(call)))
			}
		}
	}
	return out + strings.Join(held(all[:len(all)-1]), "\n")
}

// end kills everything.
func (s *scene) end() {
	operator := s.cmd.Operator()
	for _, pid := range append(below(operator), operator) {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}
