// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// forward hands signals that are sent to us on to the command, until stop is
// called. Those of a terminal's keys reach the command by themselves, as it is in
// our process group; we only must not die of them.
func forward(pidfd *os.File) (stop func()) {
	c := make(chan os.Signal, 8)
	signal.Notify(c, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGINT, unix.SIGQUIT)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := range c {
			if s != unix.SIGINT && s != unix.SIGQUIT {
				// The command may have ended: that is for await to tell.
				_ = unix.PidfdSendSignal(int(pidfd.Fd()), s.(unix.Signal), nil, 0)
			}
		}
	}()
	return func() {
		signal.Stop(c)
		close(c)
		<-done
	}
}
