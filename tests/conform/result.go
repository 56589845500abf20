// SPDX-License-Identifier: Apache-2.0

package conform

import (
	"fmt"
	"time"
)

// Status is a check's outcome.
type Status string

// The outcomes. A documented failure is one that the manual page announces; a check that
// does not apply is one that the machine, not the implementation, makes fail.
const (
	Pass       Status = "pass"
	Fail       Status = "fail"
	Documented Status = "documented"
	Skip       Status = "skip"
	NA         Status = "n/a"
)

// Result is the outcome of one check.
type Result struct {
	Name       string        `json:"name"`                 // program.check
	Verdict    string        `json:"verdict"`              // what the check claims, in words
	Status     Status        `json:"status"`               //
	Text       string        `json:"text"`                 // why it failed or was skipped
	Transcript string        `json:"transcript"`           // what was printed while it ran
	Duration   time.Duration `json:"nanoseconds"`          // since the program's last line
	Difference string        `json:"difference,omitempty"` // its name in the manual page
	NotRun     bool          `json:"notRun,omitempty"`     // failed because the suite was ended before it
}

// Summary counts results.
type Summary struct{ Passed, Failed, Documented, Skipped, NA int }

// Summarize counts.
func Summarize(results []Result) (s Summary) {
	for _, r := range results {
		switch r.Status {
		case Pass:
			s.Passed++
		case Fail:
			s.Failed++
		case Documented:
			s.Documented++
		case Skip:
			s.Skipped++
		case NA:
			s.NA++
		}
	}
	return s
}

// String is the line that ends a run.
func (s Summary) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d documented, %d skipped", s.Passed, s.Failed, s.Documented, s.Skipped)
}

// Excuse marks the failures that a machine is the cause of, with the reason that list
// gives. It returns the checks that are in the list and passed all the same.
func Excuse(results []Result, list map[string]string) (unexpected []string) {
	for i := range results {
		r := &results[i]
		why, ok := list[r.Name]
		switch {
		case ok && r.Status == Fail && !r.NotRun:
			r.Status, r.Text = NA, why
		case ok && r.Status == Pass:
			unexpected = append(unexpected, r.Name)
		}
	}
	return unexpected
}

// Document marks the failures that list announces. It returns the checks that are
// announced to differ and passed all the same.
func Document(results []Result, list map[string]string) (unexpected []string) {
	for i := range results {
		r := &results[i]
		name, ok := list[r.Name]
		if !ok || r.NotRun {
			continue
		}
		r.Difference = name
		switch r.Status {
		case Fail:
			r.Status = Documented
		case Pass:
			unexpected = append(unexpected, r.Name)
		}
	}
	return unexpected
}
