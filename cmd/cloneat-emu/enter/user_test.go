// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rootWith is a root directory with a passwd and this text as its group.
func rootWith(t *testing.T, group string) *os.File {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"passwd": "eve:x:1000:100::/home/eve:/bin/sh\n", "group": group} {
		if err := os.WriteFile(filepath.Join(dir, "etc", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// TestGroupsBehindALongLine: a group may have ten thousand members.
func TestGroupsBehindALongLine(t *testing.T) {
	crowd := "all:x:7:" + strings.Repeat("somebody,", 10000) + "eve\n"
	u, err := lookUp("eve", rootWith(t, crowd+"wheel:x:10:eve\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint32{100, 7, 10}; !slices.Equal(u.groups, want) || u.uid != 1000 {
		t.Errorf("uid %d, groups %v, want %v", u.uid, u.groups, want)
	}
}

// TestEndlessLine: who filled the file is told that nothing can be made of it.
func TestEndlessLine(t *testing.T) {
	if u, err := lookUp("eve", rootWith(t, strings.Repeat("x", mostText+1))); err == nil {
		t.Errorf("groups %v", u.groups)
	}
}
