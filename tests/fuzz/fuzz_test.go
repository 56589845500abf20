// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cloneat-emu/tests/built"
)

func TestSeedDecidesEverything(t *testing.T) {
	for n := range 50 {
		if diff := cmp.Diff(Draw(7, n), Draw(7, n)); diff != "" {
			t.Fatalf("program %d of seed 7 is not always the same:\n%s", n, diff)
		}
	}
	if Draw(7, 0).String() == Draw(8, 0).String() {
		t.Error("two seeds draw the same program")
	}
}

func TestTreeIsBounded(t *testing.T) {
	for n := range 500 {
		alive := 1
		for _, op := range Draw(3, n).Ops {
			if op.Child >= mostActors {
				t.Fatalf("program %d: %q makes more actors than the interpreter has", n, op)
			}
			if op.Child >= 0 {
				alive++
			}
			if strings.HasPrefix(op.Name, "exit") {
				alive--
			}
			if alive > mostAlive {
				t.Fatalf("program %d: more than %d may live after %q", n, mostAlive, op)
			}
		}
	}
}

func TestEveryKindOfOperationIsDrawn(t *testing.T) {
	seen := make(map[string]bool)
	for n := range 500 {
		for _, op := range Draw(1, n).Ops {
			seen[op.Name] = true
		}
	}
	for _, name := range []string{
		"clone", "cloneat", "exit", "exitgroup", "wait", "kill", "unshare", "setns", "exec", "setid", "caps", "umask", "open", "close",
		"dumpable", "subreaper", "signal", "block", "bound", "nnp", "setsid", "setpgid", "write",
		"clone3", "tkill", "killpg", "pdeath", "secure", "slack", "thp", "tsc", "mce", "persona", "nice", "ioprio", "sched", "altstack",
		"keyring", "timer", "oom", "comm", "keepcaps", "mlockall", "rlimit", "softlimit", "resuid", "resgid", "fsuid", "capsets",
		"ambient", "path", "fchdir", "mount", "idmap", "filter", "dup3", "fcntl", "lseek", "sem", "lock", "shm", "brk",
		"mmap", "munmap", "mprotect", "madvise", "mlock", "mremap", "poke",
	} {
		if !seen[name] {
			t.Errorf("500 programs without %s", name)
		}
	}
}

// fake is a side that does nothing, and reports what broken says of each line.
func fake(broken func(op string) string) Side {
	return func(batch string) (string, error) {
		var b strings.Builder
		for line := range strings.Lines(batch) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "program ") {
				b.WriteString(line + "\n")
				continue
			}
			b.WriteString("#1 " + line + ": " + broken(line) + "\n")
		}
		return b.String(), nil
	}
}

func TestShrinkLeavesOnlyWhatDiffers(t *testing.T) {
	sides := Sides{
		Native: fake(func(string) string { return "0" }),
		Emu: fake(func(op string) string {
			if strings.HasPrefix(op, "cloneat") && strings.Contains(op, " 1003 ") {
				return "EEXIST"
			}
			return "0"
		}),
	}
	var p Program
	for n := 0; !strings.Contains(p.String(), " 1003 "); n++ {
		p = Draw(1, n)
	}
	native, emu, err := sides.Run([]Program{p})
	if err != nil {
		t.Fatal(err)
	}
	d := Compare(native[0], emu[0])
	if d == nil || d.Documented != "" {
		t.Fatalf("the difference was not seen: %v", d)
	}
	small, _, err := Shrink(sides, p, d)
	if err != nil {
		t.Fatal(err)
	}
	if len(small.Ops) != 1 || !slices.Contains(small.Ops[0].Args, "1003") {
		t.Errorf("shrunk to\n%s", small)
	}
}

