// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// native runs a shell command with and without the supervisor, which must not differ.
// "$run" in it is where the supervisor goes.
func native(t *testing.T, dir, script string) {
	t.Helper()
	output := func(run string) string {
		cmd := exec.Command("bash", "-c", script)
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "run="+run)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	plain, supervised := output(""), output(filepath.Join(dir, "cloneat-emu")+" run --")
	if diff := cmp.Diff(plain, supervised); diff != "" {
		t.Errorf("%s: differs under run (-native +run):\n%s", script, diff)
	}
}

// TestInherited: what an exec hands down arrives as without a supervisor, and nothing
// else does.
func TestInherited(t *testing.T) {
	dir := bin(t)
	closeAll := `for fd in /proc/self/fd/*; do fd=${fd##*/}; [ $fd -gt 2 ] && eval "exec $fd>&-"; done; `
	for name, script := range map[string]string{
		"descriptors":      closeAll + `exec 7</dev/null 4>>/dev/null; exec $run call fds`,
		"none":             closeAll + `exec $run call fds`,
		"ignored signals":  `trap "" PIPE QUIT USR1 INT HUP TERM TSTP RTMIN+3; exec $run call signals`,
		"default signals":  `exec $run call signals`,
		"descriptor limit": closeAll + `ulimit -Sn 200; exec $run bash -c "ulimit -Sn; ulimit -Hn"`,
		"environment":      `export GODEBUG=x=1 GOMAXPROCS=1 A="b c"; exec $run env -u run -u _`,
		"no environment":   `exec env -i $run /usr/bin/env`,
		"working folder":   `cd /; exec $run pwd`,
		"umask":            `umask 027; exec $run sh -c umask`,
		"process group":    `exec $run sh -c 'ps -o pgid= -p $$ | tr -d " "' | sed "s/^$(ps -o pgid= -p $$ | tr -d " ")\$/mine/"`,
		"nice and core":    `ulimit -c 0; exec $run sh -c "nice; ulimit -c"`,
		"no_new_privs":     `exec $run grep NoNewPrivs /proc/self/status`,
	} {
		t.Run(name, func(t *testing.T) { native(t, dir, script) })
	}
}

// TestDoubledEnvironment: a name may have several values, and what is no assignment is
// handed down as well.
func TestDoubledEnvironment(t *testing.T) {
	native(t, bin(t), `exec python3 -c '
import ctypes, os, shutil, sys
def vector(words):
    return (ctypes.c_char_p * (len(words) + 1))(*words, None)
argv = [os.fsencode(w) for w in sys.argv[1:]]
path = os.fsencode(shutil.which(sys.argv[1]))
ctypes.CDLL(None).execve(path, vector(argv), vector([b"A=1", b"B=2", b"A=3", b"none", b"=", b"A="]))' $run /usr/bin/env`)
}

// TestOrphansOfProcessOne: in a container whose first process it is, the supervisor reaps
// what is left to it, as the program would.
func TestOrphansOfProcessOne(t *testing.T) {
	native(t, bin(t), `exec unshare -pf --mount-proc --kill-child $run bash -c '
(sleep 0 & sleep 0 & exit)
for ((i = 0; i < 300; i++)); do ps -eo stat= | grep -q Z || break; done
echo $((i < 300))'`)
}

// TestBlockedSignals: the mask, for which the shell has no word.
func TestBlockedSignals(t *testing.T) {
	dir := bin(t)
	native(t, dir, `exec python3 -c '
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD, signal.SIGSEGV, 40])
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])' $run call signals`)
}
