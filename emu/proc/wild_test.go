// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"os"
	"testing"

	"pgregory.net/rapid"
)

// Parsers answer with an error, and never panic, on text that is cut or wild.
func TestParsersSurviveAnyText(t *testing.T) {
	for name, parse := range map[string]func([]byte){
		"stat":   func(b []byte) { _, _ = ParseStat(b) },
		"status": func(b []byte) { _, _ = ParseStatus(b) },
		"cgroup": func(b []byte) { _, _ = ParseCgroups(b) },
	} {
		text, err := os.ReadFile("/proc/self/" + name)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			b := []byte(string(text))[:rapid.IntRange(0, len(text)).Draw(t, "cut")]
			for range rapid.IntRange(0, min(5, len(b))).Draw(t, "bytes") {
				b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
			parse(b)
		})
	}
}
