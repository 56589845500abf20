// SPDX-License-Identifier: Apache-2.0

// Package prototype tests the calls that are emulated besides cloneat: those that
// docs/prototype.md carries as examples of how one is added.
package prototype
