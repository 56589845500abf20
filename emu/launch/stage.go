// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The stages, as argv[0] and process name. None contains the command's own name, so
// that "killall cloneat-emu" means the front alone.
const (
	StageInit     = "cloneat-init"
	StageOperator = "cloneat-operator"
	StageKeeper   = "cloneat-keeper"
	stageExec     = "cloneat-exec"
	stageAsk      = "cloneat-ask"
	stageTry      = "cloneat-try"
)

// init keeps the main thread for a stage's main function: the exec stage installs the
// filter on it, and the keeper forks and waits from it.
func init() {
	if Stage() != "" {
		runtime.LockOSThread()
	}
}

// Stage is the stage that this process is, or "".
func Stage() string {
	if len(os.Args) != 2 {
		return ""
	}
	switch os.Args[0] {
	case StageInit, StageOperator, StageKeeper, stageExec, stageAsk, stageTry:
		return os.Args[0]
	}
	return ""
}

// Start runs stage with the program's descriptors at their own numbers and own[i] at
// Base()+1+i; the description of the program is at Base(). sys may be nil.
func Start(stage string, spec *Spec, own []int, sys *syscall.SysProcAttr) (pid int, err error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer writer.Close()
	base := spec.Base()
	files := make([]uintptr, base, base+1+len(own))
	for i := range files {
		files[i] = ^uintptr(0) // closed in the child
	}
	for i, fd := range spec.Files {
		files[fd] = uintptr(fd)
		if spec.Sources != nil {
			files[fd] = uintptr(spec.Sources[i])
		}
	}
	files = append(files, reader.Fd())
	for _, fd := range own {
		files = append(files, uintptr(fd))
	}
	attr := &syscall.ProcAttr{Files: files, Env: stageEnv(), Sys: sys}
	pid, err = syscall.ForkExec("/proc/self/exe", []string{stage, strconv.Itoa(base)}, attr)
	reader.Close()
	if err == unix.EBADF && base > 3 {
		return 0, fmt.Errorf("starting %s: %w: descriptor %d is open and leaves no room below the hard limit (ulimit -Hn)", stage, err, base-1)
	}
	if err != nil {
		return 0, fmt.Errorf("starting %s: %w", stage, err)
	}
	return pid, spec.writeTo(writer)
}

// stageEnv keeps the program's environment away from our own Go runtimes (GODEBUG,
// GOMAXPROCS and the like); only coverage data is collected where it is asked for, and
// what tests have started is known by their mark (.ci/leftovers).
func stageEnv() (env []string) {
	for _, name := range []string{"GOCOVERDIR", "CLONEAT_TEST_RUN"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// Enter is the first thing that a stage does. It names the process and returns the
// program's description and n descriptors of our own, which no exec inherits.
func Enter(n int) (spec *Spec, own []int, err error) {
	base, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return nil, nil, fmt.Errorf("%s is no command for people", os.Args[0])
	}
	setName(os.Args[0])
	for fd := base; fd <= base+n; fd++ {
		unix.CloseOnExec(fd)
	}
	if spec, err = readSpec(base); err != nil {
		return nil, nil, fmt.Errorf("%s: reading the program's description: %w", os.Args[0], err)
	}
	for i := range n {
		own = append(own, base+1+i)
	}
	return spec, own, nil
}

// DropFiles lets go of the program's descriptors: a pipe must end when the program
// closes it, not when the last of us does. 0, 1 and 2 become /dev/null, but for keep.
func (s *Spec) DropFiles(keep int) {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return // nothing is wrong but that pipes end late
	}
	defer unix.Close(null)
	for _, fd := range s.Files {
		switch {
		case fd == keep:
		case fd <= 2:
			unix.Dup3(null, fd, 0)
		default:
			unix.Close(fd)
		}
	}
}

// DropInherited is DropFiles for a front that was started with the program's
// descriptors: stderr stays, for messages.
func DropInherited() {
	if files, err := InheritedFiles(); err == nil {
		(&Spec{Files: files}).DropFiles(2)
	}
}
