// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Sizes of the drawing, in SVG's user units (pixels).
const (
	rowHeight  = 26
	indent     = 28
	charWidth  = 7.3 // of the 12 px monospace font, rounded up
	boxPadding = 8
	margin     = 10
)

// svgDrawing collects the rows of an SVG.
type svgDrawing struct {
	b        strings.Builder
	children map[int][]*Process
	colours  map[int]string
	row      int
	width    float64
}

// SVG is the tree as a drawing that needs nothing else: a row a process,
// indented below its parent, coloured by session, dashed for a zombie.
func (t *Tree) SVG() string {
	d := &svgDrawing{children: t.Children(), colours: t.colours()}
	d.add(t.Root(), 0, -1)
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" font-family="monospace" font-size="12">`,
		d.width+margin, d.row*rowHeight+2*margin)
	return head + "\n" + d.b.String() + "</svg>\n"
}

// add draws a process and what is below it; parentRow is -1 for the root.
func (d *svgDrawing) add(p *Process, depth, parentRow int) {
	row := d.row
	d.row++
	d.box(p, depth, row)
	if parentRow >= 0 {
		d.edge(depth, parentRow, row)
	}
	for _, c := range d.children[p.PID] {
		d.add(c, depth+1, row)
	}
}

// box draws the process itself.
func (d *svgDrawing) box(p *Process, depth, row int) {
	x, y := margin+depth*indent, margin+row*rowHeight
	text := p.line()
	w := charWidth*float64(utf8.RuneCountInString(text)) + 2*boxPadding
	d.width = max(d.width, float64(x)+w)
	dash := ""
	if p.Zombie() {
		dash = ` stroke-dasharray="4 3"`
	}
	fmt.Fprintf(&d.b, `<rect x="%d" y="%d" width="%.0f" height="%d" rx="4" fill="%s" stroke="#555"%s/>`+"\n",
		x, y, w, rowHeight-6, d.colours[p.SID], dash)
	fmt.Fprintf(&d.b, `<text x="%d" y="%d">%s</text>`+"\n", x+boxPadding, y+rowHeight-12, escape(text))
}

// edge draws the line from the parent's box down and to the right.
func (d *svgDrawing) edge(depth, from, to int) {
	x := margin + (depth-1)*indent + indent/2
	y1, y2 := margin+from*rowHeight+rowHeight-6, margin+to*rowHeight+(rowHeight-6)/2
	fmt.Fprintf(&d.b, `<path d="M%d %dV%dH%d" fill="none" stroke="#555"/>`+"\n", x, y1, y2, margin+depth*indent)
}

// escape makes a text safe inside XML.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // writes to a Builder do not fail
	return b.String()
}
