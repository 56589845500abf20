// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fact is what both the truth files and an image tell of a process.
type fact struct {
	PID, PPID, PGID, SID, Threads int
	Zombie                        bool
	Comm                          string
}

// factsOf is what a tree says, the root's parent left out: it is not dumped.
func factsOf(t *Tree) map[int]fact {
	facts := map[int]fact{}
	for _, p := range t.Processes {
		n := len(p.Threads)
		if p.Zombie() {
			n = 1
		}
		facts[p.PID] = fact{p.PID, p.PPID, p.PGID, p.SID, n, p.Zombie(), p.Comm}
	}
	return facts
}

// number is a field of a truth file.
func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// lines reads a truth file.
func lines(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []string
	for s := bufio.NewScanner(f); s.Scan(); {
		all = append(all, s.Text())
	}
	return all
}

// fromPS reads ps's table; a process whose parent is not in it but the root is
// outside of the dumped tree.
func fromPS(t *testing.T, name string) map[int]fact {
	t.Helper()
	facts := map[int]fact{}
	for i, l := range lines(t, name) {
		f := strings.Fields(l)
		p := fact{
			number(t, f[0]), number(t, f[1]), number(t, f[2]), number(t, f[3]), number(t, f[4]),
			strings.HasPrefix(f[5], "Z"), f[6],
		}
		if _, known := facts[p.PPID]; !known && i > 0 {
			continue
		}
		if i == 0 {
			p.PPID = 0
		}
		facts[p.PID] = p
	}
	return facts
}

// fromStatus reads the lines made of /proc/PID/status, innermost numbers.
func fromStatus(t *testing.T, name string) map[int]fact {
	t.Helper()
	inner := map[int]int{} // by outer pid
	facts := map[int]fact{}
	for _, l := range lines(t, name) {
		v := map[string][]string{}
		for _, f := range strings.Split(l, ";") {
			if k, val, ok := strings.Cut(f, ":"); ok {
				v[k] = strings.Fields(val)
			}
		}
		last := func(k string) int { return number(t, v[k][len(v[k])-1]) }
		p := fact{
			PID: last("NSpid"), PPID: inner[last("PPid")], PGID: last("NSpgid"), SID: last("NSsid"),
			Threads: last("Threads"), Zombie: v["State"][0] == "Z", Comm: "mixed",
		}
		inner[last("Pid")] = p.PID
		facts[p.PID] = p
	}
	return facts
}

func TestCRIUImagesMatchTruth(t *testing.T) {
	truths := map[string]map[int]fact{
		"plain":     fromPS(t, "testdata/plain/ps.txt"),
		"mixed":     fromPS(t, "testdata/mixed/ps.txt"),
		"container": fromStatus(t, "testdata/container/status.txt"),
	}
	for dir, want := range truths {
		got, err := FromCRIU(filepath.Join("testdata", dir))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, factsOf(got)); d != "" {
			t.Errorf("%s: (-truth +image)\n%s", dir, d)
		}
	}
}

func TestCRIUDamage(t *testing.T) {
	good := filepath.Join("testdata", "mixed")
	for _, c := range []struct {
		name, file string
		content    []byte
		want       string
	}{
		{"no pstree", "pstree.img", nil, "pstree.img"},
		{"empty pstree", "pstree.img", []byte{}, "pstree.img"},
		{"no core", "core-65.img", nil, "core-65.img"},
		{"core of another kind", "core-65.img", read(t, good+"/ids-65.img"), "core-65.img"},
		{"core of a thread", "core-65.img", read(t, good+"/core-67.img"), "image of a thread"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(dir, c.file)
			_ = os.Remove(name)
			if c.content != nil {
				if err := os.WriteFile(name, c.content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := FromCRIU(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not name %q", err, c.want)
			}
		})
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