// TestNothingRunIsNoAgreement: two sides that say nothing, or break off alike, do not agree.
func TestNothingRunIsNoAgreement(t *testing.T) {
	programs := []Program{Draw(1, 0), Draw(1, 1)}
	all := fake(func(string) string { return "0" })
	for name, cut := range map[string]func(string) string{
		"all":         func(s string) string { return s },
		"nothing":     func(string) string { return "" },
		"one program": func(s string) string { return s[:strings.Index(s, "program 1\n")] },
		"a step less": func(s string) string { return s[:strings.LastIndex(strings.TrimSpace(s), "\n")+1] },
		"it hangs":    func(s string) string { return s[:strings.LastIndex(strings.TrimSpace(s), "\n")+1] + "hangs\n" },
	} {
		side := func(batch string) (string, error) {
			text, err := all(batch)
			return cut(text), err
		}
		_, _, err := Sides{Native: side, Emu: side}.Run(programs)
		if told := name == "all" || name == "it hangs"; (err == nil) != told {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const callerAndTarget = `program 0
  P0 ppid=I pgid=I sid=I nnp=0 bnd=all ns=0,0,0
  P1 ppid=P0 pgid=I sid=%s nnp=%n bnd=all ns=0,0,0
#1 cloneat P0 P2 P1 0 0x11 0x0 8 0: %r
`

// after makes an outcome from callerAndTarget and more lines.
func after(t *testing.T, result, targetSID, targetNNP, more string) Outcome {
	t.Helper()
	text := strings.NewReplacer("%s", targetSID, "%n", targetNNP, "%r", result).Replace(callerAndTarget)
	o, err := Parse(text + more)
	if err != nil {
		t.Fatal(err)
	}
	return o[0]
}

func TestDocumentedOnlyWithItsCause(t *testing.T) {
	const child = "  P2 ppid=P1 pgid=I sid=I\n"
	for _, c := range []struct {
		name, sid, nnp, emu, emuChild, want string
		differs                             bool
	}{
		{"no_new_privs", "I", "1", "EOPNOTSUPP", "", "target-no-new-privs", true},
		{"without a cause", "I", "0", "EOPNOTSUPP", "", "", true},
		{"another errno", "I", "1", "EPERM", "", "", true},
		{"session", "P1", "0", "P2", "  P2 ppid=P1 pgid=P1 sid=P1\n", "session", true},
		{"session without a cause", "I", "0", "P2", "  P2 ppid=P1 pgid=P1 sid=P1\n", "", true},
		{"session and parent", "P1", "0", "P2", "  P2 ppid=I pgid=P1 sid=P1\n", "", true},
		{"the same", "I", "0", "P2", child, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Compare(after(t, "P2", c.sid, c.nnp, child), after(t, c.emu, c.sid, c.nnp, c.emuChild))
			if (d != nil) != c.differs {
				t.Fatalf("difference: %v", d)
			}
			if d != nil && d.Documented != c.want {
				t.Errorf("documented as %q, want %q", d.Documented, c.want)
			}
		})
	}
}

// interpreter builds the interpreter.
func interpreter(t *testing.T) string {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(built.Root(t), "tests/fuzz/interp/*.c"))
	if err != nil || len(sources) == 0 {
		t.Fatal("no sources of the interpreter: ", err)
	}
	return built.C(t, append([]string{"-fno-stack-protector", "-no-pie"}, sources...)...)
}

// TestPlantedDifferenceIsFound runs the same programs twice under the emulator,
// the second time with an interpreter that writes wrong values.
func TestPlantedDifferenceIsFound(t *testing.T) {
	emu, interp := built.Emulator(t), interpreter(t)
	programs := make([]Program, 12)
	for i := range programs {
		programs[i] = Draw(5, i)
	}
	programs = append(programs, Program{Ops: []Op{
		{Name: "clone", Actor: 0, Child: 1, Args: []string{"0x11"}},
		{Name: "cloneat", Actor: 0, Child: 2, Args: []string{"P1", "0", "0x11", "0", "8", "0"}},
		{Name: "write", Actor: 2, Child: -1, Args: []string{"1", "40"}},
	}})
	last := len(programs) - 1

	same := Sides{Native: emulated(emu, interp, 2), Emu: emulated(emu, interp, 1)}
	a, b, err := same.Run(programs)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range programs {
		if d := Compare(a[i], b[i]); d != nil {
			t.Errorf("not always the same:\n%s%s", p, d)
		}
	}

	planted := Sides{Native: emulated(emu, interp, 2), Emu: emulated(emu, interp, 2, "--plant")}
	if a, b, err = planted.Run(programs); err != nil {
		t.Fatal(err)
	}
	d := Compare(a[last], b[last])
	if d == nil || d.Step != 3 || d.Documented != "" {
		t.Fatalf("the planted difference was not found: %v", d)
	}
	if view := d.Emu.Seen["P2"].Get("cells"); view != "0,41,0,0" {
		t.Errorf("cells of P2: %s", view)
	}
}
