// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestBuildPayload(t *testing.T) {
	dir := t.TempDir()
	o := options("new")
	o.Payload = fmt.Sprintf("echo $$ $PPID > %s/$$; exec sleep 1000", dir)
	stand(t, parse(t, "1 0 1 1 S", "70 1 70 70 S", "71 70 70 70 S"), o)
	for pid, parent := range map[int]int{1: 0, 70: 1, 71: 70} {
		name := filepath.Join(dir, fmt.Sprint(pid))
		await(t, name)
		if got := string(read(t, name)); got != fmt.Sprintln(pid, parent) {
			t.Errorf("%d wrote %q", pid, got)
		}
	}
}

// await waits until a shell has written a file.
func await(t *testing.T, name string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if b, err := os.ReadFile(name); err == nil && strings.HasSuffix(string(b), "\n") {
			return
		}
	}
	t.Fatalf("nobody writes %s", name)
}

func TestMembersReportThemselves(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	saved := os.Stdout
	os.Stdout = w
	b := stand(t, parse(t, "1 0 1 1 S", "70 1 70 70 S", "71 70 70 70 S"), options("new"))
	os.Stdout = saved
	_ = w.Close()
	last := b.Tree.Processes[2]
	if err := unix.Kill(last.HostPIDs[0], unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, _ := r.Read(buf)
	if got := string(buf[:n]); got != "pid 71 ppid 70 pgid 70 sid 70\n" {
		t.Errorf("said %q", got)
	}
}
