package pidhint

import (
	"runtime"
	"sync"
)

// spareThreads makes sure that the Go runtime has idle threads for whatever
// becomes runnable between the cursor and the clone: a thread that it had to
// make then would get the wanted number, where this process lives in the same
// namespace, and keep it. Goroutines that hold a thread each, all at a time,
// need that many; threads that are idle again are never given back.
func spareThreads() {
	n := runtime.GOMAXPROCS(0) + 8
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
