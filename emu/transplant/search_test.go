// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// TestMayExecute asks the kernel about the same directories and credentials: files of
// every mode, with access control lists of every kind and without.
func TestMayExecute(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("changes its user, which takes root")
	}
	dir, err := os.MkdirTemp("/tmp", "cloneat-search")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil { // t.TempDir() has a closed one above
		t.Fatal(err)
	}
	ids := rapid.SampledFrom([]uint32{1, 2, 3})
	perm := rapid.Uint16Range(0, 7)
	rapid.Check(t, func(r *rapid.T) {
		path := filepath.Join(dir, "d")
		defer os.Remove(path)
		if err := os.Mkdir(path, 0); err != nil {
			r.Fatal(err)
		}
		mode, uid, gid := rapid.Uint32Range(0, 0o777).Draw(r, "mode"), ids.Draw(r, "owner"), ids.Draw(r, "group")
		if err := errors.Join(os.Chown(path, int(uid), int(gid)), unix.Chmod(path, mode)); err != nil {
			r.Fatal(err)
		}
		if rapid.Bool().Draw(r, "acl") {
			user, group := ids.Draw(r, "named user"), ids.Draw(r, "named group")
			acl := binary.LittleEndian.AppendUint32(nil, 2)
			for _, e := range []struct {
				tag uint16
				id  uint32
			}{{1, ^uint32(0)}, {aclUser, user}, {aclGroupObj, ^uint32(0)}, {aclGroup, group}, {aclMask, ^uint32(0)}, {aclOther, ^uint32(0)}} {
				acl = binary.LittleEndian.AppendUint16(acl, e.tag)
				acl = binary.LittleEndian.AppendUint16(acl, perm.Draw(r, "perm"))
				acl = binary.LittleEndian.AppendUint32(acl, e.id)
			}
			if err := unix.Setxattr(path, "system.posix_acl_access", acl, 0); err != nil {
				t.Skip("no access control lists here: ", err)
			}
		}
		c := &credentials{uid: [4]uint32{3: ids.Draw(r, "uid")}, gid: [4]uint32{3: ids.Draw(r, "gid")}, groups: []uint32{ids.Draw(r, "other group")}}
		got, err := c.mayExecute(path)
		if want := mayChdir(c, path); err != nil || got != want {
			r.Fatalf("mayExecute = %v, %v; the kernel says %v", got, err, want)
		}
	})
}

// mayChdir lets a child with these credentials, and no capability, go there.
func mayChdir(c *credentials, path string) bool {
	pid, err := syscall.ForkExec("/bin/true", []string{"true"}, &syscall.ProcAttr{
		Dir:   path,
		Files: []uintptr{},
		Sys:   &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.uid[3], Gid: c.gid[3], Groups: c.groups}},
	})
	if err != nil {
		return false
	}
	_, err = syscall.Wait4(pid, nil, 0, nil)
	return err == nil
}
