// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// The emulator itself runs below a filter, as in a container or a confined service.

// around runs the command below the filter.
func around(t *testing.T, filter string, command ...string) (string, error) {
	t.Helper()
	program := built.C(t, "emu/testdata/around.c")
	out, err := exec.Command(program, append([]string{filter, built.Emulator(t)}, command...)...).CombinedOutput()
	return string(out), err
}

// suite runs checks of a conformance program there.
func suite(t *testing.T, filter, program string, checks ...string) {
	t.Helper()
	command := append([]string{"run", "--", filepath.Join(built.Selftests(t), program)}, checks...)
	if out, err := around(t, filter, command...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDispatchedUntold: a kernel from before Linux 6.4 does not say that a tracee's system
// calls are sent to it; the first one that is injected shows it, and harms nobody.
func TestDispatchedUntold(t *testing.T) {
	t.Parallel()
	suite(t, "untold", "dispatch", "target_allows", "target_unharmed", "target_init", "caller_allows")
}

// TestFilterAround: what all are under makes no difference: a caller and a target that have
// nothing else are alike, and a target's recvmsg goes on as another call.
func TestFilterAround(t *testing.T) {
	t.Parallel()
	suite(t, "empty", "part", "recvmsg", "recvmsg_pieces", "signal_ends_pieces")
}

// TestHeirConfined: whoever adopts a caller's orphans is not killed by its own filter, which cannot
// be suspended here, for what it would be made to do with a helper among them.
func TestHeirConfined(t *testing.T) {
	t.Parallel()
	if out, err := around(t, "empty", "run", "--", built.C(t, "emu/testdata/heir.c")); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestFiltersUnshown: where the kernel shows nobody's filters, a child that should have some is
// refused, and not made without.
func TestFiltersUnshown(t *testing.T) {
	t.Parallel()
	out, _ := around(t, "unshown", "run", "--", filepath.Join(built.Selftests(t), "inherit_shed"), "filter_forked", "barrier_forked")
	for _, want := range []string{"\nok 1 - inherit_shed.barrier_forked\n", "not ok 2 - inherit_shed.filter_forked ", "expected success, got EOPNOTSUPP"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q:\n%s", want, out)
		}
	}
}

// TestKernelLacks: what nothing can be done without is named before the program starts.
func TestKernelLacks(t *testing.T) {
	t.Parallel()
	out, err := around(t, "unread", "run", "--", "/bin/echo", "ran")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 125 || !strings.Contains(out, "CONFIG_CROSS_MEMORY_ATTACH") || strings.Contains(out, "ran\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestFieldsOfMemory: without PR_SET_MM_MAP a child's memory is described field by field, which
// wants a right where they differ. That it is done is seen where root has that right: .ci/around.
func TestFieldsOfMemory(t *testing.T) {
	t.Parallel()
	program, dir := built.C(t, "emu/testdata/around.c"), built.Selftests(t)
	out, _ := exec.Command("setpriv", "--bounding-set", "-sys_resource", program, "fields", built.Emulator(t), "run", "--trace", "--",
		filepath.Join(dir, "inherit_map"), "brk_forked", "maps_forked", "exe_executed").CombinedOutput()
	for _, want := range []string{
		"not ok 1 - inherit_map.brk_forked ", "only a target with CAP_SYS_RESOURCE",
		"\nok 2 - inherit_map.maps_forked\n",
		"not ok 3 - inherit_map.exe_executed ",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q:\n%s", want, out)
		}
	}
}

// TestProcSubset: a /proc that shows processes alone, as services may have it.
func TestProcSubset(t *testing.T) {
	t.Parallel()
	const script = `mount -t proc -o subset=pid proc /proc && exec "$0" run -- "$@"`
	for _, check := range []string{"sched nice_reset_init", "unasked null_executed", "hint exact"} {
		words := strings.Fields(check)
		words[0] = filepath.Join(built.Selftests(t), words[0])
		words = append([]string{"-mpf", "--propagation=private", "--kill-child", "sh", "-c", script, built.Emulator(t)}, words...)
		if out, err := exec.Command("unshare", words...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", check, err, out)
		}
	}
}

// TestHiddenCaller: a /proc that hides from a user what it may not trace, as a caller that
// may not be dumped: it is told so, and not left waiting.
func TestHiddenCaller(t *testing.T) {
	t.Parallel()
	programs := built.ForAll(t, built.Emulator(t), filepath.Join(built.Selftests(t), "inherit_prctl"))
	const script = `mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 64124 --regid 64124 --clear-groups "$0" run -- "$@"`
	out, _ := exec.Command("unshare", "-mpf", "--propagation=private", "--kill-child", "sh", "-c", script,
		programs[0], programs[1], "comm_self", "dumpable_self").CombinedOutput()
	for _, want := range []string{"not ok 2 - inherit_prctl.dumpable_self ", "expected success, got EBUSY", "\nok 1 - inherit_prctl.comm_self\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q:\n%s", want, out)
		}
	}
}

// TestFilterAnswers: a filter that answers the call itself, or kills for it, is named.
func TestFilterAnswers(t *testing.T) {
	t.Parallel()
	for _, filter := range []string{"answers", "kills"} {
		out, err := around(t, filter, "run", "--", "/bin/echo", "ran")
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 125 {
			t.Errorf("%s: run: %v, want exit status 125", filter, err)
		}
		if want := "a seccomp filter around this process answers system call 511"; !strings.Contains(out, want) || strings.Contains(out, "ran\n") {
			t.Errorf("%s: run: %q, want %q alone", filter, out, want)
		}
		out, err = around(t, filter, "check", "--json")
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(out, "seccomp=unconfined") {
			t.Errorf("%s: check: %v\n%s", filter, err, out)
		}
	}
}

// TestStrictFilter: a supervisor without privilege can suspend nobody's filter, and makes nobody
// who has one make a call that may be death.
func TestStrictFilter(t *testing.T) {
	t.Parallel()
	programs := built.ForAll(t, built.Emulator(t), built.C(t, "emu/testdata/strict.c"))
	for _, who := range []string{"caller", "target", "both"} {
		out, err := exec.Command("setpriv", "--reuid", "64124", "--regid", "64124", "--clear-groups",
			programs[0], "run", "--log-level", "error", "--", programs[1], who).Output()
		if err != nil || string(out) != "EOPNOTSUPP\n" {
			t.Errorf("%s: %q, %v, want EOPNOTSUPP, and nobody killed", who, out, err)
		}
		out, err = exec.Command(programs[0], "run", "--", programs[1], who).Output()
		if who != "both" && who != "target" && (err != nil || string(out) != "made\n") {
			t.Errorf("%s, with privilege: %q, %v, want a child", who, out, err)
		}
	}
}
