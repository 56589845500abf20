// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func mixed(t *testing.T) *Tree {
	t.Helper()
	tree, err := FromCRIU(filepath.Join("testdata", "mixed"))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestSaveLoad(t *testing.T) {
	want := mixed(t)
	name := filepath.Join(t.TempDir(), "tree.json")
	if err := want.Save(name); err != nil {
		t.Fatal(err)
	}
	got, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(name), ".tree-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestSaveKeepsWhatIsNoFile: a device or pipe is written to, a link stays one.
func TestSaveKeepsWhatIsNoFile(t *testing.T) {
	tree, dir := mixed(t), t.TempDir()
	full := filepath.Join(dir, "full")
	if err := unix.Mknod(full, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 7))); err != nil {
		t.Fatal(err)
	}
	if err := tree.Save(full); !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), full) {
		t.Errorf("error %v", err)
	}
	if st, err := os.Lstat(full); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		t.Errorf("the device is %v, %v", st.Mode(), err)
	}
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink("file", link)); err != nil {
		t.Fatal(err)
	}
	if err := tree.Save(link); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != "file" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if _, err := Load(file); err != nil {
		t.Error(err)
	}
}

func TestBadTreesAreNamed(t *testing.T) {
	one := `{"pid":5,"ppid":0,"pgid":5,"sid":5,"state":"S"}`
	list := func(more ...string) string {
		return `{"version":1,"processes":[` + strings.Join(append([]string{one}, more...), ",") + `]}`
	}
	for input, want := range map[string]string{
		``:                                 "the file is empty",
		`{"version":7,"processes":[]}`:     "version 7",
		`{"version":1,"processes":[]}`:     "no processes",
		`{"version":1,"procs":[]}`:         "procs",
		`{"version":1,"processes":[null]}`: "null",
		list() + ` {}`:                     "something follows the tree at byte",
		list(`{"pid":6,"ppid":9,"pgid":5,"sid":5,"state":"S"}`):                                                    "parent 9",
		list(`{"pid":5,"ppid":5,"pgid":5,"sid":5,"state":"S"}`):                                                    "twice",
		list(`{"pid":0,"ppid":5,"pgid":5,"sid":5,"state":"S"}`):                                                    "positive",
		list(`{"pid":4294967302,"ppid":5,"pgid":5,"sid":5,"state":"S"}`):                                           "4294967302 is no pid",
		list(`{"pid":6,"ppid":5,"pgid":4294967301,"sid":5,"state":"S"}`):                                           "pgid 4294967301",
		list(`{"pid":6,"ppid":5,"pgid":5,"sid":5,"state":"S","threads":[6,4294967303]}`):                           "4294967303 is no pid",
		list(`{"pid":6,"ppid":5,"pgid":5,"sid":6,"state":"S"}`):                                                    "leads session 6",
		list(`{"pid":6,"ppid":5,"pgid":5,"sid":5,"state":"sleeping"}`):                                             "one letter",
		list(`{"pid":6,"ppid":5,"pgid":5,"sid":5,"state":"S","threads":[7]}`):                                      "first thread",
		list(`{"pid":6,"ppid":5,"pgid":5,"sid":5,"state":"S","threads":[6,5]}`):                                    "thread 5",
		list(`{"pid":6,"ppid":5,"pgid":5,"sid":5,"state":"S","nspid":[2]}`):                                        "nspid",
		list(`{"pid":6,"ppid":5,"pgid":5,"sid":5,"state":"Z"}`, `{"pid":7,"ppid":6,"pgid":5,"sid":5,"state":"S"}`): "zombie",
	} {
		if _, err := Parse([]byte(input)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not say %q", input, err, want)
		}
	}
}

// TestSchemaKnowsEveryField holds docs/tree.schema.json against the structs.
func TestSchemaKnowsEveryField(t *testing.T) {
	b, err := os.ReadFile("../../../docs/tree.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]any
		Defs       struct {
			Process struct{ Properties map[string]any }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	for typ, has := range map[reflect.Type]map[string]any{
		reflect.TypeFor[Tree]():    schema.Properties,
		reflect.TypeFor[Process](): schema.Defs.Process.Properties,
	} {
		if typ.NumField() != len(has) {
			t.Errorf("%v has %d fields, the schema %d", typ, typ.NumField(), len(has))
		}
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if has[name] == nil {
				t.Errorf("the schema lacks %v's %q", typ, name)
			}
		}
	}
}

func TestDrawingsHoldEveryProcess(t *testing.T) {
	tree := mixed(t)
	n := len(tree.Processes)
	if got := strings.Count(tree.Text(), "\n"); got != n {
		t.Errorf("%d lines of text for %d processes", got, n)
	}
	if got := strings.Count(tree.Dot(), " -> "); got != n-1 {
		t.Errorf("%d edges for %d processes", got, n)
	}
	if got := strings.Count(tree.SVG(), "<rect "); got != n {
		t.Errorf("%d boxes for %d processes", got, n)
	}
}

// TestPictureOfTheReadme: it is what the command beside it draws.
func TestPictureOfTheReadme(t *testing.T) {
	tree, err := FromCRIU(filepath.Join("testdata", "container"))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := os.ReadFile("../../../docs/tree.svg")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(picture), tree.SVG()); d != "" {
		t.Errorf("docs/tree.svg (-) is not what is drawn (+):\n%s", d)
	}
}

func TestHostileNameIsHarmless(t *testing.T) {
	tree := mixed(t)
	tree.Root().Comm = "a\x1b[2J\n<b>\"&"
	if s := tree.Text(); strings.ContainsRune(s, '\x1b') || strings.Count(s, "\n") != len(tree.Processes) {
		t.Errorf("text: %q", s)
	}
	d := xml.NewDecoder(strings.NewReader(tree.SVG()))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
