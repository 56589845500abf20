// SPDX-License-Identifier: Apache-2.0

// Package lookup finds programs in PATH as execvp(3) does, which os/exec does not quite:
// PATH may lead to the working directory, what cannot be executed is told from what is not
// there, and without PATH there are the usual directories.
package lookup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// defaultPath is where execvp(3) looks if there is no PATH.
const defaultPath = "/bin:/usr/bin"

// Program finds an executable. A name with a slash is a path from the program's own
// directory, which may be another than ours. An error wraps exec.ErrNotFound, or unix.EACCES for
// what was found; the path is the one found, or the name.
func Program(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	dirs, ok := os.LookupEnv("PATH")
	if !ok {
		dirs = defaultPath
	}
	if !ok && name != "" {
		for dir := range strings.SplitSeq(dirs, ":") {
			if path, err := exec.LookPath(dir + "/" + name); err == nil {
				return path, nil
			}
		}
	}
	path, err := exec.LookPath(name)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		if denied := findDenied(name, dirs); denied != "" {
			return denied, fmt.Errorf("exec %s: %w", denied, unix.EACCES)
		}
	case errors.Is(err, exec.ErrDot):
		err = nil // as execvp(3): PATH is the user's own
	}
	if path == "" {
		path = name
	}
	return path, err
}

// findDenied finds what execvp(3) fails with EACCES for, and not with ENOENT, after it has
// tried all directories: what is there and cannot be executed, or cannot be looked for.
func findDenied(name, dirs string) string {
	if name == "" {
		return ""
	}
	for _, dir := range filepath.SplitList(dirs) {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil || errors.Is(err, fs.ErrPermission) {
			return path
		}
	}
	return ""
}
