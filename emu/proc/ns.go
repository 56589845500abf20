// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Kind is a kind of namespace, by the name of its link in /proc/PID/ns.
type Kind string

// The kinds. The active pid and time namespaces are those that the thread lives
// in; its children are born in the others.
const (
	UTS             Kind = "uts"
	IPC             Kind = "ipc"
	Mnt             Kind = "mnt"
	Net             Kind = "net"
	Cgroup          Kind = "cgroup"
	Time            Kind = "time"
	PID             Kind = "pid"
	User            Kind = "user"
	PIDForChildren  Kind = "pid_for_children"
	TimeForChildren Kind = "time_for_children"
)

// Nsproxy are the kinds that a child takes over from a target: all but the user
// namespace, the active ones of pid and time.
var Nsproxy = []Kind{UTS, IPC, Mnt, Net, Cgroup, Time, PID}

// NSID identifies a namespace as long as it exists. The zero value is none.
type NSID struct{ Dev, Ino uint64 }

// NS tells the identity of one of the thread's namespaces. The error is a
// [GoneError] also for a zombie, which has few. It is an os.ErrNotExist for
// [PIDForChildren] as long as that has no init, and for a kind that this kernel
// does not have.
//
// It reads the link's text and does not follow it, for which the kernel would
// make an inode, and throw it away again.
func (d *Dir) NS(kind Kind) (NSID, error) {
	var buf [64]byte
	name := "ns/" + string(kind)
	n, err := d.steadily(func() (int, error) { return unix.Readlinkat(d.fd, name, buf[:]) })
	if err != nil {
		return NSID{}, d.nsError("readlink", name, kind, err)
	}
	id := NSID{Dev: nsfs()}
	text := string(buf[:n])
	_, number, ok := strings.Cut(text, ":[")
	if !ok || number == "" {
		return NSID{}, fmt.Errorf("%s/%s: %q names no namespace", d.at, name, text)
	}
	if err := scan(&id.Ino, strings.TrimSuffix(number, "]")); err != nil {
		return NSID{}, fmt.Errorf("%s/%s: %q: %w", d.at, name, text, err)
	}
	return id, nil
}

// Has reports whether this kernel has namespaces of that kind. Without them all threads
// are in the same.
func Has(kind Kind) bool { return had()[kind] }

// had are the kinds that this process, which no kernel leaves without one of each, is in.
var had = sync.OnceValue(func() map[Kind]bool {
	has := map[Kind]bool{}
	_, missing := os.Lstat("/proc/self/ns/mnt") // every kernel has those: /proc is not there
	for _, kind := range append([]Kind{User}, Nsproxy...) {
		_, err := os.Lstat("/proc/self/ns/" + string(kind))
		has[kind] = missing != nil || !errors.Is(err, os.ErrNotExist)
	}
	return has
})

// nsfs is the device of all namespaces, 0 if /proc is none.
var nsfs = sync.OnceValue(func() uint64 {
	var st unix.Stat_t
	_ = unix.Stat("/proc/self/ns/mnt", &st)
	return st.Dev
})

// InitialUserNS reports whether this process is in the first user namespace, whose ids are the
// kernel's own.
var InitialUserNS = sync.OnceValue(func() bool {
	const first = 0xEFFFFFFD // PROC_USER_INIT_INO of include/linux/proc_ns.h
	var st unix.Stat_t
	return !Has(User) || unix.Stat("/proc/self/ns/user", &st) == nil && st.Ino == first
})

// OpenNS opens a namespace, for setns(2) and the ioctls of ioctl_ns(2). Errors
// are those of [Dir.NS].
func (d *Dir) OpenNS(kind Kind) (*os.File, error) {
	name := "ns/" + string(kind)
	fd, err := d.steadily(func() (int, error) { return unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, d.nsError("open", name, kind, err)
	}
	return os.NewFile(uintptr(fd), d.at+"/"+name), nil
}

// steadily does something again that says ENOENT or EACCES: both also come where
// the directory has no thread for a moment, as its number is handed over by an
// exec of another thread (proc_ns_readlink() says EACCES for no thread).
func (d *Dir) steadily(do func() (int, error)) (n int, err error) {
	for range steady {
		n, err = do()
		if err != unix.ENOENT && err != unix.EACCES {
			return n, err
		}
		if st, serr := d.Stat(); serr != nil || st.Exiting() {
			return n, err
		}
	}
	return n, err
}

// steady is how often an error has to come to be believed.
const steady = 3

// nsError makes a missing namespace of a thread that has begun to exit the
// GoneError: exit_task_namespaces() has dropped the nsproxy, or there is no
// thread any more (see steadily).
func (d *Dir) nsError(op, name string, kind Kind, err error) error {
	if err == unix.ENOENT && kind != User || err == unix.EACCES {
		if st, serr := d.Stat(); serr != nil || st.Exiting() {
			return &GoneError{PID: d.PID, File: d.at + "/" + name}
		}
	}
	return d.wrap(op, name, err)
}

// FileNSID is the identity of a namespace that is open.
func FileNSID(f *os.File) (NSID, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return NSID{}, &os.PathError{Op: "fstat", Path: f.Name(), Err: err}
	}
	return NSID{st.Dev, st.Ino}, nil
}
