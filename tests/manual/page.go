// SPDX-License-Identifier: Apache-2.0

// Package manual holds kernel/man/cloneat.2 to what the conformance suite
// checks: every error and every documented difference of the page is backed by
// a check, and every check that may differ is on the page.
package manual

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Page is a manual page, cut at its sections.
type Page struct{ sections map[string][]string }

// ReadPage reads a page written with the man(7) macros.
func ReadPage(path string) (*Page, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &Page{sections: map[string][]string{}}
	section := ""
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, ".SH "); ok {
			section = name
			continue
		}
		p.sections[section] = append(p.sections[section], line)
	}
	return p, nil
}

// Tags are the bold terms of a section's tagged paragraphs, sorted, each once.
func (p *Page) Tags(section string) []string {
	var tags []string
	lines := p.sections[section]
	for i, line := range lines {
		if line != ".TP" || i+1 == len(lines) {
			continue
		}
		if tag, ok := strings.CutPrefix(lines[i+1], ".B "); ok {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

var checkName = regexp.MustCompile(`\b([a-z0-9_]+\.[a-z0-9_]+)\b`)

// Checks are the names of conformance checks (in italics, in brackets) under
// each tag of a section.
func (p *Page) Checks(section string) map[string][]string {
	checks := map[string][]string{}
	tag, inTag := "", false
	for _, line := range p.sections[section] {
		if inTag {
			tag = strings.TrimPrefix(line, ".B ")
		}
		inTag = line == ".TP"
		if tag == "" || !strings.HasPrefix(line, ".RI ( ") && !strings.HasPrefix(line, ".IR ") {
			continue
		}
		for _, name := range checkName.FindAllString(line, -1) {
			if !strings.HasSuffix(name, ".c") { // a source file of the kernel
				checks[tag] = append(checks[tag], name)
			}
		}
	}
	return checks
}

// Example is the program between SRC BEGIN and SRC END, as a person copies it.
func (p *Page) Example() string {
	var code strings.Builder
	in := false
	for _, line := range p.sections["EXAMPLES"] {
		switch {
		case strings.HasPrefix(line, ".EX"), strings.HasPrefix(line, ".EE"):
			in = !in
		case in:
			code.WriteString(unescape.Replace(line) + "\n")
		}
	}
	return code.String()
}

var unescape = strings.NewReplacer(`\-`, "-", `\e`, `\`, `\&`, "")

// Promises is tests/documented.txt.
type Promises struct {
	// Differences and Errors map a name of the page to checks.
	Differences, Errors map[string][]string
}

// ReadPromises reads lines "difference CHECK NAME" and "errno CHECK NAME".
func ReadPromises(path string) (*Promises, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := &Promises{map[string][]string{}, map[string][]string{}}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		kinds := map[string]map[string][]string{"difference": p.Differences, "errno": p.Errors}
		kind, ok := kinds[fields[0]]
		if !ok || len(fields) != 3 {
			return nil, fmt.Errorf("%s:%d: want: difference|errno CHECK NAME", path, n)
		}
		kind[fields[2]] = append(kind[fields[2]], fields[1])
	}
	return p, lines.Err()
}
