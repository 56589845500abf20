// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package ptrace

import (
	"time"

	"golang.org/x/sys/unix"
)

// Supported says whether calls can be injected on this architecture: it takes
// the machine code and the registers of the *_amd64.go files.
const Supported = false

// Here is what those files define, so that everything else compiles. No
// injection gets further than Begin, which fails with ErrArch: what follows it
// (layouts, results) is never reached, and its values mean nothing.

// Regs are the general registers.
type Regs = unix.PtraceRegs

// RseqConfig is a thread's registration with rseq(2).
type RseqConfig struct {
	Pointer   uint64
	Size      uint32
	Signature uint32
	Flags     uint32
}

// Regs fails with ErrArch, as do all requests below.
func (s *Stopped) Regs() (Regs, error) { return Regs{}, ErrArch }

// SetRegs fails.
func (s *Stopped) SetRegs(Regs) error { return ErrArch }

// XState fails.
func (s *Stopped) XState() ([]byte, error) { return nil, ErrArch }

// SetXState fails.
func (s *Stopped) SetXState([]byte) error { return ErrArch }

// Rseq fails.
func (s *Stopped) Rseq() (RseqConfig, error) { return RseqConfig{}, ErrArch }

// FindRseq fails.
func (i *Injection) FindRseq() (RseqConfig, error) { return RseqConfig{}, ErrArch }

func check64(int, Regs) error                              { return ErrArch }
func (s *Stopped) syscallInsn(Regs) (uint64, error)        { return 0, ErrArch }
func (s *Stopped) leaveCriticalSection(Regs) (Regs, error) { return Regs{}, ErrArch }
func (s *Stopped) goOn(r Regs) Regs                        { return r }
func (s *Stopped) plainly(r Regs) Regs                     { return r }
func keepsMask(Regs) bool                                  { return false }

func mayRestartAfresh([]byte) bool                      { return false }
func procSyscall(Regs) []byte                           { return nil }
func isLeg([]byte) bool                                 { return false }
func isAnnex([]byte) bool                               { return false }
func annexOf([]byte) uintptr                            { return 0 }
func (s *Stopped) legIsOver(uintptr, []byte, Regs) bool { return false }
func (s *Stopped) catches(unix.Signal) bool             { return false }
func (s *Stopped) dropLegs()                            {}

// Due is never.
func (s *Stopped) Due() time.Time { return s.due }

// InLeg is never true.
func InLeg(int) bool { return false }

// Disturbed cannot tell.
func Disturbed(Regs) bool { return false }

// InSyscall cannot tell.
func InSyscall(Regs) (nr int, in bool) { return 0, false }

// CallArgs cannot tell.
func CallArgs(Regs) (args [3]uint64) { return args }

// Restarts cannot tell.
func Restarts(Regs) bool { return false }

// WithResult changes nothing, as do the other changes of registers.
func WithResult(r Regs, _ int64) Regs { return r }

// WithStackOf changes nothing.
func WithStackOf(r, _ Regs) Regs { return r }

// Stack is nowhere.
func Stack(Regs) uint64 { return 0 }

// WithStack changes nothing.
func WithStack(r Regs, _ uint64) Regs { return r }

// WithTLS changes nothing.
func WithTLS(r Regs, _ uint64) Regs { return r }

// AfterSyscall changes nothing.
func AfterSyscall(r Regs) Regs { return r }

// KeepFromEINTR changes nothing.
func KeepFromEINTR(r Regs) Regs { return r }

func restarted(r Regs) Regs                                 { return r }
func behind(r Regs, _ uint64) Regs                          { return r }
func forCall(r Regs, _ uint64, _ uintptr, _ []uintptr) Regs { return r }
func returned(Regs) int64                                   { return 0 }
func withoutArguments(uintptr, []uintptr) (uintptr, bool)   { return 0, false }
func (i *Injection) atOwnInsn() bool                        { return false }
func outcome(Regs) (uintptr, error)                         { return 0, ErrArch }
