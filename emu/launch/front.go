package launch

import (
	"fmt"
	"os"
	"runtime"
	"strings"

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
// before tgkill returns; then the runtime's handler comes back if asked for.
func raise(sig int, back bool) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var old sigaction
	if err := setAction(sig, &sigaction{handler: sigDfl}, &old); err != nil {
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

// wakeFront continues the front where somebody continued the program alone, so that
// the shell sees its job run again. The front's Relay of that SIGCONT goes nowhere.
func (k *keeper) wakeFront() {
	front := peer(k.front)
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", front))
	if err != nil {
		return
	}
	if i := strings.LastIndexByte(string(stat), ')'); i < 0 || !strings.HasPrefix(string(stat[i:]), ") T") {
		return
	}
	k.woke = unix.Kill(front, unix.SIGCONT) == nil
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
