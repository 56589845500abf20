// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sys/unix"
)

// MaxFiles is SCM_MAX_FD: how many descriptors one message can carry.
const MaxFiles = 253

// channel carries descriptors from the operator into C. Where C's table is empty but
// for what came through the channel, the numbers are known before C receives
// anything: the kernel hands out the lowest free ones.
type channel struct {
	b    *build
	ours int          // the operator's end
	far  int          // C's end, a number in C
	used map[int]bool // numbers in C; nil where they are not known
	lent map[int]int  // by number in C, what is held of it (see Leftovers)
}

// openChannel takes one of the ends. Precondition: C has answered (readAttrs).
func (b *build) openChannel() error {
	if err := b.makeSockets(); err != nil {
		return err
	}
	ends := b.sockets.ends()
	far, near := ends[0], ends[1]
	ours, err := unix.PidfdGetfd(b.pidfd, near, 0)
	if err == unix.EACCES {
		return unsupported("a security module keeps the supervisor from a socket of the target's child")
	}
	if err != nil {
		return fmt.Errorf("pidfd_getfd of the child's socket: %w", err)
	}
	b.ch = &channel{b: b, ours: ours, far: far, lent: map[int]int{}}
	if b.sharesFiles() {
		if err := b.ch.holdEnds(near); err != nil {
			return err
		}
	}
	b.ch.drop(near)
	if b.emptied {
		b.ch.used = map[int]bool{far: true}
	}
	return nil
}

// holdEnds remembers C's ends of the channel.
func (c *channel) holdEnds(near int) error {
	far, err := unix.PidfdGetfd(c.b.pidfd, c.far, 0)
	if err != nil {
		return fmt.Errorf("pidfd_getfd of the child's socket: %w", err)
	}
	defer unix.Close(far)
	for number, fd := range map[int]int{near: c.ours, c.far: far} {
		if c.lent[number], err = c.b.left.hold(fd); err != nil {
			return err
		}
	}
	c.b.left.numbers = nil
	return nil
}

// moveTo gives C's end another number, out of the way.
func (c *channel) moveTo(fd int) {
	s := c.b.script
	s.add("dup3", uint64(fd), unix.SYS_DUP3, uintptr(c.far), uintptr(fd), unix.O_CLOEXEC)
	c.drop(c.far)
	c.far = fd
	c.holds(fd)
}

// drop closes one of C's descriptors.
func (c *channel) drop(fd int) {
	c.b.script.add("close", uint64(fd), unix.SYS_CLOSE, uintptr(fd))
	delete(c.used, fd)
	if held, ok := c.lent[fd]; ok {
		delete(c.lent, fd)
		c.b.script.then(func() error { c.b.left.letGo(held); return nil })
	}
}

// holds notes a number that C has in use.
func (c *channel) holds(fd int) {
	if c.used != nil {
		c.used[fd] = true
	}
}

// close ends the channel; C's end is closed by the next run.
func (c *channel) close() {
	c.drop(c.far)
	c.closeOurs()
}

func (c *channel) closeOurs() {
	unix.Close(c.ours)
	c.b.ch = nil
}

// send brings fds into C and returns their numbers there. They are
// close-on-exec, and there when the queued calls have run. At most MaxFiles at a time.
func (c *channel) send(fds []int) ([]int, error) {
	if err := unix.Sendmsg(c.ours, []byte{0}, unix.UnixRights(fds...), nil, unix.MSG_NOSIGNAL); err != nil {
		return nil, fmt.Errorf("sending %d descriptors: %w", len(fds), err)
	}
	s := c.b.script
	space := unix.CmsgSpace(4 * len(fds))
	s.room(1, 256+space)
	control := s.reserve(space)
	header := c.header(control, space)
	s.expect(1, "recvmsg", uint64(len(fds)), unix.SYS_RECVMSG, uintptr(c.far), header, unix.MSG_CMSG_CLOEXEC)
	if c.used == nil {
		return c.sendShared(fds, control)
	}
	there := c.lowest(len(fds))
	s.then(func() error {
		got, err := c.received(control, len(fds))
		if err == nil && !slices.Equal(got, there) {
			err = fmt.Errorf("descriptors arrived at %v instead of %v: %w", got, there, unix.EBADF)
		}
		return err
	})
	return there, nil
}

// sendShared ends send where C's table may be others' too.
func (c *channel) sendShared(fds []int, control uintptr) (there []int, err error) {
	held := make([]int, len(fds))
	for i, fd := range fds {
		if held[i], err = c.b.left.hold(fd); err != nil {
			return nil, err
		}
	}
	if err := c.b.script.run(); err != nil {
		return nil, err
	}
	if there, err = c.received(control, len(fds)); err != nil {
		return nil, err
	}
	for i, number := range there {
		c.lent[number] = held[i]
	}
	return there, nil
}

// sendProc brings a file about thread tid into C, as send does, and returns its number.
func (c *channel) sendProc(tid int, name string, mode int) (int, error) {
	fd, err := openProc(tid, name, mode)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fd)
	there, err := c.send([]int{fd})
	if err != nil {
		return -1, err
	}
	return there[0], nil
}

// lowest takes the n lowest numbers that are free in C.
func (c *channel) lowest(n int) []int {
	fds := lowestFree(n, slices.Sorted(maps.Keys(c.used)))
	for _, fd := range fds {
		c.used[fd] = true
	}
	return fds
}

// lowestFree are the n lowest numbers that are not among the sorted ones.
func lowestFree(n int, used []int) []int {
	fds := make([]int, 0, n)
	for fd := 0; len(fds) < n; fd++ {
		if len(used) > 0 && used[0] == fd {
			used = used[1:]
		} else {
			fds = append(fds, fd)
		}
	}
	return fds
}

// header places the receiver's struct msghdr and its iovec.
func (c *channel) header(control uintptr, space int) uintptr {
	le := binary.LittleEndian
	var iov [16]byte
	le.PutUint64(iov[:], uint64(c.b.script.reserve(8)))
	le.PutUint64(iov[8:], 1)
	var msg [56]byte
	le.PutUint64(msg[16:], uint64(c.b.script.data(iov[:])))
	le.PutUint64(msg[24:], 1) // one iovec
	le.PutUint64(msg[32:], uint64(control))
	le.PutUint64(msg[40:], uint64(space))
	return c.b.script.data(msg[:])
}

// received reads the numbers that recvmsg stored.
func (c *channel) received(control uintptr, n int) ([]int, error) {
	p := make([]byte, unix.CmsgSpace(4*n))
	if err := c.b.script.batch.Output(control, p); err != nil {
		return nil, err
	}
	if got := binary.LittleEndian.Uint64(p); got != uint64(unix.CmsgLen(4*n)) {
		return nil, fmt.Errorf("only %d bytes of %d descriptors arrived: %w", got, n, unix.EMFILE)
	}
	fds := make([]int, n)
	for i := range fds {
		fds[i] = int(int32(binary.LittleEndian.Uint32(p[unix.CmsgLen(0)+4*i:])))
	}
	return fds, nil
}
