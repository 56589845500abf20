// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// StopSelf stops this process as the program was stopped, for the shell to see, and
// returns when it is continued. In an orphaned process group the kernel drops the
// terminal's stop signals; then it returns at once.
func StopSelf(sig int) error {
	if unix.Signal(sig) == unix.SIGSTOP {
		return unix.Kill(unix.Getpid(), unix.SIGSTOP)
	}
	return raise(sig, true)
}

// DieOf ends this process by sig, as the program ended, without a second core dump.
// It returns if sig does not kill.
func DieOf(sig int) error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_DUMPABLE): %w", err)
	}
	if unix.Signal(sig) == unix.SIGKILL {
		return unix.Kill(unix.Getpid(), unix.SIGKILL)
	}
	return raise(sig, false)
}

// raise sends sig to the calling thread with the default disposition, which acts
// before tgkill returns; then the runtime's handler comes back if asked for. One that is
// pending already, since the whole group has it and none of our threads ran since, would
// act as well: ignoring it throws it away (do_sigaction() in kernel/signal.c).
func raise(sig int, back bool) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var old sigaction
	if err := setAction(sig, &sigaction{handler: sigIgn}, &old); err != nil {
		return err
	}
	if err := setAction(sig, &sigaction{handler: sigDfl}, nil); err != nil {
		return err
	}
	blocked := current().Blocked
	unblock(sig)
	err := unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.Signal(sig))
	setMask(blocked)
	if back {
		return setAction(sig, &old, nil)
	}
	return err
}

// wakeFront continues the front if it stopped, or is about to, for a stop of the
// program that is over: somebody may have continued the program alone, or the front may
// be late. It looks until the front says that it is done with that stop. The Relay that
// comes of the SIGCONT goes nowhere.
func (k *keeper) wakeFront(stop int) {
	for front := peer(k.front); k.wake(front, stop); time.Sleep(time.Millisecond) {
	}
}

// wake reports whether it must be asked again.
func (k *keeper) wake(front, stop int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done >= stop || k.stop > stop || k.ended {
		return false
	}
	if state(front) == 'T' {
		k.woke = unix.Kill(front, unix.SIGCONT) == nil
	}
	return true
}

// state is a process's letter in /proc/PID/stat, 0 if there is none.
func state(pid int) byte {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	i := bytes.LastIndexByte(stat, ')')
	if err != nil || i < 0 || i+2 >= len(stat) {
		return 0
	}
	return stat[i+2]
}

// OutOfDate reports whether a stop that was told on sock is over already: there is
// another message, or the program runs. pid is the program's, if it can be seen.
func OutOfDate(sock, pid int) bool {
	var one [1]byte
	if n, _, _ := unix.Recvfrom(sock, one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT); n > 0 {
		return true
	}
	return pid != 0 && state(pid) != 'T'
}

// peer is the pid of the process that made the socket pair, the front; 0 from inside
// a pid namespace that it is not in.
func peer(sock int) int {
	cred, err := unix.GetsockoptUcred(sock, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0
	}
	return int(cred.Pid)
}
