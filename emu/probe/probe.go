// SPDX-License-Identifier: Apache-2.0

// Package probe finds out what this kernel lets this process do, by doing it: versions
// say little where distributions backport and containers forbid.
package probe

// Works is the outcome of a probe.
type Works string

// The outcomes: Unknown is for a probe that could not be carried out.
const (
	Yes     Works = "yes"
	No      Works = "no"
	Unknown Works = "could not tell"
)

// Result is one line of the report.
type Result struct {
	Feature string `json:"feature"`
	Works   Works  `json:"works"`
	Detail  string `json:"detail"`  // why not, or what was found
	For     string `json:"for"`     // what needs it
	Instead string `json:"instead"` // what is used where it is missing
}

// probe is a feature with the way to try it: nil is yes.
type probe struct {
	feature, need, instead string
	try                    func() (detail string, err error)
}

// All runs every probe, in the order of the report.
func All() []Result {
	seccomp := newSeccompProbe()
	defer seccomp.end()
	tracee := newTraceeProbe()
	defer tracee.end()
	var results []Result
	for _, group := range [][]probe{callProbes(), seccomp.probes(), tracee.probes(), pidProbes(), memoryProbes(), rightProbes()} {
		for _, p := range group {
			results = append(results, p.run())
		}
	}
	return results
}

// run tries one feature.
func (p probe) run() Result {
	detail, err := p.try()
	r := Result{Feature: p.feature, Works: Yes, Detail: detail, For: p.need, Instead: p.instead}
	if err != nil {
		r.Works, r.Detail = judge(err), err.Error()
	}
	return r
}
