// SPDX-License-Identifier: Apache-2.0

// Package conform runs the conformance programs of kernel/selftests/cloneat and lines
// up what they say under different implementations.
//
// A program is run once for all its checks. Where it falls silent or ends too early,
// the check that was under way has failed, and the program is started again for the
// rest: one bad check never hides another.
package conform
