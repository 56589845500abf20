// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"errors"
	"sync"

	"cloneat-emu/emu/transplant"
)

// companies are the processes that share the memory of a caller whose call begins anew
// because of them. They have to be known before the caller is stopped, since a worker
// takes all that it attaches to at once (locks).
type companies struct {
	mu sync.Mutex
	of map[int][]int // by the caller's thread
}

// take is the company that a thread's last attempt has met, once.
func (c *companies) take(tid int) []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.of[tid]
	delete(c.of, tid)
	return found
}

// keep notes it if err tells of one.
func (c *companies) keep(tid int, err error) {
	var met *transplant.Company
	if !errors.As(err, &met) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[int][]int{}
	}
	c.of[tid] = met.Processes
}
