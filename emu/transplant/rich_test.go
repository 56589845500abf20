// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// readUntil reads what a process wrote down of itself.
func (s *subject) readUntil(t testing.TB, mark string) string {
	t.Helper()
	var b strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if strings.HasPrefix(line, mark) {
			return b.String()
		}
		b.WriteString(line)
		if err != nil {
			t.Fatalf("%v before %q; it said:\n%s", err, mark, b.String())
		}
	}
}

// TestChildIsWhatForkMakes compares a child of the caller's fork with one that
// was transplanted, key by key, for callers and targets of several kinds.
func TestChildIsWhatForkMakes(t *testing.T) {
	static := program(t, "rich", "-static")
	dynamic := program(t, "rich", "-fPIE", "-pie", "-Wl,-z,now")
	for _, c := range []struct {
		name string
		argv []string
	}{
		{"static caller, forked target", []string{static, "early", "-"}},
		{"static caller, forked with its memory", []string{static, "late", "-"}},
		{"static caller, exec'ed target", []string{static, "early", "/bin/sleep", "1000"}},
		{"dynamic caller, forked target", []string{dynamic, "early", "-"}},
		{"dynamic caller, exec'ed target", []string{dynamic, "early", "/bin/sleep", "1000"}},
		{"target of another user", []string{"TARGET_UID=1000", static, "early", "/bin/sleep", "1000"}},
		{"forked target of another user", []string{"TARGET_UID=1000", static, "early", "-"}},
		{"caller without privileges, target with", []string{"CALLER_UID=1000", dynamic, "early", "/bin/sleep", "1000"}},
		{"caller and target without privileges", []string{"CALLER_UID=1000", "TARGET_UID=1000", dynamic, "early", "/bin/sleep", "1000"}},
		{"caller with no_new_privs", []string{"CALLER_UID=1000", "CALLER_NNP=1", static, "early", "/bin/sleep", "1000"}},
		{"caller with capabilities", []string{"CALLER_AMBIENT=1", static, "early", "/bin/sleep", "1000"}},
		{"target of another user, caller with capabilities", []string{"CALLER_AMBIENT=1", "TARGET_UID=1000", static, "early", "-"}},
		{"caller with filters of its own", []string{"CALLER_SECCOMP=1", static, "early", "/bin/sleep", "1000"}},
		{"caller with filters and without privileges", []string{"CALLER_SECCOMP=1", "CALLER_UID=1000", "TARGET_UID=1001", static, "early", "-"}},
		{"caller with its own settings", []string{"CALLER_PRCTL=1", static, "early", "/bin/sleep", "1000"}},
		{"caller with its own settings, forked target", []string{"CALLER_PRCTL=1", static, "late", "-"}},
		{"caller that ignores SIGTRAP", []string{"CALLER_TRAP=1", static, "early", "-"}},
		{"caller with an io_uring", []string{"CALLER_URING=1", static, "early", "/bin/sleep", "1000"}},
		{"target in other namespaces", []string{targetNS(unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET), static, "early", "-"}},
		{"target with another root", []string{"TARGET_ROOT=/usr", static, "early", "-"}},
		{"target without privileges, with another root", []string{"TARGET_ROOT=/usr", "TARGET_UID=1000", static, "early", "-"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.argv...)
			want := s.readUntil(t, "== end")
			settle(t, s.thread)
			s.compare(t, want)
		})
	}
}

// TestFewFilesAtATime: the caller's files pass by in handfuls.
func TestFewFilesAtATime(t *testing.T) {
	s := start(t, program(t, "rich", "-fPIE", "-pie", "-Wl,-z,now"), "early", "/bin/sleep", "1000")
	want := s.readUntil(t, "== end")
	settle(t, s.thread)
	s.options.Files = 2
	s.compare(t, want)
}

func targetNS(flags int) string { return "TARGET_NS=" + strconv.Itoa(flags) }

// TestOtherMountNamespace: root and working directory become the target's root.
func TestOtherMountNamespace(t *testing.T) {
	static := program(t, "rich", "-static")
	for _, argv := range [][]string{
		{targetNS(unix.CLONE_NEWNS), static, "early", "/bin/sleep", "1000"},
		{targetNS(unix.CLONE_NEWNS), "TARGET_UID=1000", static, "early", "-"},
	} {
		s := start(t, argv...)
		want := s.readUntil(t, "== end")
		settle(t, s.thread)
		s.compare(t, strings.Replace(want, "\ncwd /usr\n", "\ncwd /\n", 1))
	}
}

