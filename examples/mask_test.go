// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var (
	times   = regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|us|ms|s)\b`)
	amounts = regexp.MustCompile(`\b\d+(\.\d+)? (pages|bytes|[KMG]i?B)\b`)
	numbers = regexp.MustCompile(`\b\d+\b`)
	hexes   = regexp.MustCompile(`\b0x[0-9a-f]+\b`)
	spaces  = regexp.MustCompile(`[ \t]+`)
)

// mask makes outputs of two runs comparable: times, amounts and
// addresses become T, "N pages" and 0x, every other number (a pid, mostly) a name, the same one for the
// same number: what was equal stays equal. Columns are as wide as pids are
// long, so blanks count as one.
func mask(s string) string {
	s = times.ReplaceAllString(s, "T")
	s = amounts.ReplaceAllString(s, "N $2")
	s = hexes.ReplaceAllString(s, "0x")
	names := map[string]string{}
	s = numbers.ReplaceAllStringFunc(s, func(n string) string {
		if names[n] == "" {
			names[n] = fmt.Sprintf("#%d", len(names)+1)
		}
		return names[n]
	})
	return strings.TrimSpace(spaces.ReplaceAllString(s, " "))
}

// alone is a command in a pid namespace of its own, below an init that reaps. What it
// leaves running ends with it, and its pids are large and nobody else's, so that mask
// never takes one for another number.
func alone(command ...string) *exec.Cmd {
	const init = `echo 5000 >/proc/sys/kernel/ns_last_pid; "$@"; exit $?`
	args := []string{"-pf", "--kill-child", "--mount-proc", "sh", "-c", init, "sh"}
	return exec.Command("unshare", append(args, command...)...)
}

func TestMask(t *testing.T) {
	got := mask("caller 812, cat 9\nchild  812 (9 inside) <1.4ms 312 pages>")
	want := "caller #1, cat #2\nchild #1 (#2 inside) <T N pages>"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
