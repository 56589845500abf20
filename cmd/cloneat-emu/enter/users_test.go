// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"slices"
	"strings"
	"syscall"
	"testing"
)

// somebody is a user without privilege.
const somebody = 61234

// rootless is a container made by that user, who is root in there; its groups are fixed.
func rootless(t *testing.T) int {
	t.Helper()
	return container(t, slices.Concat(
		[]string{"setpriv", "--reuid", "61234", "--regid", "61234", "--clear-groups", "unshare", "-Ur"}, unshareMaker[1:])...)
}

// bySomebody runs the command as that user.
func bySomebody(t *testing.T, target int, o Options) result {
	t.Helper()
	cmd := command(target, o)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: somebody, Gid: somebody}}
	return finish(t, cmd)
}

// TestOwnersContainer: who made a container without privilege enters it without.
func TestOwnersContainer(t *testing.T) {
	init := rootless(t)
	o := sh(`echo $$ $PPID $(id -u); hostname; [ $(readlink /proc/self/ns/user) = $(readlink /proc/1/ns/user) ]; exit $((41 + $?))`)
	o.TargetUserNS, o.Hint = true, 77
	if r := bySomebody(t, init, o); r.out != "77 1 0\ninside\n" || r.status != 41 {
		t.Errorf("%+v", r)
	}
	o.User, o.Hint = "0", 78
	if r := bySomebody(t, init, o); r.out != "78 1 0\ninside\n" || r.status != 41 {
		t.Errorf("as root: %+v", r)
	}
	o.TargetUserNS = false
	if r := bySomebody(t, init, o); r.status != StatusFailed || !strings.Contains(r.err, "--userns=target") {
		t.Errorf("without the user namespace: %+v", r)
	}
	nobodyBut(t, init)
}

// TestOwnersNestedContainer: bwrap's user namespace is below the one that owns the others.
func TestOwnersNestedContainer(t *testing.T) {
	init := container(t, slices.Concat(
		[]string{"setpriv", "--reuid", "61234", "--regid", "61234", "--clear-groups"}, bubbleMaker[:1], []string{"--unshare-user"}, bubbleMaker[1:])...)
	o := sh(`echo $PPID $(id -u); [ $(readlink /proc/self/ns/mnt) = $(readlink /proc/1/ns/mnt) ]`)
	o.TargetUserNS = true
	if r := bySomebody(t, init, o); r.out != "1 61234\n" || r.status != 0 {
		t.Errorf("%+v", r)
	}
}

// TestFixedGroups: where groups are fixed (unshare -r) nobody's from outside come along.
func TestFixedGroups(t *testing.T) {
	o := sh("id -u; id -G")
	o.TargetUserNS, o.User = true, "0"
	cmd := command(rootless(t), o)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Groups: []uint32{0, 4, 27}}}
	if r := finish(t, cmd); r.out != "0\n0\n" || r.status != 0 {
		t.Errorf("%+v", r)
	}
}
