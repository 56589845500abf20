// SPDX-License-Identifier: Apache-2.0

package conform

import (
	"regexp"
	"strings"
)

// tapLine is "ok 3 - args.null_struct # SKIP why" and its like.
var tapLine = regexp.MustCompile(`^(not )?ok \d+ - (\S+)(?: # (.*))?$`)

// parseTAP returns the result that a line states, if it states one.
func parseTAP(line string) (Result, bool) {
	m := tapLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
	if m == nil {
		return Result{}, false
	}
	r := Result{Name: m[2], Status: Pass, Text: m[3]}
	switch {
	case m[1] != "":
		r.Status = Fail
	case strings.HasPrefix(m[3], "SKIP"):
		r.Status, r.Text = Skip, strings.TrimSpace(strings.TrimPrefix(m[3], "SKIP"))
	}
	return r, true
}
