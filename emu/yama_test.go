// SPDX-License-Identifier: Apache-2.0

package emu

import "testing"

func TestYama(t *testing.T) {
	for _, c := range []struct {
		scope          string
		mighty, allows bool
	}{
		{"0", false, true},
		{"1", false, true}, // the program is a descendant
		{"2", false, false},
		{"2", true, true},
		{"3", false, false},
		{"3", true, false},
	} {
		if err := yamaForbids(c.scope, c.mighty); (err == nil) != c.allows {
			t.Errorf("ptrace_scope %s, CAP_SYS_PTRACE %v: %v", c.scope, c.mighty, err)
		}
	}
}
