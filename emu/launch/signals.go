// SPDX-License-Identifier: Apache-2.0

package launch

import (
	"debug/elf"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Signals is what execve(2) hands down of signals; bit n-1 stands for signal n.
type Signals struct {
	Ignored uint64 // dispositions that are SIG_IGN
	Blocked uint64 // the mask
}

// nsig is the highest signal number.
const nsig = 64

func (s Signals) ignored(sig int) bool { return s.Ignored>>(sig-1)&1 != 0 }

// Inherited is what this process was started with. The Go runtime replaced most of it
// before main ran, but remembers it: the dispositions in runtime.fwdSig, the mask in
// runtime.initSigmask, which the symbol table leads to. In a stripped executable only
// what the runtime left alone is known (SIGHUP and SIGINT among them, so nohup works).
func Inherited() Signals {
	s, err := remembered()
	if err != nil {
		return current()
	}
	return s
}

// Handed is what os/exec would hand down from here: what is ignored now, and nothing
// blocked but what always was.
func Handed() Signals { return current() }

// remembered reads the runtime's own notes.
func remembered() (Signals, error) {
	exe, err := elf.Open("/proc/self/exe")
	if err != nil {
		return Signals{}, err
	}
	defer exe.Close()
	symbols, err := exe.Symbols()
	if err != nil {
		return Signals{}, err
	}
	at := make(map[string]elf.Symbol)
	for _, sym := range symbols {
		switch sym.Name {
		case "runtime.fwdSig", "runtime.initSigmask", anchorName:
			at[sym.Name] = sym
		}
	}
	fwd, mask, anchor := at["runtime.fwdSig"], at["runtime.initSigmask"], at[anchorName]
	if fwd.Size != (nsig+1)*8 || mask.Size != 8 || anchor.Size == 0 {
		return Signals{}, fmt.Errorf("this Go runtime keeps no notes that are known here")
	}
	return notes(anchorAddress()-anchor.Value, fwd.Value, mask.Value)
}

// untouched are the signals whose dispositions the runtime neither changes nor notes.
const untouched = 1<<(unix.SIGCONT-1) | 1<<(unix.SIGTSTP-1) | 1<<(unix.SIGTTIN-1) | 1<<(unix.SIGTTOU-1)

// notes reads the two variables; bias is where a position-independent executable was
// loaded. What the runtime did not handle itself is still in the kernel.
func notes(bias, fwd, mask uint64) (Signals, error) {
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		return Signals{}, err
	}
	defer mem.Close()
	table := make([]byte, (nsig+1)*8)
	word := make([]byte, 8)
	if _, err := mem.ReadAt(table, int64(bias+fwd)); err != nil {
		return Signals{}, err
	}
	if _, err := mem.ReadAt(word, int64(bias+mask)); err != nil {
		return Signals{}, err
	}
	s := Signals{Ignored: current().Ignored & untouched, Blocked: native(word)}
	for sig := 1; sig <= nsig; sig++ {
		if native(table[sig*8:]) == sigIgn {
			s.Ignored |= 1 << (sig - 1)
		}
	}
	return s, nil
}

// current is what the kernel says about the calling thread.
func current() (s Signals) {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return s
	}
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "SigIgn: %x", &s.Ignored)
		fmt.Sscanf(line, "SigBlk: %x", &s.Blocked)
	}
	return s
}
