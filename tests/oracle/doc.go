// SPDX-License-Identifier: Apache-2.0

// Command oracle asks whether a child of cloneat is what fork would have made.
//
// A caller gets itself into rich state (eye/rich_*.c), makes one child by fork(2) and
// one by cloneat(2), lets either write down everything that it can see of itself
// (eye/look_*.c), and prints where the two differ. fork's own manual needs no
// interpreter here: what fork hands down is what the first child has. The clone has the
// target for a parent and the target's namespaces; what follows from that is in
// rules.go. Everything else must be equal, key by key.
//
//	caller ─┬─ child by fork ──────────────────► text ─┐
//	        └─ target ─── child by cloneat ────► text ─┴─► lines that differ ─► rules
//
// That is a cell. The grid (grid.go) has one for each caller and target that make
// sense together. It runs under the emulator, where differences of the manual page
// may show, and on the patched kernels, where none may, or the oracle is wrong.
//
//	oracle [--kernel 6.1,6.12] [--native] [--full] [--programs DIR] [--callers NAME]...
//
// The eye is one flat image for any caller: eye/eye.h.
package main
