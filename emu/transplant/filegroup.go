package transplant

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// fileGroup collects mappings whose files go into C together.
type fileGroup struct {
	b    *build
	maps []*mapping
	keys map[fileKey]int // index into fds
	fds  []int           // the operator's
}

func newFileGroup(b *build) *fileGroup { return &fileGroup{b: b, keys: map[fileKey]int{}} }

// add opens m's file if the group has it not yet.
func (g *fileGroup) add(m *mapping) error {
	key := g.b.fileKey(m)
	if _, ok := g.keys[key]; !ok {
		if len(g.fds) == g.b.opt.files() {
			if err := g.flush(); err != nil {
				return err
			}
		}
		fd, err := openMapped(g.b.snap.caller.TID, m)
		if err != nil && m.privateHuge() {
			g.b.queueMap(m, -1) // of a file of its own: only the inode's number differs
			return nil
		}
		if err != nil {
			return err
		}
		g.keys[key] = len(g.fds)
		g.fds = append(g.fds, fd)
	}
	g.maps = append(g.maps, m)
	return nil
}

// flush sends the group's files into C, maps them there and closes them.
func (g *fileGroup) flush() error {
	defer g.drop()
	if len(g.fds) == 0 {
		return nil
	}
	there, err := g.b.ch.send(g.fds)
	if err != nil {
		return fmt.Errorf("mapped files: %w", err)
	}
	for _, m := range g.maps {
		g.b.queueMap(m, there[g.keys[g.b.fileKey(m)]])
	}
	for _, fd := range there {
		g.b.ch.drop(fd)
	}
	return nil
}

// drop closes the operator's copies.
func (g *fileGroup) drop() {
	for _, fd := range g.fds {
		unix.Close(fd)
	}
	g.fds, g.maps = nil, nil
	clear(g.keys)
}
