// SPDX-License-Identifier: Apache-2.0

// Package bystanders runs what nobody here wrote, natively and under the
// supervisor, and demands the same verdicts, test by test: a program that never
// calls cloneat must not notice that somebody could.
//
//   - suites (suite.go): the Go distribution's own tests of packages syscall, os,
//     os/exec and os/signal, and the kernel's selftests, each with a parser of its
//     output (verdicts.go);
//   - sessions (testdata/sessions): shell scripts that use gdb, strace, sudo,
//     set-user-ID programs, containers, make; each line that they print is a verdict.
//
// A verdict that differs between two native runs is no evidence, and is left out.
// What a seccomp filter with a listener makes impossible is in expected.txt, with its
// reason; an entry that does not differ any more fails as well.
//
// go test runs a fast part. All of it, after what it needs was installed, is
// make bystanders; CLONEAT_SELFTESTS names the folder of the kernel's selftests,
// built, and chooses it.
package bystanders
