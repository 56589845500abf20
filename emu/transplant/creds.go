// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// Bits of PR_SET_SECUREBITS (<linux/securebits.h>).
const (
	secNoRoot         = 1 << 0
	secNoSetuidFixup  = 1 << 2
	secKeepCaps       = 1 << 4
	secNoAmbientRaise = 1 << 6
	secLocks          = 0xaa
)

// credentials are what credentials(7) and capabilities(7) describe.
type credentials struct {
	uid, gid   [4]uint32
	groups     []uint32
	caps       capSets
	secureBits uint64
	noNewPrivs bool
}

func credentialsOf(st *proc.Status, own *answers) credentials {
	return credentials{
		uid: st.Uid, gid: st.Gid, groups: st.Groups, caps: capsOf(st),
		secureBits: uint64(own.prctl[unix.PR_GET_SECUREBITS].Value), noNewPrivs: st.NoNewPrivs,
	}
}

func (c *credentials) equal(o *credentials) bool {
	return c.uid == o.uid && c.gid == o.gid && slices.Equal(c.groups, o.groups) && c.caps == o.caps &&
		c.secureBits == o.secureBits && c.noNewPrivs == o.noNewPrivs
}

func hasCap(set uint64, c int) bool { return set>>c&1 != 0 }

// lacks says what keeps a process with these credentials from taking want; ""
// for nothing. forever tells whether no exec(2) could help either.
func (c *credentials) lacks(want *credentials) (what string, forever bool) {
	what, forever = c.misses(want)
	switch {
	case what == "" || forever:
	case c.noNewPrivs:
		return what + ", and no_new_privs", true
	case c.rootIsNobody():
		return what + ", and SECBIT_NOROOT", true
	}
	return what, forever
}

// rootIsNobody reports that an exec gives root nothing, and will not.
func (c *credentials) rootIsNobody() bool {
	return c.secureBits&secNoRoot != 0 && (c.secureBits&(secNoRoot<<1) != 0 || !hasCap(c.caps.permitted, unix.CAP_SETPCAP))
}

func (c *credentials) misses(want *credentials) (what string, forever bool) {
	locked := c.secureBits & secLocks
	switch {
	case c.noNewPrivs && !want.noNewPrivs:
		return "no_new_privs, which the caller has not", true
	case want.caps.bounding&^c.caps.bounding != 0:
		return "a smaller capability bounding set", true
	case want.caps.inheritable&^(c.caps.inheritable|c.caps.bounding) != 0:
		return "no right to some inheritable capabilities", true
	case want.caps.permitted&^(c.caps.permitted|c.caps.inheritable|c.caps.bounding) != 0:
		return "a bounding set without some of the caller's capabilities", true
	case (locked|locked>>1)&(c.secureBits^want.secureBits) != 0:
		return "locked securebits", true
	case c.equal(want):
		return "", false
	case want.caps.permitted&^c.caps.permitted != 0:
		return "fewer capabilities", false
	case c.uid != want.uid && !hasCap(c.caps.permitted, unix.CAP_SETUID),
		(c.gid != want.gid || !slices.Equal(c.groups, want.groups)) && !hasCap(c.caps.permitted, unix.CAP_SETGID):
		return "other ids, and no capability to change them", false
	case (c.secureBits != want.secureBits || c.caps.bounding != want.caps.bounding ||
		want.caps.inheritable&^c.caps.inheritable != 0) && !hasCap(c.caps.permitted, unix.CAP_SETPCAP):
		return "other securebits or capability sets, and no CAP_SETPCAP", false
	}
	return "", false
}

// most is as much of want as these credentials can become.
func (c *credentials) most(want credentials) credentials {
	want.noNewPrivs = want.noNewPrivs || c.noNewPrivs
	want.caps.bounding &= c.caps.bounding
	want.caps.permitted &= c.caps.permitted
	want.caps.effective &= c.caps.permitted
	want.caps.inheritable &= c.caps.inheritable | c.caps.bounding
	want.caps.ambient &= want.caps.permitted & want.caps.inheritable
	if !hasCap(c.caps.permitted, unix.CAP_SETPCAP) || c.secureBits&secLocks != 0 {
		want.secureBits, want.caps.bounding = c.secureBits, c.caps.bounding
		want.caps.inheritable &= c.caps.inheritable
	}
	if !hasCap(c.caps.permitted, unix.CAP_SETUID) {
		want.uid = c.uid
	}
	if !hasCap(c.caps.permitted, unix.CAP_SETGID) {
		want.gid, want.groups = c.gid, c.groups
	}
	return want
}

