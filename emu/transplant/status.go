package transplant

import (
	"bytes"
)

// status is what /proc/TID/status tells that is inherited.
type status struct {
	tgid           int
	threads        int // in the group
	tracer         int // the thread that traces, or 0
	umask          uint32
	uid, gid       [4]uint32 // real, effective, saved, file system
	groups         []uint32
	nspid          []int // from the operator's pid namespace to the thread's own
	nspgid         []int // the process group, likewise
	caps           capSets
	ignored        uint64 // signals, bit N-1 for signal N
	noNewPrivs     bool
	seccompMode    int
	seccompFilters int // -1 before Linux 5.9
}

// capSets are the five sets of capabilities(7), bit N for capability N.
type capSets struct{ inheritable, permitted, effective, bounding, ambient uint64 }

func readStatus(tid int) (status, error) {
	b, err := readProc(tid, "status")
	if err != nil {
		return status{}, err
	}
	s := status{seccompFilters: -1}
	for len(b) > 0 {
		var line []byte
		line, b = nextLine(b)
		key, value, _ := bytes.Cut(line, []byte(":"))
		s.set(string(key), bytes.TrimSpace(value))
	}
	return s, nil
}

func (s *status) set(key string, v []byte) {
	switch key {
	case "Tgid":
		s.tgid = int(parseDec(v))
	case "Threads":
		s.threads = int(parseDec(v))
	case "TracerPid":
		s.tracer = int(parseDec(v))
	case "Umask":
		s.umask = parseOct(v)
	case "Uid":
		copy(s.uid[:], ids(v))
	case "Gid":
		copy(s.gid[:], ids(v))
	case "Groups":
		s.groups = ids(v)
	case "NSpid":
		s.nspid = numbers(v)
	case "NSpgid":
		s.nspgid = numbers(v)
	case "SigIgn":
		s.ignored = parseHex(v)
	case "CapInh":
		s.caps.inheritable = parseHex(v)
	case "CapPrm":
		s.caps.permitted = parseHex(v)
	case "CapEff":
		s.caps.effective = parseHex(v)
	case "CapBnd":
		s.caps.bounding = parseHex(v)
	case "CapAmb":
		s.caps.ambient = parseHex(v)
	case "NoNewPrivs":
		s.noNewPrivs = parseDec(v) != 0
	case "Seccomp":
		s.seccompMode = int(parseDec(v))
	case "Seccomp_filters":
		s.seccompFilters = int(parseDec(v))
	}
}

func parseOct(b []byte) (v uint32) {
	for _, c := range b {
		v = v<<3 | uint32(c-'0')
	}
	return v
}

func ids(b []byte) (out []uint32) {
	for _, f := range bytes.Fields(b) {
		out = append(out, uint32(parseDec(f)))
	}
	return out
}

func numbers(b []byte) (out []int) {
	for _, f := range bytes.Fields(b) {
		out = append(out, int(parseDec(f)))
	}
	return out
}
