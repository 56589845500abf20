// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// pass hands a signal that was sent to us on to the command. Those of a terminal's keys reach a
// command in our process group by themselves; one that has a terminal of its own gets the key.
func (r *run) pass(pidfd *os.File, sig unix.Signal) {
	if sig != unix.SIGINT && sig != unix.SIGQUIT {
		// The command may have ended: that is for await to tell.
		_ = unix.PidfdSendSignal(int(pidfd.Fd()), sig, nil, 0)
	} else if r.tty != nil {
		r.tty.key(sig)
	}
}

// relay begins to pass on the signals that are sent to us, until stop is called.
type relay func(pass func(unix.Signal)) (stop func())

// heed keeps the signals to this process from now on, for the relay.
func heed() relay {
	c := make(chan os.Signal, 8)
	signal.Notify(c, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGINT, unix.SIGQUIT)
	return func(pass func(unix.Signal)) func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for s := range c {
				pass(s.(unix.Signal))
			}
		}()
		return func() {
			signal.Stop(c)
			close(c)
			<-done
		}
	}
}
