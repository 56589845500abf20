// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
)

// TestChildrenOfAThreadThatEnds: the kernel gives them to another one meanwhile.
func TestChildrenOfAThreadThatEnds(t *testing.T) {
	self, err := Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	end := make(chan struct{})
	defer close(end)
	for range 100 { // who takes time to be asked
		go func() {
			runtime.LockOSThread()
			<-end
		}()
	}
	for i := range 100 {
		cmd := exec.Command("sleep", "1000")
		started := make(chan error)
		go func() {
			runtime.LockOSThread() // the thread ends with this
			started <- cmd.Start()
		}()
		if err := <-started; err != nil {
			t.Fatal(err)
		}
		children, err := self.Children()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(children, cmd.Process.Pid) {
			t.Fatalf("round %d: child %d is not among %v", i, cmd.Process.Pid, children)
		}
	}
}
