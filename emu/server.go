package emu

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"github.com/sirupsen/logrus"

	"cloneat-emu/emu/listen"
)

// Server answers the calls that come through one listener.
type Server struct {
	cfg       Config
	listener  *os.File
	fd        int
	log       *logrus.Logger
	waiting   waiting
	locks     locks
	pool      pool
	room      chan struct{} // bounds the calls that are worked on at once
	noSuspend atomic.Bool   // PTRACE_O_SUSPEND_SECCOMP is refused
}

// maxWorkers bounds the threads that serve calls at the same time. A call that
// only waits for its vfork child does not count.
const maxWorkers = 64

// NewServer returns a server for the filter's listener, which it owns from now
// on.
func NewServer(listener *os.File, cfg Config) *Server {
	log := cfg.Log
	if log == nil {
		log = logrus.New()
		log.SetOutput(io.Discard)
	}
	return &Server{
		cfg: cfg, listener: listener, fd: int(listener.Fd()), log: log,
		room: make(chan struct{}, maxWorkers),
	}
}

// Serve answers calls until no process has the filter any more (nil), or ctx
// is done (its error). Before it returns, the calls under way have ended;
// calls that come later get ENOSYS from the kernel once the listener is closed,
// which Serve does.
func (s *Server) Serve(ctx context.Context) error {
	wake, stop, err := wakePipe(ctx)
	if err != nil {
		return err
	}
	defer stop()
	err = s.pool.run(func() (listen.Notification, error) { return s.receive(wake) }, s.serve)
	s.listener.Close()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, listen.ErrNoUsers) {
		return nil
	}
	return err
}

// errWoken ends the server because its context is done.
var errWoken = errors.New("the server was told to end")

// receive takes the next call that is to be worked on. A caller that died
// before its call was taken is no error.
func (s *Server) receive(wake int) (listen.Notification, error) {
	for {
		ready, err := listen.Wait(s.fd, wake)
		switch {
		case err != nil:
			return listen.Notification{}, err
		case !ready:
			return listen.Notification{}, errWoken
		}
		n, err := listen.Recv(s.fd)
		switch {
		case listen.Gone(err):
		case err != nil:
			return n, err
		default:
			s.waiting.add(n.TID, n.ID)
			return n, nil
		}
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
