// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// bin makes a folder with the command and the test program, for PATH. Anybody may
// look into it.
func bin(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cloneat-bin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	install(t, built.Emulator(t), filepath.Join(dir, "cloneat-emu"))
	install(t, built.C(t, "cmd/cloneat-emu/testdata/call.c"), filepath.Join(dir, "call"))
	return dir
}

func install(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestScripts runs testdata/script.
func TestScripts(t *testing.T) {
	dir := bin(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			return os.Chmod(env.WorkDir, 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": cmdStatus, "signal": cmdSignal, "asnobody": cmdAsNobody,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "user-namespaces":
				return exec.Command("unshare", "-U", "true").Run() == nil, nil
			case "landlock":
				return exec.Command(filepath.Join(dir, "call"), "without", "write", "true").Run() == nil, nil
			}
			return false, errors.New("unknown condition " + name)
		},
	})
}

// cmdStatus: "status N COMMAND...": COMMAND must exit with N.
func cmdStatus(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if ws := waitStatus(ts, ts.Exec(args[1], args[2:]...)); !ws.Exited() || ws.ExitStatus() != want {
		ts.Fatalf("status %#x, want exit status %d", int(ws), want)
	}
}

// cmdSignal: "signal NAME COMMAND...": COMMAND must die of SIGNAME, without a core.
func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	want := unix.SignalNum("SIG" + args[0])
	if ws := waitStatus(ts, ts.Exec(args[1], args[2:]...)); !ws.Signaled() || ws.Signal() != want || ws.CoreDump() {
		ts.Fatalf("status %#x, want death by SIG%s and no core", int(ws), args[0])
	}
}

func waitStatus(ts *testscript.TestScript, err error) syscall.WaitStatus {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.Sys().(syscall.WaitStatus)
	}
	ts.Check(err)
	return 0
}

// cmdAsNobody: runs a command as user 65534.
func cmdAsNobody(ts *testscript.TestScript, neg bool, args []string) {
	if os.Geteuid() == 0 {
		args = append(strings.Fields("setpriv --reuid 65534 --regid 65534 --clear-groups --"), args...)
	}
	err := ts.Exec(args[0], args[1:]...)
	if !neg {
		ts.Check(err)
	} else if err == nil {
		ts.Fatalf("it must fail")
	}
}
