package emu

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
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
	workers   sync.WaitGroup
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
	err = s.loop(wake)
	s.listener.Close()
	s.workers.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// loop receives. A caller that died before its call was taken is no error.
func (s *Server) loop(wake int) error {
	for {
		ready, err := listen.Wait(s.fd, wake)
		switch {
		case errors.Is(err, listen.ErrNoUsers):
			return nil
		case err != nil || !ready:
			return err
		}
		n, err := listen.Recv(s.fd)
		if listen.Gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		s.begin(n)
	}
}

// begin hands a notification to a worker of its own.
func (s *Server) begin(n listen.Notification) {
	if s.waiting.add(n.TID, n.ID) {
		s.sendRestart(n.ID) // somebody waits for this thread to stop: it calls again
		return
	}
	s.workers.Add(1)
	go func() {
		defer s.workers.Done()
		s.room <- struct{}{}
		s.serve(n)
	}()
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
