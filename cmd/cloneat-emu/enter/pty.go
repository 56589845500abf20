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
	saved         *unix.Termios
	resized       chan os.Signal
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

// begin makes our terminal raw and moves data and sizes until [terminal.end].
func (t *terminal) begin(interactive bool) error {
	_ = t.slave.Close() // the command has it, and its end is to be seen
	t.resize()
	t.resized = make(chan os.Signal, 1)
	signal.Notify(t.resized, unix.SIGWINCH)
	go func() {
		for range t.resized {
			t.resize()
		}
	}()
	if interactive {
		if err := t.raw(); err != nil {
			return err
		}
		go t.input()
	}
	t.output = make(chan error, 1)
	go func() {
		_, err := io.Copy(os.Stdout, t.master)
		t.output <- err
	}()
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
// way a terminal does, by the character for it.
func (t *terminal) input() {
	_, _ = io.Copy(t.master, os.Stdin)
	_, _ = t.master.Write([]byte{4})
}

// raw makes our terminal pass on every key: cfmakeraw(3).
func (t *terminal) raw() error {
	fd := int(os.Stdin.Fd())
	saved, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil // not a terminal: nothing to do
	}
	raw := *saved
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &raw); err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	t.saved = saved
	return nil
}

// end waits for the last output and puts our terminal back. The command led
// the terminal's session, so that its end hung the terminal up, and reading it
// ends, even if somebody still has it open.
func (t *terminal) end() {
	if t.output != nil {
		<-t.output // EIO is the hang-up
	}
	t.abandon()
}

// abandon puts everything back without waiting.
func (t *terminal) abandon() {
	if t.resized != nil {
		signal.Stop(t.resized)
		close(t.resized)
	}
	if t.saved != nil {
		_ = unix.IoctlSetTermios(int(os.Stdin.Fd()), unix.TCSETS, t.saved)
	}
	_ = t.slave.Close()
	_ = t.master.Close()
}
