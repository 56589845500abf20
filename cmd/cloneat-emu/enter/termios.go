// SPDX-License-Identifier: Apache-2.0

package enter

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// savedMode is a terminal of ours, and the mode that it had.
type savedMode struct {
	file *os.File
	mode unix.Termios
}

// alter changes the mode of a terminal of ours until [terminal.restore]; what is none is left
// alone.
func (t *terminal) alter(f *os.File, how func(*unix.Termios)) error {
	mode, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil
	}
	t.saved = append(t.saved, savedMode{f, *mode})
	how(mode)
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, mode); err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	return nil
}

// restore undoes what alter did, the last first.
func (t *terminal) restore() {
	for len(t.saved) > 0 {
		last := t.saved[len(t.saved)-1]
		t.saved = t.saved[:len(t.saved)-1]
		if ours(last.file) {
			_ = unix.IoctlSetTermios(int(last.file.Fd()), unix.TCSETS, &last.mode)
		}
	}
}

// ours tells whether we are in the foreground of a terminal. In the background it belongs to
// others, and who changes its mode is stopped (SIGTTOU). One that is not our controlling terminal
// has no groups.
func ours(f *os.File) bool {
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// rawOutput shows bytes as they are: the command's own terminal has made line ends of them.
func rawOutput(mode *unix.Termios) { mode.Oflag &^= unix.OPOST }

// rawInput passes on every key: cfmakeraw(3).
func rawInput(mode *unix.Termios) {
	mode.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	mode.Oflag &^= unix.OPOST
	mode.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	mode.Cflag = mode.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0
}
