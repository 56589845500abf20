// SPDX-License-Identifier: Apache-2.0

package emu

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/proc"
)

// What the program leaves behind becomes a child of the next process above that adopts, as
// it would without us. Where this process is that one, as the first of a container, it has
// to reap them: the program would have, in its place.

// adopts reports whether this process is given the orphans of its descendants.
func adopts() bool { return os.Getpid() == 1 || isSubreaper() }

// reapOrphans reaps all children but those that the command itself waits for, until it
// has ended.
func (c *Cmd) reapOrphans() {
	if signal.Ignored(unix.SIGCHLD) {
		return // the kernel does
	}
	died := make(chan os.Signal, 1)
	signal.Notify(died, unix.SIGCHLD)
	defer signal.Stop(died)
	for {
		c.reapOnce()
		select {
		case <-died:
		case <-c.done:
			return
		}
	}
}

func (c *Cmd) reapOnce() {
	self, err := proc.Open(os.Getpid())
	if err != nil {
		return
	}
	defer self.Close()
	children, err := self.Children()
	if err != nil {
		return
	}
	for _, pid := range children {
		if pid != c.first && (c.Witness == nil || pid != c.Witness.Process.Pid) {
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
	}
}