// setCreds gives C the caller's credentials. Its own full set of capabilities
// is kept over the change of ids (SECBIT_NO_SETUID_FIXUP) and cut to the
// caller's by the very last call.
func (b *build) setCreds() error {
	want := credentialsOf(b.snap.status, b.snap.own)
	have := credentialsOf(b.status, b.own)
	if have.equal(&want) {
		if b.markDumpable(&want) {
			b.queueCaps("the caller's", want.caps.effective, want.caps.permitted, want.caps.inheritable)
		}
		return nil
	}
	if what, _ := have.lacks(&want); what != "" {
		if !b.opt.BestEffort {
			return unsupported("the target has %s", what)
		}
		b.leave("the target's child has %s", what)
		want = have.most(want)
	}
	ids, err := b.idMaps()
	if err != nil {
		return err
	}
	change := idChange{want.uid != have.uid, want.gid != have.gid, !slices.Equal(want.groups, have.groups)}
	if err := ids.translate(&want, change); err != nil {
		return err
	}
	b.queueCaps("all", have.caps.permitted, have.caps.permitted, want.caps.inheritable)
	b.securebits(have.secureBits | secNoSetuidFixup)
	b.dropBounding(have.caps.bounding &^ want.caps.bounding)
	b.queueIDs(&want, change)
	b.markDumpable(&want)
	b.queueAmbient(want.caps.ambient, have.caps.ambient)
	b.securebits(want.secureBits)
	if want.noNewPrivs && !have.noNewPrivs {
		b.script.add("prctl(PR_SET_NO_NEW_PRIVS)", 0, unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	b.queueCaps("the caller's", want.caps.effective, want.caps.permitted, want.caps.inheritable)
	if b.opt.ShareVM {
		b.queueDumpable() // of all who share it
	}
	return nil
}

func (b *build) securebits(v uint64) {
	if hasCap(b.status.CapPrm, unix.CAP_SETPCAP) {
		b.script.add("prctl(PR_SET_SECUREBITS)", v, unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, uintptr(v), 0, 0, 0)
	}
}

func (b *build) dropBounding(set uint64) {
	for ; set != 0; set &= set - 1 {
		c := bits.TrailingZeros64(set)
		b.script.add("prctl(PR_CAPBSET_DROP)", uint64(c), unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0)
	}
}

// idChange says which ids differ from the caller's.
type idChange struct{ uid, gid, groups bool }

func (b *build) queueIDs(want *credentials, change idChange) {
	s := b.script
	if change.groups {
		var list []byte
		for _, g := range want.groups {
			list = binary.LittleEndian.AppendUint32(list, g)
		}
		s.room(1, len(list))
		s.add("setgroups", uint64(len(want.groups)), unix.SYS_SETGROUPS, uintptr(len(want.groups)), s.data(list))
	}
	g, u := want.gid, want.uid
	if change.gid {
		s.add("setresgid", uint64(g[1]), unix.SYS_SETRESGID, uintptr(g[0]), uintptr(g[1]), uintptr(g[2]))
		s.try("setfsgid", unix.SYS_SETFSGID, uintptr(g[3]))
	}
	if change.uid {
		s.add("setresuid", uint64(u[1]), unix.SYS_SETRESUID, uintptr(u[0]), uintptr(u[1]), uintptr(u[2]))
		s.try("setfsuid", unix.SYS_SETFSUID, uintptr(u[3]))
	}
}

// queueAmbient replaces the ambient set.
func (b *build) queueAmbient(want, have uint64) {
	if want == have {
		return
	}
	b.script.add("prctl(PR_CAP_AMBIENT_CLEAR_ALL)", 0, unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	for set := want; set != 0; set &= set - 1 {
		c := bits.TrailingZeros64(set)
		b.script.add("prctl(PR_CAP_AMBIENT_RAISE)", uint64(c), unix.SYS_PRCTL, unix.PR_CAP_AMBIENT,
			unix.PR_CAP_AMBIENT_RAISE, uintptr(c), 0, 0)
	}
}

// queueCaps sets the three sets of capset(2).
func (b *build) queueCaps(whose string, effective, permitted, inheritable uint64) {
	le := binary.LittleEndian
	header := le.AppendUint32(nil, unix.LINUX_CAPABILITY_VERSION_3)
	header = le.AppendUint32(header, 0)
	var data []byte
	for _, shift := range []int{0, 32} {
		for _, set := range []uint64{effective, permitted, inheritable} {
			data = le.AppendUint32(data, uint32(set>>shift))
		}
	}
	b.script.room(1, 64)
	b.script.add("capset to "+whose, permitted, unix.SYS_CAPSET, b.script.data(header), b.script.data(data))
}
