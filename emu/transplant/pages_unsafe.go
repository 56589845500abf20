// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pageRegion is struct page_region of <linux/fs.h>.
type pageRegion struct{ start, end, categories uint64 }

// scanArg is struct pm_scan_arg of <linux/fs.h> (Linux 6.7).
type scanArg struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages       uint64
	categoryInverted, categoryMask, categoryAnyOfMask, returnMask uint64
}

const pagemapScan = 0xc0606610

// scan makes one PAGEMAP_SCAN request and returns how many regions it stored.
func scan(fd int, arg *scanArg, vec []pageRegion) (int, error) {
	arg.size = uint64(unsafe.Sizeof(*arg))
	arg.vec, arg.vecLen = uint64(uintptr(unsafe.Pointer(&vec[0]))), uint64(len(vec))
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), pagemapScan, uintptr(unsafe.Pointer(arg)))
	runtime.KeepAlive(vec)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// addressOf is where p is.
func addressOf[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// words shows p as 64-bit words in the machine's order, for /proc/PID/pagemap.
func words(p []uint64) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(&p[0])), 8*len(p)) }
