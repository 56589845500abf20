// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"runtime"

	"cloneat-emu/emu/launch"
)

// Exec becomes the program, without any supervision: for where the call exists already.
// It returns only if that fails. Everything is inherited.
func (c *Cmd) Exec() error {
	if c.err != nil {
		return c.lookupError()
	}
	c.Inherit = true
	spec := &launch.Spec{
		Path: c.Path, Args: c.Args, Env: c.environ(), Dir: c.Dir, Signals: launch.Inherited(),
		Kept: launch.InheritedKept(),
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := spec.Exec()
	return &StartError{Path: c.Path, Errno: errnoOf(err), text: err.Error()}
}
