// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestOnlyKeptDescriptorsCross(t *testing.T) {
	init := unshared(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	list := "for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n; done; true"
	for _, keep := range [][]int{nil, {3}, {5}, {3, 4, 6}} {
		o := sh(list)
		o.Keep = keep
		cmd := command(init, o)
		cmd.ExtraFiles = []*os.File{w, w, w, w, w} // 3 to 7
		want := "0\n1\n2\n"
		for _, k := range keep {
			want += fmt.Sprintln(k)
		}
		if res := finish(t, cmd); res.out != want {
			t.Errorf("keep %v: %+v, want %q", keep, res, want)
		}
	}
	o := sh("exit")
	for _, closed := range []int{55, -1} {
		o.Keep = []int{closed}
		if res := do(t, init, o); res.status != StatusFailed || !strings.Contains(res.err, fmt.Sprintf("descriptor %d", closed)) {
			t.Errorf("%+v", res)
		}
	}
}

func TestUserAndCapabilities(t *testing.T) {
	init := unshared(t)
	o := sh("id -u; id -g; grep CapEff /proc/self/status")
	o.User = "daemon"
	if r := do(t, init, o); r.out != "1\n1\nCapEff:\t0000000000000000\n" {
		t.Errorf("daemon: %+v", r)
	}
	o = sh("id -u; id -g; id -G")
	o.User = "12345:678"
	if r := do(t, init, o); r.out != "12345\n678\n678\n" {
		t.Errorf("numbers: %+v", r)
	}
	o.User = "nobody-of-this-name"
	if r := do(t, init, o); r.status != StatusFailed || !strings.Contains(r.err, "nobody-of-this-name") {
		t.Errorf("unknown: %+v", r)
	}
	o = sh("grep -E 'Cap(Bnd|Eff)' /proc/self/status")
	o.CapDrop = []string{"all"}
	if r := do(t, init, o); r.out != "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n" {
		t.Errorf("all: %+v", r)
	}
	o = sh("hostname x")
	o.CapDrop = []string{"CAP_SYS_ADMIN"}
	if r := do(t, init, o); r.status == 0 {
		t.Errorf("hostname was set without CAP_SYS_ADMIN: %+v", r)
	}
	o.CapDrop = []string{"CAP_FLY"}
	if r := do(t, init, o); r.status != StatusFailed || !strings.Contains(r.err, "CAP_FLY") {
		t.Errorf("unknown: %+v", r)
	}
}

func TestEnvironment(t *testing.T) {
	o := sh("echo $A-$B-$C")
	o.Env = []string{"A=1", "B"}
	cmd := command(unshared(t), o)
	cmd.Env = append(cmd.Env, "A=old", "B=2", "C=3")
	if r := finish(t, cmd); r.out != "1-2-3\n" {
		t.Errorf("%+v", r)
	}
}
