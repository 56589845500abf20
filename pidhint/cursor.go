package pidhint

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lastPIDFile is the cursor of the namespace of whoever writes to it (kernel:
// pid_ns_ctl_handler), whatever /proc it is opened through.
const lastPIDFile = "/proc/sys/kernel/ns_last_pid"

// cursor is a helper process in the namespace that reads and sets its cursor.
type cursor struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// helperName is what the helper is started as: this program, under that name.
const helperName = "cloneat-ns-last-pid"

// init turns the process into the helper if it was started as one. The helper
// makes no thread while it serves, since a thread takes a number too.
func init() {
	if os.Args[0] != helperName {
		return
	}
	runtime.LockOSThread()
	os.Exit(serveCursor(os.Stdin, os.Stdout))
}

// serveCursor reads a number a line and sets the cursor, or tells it for "?".
func serveCursor(in io.Reader, out io.Writer) int {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return 0
		}
		if _, err := fmt.Fprintln(out, oneCommand(strings.TrimSpace(line))); err != nil {
			return 1
		}
	}
}

func oneCommand(word string) string {
	fd, err := unix.Open(lastPIDFile, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return errnoWord(err)
	}
	defer unix.Close(fd)
	if word == "?" {
		b := make([]byte, 32)
		n, err := unix.Read(fd, b)
		if err != nil {
			return errnoWord(err)
		}
		return strings.TrimSpace(string(b[:n]))
	}
	if _, err := unix.Write(fd, []byte(word)); err != nil {
		return errnoWord(err)
	}
	return "0"
}

// errnoWord is an errno as a negative number.
func errnoWord(err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		errno = unix.EIO
	}
	return strconv.Itoa(-int(errno))
}

// openCursor starts the helper in the namespace. The thread that starts it
// changes its namespace for children for that moment, and is given up after.
func openCursor(ns *os.File) (*cursor, error) {
	type started struct {
		c   *cursor
		err error
	}
	done := make(chan started)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		c, err := startHelper(ns)
		done <- started{c, err}
	}()
	s := <-done
	return s.c, s.err
}

func startHelper(ns *os.File) (*cursor, error) {
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWPID); err != nil {
		return nil, fmt.Errorf("setns to the pid namespace (needs CAP_SYS_ADMIN over it): %w", err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{helperName}
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("helper for ns_last_pid: %w", err)
	}
	return &cursor{cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

// Get tells the cursor: the number that was given out last.
func (c *cursor) Get() (int, error) { return c.ask("?") }

// Set moves it.
func (c *cursor) Set(n int) error {
	_, err := c.ask(strconv.Itoa(n))
	return err
}

func (c *cursor) ask(word string) (int, error) {
	if _, err := fmt.Fprintln(c.in, word); err != nil {
		return 0, fmt.Errorf("helper for ns_last_pid: %w", err)
	}
	line, err := c.out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("helper for ns_last_pid: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err == nil && n < 0 {
		err = fmt.Errorf("%s: %w", lastPIDFile, unix.Errno(-n))
	}
	return n, err
}

// restore puts the cursor back if nobody else moved it since.
func (c *cursor) restore(want, before int) {
	if now, err := c.Get(); err == nil && now == want {
		_ = c.Set(before) // best effort, as documented
	}
}

// Close ends the helper.
func (c *cursor) Close() {
	c.in.Close()
	_ = c.cmd.Wait()
}
