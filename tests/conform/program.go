// SPDX-License-Identifier: Apache-2.0

package conform

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Check is one check of a program.
type Check struct{ Name, Verdict string }

// Program is a conformance program and the checks of it that are to be run.
type Program struct {
	Path   string
	Checks []Check
}

// alone are the programs that change a setting of the whole machine for a moment
// (fs.suid_dumpable, kernel.core_pattern), which the checks of others would meet.
var alone = []string{"dumped", "unasked"}

// Alone reports whether nothing else may run beside the program.
func (p *Program) Alone() bool { return slices.Contains(alone, filepath.Base(p.Path)) }

// Find returns the programs in dir with their checks whose names match filter (nil:
// all), without those that have none left.
func Find(dir string, filter *regexp.Regexp) ([]Program, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: build the conformance programs first (make build)", err)
	}
	var programs []Program
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			continue
		}
		p, err := describe(filepath.Join(dir, e.Name()), filter)
		if err != nil {
			return nil, err
		}
		if len(p.Checks) > 0 {
			programs = append(programs, p)
		}
	}
	if len(programs) == 0 {
		return nil, fmt.Errorf("no check in %s matches", dir)
	}
	return programs, nil
}

// describe asks a program what it checks: a line a check, "name<TAB>verdict".
func describe(path string, filter *regexp.Regexp) (Program, error) {
	p := Program{Path: path}
	out, err := exec.Command(path, "--describe").Output()
	if err != nil {
		return p, fmt.Errorf("%s --describe: %w", path, err)
	}
	told := make(map[string]bool)
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		switch {
		case len(fields) < 2:
			return p, fmt.Errorf("%s --describe: no verdict in %q", path, line)
		case told[fields[0]]:
			return p, fmt.Errorf("%s --describe: two checks are named %s", path, fields[0])
		}
		told[fields[0]] = true
		if filter == nil || filter.MatchString(fields[0]) {
			p.Checks = append(p.Checks, Check{Name: fields[0], Verdict: fields[1]})
		}
	}
	if len(told) == 0 {
		return p, fmt.Errorf("%s --describe: it checks nothing", path)
	}
	return p, nil
}
