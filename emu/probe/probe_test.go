// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
)

func TestMain(m *testing.M) {
	Hold() // the probes' children are this executable
	launch.Run()
	os.Exit(m.Run())
}

// TestJudge tells a kernel's no from a probe that went wrong.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Works
	}{
		{fmt.Errorf("clone3: %w", unix.ENOSYS), No},
		{os.ErrPermission, No},
		{fmt.Errorf("%w: it is 2", errNo), No},
		{unknown(unix.ENOSYS), Unknown},
		{unix.EMFILE, Unknown},
		{fmt.Errorf("no idea"), Unknown},
	} {
		if got := judge(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

// TestAll: every probe comes to a conclusion, and what needs no right and is as old as
// the oldest kernel that is supported (5.10) works.
func TestAll(t *testing.T) {
	results := make(map[string]Result)
	for _, r := range All() {
		if r.Works == Unknown {
			t.Errorf("%s: could not tell: %s", r.Feature, r.Detail)
		}
		if r.Works == No && r.Detail == "" || r.For == "" || r.Instead == "" {
			t.Errorf("%s: without words: %+v", r.Feature, r)
		}
		results[r.Feature] = r
	}
	always := []string{"seccomp listener", "notification", "NOTIF_ADDFD", "PTRACE_SEIZE", "injected calls", "room behind the vdso", "clone3", "pidfd_open", "pidfd_getfd"}
	root := []string{"clone3 set_tid", "ns_last_pid", "userfaultfd", "pagemap frame numbers", "map_files", "CAP_SYS_ADMIN"}
	if os.Geteuid() == 0 {
		always = append(always, root...)
	}
	for _, name := range always {
		if results[name].Works != Yes {
			t.Errorf("%s: %s: %s", name, results[name].Works, results[name].Detail)
		}
	}
	if missing := Missing(); os.Geteuid() == 0 && len(missing) > 0 {
		t.Errorf("root lacks %q", missing)
	}
}
