// SPDX-License-Identifier: Apache-2.0

// A Go program clones itself into another process and runs a command there.
//
//	cloneat-emu run -- go run ./examples/go
//
// Only the calling thread is in the child, without the rest of Go's runtime.
// So, as in syscall.forkAndExecInChild, everything is prepared before the call,
// and the child makes raw system calls only, until it runs its command.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const sysCloneat = 511

// cloneArgs is struct cloneat_args of <linux/cloneat.h>.
type cloneArgs struct {
	flags                *[2]uint32
	flagsSize            int32
	reserved1, reserved2 uint32
	_                    uint32
	stackBase, stackSize uint64
	parentTID, childTID  uint64
	reserved3            uint64
}

// command is what the child runs, in the form that execve takes.
type command struct {
	path *byte
	argv []*byte
	envp []*byte
}

func newCommand(argv ...string) (*command, error) {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, err
	}
	c := &command{envp: []*byte{nil}}
	if c.path, err = unix.BytePtrFromString(path); err != nil {
		return nil, err
	}
	if c.argv, err = syscall.SlicePtrFromStrings(argv); err != nil {
		return nil, err
	}
	return c, nil
}

// spawn starts the command as a child of the process pid. The child's end is
// told by the pidfd.
func spawn(pid int, c *command) (child, pidfd int, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var pinned runtime.Pinner // the kernel gets addresses: nothing may move
	defer pinned.Unpin()
	fd, flags := new(int32), &[2]uint32{uint32(unix.SIGCHLD) | unix.CLONE_PIDFD}
	pinned.Pin(fd)
	pinned.Pin(flags)
	args := &cloneArgs{
		flags: flags, flagsSize: int32(unsafe.Sizeof(*flags)),
		parentTID: uint64(uintptr(unsafe.Pointer(fd))),
	}
	pinned.Pin(args)
	r, errno := cloneAndExec(pid, args, c)
	if errno != 0 {
		return 0, -1, fmt.Errorf("cloneat(%d): %w", pid, errno)
	}
	return int(r), int(*fd), nil
}

// cloneAndExec must not grow the stack nor call anything but raw system calls:
// in the child there is no scheduler and no garbage collector.
//
//go:nosplit
//go:norace
func cloneAndExec(pid int, args *cloneArgs, c *command) (uintptr, unix.Errno) {
	r, _, errno := unix.RawSyscall(sysCloneat, uintptr(pid), 0, uintptr(unsafe.Pointer(args)))
	if r != 0 || errno != 0 {
		return r, errno
	}
	unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(c.path)),
		uintptr(unsafe.Pointer(&c.argv[0])), uintptr(unsafe.Pointer(&c.envp[0])))
	for {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 127, 0, 0)
	}
}

func run() error {
	cat := exec.Command("cat")
	stdin, err := cat.StdinPipe()
	if err != nil {
		return err
	}
	if err := cat.Start(); err != nil {
		return err
	}
	fmt.Printf("caller %d, cat %d\n", os.Getpid(), cat.Process.Pid)
	script := `test $PPID = ` + fmt.Sprint(cat.Process.Pid) + ` && echo "child $$: cat is my parent"`
	c, err := newCommand("sh", "-c", script)
	if err != nil {
		return err
	}
	child, pidfd, err := spawn(cat.Process.Pid, c)
	if err != nil {
		return err
	}
	for err = unix.EINTR; err == unix.EINTR; {
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1)
	}
	fmt.Printf("caller: child %d has ended\n", child)
	stdin.Close()
	return cat.Wait()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "spawn:", err)
		os.Exit(1)
	}
}
