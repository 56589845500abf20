// SPDX-License-Identifier: Apache-2.0

// Package security attacks the supervisor (testdata/attack.c), and holds
// docs/security.md to the tests that it names.
package security
