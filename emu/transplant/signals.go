// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct of rt_sigaction(2) on x86-64: handler,
// flags, restorer, mask.
type sigaction [sigactionSize]byte

// stackT is stack_t: base, flags, (padding), size.
type stackT [stackTSize]byte

const (
	sigactionSize = 32
	stackTSize    = 24
	ssOnStack     = 1
	ssDisable     = 2
	sigIgn        = 1
	sigDfl        = 0
)

func (a sigaction) handler() uint64 { return binary.LittleEndian.Uint64(a[:]) }

// ignored reports whether the caller ignores the signal.
func (a sigaction) ignored() bool { return a.handler() == sigIgn }

// childActions are the dispositions of the child: the caller's, or with
// CLONE_CLEAR_SIGHAND the default for all that is not ignored (kernel:
// flush_signal_handlers() with force_default 0).
func (s *Snapshot) childActions(clear bool) [numSignals]sigaction {
	actions := s.own.actions
	if clear {
		for i := range actions {
			if !actions[i].ignored() {
				actions[i] = sigaction{}
			} else {
				actions[i] = sigaction{sigIgn}
			}
		}
	}
	return actions
}

// setActions gives C the dispositions, all 64 at once: C's own are the
// target's. SIGTRAP is left out; see setTrapAction.
func (b *build) setActions() error {
	if b.opt.ShareSighand {
		return nil
	}
	actions := b.snap.childActions(b.opt.ClearSighand)
	var all []byte
	for _, a := range actions {
		all = append(all, a[:]...)
	}
	b.script.room(numSignals, len(all))
	at := b.script.data(all)
	for sig := uintptr(1); sig <= numSignals; sig++ {
		if sig == uintptr(unix.SIGKILL) || sig == uintptr(unix.SIGSTOP) || sig == uintptr(unix.SIGTRAP) {
			continue
		}
		b.script.add("rt_sigaction", uint64(sig), unix.SYS_RT_SIGACTION, sig, at+(sig-1)*sigactionSize, 0, 8)
	}
	return nil
}

// queueTrapAction is the last call of the last batch but the one that ends it:
// where SIGTRAP is ignored, a batch's int3 would reset it, and the disposition
// is set by a single call (finish).
func (b *build) queueTrapAction() {
	if b.opt.ShareSighand {
		return
	}
	a := b.snap.childActions(b.opt.ClearSighand)[unix.SIGTRAP-1]
	at := b.script.data(a[:])
	b.script.add("rt_sigaction", uint64(unix.SIGTRAP), unix.SYS_RT_SIGACTION, uintptr(unix.SIGTRAP), at, 0, 8)
}

// setAltStack gives C the caller's alternate stack. Like clone(2), a child that
// shares the caller's memory without CLONE_VFORK starts without one (kernel:
// copy_process, sas_ss_reset).
func (b *build) setAltStack() error {
	st := b.snap.own.altstack
	flags := binary.LittleEndian.Uint32(st[8:]) &^ ssOnStack
	if b.opt.ClearAltStack {
		st, flags = stackT{}, ssDisable
	}
	binary.LittleEndian.PutUint32(st[8:], flags)
	b.script.room(1, len(st))
	b.script.add("sigaltstack", 0, unix.SYS_SIGALTSTACK, b.script.data(st[:]), 0)
	return nil
}
