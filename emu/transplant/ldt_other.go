// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package transplant

import "cloneat-emu/ptrace"

type ldt struct{}

func askLDT(*script, *ptrace.Result) {}

func readLDT(*script, *answers) (ldt, error) { return ldt{}, nil }

func (b *build) setLDT() error { return nil }
