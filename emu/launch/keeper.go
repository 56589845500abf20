// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/threads"
)

// keeper is the program's parent.
type keeper struct {
	spec     *Spec
	front    int // socket
	operator int // socket; hangs up when the operator is gone
	pid      int
	sentinel *sentinel

	mu    sync.Mutex // orders kills against the reaping of pid
	ended bool
	stop  int  // counts the stops that the front was told of
	done  int  // the last stop that the front is done with
	woke  bool // a SIGCONT that we sent to the front will come back as a Relay
}

// Keep is the main function of the keeper. Its descriptors: the socket to the front,
// and the one that leads to the operator.
func Keep() {
	threads.Few()
	spec, own, err := Enter(2)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	k := &keeper{spec: spec, front: own[0], operator: own[1], sentinel: newSentinel()}
	if failed, err := k.start(); err != nil {
		if failed == nil {
			failed = &Message{Kind: Failed, Text: err.Error()}
			errors.As(err, &failed.Errno)
		}
		_ = Write(k.front, failed)
		os.Exit(1)
	}
	spec.DropFiles(-1)
	_ = Write(k.front, Message{Kind: Started, Pid: k.pid})
	go k.requests()
	k.wait()
	os.Exit(0)
}

// start runs the exec stage until it is the program.
func (k *keeper) start() (*Message, error) {
	theirs, ours, err := Pair()
	if err != nil {
		return nil, err
	}
	defer unix.Close(ours)
	k.pid, err = Start(stageExec, k.spec, []int{k.operator, theirs}, nil)
	unix.Close(theirs)
	if err != nil {
		return nil, err
	}
	failed := new(Message)
	if err := Read(ours, failed); errors.Is(err, io.EOF) {
		return nil, nil // closed in the exec
	} else if err != nil {
		return nil, err
	}
	unix.Wait4(k.pid, nil, 0, nil)
	return failed, errors.New(failed.Text)
}

// wait reports what becomes of the program until it ends. Stops by ptrace are not
// among it: whoever traces the program sees those.
func (k *keeper) wait() {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, k.pid, &info, unix.WEXITED|unix.WSTOPPED|unix.WCONTINUED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if k.collect() {
			return
		}
	}
}

// collect takes the status that wait saw, under the lock: after it, pid may be anybody.
func (k *keeper) collect() (ended bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var status unix.WaitStatus
	pid, err := unix.Wait4(k.pid, &status, unix.WUNTRACED|unix.WCONTINUED|unix.WNOHANG, nil)
	switch {
	case err != nil && !errors.Is(err, unix.EINTR):
		k.ended = true // reaped by somebody else: cannot be, but must not spin
	case err != nil || pid != k.pid:
		return false
	case status.Stopped():
		k.woke = false
		k.stop++
		_ = Write(k.front, Message{Kind: Stopped, Signal: int(status.StopSignal()), Stop: k.stop})
	case status.Continued():
		_ = Write(k.front, Message{Kind: Continued})
		go k.wakeFront(k.stop)
	default:
		k.ended = true
		_ = Write(k.operator, Message{Kind: Ended})
		_ = Write(k.front, Message{Kind: Ended, Status: int(status)})
	}
	return k.ended
}

// requests serves the front. When the front is gone the keeper stays for as long as
// the operator has calls to finish, then leaves the program to init.
func (k *keeper) requests() {
	for {
		var m Message
		if err := Read(k.front, &m); err != nil {
			break
		}
		switch m.Kind {
		case Resumed:
			k.mu.Lock()
			k.done = m.Stop
			k.mu.Unlock()
		case Relay:
			k.relay(m.Signal, m.Stop)
		case Kill:
			k.mu.Lock()
			k.kill(m.Signal)
			k.mu.Unlock()
		}
	}
	_ = Read(k.operator, new(Message)) // nothing is ever sent this way: the end
	os.Exit(0)
}

// relay passes a signal on, unless the whole process group had it: then the program
// has its own already. One of job control that came to the front before the front knew
// of the program's last stop is older than that stop, which made up for it: a pending
// SIGCONT is taken away by a stop signal (prepare_signal() in kernel/signal.c), and two
// stops are one.
func (k *keeper) relay(sig, stop int) {
	if k.sentinel.had(sig) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch unix.Signal(sig) {
	case unix.SIGCONT:
		if k.woke {
			k.woke = false
			return
		}
		fallthrough
	case unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
		if stop < k.stop {
			return
		}
	}
	k.kill(sig)
}

// kill is called with the lock held.
func (k *keeper) kill(sig int) {
	if !k.ended {
		_ = unix.Kill(k.pid, unix.Signal(sig)) // EPERM: the program became somebody else
	}
}
