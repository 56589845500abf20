// SPDX-License-Identifier: Apache-2.0

// Package listen owns the seccomp filter through which system call 511 reaches
// the supervisor, and the notifications that come out of it.
//
// The filter answers SECCOMP_RET_USER_NOTIF for number 511 of the native
// architecture and ALLOW for everything else, and reads nothing but the number
// and the architecture. That is what lets the kernel put the answers into a
// bitmap (seccomp_cache_prepare() in kernel/seccomp.c) and never run the filter
// for the other calls. The i386 and x32 entries are allowed too, so that the
// kernel itself answers ENOSYS.
//
// Install changes the calling OS THREAD only (no TSYNC): the thread that execs
// the program takes the filter along, the others die in the exec. It must
// therefore be locked to its goroutine. Everything else here may be called from
// any thread; several threads may receive from one listener.
//
// A listener outlives the processes that use the filter: it then polls as
// hung up, which is how a server learns that nobody is left to serve.
package listen
