// SPDX-License-Identifier: Apache-2.0

package transplant

import (
	"errors"
	"fmt"
)

// fileGroup collects mappings whose files go into C together.
type fileGroup struct {
	b     *build
	maps  []*mapping
	keys  map[fileKey]int // index into files
	files []*mapping      // one for each file
}

func newFileGroup(b *build) *fileGroup { return &fileGroup{b: b, keys: map[fileKey]int{}} }

// add takes m into the group, after those that fill it.
func (g *fileGroup) add(m *mapping) error {
	key := g.b.fileKey(m)
	if _, ok := g.keys[key]; !ok {
		if len(g.files) == g.b.opt.files() {
			if err := g.flush(); err != nil {
				return err
			}
		}
		g.keys[key] = len(g.files)
		g.files = append(g.files, m)
	}
	g.maps = append(g.maps, m)
	return nil
}

// flush opens the group's files, sends them into C, maps them there and closes them.
func (g *fileGroup) flush() (err error) {
	files, err := openFiles(g.b.snap.caller.TID, g.files)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeFiles(files)) }()
	var fds []int
	for i := range files {
		switch f := &files[i]; {
		case f.err == nil:
			fds = append(fds, f.fd)
		case !g.files[i].privateHuge():
			return f.err
		}
	}
	if err := g.checkOverlays(files); err != nil {
		return err
	}
	var there []int
	if len(fds) > 0 {
		if there, err = g.b.ch.send(fds); err != nil {
			return fmt.Errorf("mapped files: %w", err)
		}
	}
	g.queue(files, there)
	for _, fd := range there {
		g.b.ch.drop(fd)
	}
	g.files, g.maps = nil, nil
	clear(g.keys)
	return nil
}

// checkOverlays looks at what overlays have done to the files.
func (g *fileGroup) checkOverlays(files []openedFile) error {
	on := make([]bool, len(files))
	for i, f := range files {
		on[i] = f.err == nil && onOverlay(f.fd)
	}
	for _, m := range g.maps {
		i := g.keys[g.b.fileKey(m)]
		if !on[i] {
			continue
		}
		if err := g.b.checkOverlay(m, files[i].fd); err != nil {
			return err
		}
	}
	return nil
}

// queue maps the files, whose numbers in C are these. Huge memory of the caller's own needs
// none: of a file of its own, only the inode's number differs.
func (g *fileGroup) queue(files []openedFile, there []int) {
	in := make([]int, len(files))
	for i := range files {
		in[i] = -1
		if files[i].err == nil {
			in[i], there = there[0], there[1:]
		}
	}
	for _, m := range g.maps {
		g.b.queueMap(m, in[g.keys[g.b.fileKey(m)]])
	}
}
