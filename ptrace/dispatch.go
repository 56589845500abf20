// SPDX-License-Identifier: Apache-2.0

package ptrace

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// A thread can have its system calls sent back to it as SIGSYS, but for those from one
// range of addresses (Syscall User Dispatch: Wine's programs, interposers). A call that is
// injected while the thread lets none through would be sent to it, and end a program that
// does not know it. The thread says so by a byte of its memory, which it sets to let calls
// through that are its own: in such a one it can be used.

// ErrDispatched says that the tracee would be sent the calls that it is made to make. It
// is an ErrBusy: what the tracee does now is over soon.
var ErrDispatched = fmt.Errorf("%w: its system calls are sent to it (PR_SET_SYSCALL_USER_DISPATCH)", ErrBusy)

const reqDispatchConfig = 0x4211 // PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, since Linux 6.4

// dispatch is struct ptrace_sud_config: calls from [offset, offset+size) pass.
type dispatch struct{ mode, selector, offset, size uint64 }

// checkDispatched is ErrDispatched where an injected call would be sent to the tracee. An
// older kernel does not tell.
func (s *Stopped) checkDispatched(insn uint64) (told bool, err error) {
	var p [32]byte
	err = requestMem("GET_SYSCALL_USER_DISPATCH_CONFIG", reqDispatchConfig, s.TID, uintptr(len(p)), p[:])
	if Gone(err) {
		return false, err
	}
	if err != nil {
		return false, nil
	}
	word := func(i int) uint64 { return binary.NativeEndian.Uint64(p[8*i:]) }
	d := dispatch{word(0), word(1), word(2), word(3)}
	if d.mode == 0 || d.passes(insn) && s.slotPasses(&d) {
		return true, nil
	}
	const allow = 0
	var says [1]byte
	if d.selector != 0 && s.peek(uintptr(d.selector), says[:]) == nil && says[0] == allow {
		return true, nil
	}
	return true, ErrDispatched
}

// passes is what syscall_user_dispatch() asks of an address (kernel/entry).
func (d *dispatch) passes(ip uint64) bool { return ip-d.offset < d.size }

// slotPasses is passes for where injected calls run.
func (s *Stopped) slotPasses(d *dispatch) bool {
	start, all, err := s.slotRoom()
	return err == nil && d.passes(uint64(start)) && d.passes(uint64(start)+uint64(len(all)))
}

// Where it is not told, the first call that is injected shows it: instead of its entry
// there is a SIGSYS, which the tracee never sees. That must not be blocked until then: the
// kernel would reset its handler (force_sig_info_to_task() in kernel/signal.c).

// blocked is the mask under which calls are made.
func (i *Injection) blocked() uint64 {
	if i.untold {
		return blockAll &^ (1 << (uint(unix.SIGSYS) - 1))
	}
	return blockAll
}

// wasSent reports whether the signal that came before a call is that call.
func (i *Injection) wasSent(sig unix.Signal) bool {
	const sysUserDispatch = 2
	if !i.untold || sig != unix.SIGSYS {
		return false
	}
	var si siginfo
	err := requestMem("GETSIGINFO", unix.PTRACE_GETSIGINFO, i.TID, 0, bytesOf(&si))
	return err == nil && si.code == sysUserDispatch
}

// takeBack leaves the tracee in the signal's delivery, as it was stopped: the scope's end
// lets it go without the signal.
func (i *Injection) takeBack() error {
	i.dropLegs()
	i.saved, i.ran = i.plainly(i.stopped), false
	return ErrDispatched
}
