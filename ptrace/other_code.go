// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package ptrace

import "golang.org/x/sys/unix"

// There is no code to inject: see other.go.

const (
	guardArgs = 224
	guardSize = 352
)

type heal int

const (
	healCall heal = iota
	healFork
	healClone
	healExit
)

func (i *Injection) inGuard(Regs) where { return guardLeft }

func guardFor(heal, Regs, uint64) []byte { return nil }

type vdso struct{ syscall, size, spare uint64 }

func ourVDSO() (vdso, error)       { return vdso{}, ErrArch }
func vdsoBase(int) (uint64, error) { return 0, ErrArch }

func (s *Stopped) hasVDSO(uint64, vdso) (bool, error) { return false, ErrArch }

const (
	nativeArch = unix.AUDIT_ARCH_AARCH64
	syscallOff = 0
)

func callOf(Regs) (call [7]uint64) { return call }
func withoutCall(r Regs) Regs      { return r }

func (b *Batch) program() []byte { return nil }
func (b *Batch) execute() error  { return ErrArch }
func (b *Batch) arrive() error   { return ErrArch }
