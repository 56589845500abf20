package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &counter{cmd, in, bufio.NewReader(out)}
	if line, err := c.out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return c
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
