// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// The socketpair of which the channel is made.

// sockets is a socketpair that C makes.
type sockets struct {
	made ptrace.Result
	pair [8]byte
}

// queueSockets lets C make one.
func (b *build) queueSockets() {
	s, p := b.script, &sockets{}
	s.room(1, 8)
	at := s.reserve(8)
	s.ask(&p.made, "socketpair", unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0, at)
	s.then(func() error { return s.batch.Output(at, p.pair[:]) })
	b.sockets = p
}

// makeSockets lets C make them if it has not, or could not with the descriptors and
// limits that it was born with.
func (b *build) makeSockets() error {
	if b.closed.Errno == unix.ENOSYS { // before Linux 5.9, or forbidden
		b.closed, b.sockets = ptrace.Result{}, nil
		if err := b.closeEach(); err != nil {
			return err
		}
	}
	if b.sharesFiles() && b.sockets == nil {
		if err := b.callersSockets(); err != nil {
			return err
		}
	}
	if b.sockets != nil && b.sockets.made.Errno == 0 {
		return nil
	}
	b.queueSockets()
	err := b.script.run()
	switch errno := b.sockets.made.Errno; {
	case err != nil || errno == 0:
		return err
	case errno == unix.EMFILE && !b.sharesFiles(): // relaxLimits raised it as far as may be
		return unsupported("the target's resource limit %d leaves its child no descriptor, "+
			"and raising it wants CAP_SYS_RESOURCE", unix.RLIMIT_NOFILE)
	default:
		return fmt.Errorf("socketpair in the child: %w", errno)
	}
}

// callersSockets lets the caller make them, if its limits allow, where C has the same table:
// should C be killed then, it is known what to close.
func (b *build) callersSockets() error {
	inj, p := b.snap.asked, &sockets{}
	before, err := listFDs(inj.TID)
	if err != nil {
		return err
	}
	at, err := inj.Page()
	if err == nil {
		b.left.numbers = lowestFree(2, before) // should the caller die in the call
		_, err = inj.Call(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0, at)
	}
	if err == nil {
		err = inj.Read(at, p.pair[:])
	}
	var errno unix.Errno
	if err == nil {
		b.sockets, b.left.numbers = p, p.ends()
	} else if errors.As(err, &errno) && !ptrace.Gone(err) {
		err, b.left.numbers = nil, nil // C may have the room
	}
	return errors.Join(err, inj.DropPage(), inj.Rest())
}

// ends are the numbers of C's end and the operator's.
func (p *sockets) ends() []int {
	return []int{int(binary.LittleEndian.Uint32(p.pair[:])), int(binary.LittleEndian.Uint32(p.pair[4:]))}
}
