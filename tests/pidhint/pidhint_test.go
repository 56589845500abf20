// SPDX-License-Identifier: Apache-2.0

// Package pidhint_test runs the conformance programs about exact pids with each
// way to have them forced.
package pidhint_test

import (
	"context"
	"regexp"
	"testing"
	"time"

	"cloneat-emu/tests"
	"cloneat-emu/tests/built"
	"cloneat-emu/tests/conform"
)

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
				Prefix: []string{emulator, "run", "--force", "--log-level", "warn", "--pid-driver", driver, "--"},
				Jobs:   1, CaseTimeout: time.Minute,
			}
			results := runner.Run(context.Background(), programs)
			conform.Document(results, tests.Documented())
			for _, r := range results {
				if r.Status == conform.Fail {
					t.Errorf("%s (%s): %s\n%s", r.Name, r.Verdict, r.Text, r.Transcript)
				}
			}
			t.Log(conform.Summarize(results))
		})
	}
}
