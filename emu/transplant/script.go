// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"

	"cloneat-emu/ptrace"

	"golang.org/x/sys/unix"
)

// scriptSize is the size of the area that a script's batch works in: room for
// four thousand calls and as many times 64 bytes of data a stop.
const scriptSize = 512 << 10

// A script is a queue of calls that a tracee runs in few stops. Errors stick:
// the first one is returned by every later run, so that steps can queue calls
// without looking.
type script struct {
	inj   *ptrace.Injection
	batch *ptrace.Batch
	steps []step
	after []func() error // look at what the queued calls stored
	under *queue         // what was launched
	err   error
	// single makes calls one by one. C's batches end in a SIGTRAP, and one that
	// is ignored would be reset by it.
	single bool
	singly []queued
}

type queued struct {
	nr   uintptr
	args []uintptr
}

// step is what is known about a queued call.
type step struct {
	what  string         // for the error
	where uint64         // the address or number it is about
	want  uintptr        // the only good result, if exact
	exact bool           //
	loose bool           // any result will do
	into  *ptrace.Result // filled in, if set
}

func (t step) name() string { return fmt.Sprintf("%s %#x", t.what, t.where) }

// add queues a call that must succeed.
func (s *script) add(what string, where uint64, nr uintptr, args ...uintptr) {
	s.put(step{what: what, where: where}, nr, args)
}

// expect queues a call that must return want.
func (s *script) expect(want uintptr, what string, where uint64, nr uintptr, args ...uintptr) {
	s.put(step{what: what, where: where, want: want, exact: true}, nr, args)
}

// try queues a call that may fail.
func (s *script) try(what string, nr uintptr, args ...uintptr) {
	s.put(step{what: what, loose: true}, nr, args)
}

// ask queues a call that may fail and stores its result in r at the next run.
func (s *script) ask(r *ptrace.Result, what string, nr uintptr, args ...uintptr) {
	s.put(step{what: what, loose: true, into: r}, nr, args)
}

func (s *script) put(t step, nr uintptr, args []uintptr) {
	if s.batch.Room() == 0 {
		_ = s.run()
	}
	s.steps = append(s.steps, t)
	switch {
	case s.single:
		s.singly = append(s.singly, queued{nr, args})
	case t.loose:
		s.batch.AddLoose(nr, args...)
	default:
		s.batch.Add(nr, args...)
	}
}

// room makes sure that n more calls and size bytes of data go into one run.
func (s *script) room(n, size int) {
	if s.batch.Room() < n || s.batch.DataRoom() < size+64 {
		_ = s.run()
	}
}

// data places p for the next run.
func (s *script) data(p []byte) uintptr {
	addr, err := s.batch.Data(p)
	s.fail(err)
	return addr
}

// text places a string with its terminating zero for the next run.
func (s *script) text(v string) uintptr { return s.data(append([]byte(v), 0)) }

// reserve makes room for n bytes of output.
func (s *script) reserve(n int) uintptr {
	addr, err := s.batch.Reserve(n)
	s.fail(err)
	return addr
}

func (s *script) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// run makes the queued calls, after those that are under way.
func (s *script) run() error {
	q := s.take()
	if s.err == nil && len(q.steps) > 0 {
		s.judge(q, s.execute)
	}
	return s.err
}

// launch lets C make the queued calls on its own, while the operator does something
// else: C's registers and memory must be left alone until the next run, or arrive.
func (s *script) launch() error {
	if s.single {
		return s.run()
	}
	q := s.take()
	if s.err == nil && len(q.steps) > 0 {
		s.fail(s.batch.Start())
		s.under = q
	}
	return s.err
}

// arrive waits for what was launched.
func (s *script) arrive() error {
	if q := s.under; q != nil {
		s.under = nil
		if s.err == nil {
			s.judge(q, func([]step) ([]ptrace.Result, error) { return s.batch.Finish() })
		}
	}
	return s.err
}

// A queue is what one run makes.
type queue struct {
	steps []step
	after []func() error
}

// take is the queue, once what was launched has arrived.
func (s *script) take() *queue {
	_ = s.arrive() // kept in s.err
	q := &queue{s.steps, s.after}
	s.steps, s.after = nil, nil
	return q
}

// judge makes calls and looks at what they returned.
func (s *script) judge(q *queue, calls func([]step) ([]ptrace.Result, error)) {
	results, err := calls(q.steps)
	if err != nil && len(results) == 0 {
		s.fail(err)
		return
	}
	for i, r := range results {
		s.fail(q.steps[i].judge(r))
	}
	for _, look := range q.after {
		if s.err == nil {
			s.fail(look())
		}
	}
}

// then has look called once the calls that are queued now have run well.
func (s *script) then(look func() error) { s.after = append(s.after, look) }

func (s *script) execute(steps []step) ([]ptrace.Result, error) {
	if !s.single {
		return s.batch.Run()
	}
	var results []ptrace.Result
	if err := s.batch.Flush(); err != nil {
		return nil, err
	}
	for i, q := range s.singly {
		v, err := s.inj.Call(q.nr, q.args...)
		r := ptrace.Result{Value: v}
		if err != nil && !errors.As(err, &r.Errno) || ptrace.Gone(err) {
			return nil, err
		}
		if results = append(results, r); r.Errno != 0 && !steps[i].loose {
			break
		}
	}
	s.singly = nil
	return results, nil
}

func (t step) judge(r ptrace.Result) error {
	if t.into != nil {
		*t.into = r
	}
	switch {
	case t.loose:
		return nil
	case r.Errno != 0:
		return fmt.Errorf("%s: %w", t.name(), r.Errno)
	case t.exact && r.Value != t.want:
		return fmt.Errorf("%s: got %#x instead of %#x: %w", t.name(), r.Value, t.want, unix.EFAULT)
	}
	return nil
}

// startScript maps the area at addr (0: anywhere) and opens a script in it.
func startScript(inj *ptrace.Injection, addr uint64) (*script, error) {
	var b *ptrace.Batch
	var err error
	if addr == 0 {
		b, err = inj.NewBatch(scriptSize)
	} else {
		b, err = inj.NewBatchAt(uintptr(addr), scriptSize)
	}
	if err != nil {
		return nil, fmt.Errorf("area for calls in pid %d: %w", inj.TID, err)
	}
	return &script{inj: inj, batch: b}, nil
}
