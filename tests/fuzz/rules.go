// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// rule returns the name of the documented difference that this one is, or "".
// The names are those of the manual page's section DIFFERENCES. A rule asks for
// the cause in the world before the step, not only for the symptom.
func (d *Difference) rule() string {
	words := strings.Fields(d.Native.Head)
	switch {
	case len(words) < 4 || d.Native.Head != d.Emu.Head:
		return ""
	case words[1] == "setpgid" && d.wasExecuted(words[2], words[3]):
		return "accounting"
	case len(words) < 6 || words[1] != "cloneat":
		return ""
	}
	caller, child, target := words[2], words[3], words[4]
	if d.Emu.Result == "EBUSY" && (d.World[caller].inVfork() || d.World[target].inVfork()) {
		return "traced"
	}
	_, born := d.Native.Seen[child]
	switch {
	case d.Emu.Result == "EOPNOTSUPP" && (born || slices.Contains(late, d.Native.Result)):
		return unsupported(d.World[caller], d.World[target], words[6:])
	case d.Emu.Result == "ENOMEM" && born && d.World[target].sharesMemory(d.World[caller], caller, target) && softFiles(d.World[caller]) < 32:
		return "caller-room"
	case born && d.Native.Result == d.Emu.Result:
		return d.besides(caller, child, target, classic(words[6:]))
	}
	return ""
}

// besides returns why the child may be other than the kernel's, if only that differs
// for which there is a reason.
func (d *Difference) besides(caller, child, target string, flags uint32) string {
	var reason string
	var words []string
	for _, r := range []struct {
		name  string
		may   bool
		words []string
	}{
		{"sysvsem", flags&unix.CLONE_SYSVSEM != 0, []string{"u~"}},
		{"fork-alone", d.differ(caller, target, "ioprio"), []string{"i~"}},
		{"fork-alone", trait(d.World[caller], "schedflags") != 0, []string{"slack="}},
		{"session", d.maySession(caller, child, target), []string{"sid=", "pgid="}},
	} {
		if r.may {
			reason, words = r.name, append(words, r.words...)
		}
	}
	if reason == "" || !d.only(child, words...) {
		return ""
	}
	return reason
}

// sharesMemory reports what interp/resources.c says: the one of the higher number has
// the other's, or both have that of a third.
func (v View) sharesMemory(w View, caller, target string) bool {
	return v.has("v~"+caller) || w.has("v~"+target) || slices.ContainsFunc(strings.Fields(string(v)), func(word string) bool {
		return strings.HasPrefix(word, "v~") && w.has(word)
	})
}

// softFiles is the limit on descriptors, which few that are in use reach (CHANNEL_FD).
func softFiles(v View) uint64 {
	const nofile = 5 // in describe.c's list
	all := strings.Split(v.Get("limits"), ",")
	if len(all) <= nofile {
		return 0
	}
	soft, _, _ := strings.Cut(all[nofile], "/")
	return limit(soft)
}

// differ reports that two actors tell of another trait.
func (d *Difference) differ(a, b, name string) bool {
	return trait(d.World[a], name) != trait(d.World[b], name)
}

// wasExecuted reports that a parent may not choose its child's group any more, since it
// took an execve(2) to make it. What for, a right or memory that nobody else has open,
// is not all to be seen in the world.
func (d *Difference) wasExecuted(parent, child string) bool {
	return d.Emu.Result == "EACCES" && d.World[child].Get("ppid") == parent
}

// late are the errors that the emulator may not come to before it says EOPNOTSUPP.
var late = []string{"EEXIST", "EMFILE", "EFAULT"}

// inVfork reports that the emulator traces the actor: it waits for a vfork child
// below another target, or is one.
func (v View) inVfork() bool {
	return v.has("vfork-waits") || v.has("vfork-child")
}

// unsupported returns why the emulator may refuse this target. The rest of the
// operation's words begins with those of the flags.
func unsupported(caller, target View, flags []string) string {
	switch {
	case target == "":
		return ""
	case target.Get("nnp") == "1" && (caller.Get("nnp") == "0" || lacks(caller, target, "prm") != 0):
		return "target-no-new-privs"
	case lacks(caller, target, "bnd") != 0,
		lacks(caller, target, "prm") != 0 && rootIsNobody(target),
		lacks(caller, target, "prm")&^caps(caller.Get("bnd")) != 0,
		lacks(caller, target, "prm") != 0 && namespace(target, 0) != "0":
		return "target-bounding-set"
	case lowerLimit(caller, target):
		return "target-limits"
	case confined(caller, target):
		return "target-confined"
	case trait(target, "filters") > 0:
		return "target-filter"
	case namespace(caller, 0) != namespace(target, 0):
		return "target-user-namespace"
	case namespace(target, 1) != namespace(target, 2):
		return "birth-namespace"
	case shares(flags) && lacks(caller, target, "prm") != 0:
		return "exec-unshares"
	case bornInto(flags) && caps(target.Get("eff"))&(1<<unix.CAP_SYS_ADMIN) == 0:
		return "birth-rights"
	}
	return ""
}