// TestOtherMountNamespaceAndRoot looks from outside: below its root the child
// sees no /proc.
func TestOtherMountNamespaceAndRoot(t *testing.T) {
	s := start(t, targetNS(unix.CLONE_NEWNS), "TARGET_ROOT=/usr", program(t, "rich", "-static"), "early", "-")
	settle(t, s.thread)
	s.inspect = func(pid int) {
		for _, name := range []string{"root", "cwd"} {
			if link, err := readLink(pid, name); err != nil || link != "/usr" {
				t.Errorf("%s of the child is %q (%v), want the target's root", name, link, err)
			}
		}
	}
	if o := s.transplant(s.thread, Options{}); o.err != nil {
		t.Fatal(o.err)
	}
}

// compare transplants the caller and compares what the child writes with want.
func (s *subject) compare(t *testing.T, want string) {
	t.Helper()
	settle(t, s.cmd.Process.Pid) // which the child then returns from, and does not come to
	o := s.transplant(s.cmd.Process.Pid, s.options)
	if o.err != nil {
		t.Fatal(o.err)
	}
	_ = s.cmd.Process.Kill()
	got, err := io.ReadAll(s.out)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(got), "\n")); d != "" {
		t.Errorf("fork (-) and transplant (+) differ:\n%s", d)
	}
	t.Logf("%+v", o.stats)
}

// TestControlGroupIsTheCallers moves the caller after its target was made.
func TestControlGroupIsTheCallers(t *testing.T) {
	mounts, err := proc.MountedCgroups()
	if err != nil {
		t.Fatal(err)
	}
	text, err := readCgroups(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	hierarchies, err := proc.ParseCgroups(text)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, program(t, "rich", "-static"), "early", "/bin/sleep", "1000")
	pid := s.cmd.Process.Pid
	want := s.readUntil(t, "== end")
	none := true
	for _, h := range hierarchies {
		mount, mounted := mounts.At(h.Controllers)
		if !mounted {
			continue
		}
		dir := filepath.Join(mount, "transplant-"+strconv.Itoa(pid))
		if err = os.Mkdir(dir, 0o755); err != nil {
			continue
		}
		none = false
		t.Cleanup(func() { removeGroup(t, dir) })
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
			continue // a cpuset without processors, for one
		}
	}
	if none {
		t.Skipf("no control group can be made here: %d hierarchies, %v", len(mounts), err)
	}
	groups, err := os.ReadFile(procPath(pid, "cgroup"))
	if err != nil || !strings.Contains(string(groups), "transplant-") {
		t.Fatalf("the caller could not be moved: %s (%v)", groups, err)
	}
	head, rest, _ := strings.Cut(want, "== /proc/self/cgroup\n")
	_, tail, _ := strings.Cut(rest, "== ")
	s.compare(t, head+"== /proc/self/cgroup\n"+string(groups)+"== "+tail)
}

// removeGroup waits for the group's last process to be gone.
func removeGroup(t *testing.T, dir string) {
	for end := time.Now().Add(hang); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if os.Remove(dir) == nil {
			return
		}
	}
	t.Errorf("%s stays behind", dir)
}

// TestWhatTheChildCannotShedIsRefused: no child has rights that are the target's.
func TestWhatTheChildCannotShedIsRefused(t *testing.T) {
	for _, c := range []struct {
		variable string
		refused  bool
	}{
		{"TARGET_SECCOMP=1", true},
		{"TARGET_KEYRING=1", true},
		{"CALLER_KEYRING=1", true},
		{"COMMON_KEYRING=1", false},
		{"TARGET_LANDLOCK=1", true},
		{"COMMON_LANDLOCK=1", false},
	} {
		t.Run(c.variable, func(t *testing.T) {
			s := start(t, c.variable, program(t, "rich", "-static"), "early", "-")
			settle(t, s.cmd.Process.Pid)
			o := s.transplant(s.cmd.Process.Pid, Options{})
			if !c.refused {
				if o.err != nil {
					t.Errorf("got %v", o.err)
				}
				return
			}
			if !errors.Is(o.err, unix.EOPNOTSUPP) {
				t.Errorf("got %v", o.err)
			}
			if st, err := os.ReadFile(procPath(o.pid, "stat")); err == nil && !strings.Contains(string(st), ") Z ") {
				t.Errorf("child is left over: %s", st)
			}
		})
	}
}
