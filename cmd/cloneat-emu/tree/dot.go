// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"strconv"
	"strings"
)

// Dot is the tree as source for Graphviz. A session is a colour, a zombie is
// dashed, an edge is real parenthood.
func (t *Tree) Dot() string {
	var b strings.Builder
	b.WriteString("digraph tree {\n\tnode [shape=box, style=filled, fontname=\"monospace\"];\n")
	colours := t.colours()
	for _, p := range t.Processes {
		style := "filled"
		if p.Zombie() {
			style = "filled,dashed"
		}
		label := p.name() + "\n" + strings.Join(p.facts(), "\n")
		fmt.Fprintf(&b, "\tp%d [label=%s, style=%q, fillcolor=%q];\n", p.PID, strconv.Quote(label), style, colours[p.SID])
	}
	for _, p := range t.Processes[1:] {
		fmt.Fprintf(&b, "\tp%d -> p%d;\n", p.PPID, p.PID)
	}
	b.WriteString("}\n")
	return b.String()
}

// palette holds light colours that black text is readable on.
var palette = []string{"#dceefb", "#fbe9dc", "#e2f5df", "#f3e1f7", "#fdf6cf", "#e6e6e6", "#d9f3f0", "#fbdfe4"}

// colours gives every session one, in the order in which they appear.
func (t *Tree) colours() map[int]string {
	c := map[int]string{}
	for _, p := range t.Processes {
		if _, ok := c[p.SID]; !ok {
			c[p.SID] = palette[len(c)%len(palette)]
		}
	}
	return c
}
