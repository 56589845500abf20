// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// load maps the code at the eye's address.
func load(code []byte) error {
	const flags = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_FIXED_NOREPLACE
	const prot = unix.PROT_READ | unix.PROT_WRITE | unix.PROT_EXEC
	at, _, errno := unix.Syscall6(unix.SYS_MMAP, eyeBase, eyeSize, prot, flags, ^uintptr(0), 0)
	if errno != 0 || at != eyeBase {
		return fmt.Errorf("mmap at %#x: %w", eyeBase, errno)
	}
	mem, err := os.OpenFile("/proc/self/mem", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer mem.Close()
	_, err = mem.WriteAt(code, eyeBase)
	return err
}

// look runs the eye, which has its own stack.
func look(target, dir string, options uint64) int64 {
	t, d := append([]byte(target), 0), append([]byte(dir), 0)
	return callEye(&t[0], &d[0], options)
}
