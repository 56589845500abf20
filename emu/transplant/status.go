// SPDX-License-Identifier: Apache-2.0

package transplant

import "cloneat-emu/emu/proc"

// capSets are the five sets of capabilities(7), bit N for capability N.
type capSets struct{ inheritable, permitted, effective, bounding, ambient uint64 }

func capsOf(st *proc.Status) capSets {
	return capSets{
		inheritable: st.CapInh, permitted: st.CapPrm, effective: st.CapEff,
		bounding: st.CapBnd, ambient: st.CapAmb,
	}
}

// readStatus reads /proc/TID/status, the numbers in it as the operator sees them.
func readStatus(tid int) (*proc.Status, error) {
	b, err := readProc(tid, "status")
	if err != nil {
		return nil, err
	}
	return proc.ParseStatus(b)
}
