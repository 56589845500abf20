// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"bytes"
	"os"
)

// InheritedEnv is the environment that this process was started with, to the letter:
// package os keeps the first of several values of a name, where a program may find another
// (environ(7) forbids none).
func InheritedEnv() []string {
	block, err := os.ReadFile("/proc/self/environ")
	if err != nil { // an executable that may not be read
		return os.Environ()
	}
	if len(block) == 0 {
		return nil
	}
	var env []string
	for entry := range bytes.SplitSeq(bytes.TrimSuffix(block, []byte{0}), []byte{0}) {
		env = append(env, string(entry))
	}
	return env
}