// confined reports that the target has another session keyring, or locks of its own
// on securebits.
func confined(caller, target View) bool {
	const locks = 0xaa
	return caller.Get("key") != target.Get("key") || trait(target, "secure")&locks&^trait(caller, "secure") != 0
}

// lowerLimit reports a hard limit of the target's below the caller's.
func lowerLimit(caller, target View) bool {
	c, t := strings.Split(caller.Get("limits"), ","), strings.Split(target.Get("limits"), ",")
	for i := range min(len(c), len(t)) {
		_, high, _ := strings.Cut(c[i], "/")
		_, low, _ := strings.Cut(t[i], "/")
		if h, l := limit(high), limit(low); l < h {
			return true
		}
	}
	return false
}

// limit reads a limit, u if there is none.
func limit(word string) uint64 {
	if word == "u" {
		return math.MaxUint64
	}
	n, _ := strconv.ParseUint(word, 10, 64)
	return n
}

// rootIsNobody reports SECBIT_NOROOT that the actor cannot clear.
func rootIsNobody(v View) bool {
	bits := trait(v, "secure")
	return bits&1 != 0 && (bits&2 != 0 || caps(v.Get("prm"))&(1<<unix.CAP_SETPCAP) == 0)
}

// trait reads what interp/report.c says of one; it is silent about what is usual.
func trait(v View, name string) int64 {
	n, _ := strconv.ParseInt(v.Get(name), 10, 64)
	return n
}

// lacks is what of a set of capabilities the caller has and the target has not.
func lacks(caller, target View, set string) uint64 {
	return caps(caller.Get(set)) &^ caps(target.Get(set))
}

// shares reports flags that keep a child from an execve(2).
func shares(words []string) bool {
	return classic(words)&(unix.CLONE_VM|unix.CLONE_FILES|unix.CLONE_FS) != 0
}

// classic is the mask of clone(2) that the two words of flags make.
func classic(words []string) uint32 {
	if len(words) < 2 {
		return 0
	}
	return bits(words[0]) | bits(words[1])<<8
}

// bornInto reports flags for a new namespace that only a birth makes.
func bornInto(words []string) bool {
	const newTime = 1 << 31 // CLONEXT_NEWTIME in the second word
	return classic(words)&unix.CLONE_NEWPID != 0 || len(words) > 1 && bits(words[1])&newTime != 0
}

// maySession reports that the child cannot have the caller's session and group:
// the target is in another session, or the caller's group has no number in the
// child's pid namespace.
func (d *Difference) maySession(caller, child, target string) bool {
	c, t := d.World[caller], d.World[target]
	if c.Get("sid") != t.Get("sid") {
		return true
	}
	return c.Get("pgid") != t.Get("pgid") && d.pidNSOf(c.Get("pgid")) != namespace(d.Native.Seen[child], 1)
}

// pidNSOf returns the pid namespace of an actor by name. The controller, I, is in the
// first.
func (d *Difference) pidNSOf(name string) string {
	if v, known := d.World[name]; known {
		return namespace(v, 1)
	}
	return "0"
}

// only reports that nothing but these words of one actor differ.
func (d *Difference) only(actor string, prefixes ...string) bool {
	for _, name := range names(d.Native.Seen, d.Emu.Seen) {
		native, emu := d.after(name)
		for _, word := range append(missing(native, emu), missing(emu, native)...) {
			if name != actor || !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(word, p) }) {
				return false
			}
		}
	}
	return true
}

// caps reads a set of capabilities, or of signals.
func caps(word string) uint64 {
	if word == "all" {
		return 1<<(unix.CAP_LAST_CAP+1) - 1
	}
	n, _ := strconv.ParseUint(word, 16, 64)
	return n
}

// namespace returns namespace i of the interpreter's order: user, pid,
// pid_for_children ...
func namespace(v View, i int) string {
	all := strings.Split(v.Get("ns"), ",")
	if i >= len(all) {
		return ""
	}
	return all[i]
}
