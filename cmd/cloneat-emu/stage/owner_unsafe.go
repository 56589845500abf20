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

// Own makes tasks that wait for an order end when this process has died. Without it they wait.
func (m *Machine) Own() error {
	began := make(chan error)
	m.owned = make(chan struct{})
	go func(over <-chan struct{}) {
		runtime.LockOSThread() // for good: it is the thread's end that is noted
		began <- m.own()
		<-over
	}(m.owned)
	return <-began
}

func (m *Machine) own() error {
	word := m.word(offOwner)
	list := (*robustList)(unsafe.Pointer(&m.mem[offList]))
	*list = robustList{next: uintptr(unsafe.Pointer(list)), pending: uintptr(unsafe.Pointer(word))}
	_, _, errno := unix.Syscall(unix.SYS_SET_ROBUST_LIST, uintptr(unsafe.Pointer(list)), unsafe.Sizeof(*list), 0)
	if errno != 0 {
		return fmt.Errorf("stage: set_robust_list: %w", errno)
	}
	atomic.StoreUint32(word, uint32(unix.Gettid()))
	futexWake(word)
	return nil
}

// AwaitOwner returns when another process, which was handed the memory, has called Own, or when
// gone says that it never will.
func (m *Machine) AwaitOwner(gone func() bool) bool {
	return awaitChange(m.word(offOwner), 0, gone)
}
