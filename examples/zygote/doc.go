// SPDX-License-Identifier: Apache-2.0

// Package zygote is a server in Python whose answers come from clones of itself
// in sandboxes; here are its tests.
package zygote
