// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"context"
	"io"
	"os"
	"sync/atomic"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"

	"cloneat-emu/emu/check"
	"cloneat-emu/emu/listen"
)

// Server answers the calls that come through one listener.
type Server struct {
	cfg       Config
	listener  *os.File
	fd        int
	log       *logrus.Logger
	waiting   waiting
	patience  patience
	locks     locks
	alarms    alarms
	known     check.Known
	pool      pool
	room      chan struct{} // bounds the calls that are worked on at once
	means     means
	noSuspend atomic.Bool // PTRACE_O_SUSPEND_SECCOMP is refused
}

// maxWorkers bounds the threads that serve calls at the same time, if there are means
// for so many. A call that only waits for its vfork child does not count.
const maxWorkers = 64

// NewServer returns a server for the filter's listener, which it owns from now
// on.
//
// Precondition: the main goroutine keeps the main thread (runtime.LockOSThread in an init
// function), as in the operator. Where a tracee has died a worker's thread ends to let go
// of it, and the Go runtime never lets the main thread end.
func NewServer(listener *os.File, cfg Config) *Server {
	log := cfg.Log
	if log == nil {
		log = logrus.New()
		log.SetOutput(io.Discard)
	}
	means := meansOf(filesLimit())
	return &Server{
		cfg: cfg, listener: listener, fd: int(listener.Fd()), log: log,
		room: make(chan struct{}, means.calls), means: means,
	}
}

// Serve answers calls until no process has the filter any more (nil), or ctx
// is done (its error). Before it returns, the calls under way have ended;
// calls that come later get ENOSYS. The listener stays open as long as the
// process lives.
func (s *Server) Serve(ctx context.Context) error {
	wake, stop, err := wakePipe(ctx)
	if err != nil {
		return err
	}
	defer stop()
	listen.WakeHere(s.fd)
	s.pool.receive, s.pool.serve, s.pool.refuse = s.receive, s.serve, s.refuse
	s.pool.open()
	err = listen.WaitUnused(s.fd, wake)
	s.pool.close()
	s.alarms.close()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// receive takes the next call that is to be worked on. A caller that died before
// its call was taken is no error, but that nobody has the filter any more is.
func (s *Server) receive() (listen.Notification, error) {
	for {
		n, err := listen.Recv(s.fd)
		switch {
		case err == nil:
			s.waiting.add(n.TID, n.ID)
			return n, nil
		case !listen.Gone(err):
			return n, err
		case listen.Unused(s.fd):
			return n, listen.ErrNoUsers
		}
	}
}

// refuse answers a call that came after the server's end, as the kernel will
// once the listener is closed.
func (s *Server) refuse(n listen.Notification) {
	if s.waiting.take(n.TID, n.ID) {
		_ = listen.Send(s.fd, n.ID, 0, unix.ENOSYS) // a caller that is gone needs none
	}
}

// wakePipe returns a descriptor that hangs up when ctx is done.
func wakePipe(ctx context.Context) (fd int, stop func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return -1, nil, err
	}
	end := context.AfterFunc(ctx, func() { w.Close() })
	return int(r.Fd()), func() { end(); w.Close(); r.Close() }, nil
}
