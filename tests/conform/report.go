// SPDX-License-Identifier: Apache-2.0

package conform

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writers are the forms of a report, by the ending of its name.
var writers = map[string]func(*Comparison, io.Writer) error{
	".html": (*Comparison).html, ".md": (*Comparison).markdown, ".json": (*Comparison).json,
}

// CheckReport is WriteReport's error for a name that says no form.
func CheckReport(name string) error {
	if writers[filepath.Ext(name)] == nil {
		return fmt.Errorf("--report %s: the name must end in .html, .md or .json", name)
	}
	return nil
}

// WriteReport writes the comparison as the name's ending says: .html, .md or .json.
func (c *Comparison) WriteReport(name string) error {
	if err := CheckReport(name); err != nil {
		return err
	}
	write := writers[filepath.Ext(name)]
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	if err := write(c, f); err != nil {
		f.Close()
		return fmt.Errorf("--report %s: %w", name, err)
	}
	return f.Close()
}

func (c *Comparison) json(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", " ")
	return out.Encode(c)
}

// markdown is a table of what every column counts, and one of what does not agree.
func (c *Comparison) markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# cloneat: implementations compared\n\n%s\n\n", c.Summary())
	b.WriteString("| implementation | passed | failed | documented | skipped | n/a | took |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, col := range c.Columns {
		s := Summarize(col.Results)
		fmt.Fprintf(&b, "| %s%s | %d | %d | %d | %d | %d | %s |\n",
			col.Name, note(col.Why), s.Passed, s.Failed, s.Documented, s.Skipped, s.NA, col.Took.Round(time.Second))
	}
	b.WriteString("\n| check | outcome |")
	for _, col := range c.Columns {
		fmt.Fprintf(&b, " %s |", col.Name)
	}
	b.WriteString("\n| --- | --- |" + strings.Repeat(" --- |", len(c.Columns)) + "\n")
	for _, r := range c.Rows {
		if r.Outcome == Agree {
			continue
		}
		fmt.Fprintf(&b, "| %s: %s | %s%s |", r.Name, escape(r.Verdict), r.Outcome, note(r.Difference))
		for _, cell := range r.Cells {
			fmt.Fprintf(&b, " %s |", escape(cellText(cell)))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func note(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func escape(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

// cellText is a result in few words.
func cellText(r *Result) string {
	switch {
	case r == nil:
		return "n/a"
	case r.Status == Pass:
		return "pass"
	case r.Status == Skip:
		return "skipped: " + r.Text
	case r.Status == NA:
		return "n/a: " + r.Text
	}
	return "FAIL: " + r.Text
}

//go:embed report.html
var page string

// html is one page that needs nothing from anywhere.
func (c *Comparison) html(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"cell":   cellText,
		"mark":   mark,
		"class":  class,
		"wrong":  Row.wrong,
		"in":     func(r Row, columns []Column) rowIn { return rowIn{r, columns} },
		"took":   func(d time.Duration) time.Duration { return d.Round(time.Second) },
		"groups": c.groups,
		"counts": func(col Column) Summary { return Summarize(col.Results) },
		"id":     func(s string) string { return strings.ReplaceAll(s, ".", "-") },
		"now":    func() string { return time.Now().Format("2006-01-02 15:04") },
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, c)
}

// rowIn is a row with the names of its cells.
type rowIn struct {
	Row     Row
	Columns []Column
}

// group is the checks of one program.
type group struct {
	Program         string
	Rows            []Row
	Bad, Documented int
}

func (c *Comparison) groups() (list []group) {
	for _, r := range c.Rows {
		program, _, _ := strings.Cut(r.Name, ".")
		if len(list) == 0 || list[len(list)-1].Program != program {
			list = append(list, group{Program: program})
		}
		g := &list[len(list)-1]
		g.Rows = append(g.Rows, r)
		switch {
		case r.wrong():
			g.Bad++
		case r.Outcome == Announced:
			g.Documented++
		}
	}
	return list
}

// mark is a result as one character, class its colour.
func mark(r *Result) string {
	return map[string]string{"pass": "✓", "fail": "✗", "doc": "≠", "skip": "–", "na": "·"}[class(r)]
}

func class(r *Result) string {
	switch {
	case r == nil || r.Status == NA:
		return "na"
	case r.Status == Pass:
		return "pass"
	case r.Status == Skip:
		return "skip"
	case r.Status == Documented:
		return "doc"
	}
	return "fail"
}
