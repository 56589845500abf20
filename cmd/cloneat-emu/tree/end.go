// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"

	"cloneat-emu/cmd/cloneat-emu/stage"
	"cloneat-emu/emu/proc"
)

// end kills and reaps everything that was made, complete or not. The creator
// adopts and reaps what it is to survive, so that nothing is left to others.
func (b *builder) end() {
	if b.cmd == nil || b.cmd.Process == nil {
		b.release()
		return
	}
	b.m.Halt()
	creator := b.tasks[Creator]
	if host, ok := b.host[Creator]; ok && creator != nil {
		inner := host != b.cmd.Process.Pid
		if b.o.In != "new" || !inner {
			b.endMembers(creator, host)
		}
		if inner {
			// Its parent reaps it, or it would hold up the namespace's end. Of a new
			// namespace it is the init, with which everybody goes.
			_ = unix.Kill(host, unix.SIGKILL)
			_, _ = b.first.Call(unix.SYS_WAIT4, ^uintptr(0), 0, unix.WALL, 0)
		}
	}
	b.stop()
	_ = b.cmd.Wait()
	b.release()
}

// endMembers kills what is below the creator, and lets it reap them.
func (b *builder) endMembers(creator *stage.Task, host int) {
	if root, ok := b.host[Actor(1)]; ok && b.o.In == "new" {
		// The init of the new namespace: the kernel kills and reaps all others.
		_ = unix.Kill(root, unix.SIGKILL)
		_, _ = creator.Finish()
		_, _ = creator.Call(unix.SYS_WAIT4, uintptr(root), 0, unix.WALL, 0)
	}
	killBelow(host)
	_, _ = creator.Finish() // it may have had more to do when we were stopped
	for {
		_, err := creator.Call(unix.SYS_WAIT4, ^uintptr(0), 0, unix.WALL, 0)
		if err == unix.ECHILD || errors.Is(err, stage.ErrGone) {
			return
		}
		killBelow(host)
	}
}

// release gives back what we hold ourselves.
func (b *builder) release() {
	if b.stop != nil {
		b.stop()
	}
	if b.pipe != nil {
		_ = b.pipe.Close()
	}
	if b.m != nil {
		_ = b.m.Close()
	}
	runtime.UnlockOSThread()
}

// killBelow kills every process below one, not that one itself. Who is born
// meanwhile is caught the next time: killed parents hand their children up.
func killBelow(pid int) {
	d, err := proc.Open(pid)
	if err != nil {
		return
	}
	children, _ := d.Children()
	_ = d.Close()
	for _, c := range children {
		killBelow(c)
		_ = unix.Kill(c, unix.SIGKILL)
	}
}
