// SPDX-License-Identifier: Apache-2.0

// Package built gives tests what the project builds: the command, the
// conformance programs, small C programs. Everything is built from the checkout
// as it is, so that no test runs something stale. Test binaries of several
// packages run at a time: what they share is built under a lock.
package built

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Root is the checkout's top folder, found from a test's working directory.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for dir != "/" {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	tb.Fatal("no go.mod above the working directory")
	return ""
}

var (
	emulatorOnce sync.Once
	emulatorPath string
)

// Emulator builds the command, once a test binary, and returns its path. The
// folder is made in the checkout's build folder, which make clean removes.
func Emulator(tb testing.TB) string {
	tb.Helper()
	root := Root(tb)
	emulatorOnce.Do(func() {
		path := filepath.Join(root, "build", "test-cloneat-emu")
		locked(tb, root, func() {
			run(tb, root, "go", "build", "-buildvcs=false", "-o", path, "./cmd/cloneat-emu")
		})
		emulatorPath = path
	})
	if emulatorPath == "" {
		tb.Fatal("the command did not build")
	}
	return emulatorPath
}

// Selftests builds the conformance programs and returns their folder.
func Selftests(tb testing.TB) string {
	tb.Helper()
	root := Root(tb)
	locked(tb, root, func() {
		run(tb, root, "make", "-s", "-C", "kernel/selftests/cloneat")
	})
	return filepath.Join(root, "build", "selftests")
}

// C compiles a static program against the UAPI header, in a folder that goes
// away with the test, and returns its path. Warnings are errors. The sources
// are relative to the checkout's top.
func C(tb testing.TB, sources ...string) string {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), "program")
	args := []string{"-O1", "-Wall", "-Wextra", "-Werror", "-static", "-Ikernel/include/uapi", "-o", out}
	run(tb, Root(tb), "gcc", append(args, sources...)...)
	return out
}

// ForAll copies executables to where every user reaches them, whoever owns the checkout.
func ForAll(tb testing.TB, paths ...string) (copies []string) {
	tb.Helper()
	dir := tb.TempDir()
	for up := dir; len(up) > len(os.TempDir()); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	for _, path := range paths {
		to := filepath.Join(dir, filepath.Base(path))
		run(tb, dir, "install", "-m", "755", path, to)
		copies = append(copies, to)
	}
	return copies
}

// locked runs f while no other test binary is in locked, for this checkout.
func locked(tb testing.TB, root string, f func()) {
	tb.Helper()
	dir := filepath.Join(root, "build")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(dir, ".lock"))
	if err != nil {
		tb.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		tb.Fatal(err)
	}
	f()
}

func run(tb testing.TB, dir, name string, args ...string) {
	tb.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}
