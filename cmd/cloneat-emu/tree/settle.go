// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
)

// settle lets the members become what they stay: the payload, idlers, zombies.
func (b *builder) settle() error {
	if b.o.Payload == "" {
		return b.idle()
	}
	return b.payload()
}

// newName is the name that the file has for a new member; empty if it has it from
// its maker: an order less for most members of most trees.
func (b *builder) newName(maker, child Actor) string {
	p := b.byPID[int(child)]
	b.comm[child] = b.comm[maker]
	if p == nil || p.Comm == b.comm[maker] || b.o.Payload != "" {
		return ""
	}
	if p.Comm != "" {
		b.comm[child] = p.Comm
	}
	return p.Comm
}

// name gives a new member its name.
func (b *builder) name(maker, child Actor) error {
	name := b.newName(maker, child)
	if name == "" {
		return nil
	}
	mark := b.m.Mark()
	defer b.m.Release(mark)
	at, err := b.m.Bytes(append([]byte(name), 0))
	if err != nil {
		return err
	}
	return b.call(child, "prctl(PR_SET_NAME)", unix.SYS_PRCTL, unix.PR_SET_NAME, at)
}

// living are the members that are to live on.
func (b *builder) living() []*Process {
	var list []*Process
	for _, p := range b.tree.Processes {
		if !p.Zombie() {
			list = append(list, p)
		}
	}
	return list
}

// idle lets the living members idle, all at once. Their threads go on waiting
// for orders that never come.
func (b *builder) idle() error {
	for _, p := range b.living() {
		b.tasks[Actor(p.PID)].StartIdle(b.o.Light || len(p.Threads) > 1)
	}
	for _, p := range b.living() {
		if _, err := b.tasks[Actor(p.PID)].Finish(); err != nil {
			return fmt.Errorf("process %d: %w", p.PID, err)
		}
	}
	b.dieAll()
	return nil
}

// dieAll lets those die who are to be zombies.
func (b *builder) dieAll() {
	for _, p := range b.tree.Processes {
		if p.Zombie() {
			b.die(p)
		}
	}
}

// die lets a member end the way the file says. It is reaped by nobody.
func (b *builder) die(p *Process) {
	t := b.tasks[Actor(p.PID)]
	ws := unix.WaitStatus(p.Exit)
	if ws.Signaled() {
		t.Start(nil, unix.SYS_KILL, uintptr(p.Own()), uintptr(ws.Signal()))
		return
	}
	t.Start(nil, unix.SYS_EXIT_GROUP, uintptr(ws.ExitStatus()))
}

// payload lets the living members exec a shell with the command. They all hold
// a pipe that exec closes, so that its end tells that all have done so.
func (b *builder) payload() error {
	argv, err := b.vector("/bin/sh", "-c", b.o.Payload)
	if err != nil {
		return err
	}
	envp, err := b.vector(os.Environ()...)
	if err != nil {
		return err
	}
	path, err := b.m.Bytes([]byte("/bin/sh\x00"))
	if err != nil {
		return err
	}
	for _, p := range b.living() {
		b.tasks[Actor(p.PID)].Start(nil, unix.SYS_EXECVE, path, argv, envp)
	}
	b.dieAll() // they hold the pipe, too
	for _, t := range []*stage.Task{b.tasks[Creator], b.first} {
		if _, err := t.Call(unix.SYS_CLOSE, fdPipe); err != nil && err != unix.EBADF {
			return fmt.Errorf("creator: close: %w", err)
		}
	}
	return b.executed()
}

// vector puts an array of strings into the shared memory.
func (b *builder) vector(list ...string) (uintptr, error) {
	var array []byte
	for _, s := range list {
		at, err := b.m.Bytes(append([]byte(s), 0))
		if err != nil {
			return 0, err
		}
		array = binary.NativeEndian.AppendUint64(array, uint64(at))
	}
	return b.m.Bytes(append(array, make([]byte, 8)...))
}

// executed waits until every member has executed the payload, or one could not.
func (b *builder) executed() error {
	end := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, b.pipe)
		end <- err
	}()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-end:
			return err
		case <-look.C:
			if err := b.failedExec(); err != nil {
				return err
			}
		}
	}
}

// failedExec finds a member whose exec has returned.
func (b *builder) failedExec() error {
	for _, p := range b.living() {
		if t := b.tasks[Actor(p.PID)]; t.Done() {
			if _, err := t.Finish(); err != nil && !errors.Is(err, stage.ErrGone) {
				return fmt.Errorf("process %d: exec /bin/sh: %w", p.PID, err)
			}
		}
	}
	return nil
}
