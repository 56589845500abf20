// SPDX-License-Identifier: Apache-2.0

package rights

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
	"cloneat-emu/internal/reexec"
)

func TestMain(m *testing.M) {
	runtime.LockOSThread()
	reexec.Main(m, map[string]func(){"actor": actor})
}

// actor tells whether it may signal each process whose number it is told.
func actor() {
	reexec.Say("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		pid, err := strconv.Atoi(in.Text())
		if err != nil {
			panic(err)
		}
		reexec.Say("%d", errno(unix.Kill(pid, 0)))
	}
}

func errno(err error) int {
	if err == nil {
		return 0
	}
	return int(err.(unix.Errno))
}

// person is an actor with a name for messages.
type person struct {
	*reexec.Process
	name string
}

// mayKill asks the kernel.
func (p *person) mayKill(t *testing.T, pid int) bool {
	t.Helper()
	p.Tell("%d", pid)
	switch e := unix.Errno(p.Number()); e {
	case 0, unix.EPERM:
		return e == 0
	default:
		t.Fatalf("%s: kill(%d, 0): %v", p.name, pid, e)
		return false
	}
}

// newPerson starts an actor; attr may be nil.
func newPerson(t *testing.T, name string, attr *syscall.SysProcAttr) *person {
	t.Helper()
	p := reexec.Start(t, "actor", func(cmd *exec.Cmd) { cmd.SysProcAttr = attr })
	p.Line()
	return &person{p, name}
}

// asUser starts an actor that has no capabilities.
func asUser(t *testing.T, uid uint32) *person {
	return newPerson(t, "user "+strconv.Itoa(int(uid)), &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uid, Gid: uid},
	})
}

// inUserNS starts an actor that is root of a new user namespace, in which the
// uids from base on are known.
func inUserNS(t *testing.T, name string, base int) *person {
	maps := []syscall.SysProcIDMap{{ContainerID: 0, HostID: base, Size: 100}}
	return newPerson(t, name, &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER, UidMappings: maps, GidMappings: maps,
		Credential: &syscall.Credential{Uid: 0, Gid: 0},
	})
}

