// SPDX-License-Identifier: Apache-2.0

package bystanders

import (
	"fmt"
	"os"
	"strings"
)

// Expected maps suite and test to the reason why the two may differ.
type Expected map[string]map[string]string

// ReadExpected reads lines SUITE, TEST, REASON with tabs between; # begins a comment.
func ReadExpected(path string) (Expected, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	e := Expected{}
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != 3 || fields[2] == "" {
			return nil, fmt.Errorf("%s:%d: want suite, test and reason with tabs between", path, i+1)
		}
		if e[fields[0]] == nil {
			e[fields[0]] = map[string]string{}
		}
		if _, twice := e[fields[0]][fields[1]]; twice {
			return nil, fmt.Errorf("%s:%d: %s %s is listed twice", path, i+1, fields[0], fields[1])
		}
		e[fields[0]][fields[1]] = fields[2]
	}
	return e, nil
}
