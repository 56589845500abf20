// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/checkpoint-restore/go-criu/v8/crit"
	core "github.com/checkpoint-restore/go-criu/v8/crit/images/criu-core"
	"github.com/checkpoint-restore/go-criu/v8/crit/images/pstree"
	"google.golang.org/protobuf/proto"
)

// FromCRIU reads the tree that a directory of CRIU images holds: pstree for the
// numbers, core for states and names, ids for namespaces. The numbers in them
// are those of the dumped root's pid namespace.
func FromCRIU(dir string) (*Tree, error) {
	entries, err := images[*pstree.PstreeEntry](dir, "pstree.img", &pstree.PstreeEntry{})
	if err != nil {
		return nil, err
	}
	t := &Tree{Version: Version, Source: "criu"}
	ns := map[int]map[string]string{}
	for _, e := range entries {
		p, err := fromCRIU(dir, e, ns)
		if err != nil {
			return nil, err
		}
		t.Processes = append(t.Processes, p)
	}
	return t, t.Check()
}

// fromCRIU makes one process of its entry in pstree and its own images.
func fromCRIU(dir string, e *pstree.PstreeEntry, ns map[int]map[string]string) (*Process, error) {
	p := &Process{
		PID:  int(e.GetPid()),
		PPID: int(e.GetPpid()),
		PGID: int(e.GetPgid()),
		SID:  int(e.GetSid()),
	}
	if err := p.readCore(dir); err != nil {
		return nil, err
	}
	if p.Zombie() {
		return p, nil
	}
	for _, tid := range e.GetThreads() {
		p.Threads = append(p.Threads, int(tid))
	}
	ids, err := readIDs(dir, p.PID)
	if err != nil {
		return nil, err
	}
	ns[p.PID] = ids
	p.Namespaces = differing(ids, ns[p.PPID])
	return p, nil
}

// readCore takes the state and the name from core-PID.img.
func (p *Process) readCore(dir string) error {
	name := fmt.Sprintf("core-%d.img", p.PID)
	cores, err := images[*core.CoreEntry](dir, name, &core.CoreEntry{})
	if err != nil {
		return err
	}
	tc := cores[0].GetTc()
	if tc == nil {
		return fmt.Errorf("criu: %s is the image of a thread, not of a process", filepath.Join(dir, name))
	}
	p.Comm = tc.GetComm()
	switch crit.TaskState(tc.GetTaskState()) {
	case crit.TaskStopped:
		p.State = "T"
	case crit.TaskZombie, crit.TaskDead:
		p.State, p.Exit = "Z", int(tc.GetExitCode())
	default:
		p.State = "S"
	}
	return nil
}

// readIDs names the namespaces by the numbers that CRIU gave them. A dump of
// which ids-PID.img is missing keeps them secret, which is no error.
func readIDs(dir string, pid int) (map[string]string, error) {
	name := fmt.Sprintf("ids-%d.img", pid)
	all, err := images[*core.TaskKobjIdsEntry](dir, name, &core.TaskKobjIdsEntry{})
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for kind, id := range map[string]*uint32{
		"pid": all[0].PidNsId, "net": all[0].NetNsId, "ipc": all[0].IpcNsId, "uts": all[0].UtsNsId,
		"mnt": all[0].MntNsId, "user": all[0].UserNsId, "cgroup": all[0].CgroupNsId, "time": all[0].TimeNsId,
	} {
		if id != nil {
			ids[kind] = fmt.Sprintf("criu-%d", *id)
		}
	}
	return ids, nil
}

// whole is an error if an entry of an image goes beyond the file: crit makes room for what the
// length says, be it gigabytes. Two magic numbers, or one, are followed by entries, each behind
// its length.
func whole(f *os.File) error {
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	const common, service, word = 0x54564319, 0x55105940, 4
	at := word
	if len(b) >= word {
		if first := binary.LittleEndian.Uint32(b); first == common || first == service {
			at = 2 * word
		}
	}
	for at < len(b) {
		if len(b)-at < word || uint64(binary.LittleEndian.Uint32(b[at:])) > uint64(len(b)-at-word) {
			return fmt.Errorf("it is cut short, or no image: %w", io.ErrUnexpectedEOF)
		}
		at += word + int(binary.LittleEndian.Uint32(b[at:]))
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// images decodes all entries of an image, at least one.
func images[T proto.Message](dir, name string, entry T) ([]T, error) {
	path := filepath.Join(dir, name)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("criu: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := whole(f); err != nil {
		return nil, fmt.Errorf("criu: %s: %w", path, err)
	}
	img, err := crit.New(f, nil, "", false, true).Decode(entry)
	if err != nil {
		return nil, fmt.Errorf("criu: %s: %w", path, err)
	}
	var all []T
	for _, e := range img.Entries {
		m, ok := e.Message.(T)
		if !ok {
			return nil, fmt.Errorf("criu: %s holds a %T where a %T is expected", path, e.Message, entry)
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("criu: %s is empty", path)
	}
	return all, nil
}
