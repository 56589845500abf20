// SPDX-License-Identifier: Apache-2.0

package main

import (
	"golang.org/x/sys/unix"
)

// trait draws something that a clone hands down, or does not, and that only the
// process itself sees (interp/report.c).
func (d *drawer) trait() {
	actor := d.anyone()
	switch d.IntN(18) {
	case 0:
		d.add("pdeath", actor, pick(d, 0, 9, 10, 15))
	case 1:
		d.add("secure", actor, pick(d, 0, 1, 3, 5, 16, 64, 192))
	case 2:
		d.add("slack", actor, pick(d, 1, 70000, 0))
	case 3:
		d.add("thp", actor, d.IntN(2))
	case 4:
		d.add("tsc", actor, 1+d.IntN(2))
	case 5:
		d.add("mce", actor, 1, d.IntN(3))
	case 6:
		d.add("persona", actor, pick(d, 0, 0x0040000, 0x0400000))
	case 7:
		d.add("nice", actor, 0, pick(d, -5, 3, 7, 19))
	case 8:
		d.add("ioprio", actor, 0, pick(d, 0x4003, 0x6000, 0x4000, 0x2001))
	case 9, 10:
		d.sched(actor)
	case 11:
		d.add("altstack", actor, "0x30000000", 16384, pick(d, 0, 2, 1<<31))
	case 12:
		d.add("keyring", actor, 1+d.IntN(3))
	case 13:
		d.add("timer", actor, pick(d, 9000, 0))
	case 14:
		d.add("oom", actor, pick(d, -100, 0, 200, 1000))
	case 15:
		d.add("comm", actor, d.IntN(10))
	case 16:
		d.add("keepcaps", actor, 1)
	case 17:
		d.add("mlockall", actor, pick(d, 1, 2, 3))
	}
}

// sched draws a policy, sometimes one that a child does not get.
func (d *drawer) sched(actor int) {
	reset := pick(d, 0, 0, 1)
	switch d.IntN(4) {
	case 0:
		d.add("sched", actor, unix.SCHED_FIFO, 1+d.IntN(3), 0, reset)
	case 1:
		d.add("sched", actor, unix.SCHED_RR, 1+d.IntN(3), 0, reset)
	case 2:
		d.add("sched", actor, unix.SCHED_NORMAL, 0, pick(d, -3, 0, 4), reset)
	case 3:
		d.add("sched", actor, pick(d, unix.SCHED_BATCH, unix.SCHED_IDLE), 0, pick(d, 0, 2), reset)
	}
}

// limit draws a limit of resources, hard and soft or soft alone.
func (d *drawer) limit() {
	values := map[int][]int64{
		unix.RLIMIT_FSIZE: {0, 1 << 20, -1}, unix.RLIMIT_DATA: {1 << 33, -1}, unix.RLIMIT_STACK: {1 << 16, 1 << 20},
		// How many processes a user has, other programs' included, is not to matter.
		unix.RLIMIT_CORE: {0, 4096}, unix.RLIMIT_NPROC: {4000}, unix.RLIMIT_NOFILE: {0, 3, 12, 120, 500},
		unix.RLIMIT_MEMLOCK: {0, 4096, 65536}, unix.RLIMIT_AS: {1 << 40}, unix.RLIMIT_SIGPENDING: {0, 100},
		unix.RLIMIT_NICE: {0, 20, 30}, unix.RLIMIT_RTPRIO: {0, 2},
	}
	resource := pick(d, unix.RLIMIT_FSIZE, unix.RLIMIT_DATA, unix.RLIMIT_STACK, unix.RLIMIT_CORE, unix.RLIMIT_NPROC,
		unix.RLIMIT_NOFILE, unix.RLIMIT_NOFILE, unix.RLIMIT_MEMLOCK, unix.RLIMIT_AS, unix.RLIMIT_SIGPENDING, unix.RLIMIT_NICE, unix.RLIMIT_RTPRIO)
	d.add(pick(d, "rlimit", "softlimit", "softlimit"), d.anyone(), resource, pick(d, values[resource]...))
}

