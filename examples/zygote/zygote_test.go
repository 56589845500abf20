// SPDX-License-Identifier: Apache-2.0

package zygote

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

const solve = `{"job": "solve", "matrix": [[2, 1], [1, 3]], "right": [3, 5]}`

// place is what the job "where" answers.
type place struct {
	PID, PPID, UID int
	Groups         []int
	Host, CWD      string
	Programs       []int
	Capabilities   uint64
	NoNewPrivs     int `json:"no_new_privs"`
	CPU            [2]int
}

func (s *server) where() place {
	s.Helper()
	var answer struct{ Result place }
	text := s.ask(`{"job": "where"}`)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		s.Fatalf("%q: %v", text, err)
	}
	return answer.Result
}

func (s *server) expect(request, want string) {
	s.Helper()
	if got := s.ask(request); got != want {
		s.Errorf("%s: got %q, want %q", request, got, want)
	}
}

// refuses checks that a request is answered with an error of a kind.
func (s *server) refuses(request, kind string) {
	s.Helper()
	if got := s.ask(request); !strings.HasPrefix(got, `{"error": "`+kind+`: `) {
		s.Errorf("%s: got %q, want a %s", request, got, kind)
	}
}

func TestAnswersFromSandboxes(t *testing.T) {
	for _, mode := range []string{"each", "one"} {
		t.Run(mode, func(t *testing.T) {
			s := start(t, mode)
			s.expect(solve, `{"result": [0.8, 1.4]}`)
			s.expect(`{"job": "spectrum", "samples": [0, 1, 0, -1, 0, 1, 0, -1]}`, `{"result": 2}`)
			s.refuses(`{"job": "nothing"}`, "KeyError")
		})
	}
}

// The clone is a child of the sandbox's init and nobody in there, alone with it
// and the program that holds the sandbox.
func TestIsChildOfInit(t *testing.T) {
	s := start(t, "each")
	got := s.where()
	want := place{
		PID: got.PID, PPID: 1, UID: 65534, Groups: []int{}, Host: "sandbox", CWD: "/",
		Programs: []int{1, 2, got.PID}, NoNewPrivs: 1, CPU: [2]int{1, 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted (-), got (+):\n%s", diff)
	}
}

// The same in the sandboxes of others, two clones in each mode. Who else is in there
// is not looked at: the first clone may be on its way out.
func TestOtherMakers(t *testing.T) {
	for _, maker := range []string{"unshare", "runc"} {
		for _, mode := range []string{"each", "one"} {
			t.Run(maker+" "+mode, func(t *testing.T) {
				s := startIn(t, mode, maker)
				s.expect(solve, `{"result": [0.8, 1.4]}`)
				got := s.where()
				want := place{
					PID: got.PID, PPID: 1, UID: 65534, Groups: []int{}, Host: "sandbox", CWD: "/",
					Programs: got.Programs, NoNewPrivs: 1, CPU: [2]int{1, 1},
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("wanted (-), got (+):\n%s", diff)
				}
			})
		}
	}
}

func TestLimitsHold(t *testing.T) {
	s := start(t, "one")
	s.expect(`{"job": "eat", "megabytes": 8}`, `{"result": 8}`)
	s.refuses(`{"job": "eat", "megabytes": 600}`, "MemoryError")
	s.refuses(`{"job": "fork"}`, "BlockingIOError")
	s.expect(`{"job": "spin"}`, "")
	s.expect(solve, `{"result": [0.8, 1.4]}`)
}

// Nothing of the server crosses but the connection, standard error, and the pipe
// that holds a sandbox of its own.
func TestDescriptors(t *testing.T) {
	for mode, want := range map[string]int{"each": 5, "one": 4} {
		var answer struct{ Result map[string]string }
		text := start(t, mode).ask(`{"job": "files"}`)
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if len(answer.Result) != want {
			t.Errorf("%s: %v, want %d", mode, answer.Result, want)
		}
	}
}

// A clone that still waits for its request ends with its sandbox; the server
// makes another sandbox for the next request.
func TestDiesWithSandbox(t *testing.T) {
	s := start(t, "one")
	idle := s.connect()
	defer idle.Close()
	if there := s.where().Programs; len(there) != 4 {
		t.Fatalf("in the sandbox: %v, want init, cat, the idle clone, the one that answers", there)
	}
	for _, init := range s.inits() {
		if err := unix.Kill(init, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.rest(idle); got != "" {
		t.Errorf("the clone outlived its sandbox: %q", got)
	}
	s.expect(solve, `{"result": [0.8, 1.4]}`)
}

// A sandbox of its own ends with its clone.
func TestSandboxEndsWithClone(t *testing.T) {
	s := start(t, "each")
	idle := s.connect()
	s.where() // served in turn: the idle clone is there, too
	inits := s.inits()
	if len(inits) == 0 {
		t.Fatal("the idle clone has no sandbox")
	}
	idle.Close()
	for _, init := range inits {
		if !ends(init) {
			t.Errorf("init %d goes on without its clone", init)
		}
	}
}

// ends waits until a process is dead, for five minutes at most.
func ends(pid int) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err == unix.ESRCH // reaped already
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 300_000)
		if err != unix.EINTR {
			return n == 1
		}
	}
}

// Clones that wait and sandboxes in use go with the server: start's cleanup sees
// that nothing is left.
func TestServerTakesAllWithIt(t *testing.T) {
	for _, mode := range []string{"each", "one"} {
		s := start(t, mode)
		defer s.connect().Close()
		s.where()
	}
}
