// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cloneat-emu/tests/built"
)

// operator is a shell function for the pid of the program's supervisor: the keeper is between.
const operator = `up() { sed "s/.*) . //; s/ .*//" /proc/$1/stat; }; operator=$(up $PPID); `

// TestLimitsBindTheProgramAlone: a soft limit of processor time or memory is the program's, as without
// a supervisor, and no reason for that to end.
func TestLimitsBindTheProgramAlone(t *testing.T) {
	dir := bin(t)
	limits := `ulimit -St 50 -v 40000000 -d 30000000; ulimit -Ht 5000 -v 50000000 -d 60000000; `
	native(t, dir, limits+`exec $run bash -c "ulimit -St -v -d; ulimit -Ht -v -d"`)
	cmd := exec.Command("bash", "-c", limits+`exec cloneat-emu run -- bash -c '`+operator+`
for pid in $operator $(up $operator); do
	grep -E "cpu time|address space|data size" /proc/$pid/limits | grep -cwE "50|40960000000|30720000000"
done; true'`)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "0\n0\n" {
		t.Errorf("operator and front have so many of the soft limits: %s, %v", out, err)
	}
}

// TestSupervisorKilled: whose supervisor is killed, by a hard limit or for lack of memory, is told.
func TestSupervisorKilled(t *testing.T) {
	cmd := exec.Command(filepath.Join(bin(t), "cloneat-emu"), "run", "--", "bash", "-c",
		"exec 2>&1; "+operator+"kill -KILL $operator; read line; echo went on")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stderr = w
	in, out := built.Talk(t, cmd)
	w.Close()
	said := bufio.NewScanner(r)
	if !said.Scan() || !strings.Contains(said.Text(), "the supervisor was killed") {
		t.Errorf("it said %q", said.Text())
	}
	in.Close()
	if end := bufio.NewScanner(out); !end.Scan() || end.Text() != "went on" {
		t.Errorf("the program said %q", end.Text())
	}
}

// TestTooFewFiles: a limit of descriptors that is too low is named. With 3 there is no program, and
// with 6 or 7 no runtime of Go: it opens something before main.
func TestTooFewFiles(t *testing.T) {
	for _, limit := range []string{"4", "5", "8", "9", "12", "14", "16", "20", "40", "71"} {
		cmd := exec.Command("bash", "-c", "ulimit -n "+limit+`; exec "$0" run -- true`, filepath.Join(bin(t), "cloneat-emu"))
		out, err := cmd.CombinedOutput()
		want := "cloneat-emu: the limit of " + limit + " open files (RLIMIT_NOFILE) is too low"
		if cmd.ProcessState.ExitCode() != 125 || !strings.HasPrefix(string(out), want) || strings.Count(string(out), "\n") != 1 {
			t.Errorf("%s: %s, %v", limit, out, err)
		}
	}
}

// TestTooLittleStack: so is a limit of the stack, below which a process of ours may end by SIGSEGV.
func TestTooLittleStack(t *testing.T) {
	for _, limit := range []string{"32", "63"} {
		cmd := exec.Command("bash", "-c", "ulimit -Ss "+limit+`; exec "$0" run -- true`, filepath.Join(bin(t), "cloneat-emu"))
		out, _ := cmd.CombinedOutput()
		want := "cloneat-emu: the limit of " + limit + " kilobytes of stack (RLIMIT_STACK) is too low"
		if cmd.ProcessState.ExitCode() != 125 || !strings.HasPrefix(string(out), want) || strings.Count(string(out), "\n") != 1 {
			t.Errorf("%s: %s, %v", limit, out, cmd.ProcessState)
		}
	}
}
