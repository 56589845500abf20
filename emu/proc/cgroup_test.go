// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCgroups(t *testing.T) {
	got, err := ParseCgroups([]byte("4:cpu,cpuacct:/\n1:name=systemd:/a:b\n0::/what\\012ever\n"))
	want := []CgroupEntry{{4, "cpu,cpuacct", "/"}, {1, "name=systemd", "/a:b"}, {0, "", `/what\012ever`}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if _, err := ParseCgroups([]byte("nothing\n")); err == nil {
		t.Error("no error")
	}
}

func TestCgroupMounts(t *testing.T) {
	mounts := parseCgroupMounts(`
25 20 0:22 / /sys/fs/cgroup ro - tmpfs tmpfs rw,mode=755
26 25 0:23 / /sys/fs/cgroup/cpu\040and\134more rw,nosuid shared:9 - cgroup cgroup rw,seclabel,cpu,cpuacct
27 25 0:24 /below /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
28 25 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
29 25 0:26 / /first rw - cgroup2 cgroup2 rw,nsdelegate
30 25 0:26 / /second rw - cgroup2 cgroup2 rw,nsdelegate
`)
	for controllers, want := range map[string]string{
		"cpu,cpuacct": `/sys/fs/cgroup/cpu and\more`, "name=systemd": "/sys/fs/cgroup/systemd", "": "/second",
		"pids": "", "memory": "", "cpu,memory": "",
	} {
		if got, mounted := mounts.At(controllers); got != want || mounted != (want != "") {
			t.Errorf("%q: %q, %v", controllers, got, mounted)
		}
	}
}
