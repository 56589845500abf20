// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/tests/built"
)

// openEach opens the files that cmd has mapped when it begins, by their paths.
func openEach(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	startCat(t, cmd)
	maps, err := readMaps(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for i := range maps {
		if m := &maps[i]; !m.anonymous() && !m.vdso() && strings.HasPrefix(m.name, "/") {
			fd, err := openByPath(cmd.Process.Pid, m, unix.O_RDONLY)
			if err != nil {
				t.Errorf("%s: %v", m.name, err)
				continue
			}
			unix.Close(fd)
			files++
		}
	}
	if files == 0 {
		t.Errorf("no file of %d mappings", len(maps))
	}
}

// startCat starts a cat(1). It has passed something on: Start returns before the kernel has mapped
// the program (begin_new_exec() closes what is to be closed, load_elf_binary() maps behind that).
func startCat(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	in, out := built.Talk(t, cmd)
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	if _, err := in.Write([]byte("x\n")); err != nil {
		t.Fatal(err)
	}
	built.Says(t, out, "x")
}

// TestMappingOfHostileFile: whatever a mapping's file is called, it is found with its flags.
func TestMappingOfHostileFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x ) [stack]\nVmFlags: gd (deleted)")
	if err := os.WriteFile(name, make([]byte, 2*pageSize), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mem, err := unix.Mmap(int(f.Fd()), pageSize, pageSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	maps, err := readMaps(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for i := range maps {
		m := &maps[i]
		if !m.of(&st) {
			continue
		}
		if m.name != strings.ReplaceAll(name, "\n", `\012`) || m.size() != pageSize || m.offset != pageSize || !m.shared {
			t.Errorf("mapping: %+v", m)
		}
		if !m.has("rd") || !m.has("ms") || m.has("wr") || m.has("gd") || m.vdso() || m.sysv() {
			t.Errorf("flags: %v", m.flags)
		}
		return
	}
	t.Error("the mapping is not in the list")
}

// TestOpenByPathInAChroot: /proc shows the path from our root, not from the caller's.
func TestOpenByPathInAChroot(t *testing.T) {
	if _, err := os.Stat("/usr/lib64/ld-linux-x86-64.so.2"); errors.Is(err, os.ErrNotExist) {
		t.Skip("no program runs below /usr")
	}
	cmd := exec.Command("/bin/cat")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: "/usr"}
	cmd.Dir = "/"
	openEach(t, cmd)
}

func TestOpenByPathWithANewline(t *testing.T) {
	program, err := os.ReadFile("/bin/cat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a\nb", `a\012b`} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, program, 0o755); err != nil {
			t.Fatal(err)
		}
		openEach(t, exec.Command(file))
	}
}
