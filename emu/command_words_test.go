// SPDX-License-Identifier: Apache-2.0

package emu_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"cloneat-emu/emu"
)

// TestCommandWords: settings that do not exist are told of before anything runs.
func TestCommandWords(t *testing.T) {
	for want, set := range map[string]func(*emu.Cmd){
		`Engine "steam" is none of auto, self`: func(c *emu.Cmd) { c.Config.Engine = "steam" },
		`PIDDriver "dice" is none of auto, set_tid`: func(c *emu.Cmd) {
			c.Config.PIDDriver = "dice"
		},
		`LogLevel: not a valid logrus Level: "loud"`: func(c *emu.Cmd) { c.LogLevel = "loud" },
		`LogFormat "xml" is none of text, json`:      func(c *emu.Cmd) { c.LogFormat = "xml" },
	} {
		cmd := emu.Command("true")
		set(cmd)
		if err := cmd.Run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, not %s", err, want)
		}
	}
}

// TestCommandPath: a path is one from the program's directory; without PATH execvp(3)
// has directories of its own.
func TestCommandPath(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/here", []byte("#!/bin/sh\necho found\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := emu.Command("./here")
	cmd.Dir = dir
	if out, err := output(t, cmd); err != nil || out != "found\n" {
		t.Errorf("./here in Dir: %q, %v", out, err)
	}
	t.Setenv("PATH", "") // restored at the end
	os.Unsetenv("PATH")
	if out, err := output(t, emu.Command("echo", "found")); err != nil || out != "found\n" {
		t.Errorf("echo without PATH: %q, %v", out, err)
	}
	if err := emu.Command("here").Run(); !errors.Is(err, unix.ENOENT) {
		t.Errorf("here without PATH: %v", err)
	}
}

// TestCommandEnvironment: what is appended to an environment counts, and only that.
func TestCommandEnvironment(t *testing.T) {
	cmd := emu.Command("env")
	cmd.Env = []string{"A=1", "B=b", "A=2", "=C:=x", "=C:=x"}
	if out, err := output(t, cmd); err != nil || out != "B=b\nA=2\n=C:=x\n=C:=x\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestSignalsThatAreNone: nobody is told that they were sent.
func TestSignalsThatAreNone(t *testing.T) {
	cmd := emu.Command("sleep", "1000")
	if err := cmd.Signal(unix.SIGTERM); err == nil || errors.Is(err, os.ErrProcessDone) {
		t.Errorf("before Start: %v", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []unix.Signal{-1, 65} {
		if err := cmd.Signal(sig); !errors.Is(err, unix.EINVAL) {
			t.Errorf("signal %d: %v", sig, err)
		}
	}
	if err := cmd.Signal(unix.SIGKILL); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
}
