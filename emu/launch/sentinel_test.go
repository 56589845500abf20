// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/internal/reexec"
)

// tells says of each number that it reads whether it had that signal.
func tells() {
	s := newSentinel()
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var sig int
		_, _ = fmt.Sscan(in.Text(), &sig)
		fmt.Println(s.had(sig))
	}
}

// TestSentinelKnowsWhatItHad: every signal that was sent is there when it is asked for,
// of those that one thread takes and of those that any may take; and none that was not.
func TestSentinelKnowsWhatItHad(t *testing.T) {
	cmd := reexec.Command("sentinel")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	forSentinel(func() { err = cmd.Start() })
	if err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	said.Scan()
	for i := range 300 {
		sig := []unix.Signal{unix.SIGCONT, unix.SIGTERM, unix.SIGINT, unix.SIGUSR1, unix.SIGTSTP, 40}[i%6]
		sent := i/6%3 != 0
		if sent {
			_ = unix.Kill(cmd.Process.Pid, sig)
		}
		fmt.Fprintln(in, int(sig))
		if !said.Scan() || said.Text() != fmt.Sprint(sent) {
			t.Errorf("round %d: %v sent: %t, had: %s", i, sig, sent, said.Text())
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
