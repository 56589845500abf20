// SPDX-License-Identifier: Apache-2.0

// Package pidhint_test runs the conformance programs about exact pids with each
// way to have them forced.
package pidhint_test

import (
	"bytes"
	"context"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cloneat-emu/tests"
	"cloneat-emu/tests/built"
	"cloneat-emu/tests/conform"
)

// ownInit runs a command in a pid namespace whose numbers nobody else takes, below an
// init that reaps. ns_last_pid must not be moved where others count on its order.
var ownInit = []string{"unshare", "-pf", "--kill-child", "--mount-proc", "sh", "-c", `"$@"; exit $?`, "sh"}

// TestForcedDriver: what the suite says of hints holds by both drivers.
func TestForcedDriver(t *testing.T) {
	filter := regexp.MustCompile(`^(hint|ns_pid)\.|^order\..*r18_hint|^self\.for_children`)
	programs, err := conform.Find(built.Selftests(t), filter)
	if err != nil {
		t.Fatal(err)
	}
	emulator := built.Emulator(t)
	for _, driver := range []string{"set_tid", "ns_last_pid"} {
		t.Run(driver, func(t *testing.T) {
			runner := conform.Runner{
				Prefix: append(slices.Clone(ownInit),
					emulator, "run", "--force", "--log-level", "warn", "--pid-driver", driver, "--"),
				Jobs: 1, CaseTimeout: 6 * time.Minute,
			}
			results := runner.Run(context.Background(), programs)
			conform.Document(results, tests.Documented())
			for _, r := range results {
				if r.Status == conform.Fail {
					t.Errorf("%s (%s): %s\n%s", r.Name, r.Verdict, r.Text, r.Transcript)
				}
			}
			sum := conform.Summarize(results)
			t.Log(sum)
			if sum.Passed < 2*sum.Skipped {
				t.Errorf("most of the checks have found nothing to do: %v", sum)
			}
		})
	}
}

// inNamespace runs a shell command under the emulator in a pid namespace of its
// own, and returns what it says and what is logged.
func inNamespace(t *testing.T, driver, script string, args ...string) (said []string, logged string) {
	t.Helper()
	cmd := exec.Command("unshare", append([]string{
		"-pf", "--kill-child", "--mount-proc", built.Emulator(t), "run", "--force", "--log-level", "warn",
		"--pid-driver", driver, "--", "sh", "-c", script, "sh",
	}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, errs.String())
	}
	return strings.Fields(out.String()), errs.String()
}

// TestImpossibleForce: a driver that cannot make the child under its number is
// EOPNOTSUPP, the log says why, and without the force the other one is used.
func TestImpossibleForce(t *testing.T) {
	program := built.C(t, "tests/pidhint/testdata/weak.c")
	const refused = "95" // EOPNOTSUPP
	for _, c := range []struct{ driver, what, want, log string }{
		{"auto", "target", "exact", ""},
		{"ns_last_pid", "target", "exact", ""},
		{"set_tid", "target", refused, "by set_tid: .* neither CAP_CHECKPOINT_RESTORE nor CAP_SYS_ADMIN"},
		{"auto", "parent", "exact", ""},
		{"set_tid", "parent", "exact", ""},
		{"ns_last_pid", "parent", refused, "by ns_last_pid: with CLONE_PARENT"},
	} {
		said, logged := inNamespace(t, c.driver, `"$1" "$2"`, program, c.what)
		if !slices.Equal(said, []string{c.want}) {
			t.Errorf("%s, %s: %q, want %q", c.driver, c.what, said, c.want)
		}
		if (c.log == "") != (logged == "") || !regexp.MustCompile(c.log).MatchString(logged) {
			t.Errorf("%s, %s: log %q, want %q", c.driver, c.what, logged, c.log)
		}
	}
}

// TestStorm: under a storm of forks calls get their numbers, or EEXIST and then
// another one that they ask for, with a target that may not use set_tid.
func TestStorm(t *testing.T) {
	program := built.C(t, "tests/pidhint/testdata/weak.c")
	const script = `while :; do (:); done & for i in 1 2 3 4 5 6 7 8 9 10; do "$1" target; done; kill $!`
	said, logged := inNamespace(t, "auto", script, program)
	if want := slices.Repeat([]string{"exact"}, 10); !slices.Equal(said, want) || logged != "" {
		t.Errorf("%q, log %q: want ten exact ones", said, logged)
	}
}
