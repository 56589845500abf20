// SPDX-License-Identifier: Apache-2.0

package pidhint

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/threads"
)

// lastPIDFile is the cursor of the namespace of whoever writes to it (kernel:
// pid_ns_ctl_handler), whatever /proc it is opened through.
const lastPIDFile = "/proc/sys/kernel/ns_last_pid"

// cursor sends visitors to a namespace, from a thread whose children are born
// there.
type cursor struct {
	ask    chan func()
	file   *os.File
	mem    []byte
	before int // what the cursor was when we came; valid if known
	known  bool
}

// openCursor starts the thread, whose namespace for children is changed for
// good: it is given up at Close.
func openCursor(ns *os.File) (*cursor, error) {
	file, err := os.OpenFile(lastPIDFile, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, unusable("this kernel has no %s (CONFIG_CHECKPOINT_RESTORE)", lastPIDFile)
	}
	if err != nil {
		return nil, unusable("%v", err)
	}
	mem, err := unix.Mmap(-1, 0, int(noteSize), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("shared memory for ns_last_pid: %w", err)
	}
	c := &cursor{ask: make(chan func()), file: file, mem: mem}
	entered := make(chan error)
	go c.serve(ns, entered)
	if err := <-entered; err != nil {
		c.Close()
		return nil, err
	}
	// A thread that the runtime had to make between the cursor and the clone would get
	// the wanted number, where this process lives in the same namespace, and keep it.
	threads.Spare(runtime.GOMAXPROCS(0) + 8)
	return c, nil
}

// serve is the thread.
func (c *cursor) serve(ns *os.File, entered chan<- error) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
	err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWPID)
	switch {
	case errors.Is(err, unix.EPERM):
		err = unusable("no CAP_SYS_ADMIN over the pid namespace, which a helper has to enter: %v", err)
	case err != nil:
		err = unusable("setns to the pid namespace: %v", err)
	}
	entered <- err
	for do := range c.ask {
		do()
	}
}

// Close ends the thread.
func (c *cursor) Close() {
	close(c.ask)
	defer threads.Renew()
	c.file.Close()
	_ = unix.Munmap(c.mem) // fails for no mapping of ours
}

// errKilled says that somebody in the namespace killed the visitor, by a
// kill(-1) for instance.
var errKilled = errors.New("the visitor to the pid namespace was killed")

// Aim sets the cursor so that next comes next, unless number is taken.
func (c *cursor) Aim(number, next int) (taken bool, err error) {
	n, err := c.visit(note{number: int32(number)}, strconv.Itoa(next-1))
	return n.taken, err
}

// Restore puts the cursor back to where it was before the first visit, if
// nobody moved it from the number at which we left it.
func (c *cursor) Restore(left int) error {
	if !c.known {
		return nil
	}
	_, err := c.visit(note{number: int32(left), put: true}, strconv.Itoa(c.before))
	return err
}

// visit sends one visitor and returns what it found.
func (c *cursor) visit(n note, text string) (note, error) {
	n.length = uintptr(copy(n.text[:], text))
	type outcome struct {
		n   note
		err error
	}
	done := make(chan outcome)
	c.ask <- func() {
		shared := noteIn(c.mem)
		*shared = n
		err := c.send(shared)
		done <- outcome{*shared, err}
	}
	o := <-done
	if o.n.self != 0 && !c.known {
		// Whatever it was, the next number would have been the visitor's.
		c.before, c.known = int(o.n.self)-1, true
	}
	return o.n, o.err
}

// send makes the visitor and waits until it is gone.
func (c *cursor) send(n *note) error {
	var all, old unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	file := c.file.Fd()
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &old); err != nil {
		return fmt.Errorf("visitor to the pid namespace: %w", err)
	}
	pid, errno := n.fork(file)
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) // a mask the kernel gave
	if errno != 0 {
		return fmt.Errorf("visitor to the pid namespace: %w", errno)
	}
	status, err := reap(pid)
	switch {
	case err != nil:
		return fmt.Errorf("wait for the visitor %d: %w", pid, err)
	case status.Signaled():
		return errKilled
	case n.errno == unix.EPERM:
		return unusable("%s: no CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN over the pid namespace", lastPIDFile)
	case n.errno != 0:
		return fmt.Errorf("%s: %w", lastPIDFile, n.errno)
	}
	return nil
}

func reap(pid int) (status unix.WaitStatus, err error) {
	for {
		_, err = unix.Wait4(pid, &status, unix.WALL, nil)
		if !errors.Is(err, unix.EINTR) {
			return status, err
		}
	}
}
