// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Write writes the file form, docs/tree.md.
func (t *Tree) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(t)
}

// Save writes the file form to a file. A new one is complete or not there: a reader never sees
// half of it. What is there stays what it is, a link, a pipe, a file of somebody's, with its
// mode; what is our standard output is written on, as a shell redirected it.
func (t *Tree) Save(name string) error {
	if name == "" {
		return errors.New("tree: a file without a name")
	}
	st, err := os.Stat(name)
	if out, oerr := os.Stdout.Stat(); err == nil && oerr == nil && os.SameFile(st, out) {
		return t.Write(os.Stdout)
	}
	if _, lerr := os.Lstat(name); err == nil || lerr == nil {
		return t.writeTo(name)
	}
	return t.create(name)
}

// create makes the file, with the mode that the umask leaves, under another name first.
func (t *Tree) create(name string) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".tree-*")
	if err != nil {
		return fmt.Errorf("tree: %q cannot be made: %w", name, errors.Unwrap(err))
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	umask := unix.Umask(0)
	unix.Umask(umask)
	if err = tmp.Chmod(0o666 &^ os.FileMode(umask)); err == nil {
		err = t.Write(tmp)
	}
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("tree: write %s: %w", name, err)
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	return nil
}

// writeTo writes to something that is there.
func (t *Tree) writeTo(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666) // a link may lead nowhere
	if err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	err = t.Write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("tree: write %s: %w", name, err)
	}
	return nil
}

// Load reads a file of the documented form and checks it.
func Load(name string) (*Tree, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("tree: %w", err)
	}
	t, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// Parse reads the documented form and checks it. Unknown fields are an error,
// because a misspelt one would silently build another tree.
func Parse(b []byte) (*Tree, error) {
	var t Tree
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); errors.Is(err, io.EOF) {
		return nil, errors.New("tree: the file is empty")
	} else if err != nil {
		return nil, fmt.Errorf("tree: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("tree: something follows the tree at byte %d", d.InputOffset())
	}
	for _, p := range t.Processes {
		if p == nil {
			return nil, fmt.Errorf("tree: a process is null")
		}
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	return &t, nil
}
