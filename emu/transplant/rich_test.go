package transplant

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"golang.org/x/sys/unix"
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
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
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
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.argv...)
			want := s.readUntil(t, "== end")
			settle(t, s.cmd.Process.Pid, unix.SYS_PAUSE)
			o := s.transplant(s.cmd.Process.Pid, Options{})
			if o.err != nil {
				t.Fatal(o.err)
			}
			_ = s.cmd.Process.Kill()
			got := s.readUntil(t, "== end")
			if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("fork (-) and transplant (+) differ:\n%s", d)
			}
			t.Logf("%+v", o.stats)
		})
	}
}
