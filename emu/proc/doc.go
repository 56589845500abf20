// SPDX-License-Identifier: Apache-2.0

// Package proc reads what the kernel tells about a process under /proc.
//
// A [Dir] is a directory of /proc that is held open. It stands for one process
// or thread and never for another that got the same number later: the kernel
// ties the directory to the struct pid, and every read through it after the
// task was reaped fails. That failure is the [GoneError], a normal answer that
// callers expect at every request.
//
//	pidfd := pidfd_open(n)         the order in which a number that one was
//	dir   := proc.Open(n)          given becomes a process: if the pidfd is
//	pidfd_send_signal(pidfd, 0)    alive now, both mean the same one
//
// Parsers take bytes and are separate from the readers, so that they can be
// tested with what a hostile program can put into its name or its paths.
//
// A Dir may be used by several goroutines; only Close needs to be alone.
package proc
