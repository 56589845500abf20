// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// subject is a caller that waits in pause(2) and has a target.
type subject struct {
	options Options // of compare
	cmd     *exec.Cmd
	out     *bufio.Reader
	errs    *bufio.Reader
	target  int
	born    func(pid int) func(stage string) // is shown the child at birth and gives what is to happen at each stage
	inspect func(pid int)                    // is shown the finished child, still stopped
	taken   func(*Snapshot)                  // may change what was read of the caller
	thread  int                              // the one that waits in pause(2)

	children []int // what was made of it
}

// start runs a program that prints "target N" to its stderr when it is about
// to wait.
func start(t testing.TB, argv ...string) *subject {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	for len(cmd.Args) > 0 && strings.Contains(cmd.Args[0], "=") { // VAR=VALUE in front, as env(1)
		cmd = exec.Command(cmd.Args[1], cmd.Args[2:]...)
	}
	for _, a := range argv[:len(argv)-len(cmd.Args)] {
		cmd.Env = append(cmd.Environ(), a)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &subject{cmd: cmd, out: bufio.NewReaderSize(stdout, 1<<20), thread: cmd.Process.Pid}
	t.Cleanup(s.end)
	s.errs = bufio.NewReader(stderr)
	s.next(t)
	return s
}

// next waits for the next caller to say who it is.
func (s *subject) next(t testing.TB) {
	t.Helper()
	for s.target = 0; s.target == 0; {
		line, err := s.errs.ReadString('\n')
		if n, ok := strings.CutPrefix(line, "target "); ok {
			s.target, _ = strconv.Atoi(strings.TrimSpace(n))
		} else if n, ok := strings.CutPrefix(line, "thread "); ok {
			s.thread, _ = strconv.Atoi(strings.TrimSpace(n))
		} else if err != nil {
			t.Fatalf("%v: no target: %v", s.cmd.Args, err)
		} else {
			t.Log(strings.TrimSpace(line))
		}
	}
}

func (s *subject) end() {
	for _, child := range s.children { // whose parent has no use for them, and does not reap them
		b, _ := os.ReadFile(procPath(child, "status"))
		if strings.Contains(string(b), fmt.Sprintf("\nPPid:\t%d\n", s.target)) {
			_ = unix.Kill(child, unix.SIGKILL)
		}
	}
	if s.target != 0 {
		_ = unix.Kill(s.target, unix.SIGKILL)
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// hang is longer than anything takes, on a machine however slow.
const hang = 5 * time.Minute

// settle waits until tid sleeps in pause(3).
func settle(t testing.TB, tid int) {
	t.Helper()
	for end := time.Now().Add(hang); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		b, err := os.ReadFile(procPath(tid, "syscall"))
		if err != nil || !running(tid) {
			t.Fatalf("the caller %d is gone: %v", tid, err)
		}
		if strings.HasPrefix(string(b), strconv.Itoa(pauseNr)+" ") {
			return
		}
	}
	t.Fatalf("the caller %d does not come to wait", tid)
}

// hold stops tid.
func hold(tid, options int) (*ptrace.Stopped, error) {
	r, err := ptrace.Seize(tid, options)
	if err != nil {
		return nil, err
	}
	if err := r.Interrupt(); err != nil {
		return nil, err
	}
	for {
		s, stop, err := r.Wait()
		if err != nil || stop.Kind == ptrace.Interrupt {
			return s, err
		}
		if r, err = s.Cont(int(stop.Sig)); err != nil { // a signal came before
			return nil, err
		}
	}
}

// cloneOptions keep C's supervisor's death from leaving a half-made process.
const cloneOptions = ptrace.ForkOptions

// bear makes the target fork a child and returns it stopped.
func bear(target int) (*ptrace.Stopped, error) {
	t, err := hold(target, cloneOptions)
	if err != nil {
		return nil, err
	}
	inj, err := t.Begin()
	if err != nil {
		return nil, err
	}
	c, err := inj.Fork(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0)
	if err != nil {
		return nil, err
	}
	if err := inj.Settle(c, false); err != nil {
		return nil, err
	}
	if _, err := inj.Finish(); err != nil {
		return nil, err
	}
	if err := inj.End(); err != nil {
		return nil, err
	}
	if err := t.Detach(0); err != nil {
		return nil, err
	}
	return c, c.SetOptions(unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACESYSGOOD)
}

// result of one transplant in a test.
type outcome struct {
	pid   int
	stats Stats
	err   error
}

// transplant does the whole thing on a thread of its own and lets C run.
func (s *subject) transplant(tid int, opt Options) outcome {
	done := make(chan outcome)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its tracees
		done <- s.transplantHere(tid, opt)
	}()
	return <-done
}

func (s *subject) transplantHere(tid int, opt Options) (o outcome) {
	caller, err := hold(tid, unix.PTRACE_O_TRACESYSGOOD)
	if err != nil {
		return outcome{err: err}
	}
	st, err := readStatus(tid)
	if err != nil {
		return outcome{err: err}
	}
	pidfd, err := unix.PidfdOpen(st.Tgid, 0)
	if err != nil {
		return outcome{err: err}
	}
	defer unix.Close(pidfd)
	c, err := bear(s.target)
	if err != nil {
		return outcome{err: fmt.Errorf("no child: %w", err)}
	}
	o.pid = c.TID
	if s.born != nil {
		opt.OnStage = s.born(c.TID)
	}
	cfd, err := unix.PidfdOpen(c.TID, 0)
	if err != nil {
		return outcome{err: err}
	}
	defer unix.Close(cfd)
	scope, err := caller.Begin()
	if err != nil {
		return outcome{err: err}
	}
	snap, err := Take(scope, pidfd, Others{}, &Leftovers{})
	if err == nil {
		if s.taken != nil {
			s.taken(snap)
		}
		o.stats, err = snap.Build(c, cfd, opt)
	}
	if err == nil && s.inspect != nil {
		s.inspect(c.TID)
	}
	if err != nil {
		c.Kill()
	} else {
		s.children = append(s.children, c.TID)
		err = c.Detach(0)
	}
	derr := scope.End()
	if derr == nil {
		derr = scope.LetGo()
	}
	if err == nil && !ptrace.Gone(derr) {
		err = derr
	}
	o.err = err
	return o
}

var programs, leftovers sync.Map

// program compiles once per set of flags and test binary run, or takes what
// an earlier run left in TRANSPLANT_PROGRAMS: for machines without a compiler.
func program(t testing.TB, name string, flags ...string) string {
	t.Helper()
	key := name + strings.Join(flags, "")
	if p, ok := programs.Load(key); ok {
		return p.(string)
	}
	dir := os.Getenv("TRANSPLANT_PROGRAMS")
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "transplant"); err != nil {
			t.Fatal(err)
		}
		leftovers.Store(dir, true) // removed by TestMain
	}
	out := filepath.Join(dir, key)
	if _, err := os.Stat(out); err != nil {
		args := append([]string{"-O1", "-o", out, filepath.Join("testdata", name+".c")}, flags...)
		if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
			t.Fatalf("gcc %v: %v\n%s", args, err, msg)
		}
	}
	programs.Store(key, out)
	return out
}
