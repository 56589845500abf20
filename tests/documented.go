// SPDX-License-Identifier: Apache-2.0

// Package tests carries what the suites have in common.
package tests

import (
	_ "embed"
	"strings"
)

//go:embed documented.txt
var documented string

//go:embed uml.txt
var uml string

// Documented returns the checks in which the emulator may differ from the kernel, and
// the name of the difference in the manual page.
func Documented() map[string]string {
	list := make(map[string]string)
	for line := range strings.Lines(documented) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "difference" {
			list[fields[1]] = fields[2]
		}
	}
	return list
}

// UML returns the checks that user-mode Linux cannot pass whatever cloneat does, and why.
func UML() map[string]string {
	list := make(map[string]string)
	reason := ""
	for line := range strings.Lines(uml) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "because "):
			reason = strings.TrimPrefix(line, "because ")
		case line != "" && !strings.HasPrefix(line, "#"):
			list[line] = reason
		}
	}
	return list
}
