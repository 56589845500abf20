// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo terminal of the container, and what moves data between
// it and ours.
type terminal struct {
	master, slave *os.File
	outer         *os.File // our own terminal, nil if none
	saved         []savedMode
	resized       chan os.Signal
	over          *os.File   // closed at the command's end
	output        chan error // of the copier of the command's output
}

// newTerminal takes a terminal from the container's devpts, so that its name is
// true in there; from ours where the container has none.
func newTerminal(root *os.File) (*terminal, error) {
	master, err := openIn(root, "dev/ptmx", unix.O_RDWR|unix.O_NOCTTY)
	if err != nil {
		master, err = os.OpenFile("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	fd := int(master.Fd()) // also makes it blocking
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		_ = master.Close()
		return nil, fmt.Errorf("terminal: ioctl(TIOCSPTLCK): %w", err)
	}
	// By descriptor, not by name: the name means something else out here.
	slave, err := peer(fd)
	if err != nil {
		_ = master.Close()
		return nil, fmt.Errorf("terminal: ioctl(TIOCGPTPEER): %w", err)
	}
	return openTerminal(master, os.NewFile(uintptr(slave), "slave")), nil
}

// openTerminal is a terminal of which the two ends are open already.
func openTerminal(master, slave *os.File) *terminal {
	t := &terminal{master: master, slave: slave}
	for _, f := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
			t.outer = f
			break
		}
	}
	return t
}

// begin makes our terminal raw as far as it is used and moves data and sizes until [terminal.end].
func (t *terminal) begin(interactive bool) error {
	signal.Ignore(unix.SIGPIPE) // who reads our output may leave: see show
	t.resize()
	t.resized = make(chan os.Signal, 1)
	signal.Notify(t.resized, unix.SIGWINCH)
	go func() {
		for range t.resized {
			t.resize()
		}
	}()
	if ours(os.Stdout) { // to show something in the background is nobody's business
		if err := t.alter(os.Stdout, rawOutput); err != nil {
			return err
		}
	}
	if interactive { // in the background that waits for fg
		if err := t.alter(os.Stdin, rawInput); err != nil {
			return err
		}
		go t.input()
	}
	ended, over, err := os.Pipe()
	if err != nil {
		return err
	}
	t.over, t.output = over, make(chan error, 1)
	go func() {
		defer ended.Close()
		t.output <- t.show(os.Stdout, ended)
	}()
	return nil
}

// mostPending is more than a terminal holds of what nobody has read.
const mostPending = 1 << 20

// show copies what appears on the terminal until ended is at its end, and then what was there
// already: others may have the terminal open, and write on. A poll finds all that was written
// before it (n_tty_poll() flushes). That nobody has it open says nothing, a command can open it
// again; so we keep our side. Where the output cannot be written the terminal is hung up, as if
// its window had been closed.
func (t *terminal) show(to io.Writer, ended *os.File) error {
	fds := []unix.PollFd{{Fd: int32(t.master.Fd()), Events: unix.POLLIN}, {Fd: int32(ended.Fd()), Events: unix.POLLIN}}
	buf := make([]byte, 32<<10)
	for timeout, rest := -1, mostPending; rest > 0; {
		if _, err := unix.Poll(fds, timeout); err == unix.EINTR {
			continue
		} else if err != nil {
			return err
		}
		if timeout < 0 && fds[1].Revents != 0 {
			fds, timeout = fds[:1], 0
			continue
		}
		if fds[0].Revents == 0 && timeout == 0 {
			return nil
		}
		if fds[0].Revents == 0 {
			continue
		}
		n, err := t.master.Read(buf)
		if n == 0 && err != nil {
			return nil
		}
		if timeout == 0 {
			rest -= n
		}
		if _, err := to.Write(buf[:n]); err != nil {
			_ = t.master.Close()
			return err
		}
	}
	return nil
}

// resize gives the command's terminal the size of ours.
func (t *terminal) resize() {
	if t.outer == nil {
		return
	}
	if ws, err := unix.IoctlGetWinsize(int(t.outer.Fd()), unix.TIOCGWINSZ); err == nil {
		_ = unix.IoctlSetWinsize(int(t.master.Fd()), unix.TIOCSWINSZ, ws)
	}
}

// input copies what is typed. At the end of a file the command is told so the
// way a terminal does, by the character for it: behind a line that has not ended the first one
// ends that alone.
func (t *terminal) input() {
	_, _ = io.Copy(t.master, os.Stdin)
	_, _ = t.master.Write([]byte{4, 4})
}

// key types the key of a signal on the command's terminal, whichever it is there: what it
// comes to is then the command's affair.
func (t *terminal) key(sig unix.Signal) {
	inner, err := unix.IoctlGetTermios(int(t.master.Fd()), unix.TCGETS) // the slave's
	if err != nil {
		return
	}
	key := unix.VINTR
	if sig == unix.SIGQUIT {
		key = unix.VQUIT
	}
	_, _ = t.master.Write(inner.Cc[key : key+1])
}

// end shows the command's last output and puts our terminal back. The end of a session's
// leader hangs up no pseudo terminal (disassociate_ctty() in drivers/tty/tty_jobctrl.c), and a
// stage of ours or what the command left running may have it open.
func (t *terminal) end() {
	if t.output != nil {
		_ = t.over.Close()
		<-t.output
	}
	t.abandon()
}

// abandon puts everything back without waiting.
func (t *terminal) abandon() {
	if t.resized != nil {
		signal.Stop(t.resized)
		close(t.resized)
	}
	t.restore()
	_ = t.slave.Close()
	_ = t.master.Close()
}
