// SPDX-License-Identifier: Apache-2.0

package emu

// onStep, if set, is called at every named step of every call, with what the command
// was told to do there (Config.fault). Only this package's tests set it, in the executable
// that is front and operator at once: they let the operator die at each.
var onStep func(step, fault string)

// step marks a place where the operator's death would find things half done.
func (c *call) step(name string) {
	if onStep != nil {
		onStep(name, c.s.cfg.fault)
	}
}

// helperForked is a step that few calls come to (lend.go in package transplant).
const helperForked = "helper forked"
