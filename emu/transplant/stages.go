package transplant

// A stage of the rebuilding, named for errors.
type stage struct {
	name string
	do   func() error
}

// stages are all of them, in order; see the package comment for what decides it.
func (b *build) stages() []stage {
	all := []stage{
		{"looking at the child", b.look},
		{"injection", b.begin},
		{"stage", b.openStage},
		{"attributes", b.askAttrs},
		{"comparison", b.compare}, // while C answers
		{"attributes", b.readAttrs},
		{"check", b.check},
		{"seccomp", b.checkFilters},
		{"rights", b.climb},
		{"limits", b.relaxLimits},
		{"limits", b.checkLimits},
		{"channel", b.openChannel},
		{"security label", b.setLabel},
		{"confinement", b.checkConfined},
		{"time namespace", b.joinTime},
		{"ports", b.setPorts},
	}
	all = append(all, b.memoryStages()...)
	// C is busy with its memory, and is left alone until there is no way around it.
	return append(all, []stage{
		{"caller's settings", b.snap.takeSettings},
		{"attributes", b.setAttrs},
		{"name", b.setName},
		{"directories", b.setPlace},
		{"control groups", b.setCgroups}, // before a cgroup namespace, whose root it is
		{"control groups", b.checkRoom},
		{"new namespaces", b.unshare},
		{"process group", b.setGroup},
		{"descriptors", b.setFDs},
		{"caller's threads", b.release},
		{"personality", b.setPersonality},
		{"scheduling", b.setScheduling},
		{"knobs", b.setKnobs},
		{"dispositions", b.setActions},
		{"alternate stack", b.setAltStack},
		{"limits", b.setLimits},
		{"seccomp", b.setFilters},
		{"credentials", b.setCreds},
		{"session keyring", b.checkKeyring},
		{"last settings", b.setLast},
		{"last calls", b.lastCalls},
		{"leaving the stage", b.leaveStage},
		{"child's number", b.storeTID},
		{"registers", b.setRegisters},
	}...)
}

func (b *build) memoryStages() []stage {
	all := []stage{
		{"personality", b.startPersonality},
		{"clearing memory", b.clearMemory},
		{"surplus", b.dropSurplus},
		{"layout", b.setLayout},
		{"protection keys", b.openKeys},
		{"mappings", b.makeMaps},
		{"System V memory", b.makeShm},
		{"contents", b.fillContents},
		{"protections", b.finishMaps},
		{"protection keys", b.closeKeys},
		{"seals", b.sealMaps},
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
