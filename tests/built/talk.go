// SPDX-License-Identifier: Apache-2.0

package built

import (
	"bufio"
	"io"
	"os/exec"
	"testing"
)

// Talk starts a command with pipes to and from it. Whoever starts it waits for it.
func Talk(t testing.TB, cmd *exec.Cmd) (io.WriteCloser, *bufio.Reader) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %v: %v", cmd.Args, err)
	}
	return in, bufio.NewReader(out)
}

// Says waits for a line, which must be this one.
func Says(t testing.TB, out *bufio.Reader, want string) {
	t.Helper()
	if line, err := out.ReadString('\n'); line != want+"\n" {
		t.Fatalf("it said %q, not %q (%v)", line, want, err)
	}
}
