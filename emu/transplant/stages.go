// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// A stage of the rebuilding, named for errors.
type stage struct {
	name string
	do   func() error
	// asked: it does what the call asks for, and what the kernel says to that is the
	// caller's to know.
	asked bool
}

// refused is a stage's error. A right that C lacks is no fault of the caller's: the
// call has the errors of fork(2), which asks for none.
func (s stage) refused(err error) error {
	if !s.asked && !ptrace.Gone(err) && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)) {
		return &Unsupported{Cause: fmt.Sprintf("the target's child has no right to something of the caller's: %v", err)}
	}
	return err
}

// stages are all of them, in order; see the package comment for what decides it.
func (b *build) stages() []stage {
	all := []stage{
		{name: "looking at the child", do: b.look},
		// Before C does anything, which it could not if the target's were frozen; before memory, which
		// is charged there, and a new cgroup namespace, whose root it is.
		{name: "control groups", do: b.setCgroups},
		{name: "injection", do: b.begin},
		{name: "stage", do: b.openStage},
		{name: "attributes", do: b.askAttrs},
		{name: "comparison", do: b.compare}, // while C answers
		{name: "attributes", do: b.readAttrs},
		{name: "check", do: b.check},
		{name: "seccomp", do: b.checkFilters},
		{name: "rights", do: b.climb},
		{name: "limits", do: b.relaxLimits},
		{name: "limits", do: b.checkLimits},
		{name: "channel", do: b.openChannel},
		{name: "security label", do: b.setLabel},
		{name: "auditing", do: b.setLoginUID},
		{name: "confinement", do: b.checkConfined},
		{name: "time namespace", do: b.joinTime},
		{name: "ports", do: b.setPorts},
		{name: "control groups", do: b.checkRoom},
		{name: "personality", do: b.startPersonality},
		{name: "helper", do: b.takeHand},
	}
	all = append(all, b.memoryStages()...)
	all = append(all, stage{name: "directories", do: b.setPlace}, stage{name: "helper", do: b.dropHand})
	// C is busy with its memory, and is left alone until there is no way around it.
	return append(all, []stage{
		{name: "caller's settings", do: b.snap.takeSettings},
		{name: "attributes", do: b.setAttrs},
		{name: "name", do: b.setName},
		{name: "new namespaces", do: b.unshare, asked: true},
		{name: "descriptors", do: b.setFDs},
		{name: "processors", do: b.setAffinity},
		{name: "caller's threads", do: b.release},
		{name: "personality", do: b.setPersonality},
		{name: "scheduling", do: b.setScheduling},
		{name: "timer slack", do: b.setSlack},
		{name: "core dumps", do: b.setDumpFilter},
		{name: "dispositions", do: b.setActions},
		{name: "alternate stack", do: b.setAltStack},
		{name: "processor features", do: b.setXcomp},
		{name: "limits", do: b.setLimits},
		{name: "seccomp", do: b.setFilters},
		{name: "credentials", do: b.setCreds},
		{name: "session keyring", do: b.checkKeyring},
		{name: "last settings", do: b.setLast},
		{name: "last calls", do: b.lastCalls},
		{name: "memory shortage", do: b.setOOMAdj},
		{name: "leaving the stage", do: b.leaveStage},
		{name: "registers", do: b.setRegisters},
	}...)
}

func (b *build) memoryStages() []stage {
	all := []stage{
		{name: "memory shortage", do: b.goFirst},
		{name: "clearing memory", do: b.clearMemory},
		{name: "surplus", do: b.dropSurplus},
		{name: "layout", do: b.setLayout},
		{name: "protection keys", do: b.openKeys},
		{name: "mappings", do: b.makeMaps},
		{name: "layout", do: b.setFields},
		{name: "System V memory", do: b.makeShm},
		{name: "contents", do: b.fillContents},
		{name: "protections", do: b.finishMaps},
		{name: "protection keys", do: b.closeKeys},
		{name: "seals", do: b.sealMaps},
	}
	for i := range all {
		do := all[i].do
		all[i].do = func() error {
			if b.opt.keepsMemory() {
				return nil
			}
			return do()
		}
	}
	return all
}
