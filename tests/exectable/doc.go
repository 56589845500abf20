// SPDX-License-Identifier: Apache-2.0

// Package exectable produces the table of docs/exec.md, in which cloneat-emu exec
// stands beside the tools that enter a container otherwise. Every cell is looked
// at on a running container of that tool; the test fails if the document says
// something else. A tool that is not installed, or whose container does not start
// on this machine, is skipped with its reason.
//
//	go test ./tests/exectable                the cells
//	go test ./tests/exectable -measure       also the start latencies, printed
//
// The packages: util-linux runc podman lxc, installed by tests/exectable/install.
package exectable
