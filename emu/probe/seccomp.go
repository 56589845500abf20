// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu/launch"
	"cloneat-emu/emu/listen"
)

// seccompProbe is a thread of ours under the real filter, waiting in a real call.
type seccompProbe struct {
	listener int
	got      listen.Features
	err      error // of installing the filter
	call     listen.Notification
	recvErr  error
	result   <-chan unix.Errno
}

// newSeccompProbe starts the thread, which ends with its call.
func newSeccompProbe() *seccompProbe {
	p := &seccompProbe{listener: -1, err: launch.Answered()}
	if p.err != nil { // whoever answers might kill us for the call
		return p
	}
	p.listener, p.got, p.result, p.err = listen.CallBehind()
	if p.err == nil {
		p.call, p.recvErr = listen.RecvWhileUsed(p.listener)
	}
	return p
}

func (p *seccompProbe) end() {
	if p.listener >= 0 {
		unix.Close(p.listener)
	}
}

func (p *seccompProbe) probes() []probe {
	return []probe{
		{"seccomp listener", "everything", "nothing: the call cannot be intercepted", func() (string, error) {
			if p.err == nil && p.got.NoNewPrivs {
				return "costs no_new_privs: set-user-ID programs have no effect below", nil
			}
			return "", p.err
		}},
		{"WAIT_KILLABLE_RECV", "calls that no signal interrupts once they were taken", "interrupted calls are restarted", func() (string, error) {
			if p.err == nil && !p.got.WaitKillable {
				return "", fmt.Errorf("%w: Linux 5.19 has it", errNo)
			}
			return "", p.needsListener()
		}},
		{"NOTIF_ADDFD", "handing files to a process that cannot name their owner", "pidfd_getfd and inherited files", p.addfd},
		{"notification", "everything", "nothing", p.answer}, // last: it ends the call
	}
}

// needsListener is why a probe cannot be tried without one.
func (p *seccompProbe) needsListener() error {
	if p.err != nil {
		return unknown(errors.New("no listener"))
	}
	return p.recvErr
}

// addfd puts a descriptor into the waiting thread, that is, into ourselves.
func (p *seccompProbe) addfd() (string, error) {
	if err := p.needsListener(); err != nil {
		return "", err
	}
	fd, err := addFD(p.listener, p.call.ID, p.listener)
	if err != nil {
		return "", fmt.Errorf("ioctl(SECCOMP_IOCTL_NOTIF_ADDFD): %w", err)
	}
	return "", unix.Close(fd)
}

// answer lets the call return an error that no kernel gives.
func (p *seccompProbe) answer() (string, error) {
	if err := p.needsListener(); err != nil {
		return "", err
	}
	if err := listen.Send(p.listener, p.call.ID, 0, unix.EXFULL); err != nil {
		return "", err
	}
	if got := <-p.result; got != unix.EXFULL {
		return "", fmt.Errorf("%w: the call returned %v", errNo, got)
	}
	return "", nil
}
