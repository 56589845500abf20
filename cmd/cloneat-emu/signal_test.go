// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"cloneat-emu/tests/built"
)

// counter is "call count" under run.
type counter struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startCounter(t *testing.T) *counter {
	t.Helper()
	dir := bin(t)
	cmd := exec.Command(filepath.Join(dir, "cloneat-emu"), "run", "--", filepath.Join(dir, "call"), "count")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = os.Stderr
	in, out := built.Talk(t, cmd)
	built.Says(t, out, "ready")
	return &counter{cmd, in, out}
}

// until asks again and again until the counts are want; the test's own deadline ends it.
func (c *counter) until(t *testing.T, want string) {
	t.Helper()
	for last := ""; ; {
		if _, err := c.in.Write([]byte{'?'}); err != nil {
			t.Fatal(err)
		}
		line, err := c.out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line = strings.TrimSuffix(line, ".\n"); line == want {
			return
		}
		if line != last {
			t.Logf("counts: %s", line)
			last = line
		}
	}
}

func (c *counter) end(t *testing.T) {
	t.Helper()
	c.in.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestSignalsOnce: a signal to the front reaches the program; one to the whole process
// group, as the terminal's are, reaches it once and not twice. SIGUSR2, sent to the
// front last, comes behind whatever the front would have passed on before.
func TestSignalsOnce(t *testing.T) {
	c := startCounter(t)
	pid := c.cmd.Process.Pid
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGWINCH, syscall.SIGCONT} {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
	}
	c.until(t, "1*1 2*1 15*1 18*1 28*1 ")
	if err := syscall.Kill(-pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.until(t, "1*1 2*1 15*2 18*1 28*1 ")
	if err := syscall.Kill(-pid, syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	c.until(t, "1*1 2*1 10*1 15*2 18*1 28*1 ")
	if err := syscall.Kill(pid, syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	c.until(t, "1*1 2*1 10*1 12*1 15*2 18*1 28*1 ")
	c.end(t)
}

// TestKeeperHandlesSignalsInOneThread: with two, a signal of the group could be handled
// behind the fence that was sent later, and be taken for the front's alone. Those that
// the Go runtime opens in all threads have an echo instead, which is open as well.
func TestKeeperHandlesSignalsInOneThread(t *testing.T) {
	c := startCounter(t)
	defer c.end(t)
	keeper := onlyChildOf(t, onlyChildOf(t, c.cmd.Process.Pid))
	const fence, echo = 64, syscall.SIGSYS
	masks := masksOf(t, keeper)
	for end := time.Now().Add(hang); open(masks, echo) < len(masks); masks = masksOf(t, keeper) {
		if time.Now().After(end) { // one that is being born, or comes from a fork, blocks all
			t.Fatalf("signal %d: %d of %d threads handle it", echo, open(masks, echo), len(masks))
		}
	}
	if len(masks) < 2 {
		t.Fatalf("%d threads of the keeper", len(masks))
	}
	for _, sig := range []syscall.Signal{syscall.SIGCONT, syscall.SIGTSTP, syscall.SIGUSR1, fence} {
		if n := open(masks, sig); n != 1 {
			t.Errorf("signal %d: %d of %d threads handle it, not one", sig, n, len(masks))
		}
	}
}

// open counts the masks that let a signal through.
func open(masks []uint64, sig syscall.Signal) (n int) {
	for _, mask := range masks {
		if mask>>(sig-1)&1 == 0 {
			n++
		}
	}
	return n
}

func onlyChildOf(t *testing.T, pid int) int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var children []int
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		for f := range strings.FieldsSeq(string(b)) {
			n, _ := strconv.Atoi(f)
			children = append(children, n)
		}
	}
	if len(children) != 1 {
		t.Fatalf("children of %d: %v", pid, children)
	}
	return children[0]
}

// masksOf are the signals that each thread of a process blocks.
func masksOf(t *testing.T, pid int) (masks []uint64) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range threads {
		b, err := os.ReadFile(status)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(b), "\nSigBlk:\t")
		word, _, _ := strings.Cut(rest, "\n")
		mask, err := strconv.ParseUint(word, 16, 64)
		if err != nil {
			t.Fatalf("%s: %v", status, err)
		}
		masks = append(masks, mask)
	}
	return masks
}
