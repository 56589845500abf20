// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// HoldStage is the argv[0] of the child that the probes trace: main must call Hold first.
const HoldStage = "cloneat-hold"

// Hold is the child of the probes if this process is it: it waits for the end of its
// input.
func Hold() {
	if len(os.Args) == 1 && os.Args[0] == HoldStage {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
}

// hold starts such a child. end lets it go.
func hold() (pid int, end func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, nil, unknown(err)
	}
	defer r.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{HoldStage}, &os.ProcAttr{Files: []*os.File{r, nil, nil}})
	if err != nil {
		w.Close()
		return 0, nil, err
	}
	return p.Pid, func() { w.Close(); _, _ = p.Wait() }, nil
}

// traceeProbe traces a child, from one thread as ptrace demands.
type traceeProbe struct {
	stopped *ptrace.Stopped
	err     error // of getting there
	end     func()
}

func newTraceeProbe() *traceeProbe {
	runtime.LockOSThread()
	p := &traceeProbe{end: runtime.UnlockOSThread}
	pid, let, err := hold()
	if err != nil {
		p.err = unknown(err)
		return p
	}
	p.stopped, p.err = stop(pid)
	p.end = func() {
		if p.stopped != nil {
			_ = p.stopped.Detach(0)
		}
		let()
		runtime.UnlockOSThread()
	}
	return p
}

// stop seizes a child and waits until it stands still.
func stop(pid int) (*ptrace.Stopped, error) {
	running, err := ptrace.Seize(pid, unix.PTRACE_O_EXITKILL)
	if err != nil {
		return nil, err
	}
	if err := running.Interrupt(); err != nil {
		return nil, err
	}
	stopped, _, err := running.Wait()
	return stopped, err
}

func (p *traceeProbe) probes() []probe {
	return []probe{
		{"PTRACE_SEIZE", "every engine", "nothing", func() (string, error) { return "", p.err }},
		{"injected calls", "every engine", "nothing: no call can be emulated", injection},
		{"room behind the vdso", "targets' calls that no restart of the kernel's continues", "they end with a part, or their timeouts begin anew", slots},
		{"PTRACE_O_SUSPEND_SECCOMP", "targets whose own filter forbids what must be injected", "EOPNOTSUPP for such targets", p.suspend},
		{"PTRACE_GET_RSEQ_CONFIGURATION", "children of callers that use restartable sequences", "rseq(2) is asked about the places where the libraries register", p.rseq},
		{"ptrace_scope", "attaching to targets without CAP_SYS_PTRACE", "only descendants of the supervisor (1), only with the capability (2), nothing (3)", yama},
	}
}

// injection is a matter of what was built, not of the kernel.
func injection() (string, error) {
	if !ptrace.Supported {
		return "", fmt.Errorf("%w: %w", errNo, ptrace.ErrArch)
	}
	return "", nil
}

// slots are fewer where the kernel's vdso has grown.
func slots() (string, error) {
	n, err := ptrace.Slots()
	switch {
	case errors.Is(err, ptrace.ErrArch):
		return "", fmt.Errorf("%w: %w", errNo, err)
	case err != nil:
		return "", unknown(err)
	case n == 0:
		return "", fmt.Errorf("%w: it fills its pages", errNo)
	}
	return fmt.Sprintf("for %d at a time", n), nil
}

func (p *traceeProbe) suspend() (string, error) {
	if p.err != nil {
		return "", unknown(p.err)
	}
	return "", p.stopped.SetOptions(unix.PTRACE_O_EXITKILL | unix.PTRACE_O_SUSPEND_SECCOMP)
}

func (p *traceeProbe) rseq() (string, error) {
	if p.err != nil {
		return "", unknown(p.err)
	}
	_, err := p.stopped.Rseq()
	return "", err
}

// yama reads Yama's setting; without Yama everything is as with 0.
func yama() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if errors.Is(err, os.ErrNotExist) {
		return "no Yama", nil
	}
	if err != nil {
		return "", unknown(err)
	}
	if scope := strings.TrimSpace(string(data)); scope != "0" {
		return "", fmt.Errorf("%w: it is %s", errNo, scope)
	}
	return "0", nil
}
