// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The plot's area in pixels, and the room around it.
const (
	plotWidth, plotHeight = 620.0, 380.0
	plotLeft, plotTop     = 70.0, 40.0
)

var colours = map[string]string{
	"fork": "#777777", "self": "#1b9e77", "init": "#7570b3",
	"forked": "#d95f02", "execed": "#e7298a",
}

// scale maps a value to pixels, logarithmically.
type scale struct{ min, max, from, to float64 }

func (s scale) at(v float64) float64 {
	share := (math.Log10(v) - math.Log10(s.min)) / (math.Log10(s.max) - math.Log10(s.min))
	return s.from + share*(s.to-s.from)
}

// plot draws time over size, both logarithmic, a line per engine, as SVG.
func plot(calls []call) string {
	x := scale{float64(sizes[0]), float64(sizes[len(sizes)-1]), plotLeft, plotLeft + plotWidth}
	y := yScale(calls)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" font-family="sans-serif" font-size="12">`+"\n",
		plotLeft+plotWidth+190, plotTop+plotHeight+50)
	fmt.Fprintln(&b, `<rect width="100%" height="100%" fill="white"/>`)
	label(&b, plotLeft, 24, "start", "black", "cloneat by engine: time of a call over the caller's size")
	grid(&b, x, y)
	line(&b, x, y, "plain fork", "fork", of("self", calls), func(c call) float64 { return c.fork })
	for _, kind := range kinds {
		line(&b, x, y, titles[kind], kind, of(kind, calls), func(c call) float64 { return c.call })
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// yScale covers all times, in whole decades.
func yScale(calls []call) scale {
	low, high := math.Inf(1), 0.0
	for _, c := range calls {
		low, high = min(low, c.fork, c.call), max(high, c.fork, c.call)
	}
	return scale{
		math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high))),
		plotTop + plotHeight, plotTop,
	}
}

func grid(b *strings.Builder, x, y scale) {
	for _, mb := range sizes {
		px := x.at(float64(mb))
		fmt.Fprintf(b, `<path d="M%.1f %.1fV%.1f" stroke="#dddddd"/>`+"\n", px, plotTop, plotTop+plotHeight)
		label(b, px, plotTop+plotHeight+20, "middle", "black", fmt.Sprintf("%d MB", mb))
	}
	for v := y.min; v <= y.max*1.01; v *= 10 {
		py := y.at(v)
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#dddddd"/>`+"\n", plotLeft, py, plotLeft+plotWidth)
		label(b, plotLeft-8, py+4, "end", "black", duration(v))
	}
}

func line(b *strings.Builder, x, y scale, title, kind string, calls []call, of func(call) float64) {
	if len(calls) == 0 {
		return
	}
	var points []string
	for _, c := range calls {
		points = append(points, fmt.Sprintf("%.1f,%.1f", x.at(float64(c.mb)), y.at(of(c))))
	}
	fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>`+"\n",
		colours[kind], strings.Join(points, " "))
	last := calls[len(calls)-1]
	label(b, x.at(float64(last.mb))+8, y.at(of(last))+4, "start", colours[kind], title)
}

func label(b *strings.Builder, x, y float64, anchor, colour, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n",
		x, y, anchor, colour, html.EscapeString(s))
}
