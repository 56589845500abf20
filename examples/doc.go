// SPDX-License-Identifier: Apache-2.0

// Package examples holds programs that use cloneat from C, Python and Go, the
// demo, and the tests that run them, and README's text, under the emulator.
package examples
