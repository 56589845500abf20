// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sys/unix"

	"cloneat-emu/tests/conform"
)

// progress is a bar on stderr, if that is a terminal.
type progress struct {
	all  *mpb.Progress
	bar  *mpb.Bar
	fail int
}

// newProgress shows a bar for all checks of programs.
func newProgress(title string, programs []conform.Program) *progress {
	if _, err := unix.IoctlGetTermios(2, unix.TCGETS); err != nil {
		return &progress{}
	}
	total := 0
	for _, p := range programs {
		total += len(p.Checks)
	}
	p := &progress{all: mpb.New(mpb.WithOutput(os.Stderr), mpb.WithWidth(40))}
	p.bar = p.all.AddBar(int64(total),
		mpb.PrependDecorators(decor.Name(title+" ")),
		mpb.AppendDecorators(decor.CountersNoUnit("%d/%d"), decor.Any(func(decor.Statistics) string {
			if p.fail == 0 {
				return ""
			}
			return " (failures)"
		})))
	return p
}

// result counts one check.
func (p *progress) result(r conform.Result) {
	if p.bar == nil {
		return
	}
	if r.Status == conform.Fail {
		p.fail++
	}
	p.bar.Increment()
}

// wait leaves the terminal as it should be.
func (p *progress) wait() {
	if p.all != nil {
		p.bar.Abort(false)
		p.all.Wait()
	}
}
