// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// defaultPath is where commands are looked for if the environment has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// ExecError says that the command could not be executed.
type ExecError struct {
	Command string
	Err     error
}

func (e *ExecError) Error() string { return fmt.Sprintf("exec %s: %v", e.Command, e.Err) }

// Unwrap is the Errno of execve(2).
func (e *ExecError) Unwrap() error { return e.Err }

// Status is the one that a shell would have.
func (e *ExecError) Status() int {
	if errors.Is(e.Err, unix.ENOENT) || errors.Is(e.Err, unix.ENOTDIR) {
		return StatusNotFound
	}
	return StatusCannot
}

// execute makes the task exec the command, looking for it in the directories of
// PATH as execvp(3) does. The pipe's other end is in the task and closes on exec;
// a task that was killed is as good as one that has executed: its end will be told.
func execute(task *stage.Task, pipe *os.File, command, env []string) error {
	args, err := vector(task.Machine(), command)
	if err != nil {
		return err
	}
	vars, err := vector(task.Machine(), env)
	if err != nil {
		return err
	}
	gone, killed := make(chan struct{}), task.Gone
	task.Gone = func() bool {
		select {
		case <-gone:
			return true
		default:
			return killed()
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, pipe)
		close(gone)
		task.Poke()
	}()
	failure := error(unix.ENOENT)
	for _, name := range candidates(command[0], env) {
		switch err := execve(task, name, args, vars); {
		case errors.Is(err, stage.ErrGone):
			return nil
		case err == unix.ENOENT, err == unix.ENOTDIR:
		case err == unix.EACCES:
			failure = err
		default:
			return &ExecError{command[0], err}
		}
	}
	return &ExecError{command[0], failure}
}

// execve tries one file; it returns stage.ErrGone if that is what runs now.
func execve(task *stage.Task, name string, args, vars uintptr) error {
	addr, err := task.Machine().Bytes(append([]byte(name), 0))
	if err != nil {
		return err
	}
	_, err = task.Call(unix.SYS_EXECVE, addr, args, vars)
	return err
}

// candidates are the files that a command's name may mean.
func candidates(name string, env []string) []string {
	if name == "" || strings.Contains(name, "/") {
		return []string{name}
	}
	path, ok := lookup(env, "PATH")
	if !ok {
		path = defaultPath
	}
	var files []string
	for _, dir := range strings.Split(path, ":") {
		if dir == "" {
			dir = "."
		}
		files = append(files, dir+"/"+name)
	}
	return files
}

// environment changes the caller's environment by what is asked for.
func environment(base, changes []string, u *user) []string {
	env := append([]string(nil), base...)
	set := func(name, value string) {
		kept := env[:0]
		for _, v := range env {
			if !strings.HasPrefix(v, name+"=") {
				kept = append(kept, v)
			}
		}
		env = append(kept, name+"="+value)
	}
	if u != nil && u.home != "" {
		set("HOME", u.home)
	}
	for _, c := range changes {
		if name, value, ok := strings.Cut(c, "="); ok {
			set(name, value)
		} else if value, ok := lookup(base, c); ok {
			set(c, value)
		}
	}
	return env
}

// lookup is the value of a variable.
func lookup(env []string, name string) (string, bool) {
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value, true
		}
	}
	return "", false
}
