// SPDX-License-Identifier: Apache-2.0

package main

// callEye is in call_amd64.s.
//
//go:noescape
func callEye(target, dir *byte, options uint64) int64
