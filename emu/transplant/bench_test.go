// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"strconv"
	"testing"
)

// BenchmarkTransplant measures Take and Build together, for callers of several
// sizes, with a target that forked from the caller and one that exec'ed.
func BenchmarkTransplant(b *testing.B) {
	fat := program(b, "fat", "-static")
	for _, mib := range []int{1, 10, 100} {
		for _, kind := range []string{"forked", "execed"} {
			argv := []string{fat, strconv.Itoa(mib)}
			if kind == "execed" {
				argv = append(argv, "/bin/sleep", "1000")
			}
			b.Run(strconv.Itoa(mib)+"MB-"+kind, func(b *testing.B) { benchmark(b, argv) })
		}
	}
}

func benchmark(b *testing.B, argv []string) {
	s := start(b, argv...)
	settle(b, s.cmd.Process.Pid)
	for b.Loop() {
		if o := s.transplant(s.cmd.Process.Pid, Options{}); o.err != nil {
			b.Fatal(o.err)
		}
	}
}
