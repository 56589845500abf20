// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// load maps the code at the eye's address.
func load(code []byte) error {
	const flags = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED_NOREPLACE
	const prot = unix.PROT_READ | unix.PROT_WRITE | unix.PROT_EXEC
	at, err := unix.MmapPtr(-1, 0, unsafe.Pointer(uintptr(eyeBase)), eyeSize, prot, flags)
	if err != nil || uintptr(at) != eyeBase {
		return fmt.Errorf("mmap at %#x: %w", eyeBase, err)
	}
	copy(unsafe.Slice((*byte)(at), eyeSize), code)
	return nil
}

// look runs the eye, which has its own stack.
func look(target, dir string, options uint64) int64 {
	t, d := append([]byte(target), 0), append([]byte(dir), 0)
	return callEye(&t[0], &d[0], options)
}

// callEye is in call_amd64.s.
//
//go:noescape
func callEye(target, dir *byte, options uint64) int64
