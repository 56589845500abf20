// SPDX-License-Identifier: Apache-2.0

package bystanders

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Verdicts maps a test to what became of it.
type Verdicts map[string]string

// absent is the verdict of a test that another run has.
const absent = "absent"

func (v Verdicts) of(test string) string {
	if verdict, ok := v[test]; ok {
		return verdict
	}
	return absent
}

// add notes a verdict; a name that comes again is numbered.
func (v Verdicts) add(test, verdict string) {
	name := test
	for n := 2; ; n++ {
		if _, taken := v[name]; !taken {
			v[name] = verdict
			return
		}
		name = fmt.Sprintf("%s#%d", test, n)
	}
}

var goVerdict = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+)`)

// ofGo reads what a Go test binary prints with -test.v.
func ofGo(out string) Verdicts {
	v := Verdicts{}
	for _, m := range goVerdict.FindAllStringSubmatch(out, -1) {
		v.add(m[2], m[1])
	}
	return v
}

var (
	tapVerdict = regexp.MustCompile(`(?m)^(ok|not ok) [0-9]+ (.*)$`)
	bare       = regexp.MustCompile(`(?m)^(PASS|FAIL)$`)
	number     = regexp.MustCompile(`[0-9]+`)
)

// ofTAP reads a kernel selftest's output. Numbers in a test's name are process
// numbers or counters that forks share.
func ofTAP(out string) Verdicts {
	v := Verdicts{}
	for _, m := range tapVerdict.FindAllStringSubmatch(out, -1) {
		name, note, _ := strings.Cut(m[2], " # ")
		verdict := m[1]
		if strings.HasPrefix(note, "SKIP") {
			verdict = "skip"
		}
		v.add(strings.Join(strings.Fields(number.ReplaceAllString(name, "N")), " "), verdict)
	}
	for _, m := range bare.FindAllString(out, -1) {
		v.add("all", m) // a program from before TAP
	}
	return v
}

// ofLines takes every line as a verdict: of the word before a colon, if there is
// one, else of its number.
func ofLines(out string) Verdicts {
	v := Verdicts{}
	for i, line := range strings.Split(strings.TrimSpace(out), "\n") {
		name, rest, named := strings.Cut(line, ": ")
		if !named {
			name, rest = fmt.Sprintf("line %d", i+1), line
		}
		v.add(name, rest)
	}
	return v
}

// Difference is a test that both native runs agree on, and the supervised one not.
type Difference struct{ Test, Native, Supervised string }

// compare returns what differs, and the tests whose native verdicts do.
func compare(native1, native2, supervised Verdicts) (diffs []Difference, unstable []string) {
	all := Verdicts{}
	maps.Copy(all, native1)
	maps.Copy(all, native2)
	maps.Copy(all, supervised)
	for _, test := range slices.Sorted(maps.Keys(all)) {
		one, two, s := native1.of(test), native2.of(test), supervised.of(test)
		switch {
		case one != two:
			unstable = append(unstable, test)
		case one != s:
			diffs = append(diffs, Difference{test, one, s})
		}
	}
	return diffs, unstable
}