// identity draws ids that are not all the same, and sets of capabilities.
func (d *drawer) identity() {
	actor := d.anyone()
	id := func() int { return pick(d, -1, 0, 0, 1000, 1001) }
	set := func() string {
		return pick(d, "0x1ffffffffff", "0x1ffffffffff", "0", "0xc0", "0x200000", "0x2000c1", "0x1fffffffffe")
	}
	switch d.IntN(7) {
	case 0, 1:
		d.add("resuid", actor, id(), id(), id())
	case 2:
		d.add("resgid", actor, id(), id(), id())
	case 3:
		d.add("fsuid", actor, pick(d, 0, 1000))
	case 4, 5:
		d.add("capsets", actor, set(), set(), set())
	case 6:
		d.add("ambient", actor, pick(d, 2, 2, 3, 4), pick(d, 0, 6, 7, 21))
	}
}

// place draws what path names begin with.
func (d *drawer) place() {
	actor := d.anyone()
	switch d.IntN(6) {
	case 0, 1:
		d.add("path", actor, 0, d.IntN(5))
	case 2:
		d.add("path", actor, 1, d.IntN(5))
	case 3:
		d.add("fchdir", actor, d.open(actor))
	case 4:
		d.add("mount", actor, pick(d, 0, unix.MS_NOSUID, unix.MS_NOEXEC, unix.MS_RDONLY))
	case 5:
		d.add("idmap", actor)
	}
}

// calls that a filter refuses: what an actor, or who works for it, may make.
var filtered = []int{
	unix.SYS_UMASK, unix.SYS_CLONE, unix.SYS_CLONE3, unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_PRCTL, unix.SYS_CLOSE,
	unix.SYS_OPENAT, unix.SYS_SETNS, unix.SYS_UNSHARE, unix.SYS_SOCKETPAIR, unix.SYS_RECVMSG, unix.SYS_DUP3, 511,
	unix.SYS_WAIT4, unix.SYS_MEMFD_CREATE, unix.SYS_KILL, unix.SYS_PIDFD_OPEN, unix.SYS_RT_SIGPROCMASK,
	unix.SYS_CAPSET, unix.SYS_SETRESUID, unix.SYS_SECCOMP, unix.SYS_PIDFD_GETFD, unix.SYS_RT_SIGACTION,
}

func (d *drawer) filter() {
	d.add("filter", d.anyone(), pick(d, filtered...), pick(d, int(unix.EPERM), int(unix.ENOSYS), int(unix.EPERM), 0))
}

// exact draws a clone3(2) that chooses the child's numbers.
func (d *drawer) exact() {
	if d.full() {
		return
	}
	actor := d.anyone()
	flags := pick(d, uint32(0), 0, unix.CLONE_NEWPID, unix.CLONE_FILES, unix.CLONE_PARENT_SETTID, unix.CLONE_CHILD_CLEARTID)
	d.birth("clone3", actor, actor, hex(flags), 1000+d.IntN(6), pick(d, 0, 0, 1001, 1002))
	d.shared[d.born-1] = flags & shareMask
}

// undo draws an operation on a semaphore that the actor's end takes back.
func (d *drawer) undo() {
	d.add("sem", d.anyone(), pick(d, 1, 2, -1))
}

// lock draws a lock of a file: the process's, or the open file's.
func (d *drawer) lock() {
	actor := d.anyone()
	d.add("lock", actor, d.open(actor), pick(d, unix.F_SETLK, unix.F_SETLK, unix.F_OFD_SETLK), pick(d, unix.F_RDLCK, unix.F_WRLCK, unix.F_UNLCK))
}

// files draws what becomes of descriptors that are open.
func (d *drawer) files() {
	actor := d.anyone()
	fd := d.open(actor)
	switch d.IntN(9) {
	default:
		fd = 10 + d.IntN(4)
		d.opened[actor] |= 1 << (fd - 10)
		d.add("open", actor, fd, pick(d, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8))
	case 1:
		d.add("dup3", actor, fd, 10+d.IntN(4), pick(d, 0, unix.O_CLOEXEC))
	case 2:
		d.add("fcntl", actor, fd, unix.F_SETFL, pick(d, 0, unix.O_NONBLOCK, unix.O_APPEND))
	case 3:
		d.add("fcntl", actor, fd, unix.F_SETFD, d.IntN(2))
	case 4:
		d.add("lseek", actor, fd, 1+d.IntN(99), unix.SEEK_SET)
	case 5:
		d.add("fcntl", actor, fd, unix.F_ADD_SEALS, pick(d, unix.F_SEAL_SHRINK, unix.F_SEAL_WRITE, unix.F_SEAL_FUTURE_WRITE))
	}
}
