// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// namespaces are the kinds that may be new.
var namespaces = []uint32{
	unix.CLONE_NEWNS, unix.CLONE_NEWUTS, unix.CLONE_NEWIPC, unix.CLONE_NEWNET,
	unix.CLONE_NEWCGROUP, unix.CLONE_NEWPID, unix.CLONE_NEWUSER,
}

// sharable are the flags for what a child may share, and shareMask is all of them.
var sharable = []uint32{
	unix.CLONE_FS, unix.CLONE_FILES, unix.CLONE_VM, unix.CLONE_VM | unix.CLONE_SIGHAND, unix.CLONE_IO, unix.CLONE_SYSVSEM,
	unix.CLONE_FS | unix.CLONE_FILES, unix.CLONE_VM | unix.CLONE_FILES,
}

const shareMask = unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_VM | unix.CLONE_SIGHAND | unix.CLONE_IO | unix.CLONE_SYSVSEM

// pick returns one of a list.
func pick[T any](d *drawer, list ...T) T {
	return list[d.IntN(len(list))]
}

// clone draws a plain clone(2), mostly a fork.
func (d *drawer) clone() {
	if d.full() {
		d.exit()
		return
	}
	flags := uint32(unix.SIGCHLD)
	if d.chance(25) {
		flags |= pick(d, namespaces...)
	}
	for d.chance(25) {
		flags |= pick(d, sharable...)
	}
	if d.chance(5) {
		flags |= unix.CLONE_PARENT
	}
	actor := d.anyone()
	d.birth("clone", actor, actor, hex(flags))
	d.shared[d.born-1] = flags & shareMask
}

// exit ends an actor; its children go to others.
func (d *drawer) exit() {
	actor := d.anyone()
	if actor == 0 || len(d.alive) < 3 {
		return
	}
	d.alive = slices.DeleteFunc(d.alive, func(a int) bool { return a == actor })
	d.add(pick(d, "exit", "exitgroup"), actor, d.IntN(4))
}

func (d *drawer) wait() {
	d.add("wait", d.anyone(), pick(d, "-1", "-1", name(d.IntN(d.born))))
}

// thread draws a thread of an actor's process.
func (d *drawer) thread() {
	if d.full() {
		return
	}
	d.threadOf(d.anyone())
}

func (d *drawer) threadOf(actor int) {
	d.birth("clone", actor, d.parent[actor], hex(unix.CLONE_THREAD|unix.CLONE_SIGHAND|unix.CLONE_VM|unix.CLONE_FILES|unix.CLONE_FS))
}

// kill draws a signal, mostly one that ends or stops.
func (d *drawer) kill() {
	signal := pick(d, unix.SIGKILL, unix.SIGKILL, unix.SIGSTOP, unix.SIGCONT, unix.SIGCONT, unix.SIGTERM, unix.SIGUSR1, 0)
	switch actor, whom := d.anyone(), d.IntN(d.born); {
	case d.chance(15):
		d.add("tkill", actor, name(whom), pick(d, 10, 12, 15, 17, 34))
	case d.chance(10):
		d.add("killpg", actor, name(whom), pick(d, 0, 9, 10, 15, 18))
	default:
		d.add("kill", actor, name(whom), int(signal))
	}
}

// setid gives up rights, once in a while with the id 0 kept.
func (d *drawer) setid() {
	if d.chance(40) {
		d.add("caps", d.anyone(), pick(d, "0x200000", "0x10000000000", "0x80000", "0x240000", "0x1000000c1"))
		return
	}
	d.add("setid", d.anyone(), pick(d, "1000", "1000", "1001"))
}

// little draws an operation that changes one attribute of an actor.
func (d *drawer) little() {
	actor := d.anyone()
	switch d.IntN(13) {
	case 0:
		d.add("umask", actor, pick(d, 0, 7, 63))
	case 1:
		d.opened[actor] |= 1
		d.add("open", actor, 10, d.IntN(4))
	case 2:
		d.add("close", actor, 10+d.IntN(4))
	case 3:
		d.add("dumpable", actor, d.IntN(2))
	case 4:
		d.add("subreaper", actor, pick(d, 1, 1, 0))
	case 5:
		d.add("signal", actor, pick(d, 10, 12, 17, 15), d.IntN(3))
	case 6:
		d.add("block", actor, pick(d, "0", "0x200", "0x4000"))
	case 7:
		d.add("bound", actor, pick(d, 21, 5))
	case 8:
		d.add("nnp", actor, 1)
	case 9:
		d.add("setsid", actor)
	case 10:
		d.add("setpgid", actor, pick(d, "0", name(d.below(actor))), pick(d, "0", "0", name(d.IntN(d.born))))
	default:
		d.add("write", actor, d.IntN(4), 1+d.IntN(99))
	}
}

