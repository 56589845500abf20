package proc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestParseMaps(t *testing.T) {
	const text = "" +
		"00400000-00452000 r-xp 00001000 fe:01 173521                             /bin/a b\\012c\n" +
		"7f0000000000-7f0000001000 rw-s 00000000 00:00 0 \n" +
		"7ffd0000-7ffe0000 rw-p 00000000 00:00 0                          [stack]\n" +
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n"
	got, err := ParseMaps([]byte(text))
	want := []Map{
		{0x400000, 0x452000, "r-xp", 0x1000, unix.Mkdev(0xfe, 1), 173521, "/bin/a b\nc"},
		{0x7f0000000000, 0x7f0000001000, "rw-s", 0, 0, 0, ""},
		{0x7ffd0000, 0x7ffe0000, "rw-p", 0, 0, 0, "[stack]"},
		{0xffffffffff600000, 0xffffffffff601000, "--xp", 0, 0, 0, "[vsyscall]"},
	}
	if err != nil || cmp.Diff(want, got) != "" {
		t.Fatalf("%v\n%s", err, cmp.Diff(want, got))
	}
	if m := got[1]; !m.Readable() || !m.Writable() || m.Executable() || !m.Shared() || m.Size() != 4096 {
		t.Errorf("letters of %+v", m)
	}
}

// Whatever a mapping's file is called, it is found with its flags.
func TestMappingOfHostileFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x ) [stack]\nVmFlags: gd (deleted)")
	if err := os.WriteFile(name, make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mem, err := unix.Mmap(int(f.Fd()), 4096, 4096, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	smaps, err := openDir(t, os.Getpid()).Smaps()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range smaps {
		if s.Path != name {
			continue
		}
		if s.Size() != 4096 || s.Offset != 4096 || s.Inode != st.Ino || s.Dev != st.Dev || !s.Shared() {
			t.Errorf("mapping: %+v, want inode %d of %#x", s.Map, st.Ino, st.Dev)
		}
		if !s.Has("rd") || !s.Has("ms") || s.Has("wr") || s.Has("gd") {
			t.Errorf("flags: %v", s.VmFlags)
		}
		return
	}
	t.Error("the mapping is not in the list")
}

func TestSmapsAgreesWithMaps(t *testing.T) {
	d := start(t, "idle", nil)
	unix.Kill(d.PID, unix.SIGSTOP)
	if _, err := unix.Wait4(d.PID, nil, unix.WUNTRACED, nil); err != nil {
		t.Fatal(err)
	}
	smaps, err := d.Smaps()
	if err != nil {
		t.Fatal(err)
	}
	maps, err := d.Maps()
	if err != nil {
		t.Fatal(err)
	}
	bare := make([]Map, len(smaps))
	for i := range smaps {
		bare[i] = smaps[i].Map
		if len(smaps[i].VmFlags) == 0 {
			t.Errorf("no flags for %+v", smaps[i])
		}
	}
	if diff := cmp.Diff(maps, bare); diff != "" {
		t.Error(diff)
	}
}

// Parsers answer with an error, and never panic, on text that is cut or wild.
func TestParsersSurviveAnyText(t *testing.T) {
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(strings.Clone(string(text[:min(len(text), 4000)])))
		b = b[:rapid.IntRange(0, len(b)).Draw(t, "cut")]
		for i := range rapid.SliceOfN(rapid.IntRange(0, 4000), 0, 5).Draw(t, "places") {
			if i < len(b) {
				b[i] = rapid.Byte().Draw(t, "byte")
			}
		}
		ParseMaps(b)
		ParseSmaps(b)
		ParseStat(b)
		ParseStatus(b)
	})
}
