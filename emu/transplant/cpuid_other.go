// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package transplant

import "cloneat-emu/ptrace"

// Only x86 has an instruction whose faulting is a thread's attribute.

func askCPUID(*script, *ptrace.Result) {}
func setCPUID(*script, uintptr)        {}