// exec draws an execve(2) of the interpreter itself.
func (d *drawer) exec() {
	d.add("exec", d.anyone())
}

func (d *drawer) unshare() {
	if d.chance(30) {
		d.add("unshare", d.anyone(), hex(pick(d, uint32(unix.CLONE_FS), unix.CLONE_FILES, unix.CLONE_SYSVSEM)))
		return
	}
	d.add("unshare", d.anyone(), hex(pick(d, namespaces...)))
}

// setns draws a namespace of another actor's, so that callers and targets are in
// other namespaces than their parents.
func (d *drawer) setns() {
	d.add("setns", d.anyone(), name(d.IntN(d.born)), hex(pick(d, namespaces...)))
}

// cloneat draws the call: mostly one that can succeed.
func (d *drawer) cloneat() {
	if d.full() {
		d.exit()
		return
	}
	actor := d.anyone()
	target, parent := d.target(actor)
	word0, word1 := d.flags(parent == actor, d.shared[parent])
	size, fault := 8, 0
	if d.chance(4) {
		size = pick(d, 4, 4, 0, 3, 6, 4100, -4)
	} else if d.chance(6) {
		fault = 1 + d.IntN(mostFault)
	}
	d.birth("cloneat", actor, parent, target, d.hint(parent), hex(word0), hex(word1), size, fault)
}

// target draws the call's pid, and says whose child there would be.
func (d *drawer) target(actor int) (pid string, parent int) {
	switch n := d.IntN(100); {
	case n < 65:
		parent = d.below(actor)
	case n < 78:
		parent = actor
	case n < 90:
		parent = d.IntN(d.born)
	default:
		return pick(d, "I", "0", "-1", "31000", "1"), actor
	}
	return name(parent), parent
}

// hint draws the number that the child shall have.
func (d *drawer) hint(target int) string {
	switch n := d.IntN(100); {
	case n < 62:
		return "0"
	case n < 85:
		return fmt.Sprint(1000 + d.IntN(6))
	case n < 93:
		return name(d.IntN(d.born))
	default:
		return pick(d, "1", "-1", "299", "5000000", "2147483647", "-2147483648")
	}
}

// sharing are flags that another target mostly forbids.
var sharing = []uint32{
	unix.CLONE_VM, unix.CLONE_FS, unix.CLONE_FILES, unix.CLONE_SIGHAND | unix.CLONE_VM,
	unix.CLONE_SIGHAND, unix.CLONE_THREAD | unix.CLONE_SIGHAND | unix.CLONE_VM, unix.CLONE_THREAD, unix.CLONE_PARENT,
}

// harmless are flags that every target allows.
var harmless = []uint32{
	unix.CLONE_PARENT_SETTID, unix.CLONE_CHILD_SETTID, unix.CLONE_CHILD_CLEARTID, unix.CLONE_PIDFD,
	unix.CLONE_SETTLS, unix.CLONE_UNTRACED, unix.CLONE_DETACHED, unix.CLONE_VFORK,
}

// flags draws both words, with some of what there is to share. Some flags are set
// in the one, some in the other.
func (d *drawer) flags(self bool, shared uint32) (word0, word1 uint32) {
	word0 = uint32(unix.SIGCHLD)
	if d.chance(5) {
		word0 = pick(d, uint32(0), uint32(unix.SIGUSR1), 64, 65, 255)
	}
	if d.chance(50) {
		word0 |= shared & d.Uint32()
	}
	for d.chance(35) {
		flag := d.flag(self)
		if d.chance(30) {
			word1 |= flag >> 8
		} else {
			word0 |= flag
		}
	}
	if d.chance(5) {
		// CLEAR_SIGHAND, INTO_CGROUP and what nothing is defined for.
		word1 |= 1 << (0x18 + d.IntN(7))
	}
	// A child that shares memory enters the new time namespace at once in 6.1
	// and not in later kernels (timens_on_fork()).
	if both := word0 | word1<<8; d.chance(3) && both&unix.CLONE_VM == 0 {
		word1 |= 1 << 31 // NEWTIME
	}
	// Since 6.9 there are pidfds of threads (CLONE_PIDFD with CLONE_THREAD), in
	// the kernels of the patch not.
	if both := word0 | word1<<8; both&unix.CLONE_THREAD != 0 {
		word0 &^= unix.CLONE_PIDFD
		word1 &^= unix.CLONE_PIDFD >> 8
	}
	return word0, word1
}

func (d *drawer) flag(self bool) uint32 {
	switch n := d.IntN(100); {
	case n < 40:
		return pick(d, namespaces...)
	case n < 75:
		return pick(d, harmless...)
	case self || n < 85:
		return pick(d, sharing...)
	default:
		return pick(d, harmless...)
	}
}

func hex(n uint32) string {
	return fmt.Sprintf("%#x", n)
}
