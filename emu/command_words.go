// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// lastOfEach drops variables that are set again later, as os/exec does: getenv(3) finds
// the first.
func lastOfEach(env []string) []string {
	seen := make(map[string]bool, len(env))
	var kept []string
	for _, v := range slices.Backward(env) {
		name, _, set := strings.Cut(v, "=")
		if set && name != "" && seen[name] {
			continue
		}
		seen[name] = true
		kept = append(kept, v)
	}
	slices.Reverse(kept)
	return kept
}

// checkWords refuses settings that nobody knows. The operator would only find out when
// there is a call to serve.
func (c *Cmd) checkWords() error {
	ways, numbers := []string{"", "auto"}, []string{"", "auto"}
	for _, e := range engines {
		ways = append(ways, e.name)
	}
	for _, d := range drivers {
		numbers = append(numbers, d.Name())
	}
	if _, err := newLog(c.LogLevel, c.LogFormat); err != nil {
		return fmt.Errorf("emu: LogLevel: %w", err)
	}
	return errors.Join(
		oneOf("Engine", c.Config.Engine, ways),
		oneOf("PIDDriver", c.Config.PIDDriver, numbers),
		oneOf("LogFormat", c.LogFormat, []string{"", "text", "json"}),
	)
}

func oneOf(what, word string, known []string) error {
	if slices.Contains(known, word) {
		return nil
	}
	return fmt.Errorf("emu: %s %q is none of %s", what, word, strings.Join(known[1:], ", "))
}
