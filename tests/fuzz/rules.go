// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"slices"
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
	caller, child, target := words[2], words[3], d.thread(words[4])
	if d.Emu.Result == "EBUSY" && (d.World[caller].inVfork() || d.World[target].inVfork()) {
		return "traced"
	}
	_, born := d.Native.Seen[child]
	switch {
	case d.Emu.Result == "EOPNOTSUPP" && (born || slices.Contains(late, d.Native.Result)):
		return unsupported(d.Told[caller], d.Told[target], words[6:])
	case d.Emu.Result == "ENOMEM" && born && d.World[target].sharesMemory(d.World[caller], caller, target) && fileLimit(d.World[caller], 0) < 32:
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
		{"fork-alone", trait(d.Told[caller], "schedflags") != 0, []string{"slack="}},
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

// thread returns the actor that is the target thread: another than the leader, if that
// is dead.
func (d *Difference) thread(leader string) string {
	if !d.World[leader].has("zombie") {
		return leader
	}
	for _, name := range slices.Sorted(maps.Keys(d.World)) {
		if v := d.World[name]; v.Get("thread-of") == leader && !v.has("zombie") {
			return name
		}
	}
	return leader
}

// differ reports that two actors tell of another trait.
func (d *Difference) differ(a, b, name string) bool {
	return trait(d.Told[a], name) != trait(d.Told[b], name)
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
