// SPDX-License-Identifier: Apache-2.0

package check

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/internal/threads"
)

// pidMaxMin is the least that pid_max can be: RESERVED_PIDS + 1, kernel/pid.c.
const pidMaxMin = 300 + 1

// hintInRange reports whether a pid namespace has that number at all. pid_max
// belonged to all namespaces until 6.14 and belongs to each since then; the file
// shows the reader's own.
func hintInRange(ns *os.File, hint int) (bool, error) {
	if hint < pidMaxMin || hint >= proc.PIDLimit {
		return hint < pidMaxMin, nil
	}
	own, err := ownPidNS()
	if err != nil {
		return false, err
	}
	id, err := proc.FileNSID(ns)
	if err != nil {
		return false, err
	}
	if id == own {
		if limit, err := proc.PIDMax(); err == nil {
			return hint < limit, nil
		} // no /proc/sys here (mount option subset=pid)
	}
	return probeRange(ns, hint), nil
}

func ownPidNS() (proc.NSID, error) {
	d, err := proc.Open(os.Getpid())
	if err != nil {
		return proc.NSID{}, err
	}
	defer d.Close()
	return d.NS(proc.PID)
}

// probeRange lets the kernel judge a number of another pid namespace: a thread
// whose children would be born there makes a clone3 that cannot succeed. The
// range comes first in alloc_pid(), with EINVAL. To end at the next check,
// before a number is taken even for a moment, the thread gives up the
// capabilities that it would need.
//
// Where the thread may not enter the namespace the number passes, and the clone
// that makes the child decides.
//
// (Tried before: a process in the namespace that reads the file. It costs an
// exec, and a way to start one that every program with this package has.)
func probeRange(ns *os.File, hint int) bool {
	verdict := make(chan bool)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends here
		verdict <- probeOnThread(ns, hint)
	}()
	defer threads.Renew()
	return <-verdict
}

func probeOnThread(ns *os.File, hint int) bool {
	if unix.Setns(int(ns.Fd()), unix.CLONE_NEWPID) != nil {
		return true
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if unix.Capset(&hdr, &none[0]) != nil {
		return true
	}
	return failingClone(hint) != unix.EINVAL
}
