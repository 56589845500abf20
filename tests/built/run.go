// SPDX-License-Identifier: Apache-2.0

package built

import (
	"os"
	"path/filepath"
	"testing"
)

// Output is what a command writes, and how it ended: run gets a file for it to write
// to. What the command leaves running would hold a pipe, and the test with it.
func Output(t testing.TB, run func(out *os.File) error) (string, error) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	err = run(out)
	text, rerr := os.ReadFile(out.Name())
	if rerr != nil {
		t.Fatal(rerr)
	}
	return string(text), err
}

// OpenDir is a new folder that anybody may use.
func OpenDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cloneat-open")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}