// credOf and userNS look at an actor as the supervisor would.
func credOf(t *testing.T, pid int) *Cred {
	t.Helper()
	c, err := Of(openDir(t, pid))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func openDir(t *testing.T, pid int) *proc.Dir {
	t.Helper()
	d, err := proc.Open(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func openNS(t *testing.T, pid int, kind proc.Kind) *os.File {
	t.Helper()
	f, err := openDir(t, pid).OpenNS(kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The kernel is asked by kill(2): between different users that needs CAP_KILL in
// the user namespace of the process that is to get the signal.
func TestAgreesWithTheKernel(t *testing.T) {
	owner := asUser(t, 1000)
	everybody := []*person{
		newPerson(t, "root", nil), owner, asUser(t, 2000),
		inUserNS(t, "A", 100000), inUserNS(t, "B", 200000), inUserNSOf(t, 1000, 300000),
	}
	for _, from := range everybody {
		for _, to := range everybody {
			if from == to {
				continue
			}
			want := from.mayKill(t, to.PID())
			got, err := credOf(t, from.PID()).NSCapable(openNS(t, to.PID(), proc.User), unix.CAP_KILL)
			if err != nil || got != want {
				t.Errorf("%s over %s: got %v, %v, the kernel says %v", from.name, to.name, got, err, want)
			}
		}
	}
}

// inUserNSOf is inUserNS, but the namespace belongs to the user of that uid.
func inUserNSOf(t *testing.T, uid, base int) (p *person) {
	t.Helper()
	asOwner(t, uid, func() { p = inUserNS(t, fmt.Sprintf("namespace of %d", uid), base) })
	return p
}

// asOwner runs f with the thread's effective uid changed but all capabilities
// kept: clone(2) makes it the owner of a new user namespace.
func asOwner(t *testing.T, uid int, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	setEUID(t, uid)
	defer setEUID(t, 0)
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i].Effective = data[i].Permitted
	}
	if err := unix.Capset(&hdr, &data[0]); err != nil {
		t.Fatal(err)
	}
	f()
}

// setEUID changes the effective uid of this thread only.
func setEUID(t *testing.T, uid int) {
	t.Helper()
	keep := ^uintptr(0)
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, keep, uintptr(uid), keep); e != 0 {
		t.Fatalf("setresuid(-1, %d, -1): %v", uid, e)
	}
}

func TestOwnerRuleNeedsTheOwner(t *testing.T) {
	target := inUserNSOf(t, 1000, 300000)
	ns := openNS(t, target.PID(), proc.User)
	for uid, want := range map[uint32]bool{1000: true, 2000: false} {
		got, err := credOf(t, asUser(t, uid).PID()).NSCapable(ns, unix.CAP_SYS_ADMIN)
		if err != nil || got != want {
			t.Errorf("user %d: %v, %v, want %v", uid, got, err, want)
		}
	}
}

// TestOwnerRuleIsForTheNextLevel: who made a namespace two levels below has no power there if
// somebody else made the one between (cap_capable() in security/commoncap.c).
func TestOwnerRuleIsForTheNextLevel(t *testing.T) {
	outer := inUserNS(t, "A", 100000) // root's
	inner := reexec.Run(t, exec.Command("nsenter", "--user", "--target", strconv.Itoa(outer.PID()),
		"unshare", "--user", "--map-root-user", "sh", "-c", "echo ready; read x"))
	inner.Line()
	maker := credOf(t, asUser(t, 100000).PID()) // as root of A is called here
	got, err := maker.NSCapable(openNS(t, inner.PID(), proc.User), unix.CAP_SYS_ADMIN)
	if err != nil || got {
		t.Errorf("%v, %v", got, err)
	}
}

func TestCapableOver(t *testing.T) {
	root, a := credOf(t, os.Getpid()), inUserNS(t, "A", 100000)
	inside := credOf(t, a.PID())
	uts := openNS(t, os.Getpid(), proc.UTS) // owned by the first user namespace
	for _, tc := range []struct {
		name string
		cred *Cred
		want bool
	}{{"root", root, true}, {"root of A", inside, false}} {
		got, err := tc.cred.CapableOver(uts, unix.CAP_SYS_ADMIN)
		if err != nil || got != tc.want {
			t.Errorf("%s: %v, %v, want %v", tc.name, got, err, tc.want)
		}
	}
	if !inside.Capable(unix.CAP_SYS_ADMIN) {
		t.Error("root of A is not capable in A")
	}
}

func TestCapabilityIsTheOneAskedFor(t *testing.T) {
	ns := openNS(t, os.Getpid(), proc.User)
	c := credOf(t, os.Getpid())
	c.Effective = 1 << unix.CAP_SYS_CHROOT
	for capability, want := range map[int]bool{unix.CAP_SYS_CHROOT: true, unix.CAP_SYS_ADMIN: false} {
		if got, err := c.NSCapable(ns, capability); err != nil || got != want {
			t.Errorf("capability %d: %v, %v, want %v", capability, got, err, want)
		}
	}
}

func TestCovers(t *testing.T) {
	const text = "         0     100000      1000\n     65534          5         1\n"
	for uid, want := range map[uint32]bool{0: true, 999: true, 1000: false, 65533: false, 65534: true, 65535: false} {
		if covers(text, uid) != want {
			t.Errorf("uid %d: want %v", uid, want)
		}
	}
	if covers("", 0) {
		t.Error("an empty map covers root")
	}
}

// Where nobody is 65534 that number stands for everybody without one.
func TestOverflowUidIsNobody(t *testing.T) {
	for _, tc := range []struct {
		uidMap string
		uid    uint32
		want   bool
	}{
		{"0 100000 1000", 65534, false},
		{"0 100000 1000", 999, true},
		{"0 0 4294967295", 65534, true},
	} {
		if got := (uidView{65534, tc.uidMap}).shows(tc.uid); got != tc.want {
			t.Errorf("uid %d with map %q: %v", tc.uid, tc.uidMap, got)
		}
	}
}
