// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded puts a tool into PATH that answers as the real one did, if it is
// asked the way that the real one was.
func recorded(t *testing.T, tool, arguments, stdout, stderr string, status int) {
	t.Helper()
	dir := t.TempDir()
	script := fmt.Sprintf(`#!/bin/sh
[ "$*" = '%s' ] || { echo "asked for: $*" >&2; exit 99; }
printf '%%b' '%s'
printf '%%b' '%s' >&2
exit %d
`, arguments, stdout, stderr, status)
	if err := os.WriteFile(filepath.Join(dir, tool), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// TestResolveDocker replays what docker's client 28.2.2 said of containers of
// an engine (podman 4.3.1's, which speaks its protocol): its own one takes a
// kernel and rights that the machines of these tests need not have. The other
// tools are asked themselves, in tests/exectable.
func TestResolveDocker(t *testing.T) {
	for _, c := range []struct {
		name, out, errs string
		status, pid     int
		says            string
	}{
		{name: "running", out: `24493\n`, pid: 24493},
		{name: "stopped", out: `0\n`, says: "does not run"},
		{name: "nosuch", out: `\n`, errs: `Error: No such object: nosuch\n`, status: 1, says: "No such object: nosuch"},
		{
			name: "down", out: `\n`, status: 1, says: "Is the docker daemon running",
			errs: `Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n`,
		},
		{name: "odd", out: `<no value>\n`, says: `"<no value>" is no pid`},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded(t, "docker", "inspect --format {{.State.Pid}} -- "+c.name, c.out, c.errs, c.status)
			pid, err := Resolve("docker:" + c.name)
			if pid != c.pid || c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("pid %d, error %v; want %d, %q", pid, err, c.pid, c.says)
			}
		})
	}
}

func TestResolveWithoutTheTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, tool := range []string{"docker", "podman", "runc", "lxc"} {
		_, err := Resolve(tool + ":box")
		if err == nil || !strings.Contains(err.Error(), "executable file not found") {
			t.Errorf("%s: error %v", tool, err)
		}
	}
}

func TestResolveNamesAreShownQuoted(t *testing.T) {
	_, err := Resolve("runc:a\nb\x1b[2J")
	if err == nil || strings.ContainsAny(strings.TrimSpace(err.Error()), "\x1b") {
		t.Errorf("error %q", err)
	}
}
