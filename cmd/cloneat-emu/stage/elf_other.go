// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package stage

// executable has no code for this architecture; [New] says so.
func executable() []byte { return nil }
