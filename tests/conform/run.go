// SPDX-License-Identifier: Apache-2.0

package conform

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Runner runs programs.
type Runner struct {
	// Prefix is put before a program's command line: an emulator, or nothing.
	Prefix []string
	// Jobs is how many programs run at the same time; those that have to be alone do so
	// after the others.
	Jobs int
	// CaseTimeout is how long a check may take, as long as nothing is heard of it.
	CaseTimeout time.Duration
	// Each, if set, is called for each result as it comes, one at a time.
	Each func(Result)

	late <-chan time.Time // instead of a clock, in tests
}

// patience ends when a check that begins now has had its time.
func (r *Runner) patience() <-chan time.Time {
	if r.late != nil {
		return r.late
	}
	return time.After(r.CaseTimeout)
}

// Run returns the results of all checks, in the order of programs and checks. A done
// ctx ends it early: what was not run has failed.
func (r *Runner) Run(ctx context.Context, programs []Program) []Result {
	results := make([][]Result, len(programs))
	jobs := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex
	each := func(res Result) {
		mu.Lock()
		defer mu.Unlock()
		if r.Each != nil {
			r.Each(res)
		}
	}
	for range max(r.Jobs, 1) {
		workers.Go(func() {
			for i := range jobs {
				results[i] = r.program(ctx, programs[i], each)
			}
		})
	}
	for i := range programs {
		if !programs[i].Alone() {
			jobs <- i
		}
	}
	close(jobs)
	workers.Wait()
	for i := range programs {
		if programs[i].Alone() {
			results[i] = r.program(ctx, programs[i], each)
		}
	}
	var all []Result
	for _, list := range results {
		all = append(all, list...)
	}
	return all
}

// program runs one program until each of its checks has a result.
func (r *Runner) program(ctx context.Context, p Program, each func(Result)) []Result {
	verdicts := make(map[string]string)
	var todo []string
	for _, c := range p.Checks {
		verdicts[c.Name] = c.Verdict
		todo = append(todo, c.Name)
	}
	var results []Result
	keep := func(res Result) {
		res.Verdict = verdicts[res.Name]
		results = append(results, res)
		each(res)
	}
	for len(todo) > 0 && ctx.Err() == nil {
		run := r.start(ctx, p.Path, todo, verdicts, keep)
		todo = todo[run.told:]
		if len(todo) > 0 { // the one under way is the culprit
			keep(Result{Name: todo[0], Status: Fail, Text: run.why, Transcript: run.transcript})
			todo = todo[1:]
		}
	}
	for _, name := range todo {
		keep(Result{Name: name, Status: Fail, Text: endedBy(ctx), NotRun: true})
	}
	return results
}

// endedBy says why a suite ended before its time.
func endedBy(ctx context.Context) string {
	return fmt.Sprintf("the suite was ended: %v", context.Cause(ctx))
}

// ended is how a run of a program came to its end.
type ended struct {
	told       int    // checks that had their result
	why        string // it ended, if that was not all
	transcript string // since the last result
	failed     bool   // one of the results at least
	last       Result // of all of them; nobody has it yet
}

// start runs the program for the checks in todo.
func (r *Runner) start(ctx context.Context, path string, todo []string, known map[string]string, keep func(Result)) ended {
	argv := append(append(append([]string{}, r.Prefix...), path), short(todo)...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	reader, writer, err := os.Pipe()
	if err != nil {
		return ended{why: err.Error()}
	}
	defer reader.Close()
	cmd.Stdout, cmd.Stderr = writer, writer
	err = cmd.Start()
	writer.Close()
	if err != nil {
		return ended{why: err.Error()}
	}
	lines := make(chan string)
	stop := make(chan struct{})
	go readLines(reader, lines, stop)
	end := r.follow(ctx, lines, todo, known, keep)
	if end.why != "" {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	go func() { // it may have more to say
		for range lines {
			continue
		}
	}()
	err = r.wait(ctx, cmd)
	close(stop)
	switch {
	case end.told == len(todo):
		keep(end.judged(err))
	case end.why == "":
		end.why = fmt.Sprintf("the program ended without a verdict (%v)", describeEnd(err))
	}
	return end
}

// wait waits for the program's end, for which it has as much time as for a check.
func (r *Runner) wait(ctx context.Context, cmd *exec.Cmd) error {
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	var err error
	select {
	case err := <-over:
		return err
	case <-r.patience():
		err = fmt.Errorf("no end within %s", r.CaseTimeout)
	case <-ctx.Done():
		err = errors.New(endedBy(ctx))
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	<-over
	return err
}

// judged is the last result, which has failed where the program did not end as its
// verdicts say: a status of 1 if one of them is a failure, else of 0.
func (end *ended) judged(err error) Result {
	var exit *exec.ExitError
	if err == nil && !end.failed || end.failed && errors.As(err, &exit) && exit.ExitCode() == 1 {
		return end.last
	}
	said := "every check passed"
	if end.failed {
		said = "a check failed"
	}
	why := fmt.Sprintf("%s, but the program ended with %s", said, describeEnd(err))
	if end.last.Text != "" && end.last.Status == Fail {
		why = end.last.Text + "; " + why
	}
	end.last.Status, end.last.Text = Fail, why
	return end.last
}

func describeEnd(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// short strips the program's name from its checks, as its command line wants them.
func short(names []string) []string {
	list := make([]string, len(names))
	for i, n := range names {
		_, list[i], _ = strings.Cut(n, ".")
	}
	return list
}

// readLines sends lines until the end of r, or until stop: a process that was left
// behind may keep the pipe open.
func readLines(r io.Reader, lines chan<- string, stop <-chan struct{}) {
	defer close(lines)
	buf := bufio.NewReader(r)
	for {
		line, err := buf.ReadString('\n')
		if line != "" {
			select {
			case lines <- line:
			case <-stop:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// follow reads results until all are told, the output ends, or the time is over. Nobody is
// told the last one before it is known how the program ends.
func (r *Runner) follow(ctx context.Context, lines <-chan string, todo []string, known map[string]string, keep func(Result)) (end ended) {
	var transcript strings.Builder
	last := time.Now()
	late := r.patience()
	for end.told < len(todo) {
		select {
		case line, ok := <-lines:
			if !ok {
				end.transcript = transcript.String()
				return end
			}
			transcript.WriteString(line)
			res, ok := parseTAP(line)
			if !ok || known[res.Name] == "" {
				continue
			}
			if due := todo[end.told]; res.Name != due { // a check whose verdict is another's is none
				end.why, end.transcript = fmt.Sprintf("the verdict of %s came, not that of %s", res.Name, due), transcript.String()
				return end
			}
			res.Transcript, res.Duration = transcript.String(), time.Since(last)
			last = time.Now()
			transcript.Reset()
			late = r.patience()
			end.told++
			end.failed = end.failed || res.Status == Fail
			if end.last = res; end.told < len(todo) {
				keep(res)
			}
		case <-late:
			end.why, end.transcript = fmt.Sprintf("no verdict within %s", r.CaseTimeout), transcript.String()
			return end
		case <-ctx.Done():
			end.why, end.transcript = endedBy(ctx), transcript.String()
			return end
		}
	}
	return end
}
