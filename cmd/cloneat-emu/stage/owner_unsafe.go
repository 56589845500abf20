// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Who gives the orders can be killed, and tasks that wait for the next one would wait for ever, in
// whatever namespace they are. The kernel notes a thread's death in a futex of its robust list
// (exit_robust_list() in kernel/futex/core.c), here in the shared memory, which needs no descriptor
// and no number that both sides know.

// Offsets in the first slot: the futex, asm/stage_amd64.S, and our struct robust_list_head.
const (
	offOwner = 88
	offList  = 96
)

// robustList is struct robust_list_head of an empty list, and of a futex that is about to be taken
// or given back.
type robustList struct {
	next    uintptr
	offset  int
	pending uintptr
}

// diedBit is FUTEX_OWNER_DIED.
const diedBit = 1 << 30

// Own makes tasks that wait for an order end when this process has died, or closes the machine.
// Without it they wait.
func (m *Machine) Own() error {
	began := make(chan error)
	m.owned, m.left = make(chan struct{}), make(chan struct{})
	go func() {
		runtime.LockOSThread() // for good: it is the thread's end that is noted
		began <- m.own()
		<-m.owned
		m.leave()
		close(m.left)
	}()
	return <-began
}

func (m *Machine) own() error {
	word := m.word(offOwner)
	list := (*robustList)(unsafe.Pointer(&m.mem[offList]))
	*list = robustList{next: uintptr(unsafe.Pointer(list)), pending: uintptr(unsafe.Pointer(word))}
	if err := setRobustList(list); err != nil {
		return err
	}
	atomic.StoreUint32(word, uint32(unix.Gettid()))
	futexWake(word)
	return nil
}

// leave notes what the kernel would have noted. The thread may be the process's first one, which
// the Go runtime does not end, or end when the memory is another's.
func (m *Machine) leave() {
	atomic.OrUint32(m.word(offOwner), diedBit)
	_ = setRobustList(nil)
}

func setRobustList(list *robustList) error {
	_, _, errno := unix.Syscall(unix.SYS_SET_ROBUST_LIST, uintptr(unsafe.Pointer(list)), unsafe.Sizeof(*list), 0)
	if errno != 0 {
		return fmt.Errorf("stage: set_robust_list: %w", errno)
	}
	return nil
}

// disown ends tasks that wait for an order, if they had an owner.
func (m *Machine) disown() {
	if m.owned != nil {
		close(m.owned)
		<-m.left
		m.owned = nil
	}
}

// AwaitOwner returns when another process, which was handed the memory, has called Own, or when
// gone says that it never will.
func (m *Machine) AwaitOwner(gone func() bool) bool {
	return awaitChange(m.word(offOwner), 0, gone)
}
