// SPDX-License-Identifier: Apache-2.0

package conform

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Source returns the text of a check in the directory of the sources, and its file
// and line; empty if it cannot be found. A check that is a row of a table has that
// row and the function that is named like it, if there is one: macros make names like
// "limit_moves_forked" of "limit_moves".
func Source(dir, check string) (text, place string) {
	program, name, _ := strings.Cut(check, ".")
	file := filepath.Join(dir, program+".c")
	data, err := os.ReadFile(file)
	if err != nil {
		return "", ""
	}
	source := string(data)
	at := func(i int) string { return fmt.Sprintf("%s:%d", file, strings.Count(source[:i], "\n")+1) }
	if i := find(source, `^(?:\w*CHECK\w*|PLAY\w*)\(`+regexp.QuoteMeta(name)+`\b`); i >= 0 {
		return function(source, i), at(i)
	}
	for _, name := range parts(name) {
		key := regexp.QuoteMeta(name)
		row := find(source, `^[ \t]+[^\n;]*[("]`+key+`[,")]`)
		body := find(source, `^(?:static )?[\w ]+[ *](?:do_|in_|by_|play_)?`+key+`\([^;{}]*\)\n\{`)
		switch {
		case row >= 0 && body >= 0:
			return tableRow(source[row:]) + "\n\n" + function(source, body), at(row)
		case row >= 0:
			return tableRow(source[row:]), at(row)
		case body >= 0:
			return function(source, body), at(body)
		}
	}
	return "", ""
}

// find is where the first line that matches begins, or -1.
func find(source, line string) int {
	if at := regexp.MustCompile(`(?m)` + line).FindStringIndex(source); at != nil {
		return at[0]
	}
	return -1
}

// parts are what a macro may have made a name of: its words, without the last ones, or
// without the first.
func parts(name string) (list []string) {
	words := strings.Split(name, "_")
	for from := range min(2, len(words)) {
		for to := len(words); to > from; to-- {
			list = append(list, strings.Join(words[from:to], "_"))
		}
	}
	return list
}

// function is what begins at i, with the comment on top, which belongs to it.
func function(source string, i int) string {
	from := i
	if c := strings.LastIndex(source[:i], "/*"); c >= 0 && strings.HasSuffix(strings.TrimSpace(source[c:i]), "*/") &&
		strings.Count(source[c:i], "*/") == 1 {
		from = c
	}
	text := source[from:]
	if end := strings.Index(text, "\n}\n"); end >= 0 {
		text = text[:end+2]
	}
	return text
}

// tableRow is a row that begins here and ends with a line that closes it.
func tableRow(source string) string {
	var row []string
	for line := range strings.SplitSeq(source, "\n") {
		row = append(row, line)
		if strings.HasSuffix(line, "},") || strings.HasSuffix(line, "),") || len(row) == 5 {
			break
		}
	}
	return strings.Join(row, "\n")
}
