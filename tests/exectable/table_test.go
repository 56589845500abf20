// SPDX-License-Identifier: Apache-2.0

package exectable

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

var measure = flag.Bool("measure", false, "measure start latencies, too, and print them")

// TestMain makes this process the one that gets orphans, in the place of the
// host's init, so that it can be seen who would.
func TestMain(m *testing.M) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// documented are the rows of the document's table, by tool.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("../../docs/exec.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for _, l := range strings.Split(string(b), "\n") {
		f := strings.Split(strings.Trim(l, "|"), "|")
		for i := range f {
			f[i] = strings.Trim(f[i], " `")
		}
		rows[f[0]] = f[1:]
	}
	return rows
}

func TestTableIsTrue(t *testing.T) {
	says := documented(t)
	for _, tl := range tools {
		t.Run(tl.name, func(t *testing.T) {
			r := observe(t, tl)
			got := r.cells()
			t.Logf("| `%s` | %s |", tl.name, strings.Join(got, " | "))
			want := says[tl.name]
			if len(want) < len(got) {
				t.Fatalf("docs/exec.md has no row for %s", tl.name)
			}
			if d := cmp.Diff(want[:len(got)], got); d != "" {
				t.Errorf("docs/exec.md (-) against what is (+):\n%s", d)
			}
		})
	}
}

// TestOursInEveryContainer enters the containers of the other tools, by the names
// that those know them by, and is told by them when a container has ended.
func TestOursInEveryContainer(t *testing.T) {
	for _, tl := range tools[1:4] {
		t.Run(tl.name, func(t *testing.T) {
			init, client := tl.start(t)
			target := map[string]string{
				"runc exec":   "runc:" + client[len(client)-1],
				"podman exec": "podman:" + client[len(client)-1],
				"lxc-attach":  "lxc:" + client[len(client)-2],
			}[tl.name]
			ours := func(flags ...string) (string, error) {
				args := append(append([]string{"exec", "--admin"}, flags...), target, "--",
					"sh", "-c", "echo $PPID $$; exec cat /proc/1/stat")
				out, err := exec.Command(built.Emulator(t), args...).CombinedOutput()
				return string(out), err
			}
			if out, err := ours("--cgroup", "target", "--pid", "888"); err != nil || !strings.HasPrefix(out, "1 888\n1 (") {
				t.Errorf("%s: %v\n%s", target, err, out)
			}
			stop(t, init)
			// Until its supervisor has noticed, the target is a process that has ended.
			for range 2 {
				out, err := ours()
				if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 125 || !strings.Contains(out, "target ") {
					t.Errorf("%s, stopped: %v\n%s", target, err, out)
				}
			}
		})
	}
}

// stop kills a container's init and waits for its end.
func stop(t *testing.T, init int) {
	t.Helper()
	fd, err := unix.PidfdOpen(init, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &inside{pid: init, pidfd: fd}
	_ = unix.Kill(init, unix.SIGKILL)
	p.awaitExit(t)
	_ = unix.Close(fd)
}

// TestLatency prints how long each tool takes for `true`, as a multiple of
// nsenter in a container of the same kind as ours. Nothing is asserted.
func TestLatency(t *testing.T) {
	if !*measure {
		t.Skip("only with -measure")
	}
	var base time.Duration
	for _, tl := range tools {
		t.Run(tl.name, func(t *testing.T) {
			_, client := tl.start(t)
			m := median(t, client)
			if base == 0 {
				base = m
			}
			fmt.Printf("%-26s %8.1f ms  %5.2f x nsenter\n", tl.name, float64(m.Microseconds())/1000, float64(m)/float64(base))
		})
	}
}

// median of 15 runs.
func median(t *testing.T, client []string) time.Duration {
	t.Helper()
	var all []time.Duration
	for range 15 {
		cmd := exec.Command(client[0], append(client[1:len(client):len(client)], "true")...)
		begin := time.Now()
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		all = append(all, time.Since(begin))
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	return all[len(all)/2]
}
