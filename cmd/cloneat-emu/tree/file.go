// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write writes the file form, docs/tree.md.
func (t *Tree) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(t)
}

// Save writes the file form to a file, which is complete or not there: a reader
// never sees half of it. What is there and no regular file, a pipe or a device, is
// written to as it is.
func (t *Tree) Save(name string) error {
	if resolved, err := filepath.EvalSymlinks(name); err == nil {
		name = resolved // a link stays one
	}
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
		return t.writeTo(name)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".tree-*")
	if err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	if err := t.Write(tmp); err != nil {
		_ = tmp.Close()
		return fmt.Errorf("tree: write %s: %w", name, err)
	}
	if err := tmp.Chmod(0o644); err != nil {
		_ = tmp.Close()
		return fmt.Errorf("tree: %w", err)
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("tree: write %s: %w", name, err)
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	return nil
}

// writeTo writes to something that is there.
func (t *Tree) writeTo(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
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
	if err := d.Decode(&t); err != nil {
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
