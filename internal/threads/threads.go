// SPDX-License-Identifier: Apache-2.0

// Package threads keeps the Go runtime from having to make a thread where the kernel lets
// it have none: it gives up then ("failed to create new OS thread"), and with it the
// process. A program that fills its container (pids.max) or its user's limit
// (RLIMIT_NPROC) would end its supervisor so.
//
// What the runtime has made once it keeps, idle, until it needs one; but a goroutine that
// ends on a thread that it has locked ends the thread. So a process makes all that it is
// going to need when it begins (Reserve), asks before it takes more (Room), and makes up
// for those that ended (Renew).
//
// All functions may be called from any goroutine.
package threads

import (
	"runtime"
	"sync"
	"sync/atomic"
)

var reserved atomic.Int32

// Reserve makes sure that the runtime has n idle threads.
func Reserve(n int) {
	reserved.Store(int32(n))
	Spare(n)
}

// Few is Reserve for a process that has little to do.
func Few() {
	const procs, spare = 2, 4
	runtime.GOMAXPROCS(min(procs, runtime.GOMAXPROCS(0)))
	Reserve(spare)
}

// Renew is for when a thread has ended: Reserve again, if there is room.
func Renew() {
	if n := int(reserved.Load()); n > 0 && Room() {
		Spare(n)
	}
}

// Spare makes n idle threads, for now: goroutines that hold a thread each, all at a time,
// need that many.
func Spare(n int) {
	var held, done sync.WaitGroup
	held.Add(n)
	for range n {
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			held.Done()
			held.Wait()
		})
	}
	done.Wait()
}
