// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

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
	case lowerLimit(caller, target), fileLimit(target, 1) <= lastChannel+1:
		return "target-limits"
	case confined(caller, target):
		return "target-confined"
	case trait(target, "filters") > 0:
		return "target-filter"
	case namespace(caller, 0) != namespace(target, 0):
		return "target-user-namespace"
	case namespace(target, 1) != namespace(target, 2):
		return "birth-namespace"
	case shares(flags) && lacks(caller, target, "prm") != 0, hides(caller, target) && sharesFilesAlone(flags):
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

// lastChannel is the highest number of an actor's descriptors (CHANNEL_FD in interp.h).
const lastChannel = 100 + mostActors - 1

// fileLimit is the limit on descriptors, the soft one (0) or the hard one (1).
func fileLimit(v View, which int) uint64 {
	const nofile = 5 // in describe.c's list
	all := strings.Split(v.Get("limits"), ",")
	if len(all) <= nofile {
		return math.MaxUint64
	}
	if both := strings.Split(all[nofile], "/"); which < len(both) {
		return limit(both[which])
	}
	return math.MaxUint64
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

// sharesFilesAlone reports that a child with memory of its own has to have the target's
// descriptors.
func sharesFilesAlone(words []string) bool {
	return classic(words)&(unix.CLONE_VM|unix.CLONE_FILES) == unix.CLONE_FILES
}

// hides reports a caller that may not be dumped, with a target that may.
func hides(caller, target View) bool {
	return caller.Get("dumpable") == "0" && target.Get("dumpable") != "0"
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
