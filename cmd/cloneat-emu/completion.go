package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd is "cloneat-emu completion".
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh" help:"For which shell (${enum})."`
}

// Help is shown by "completion --help".
func (*completionCmd) Help() string {
	return `Examples:
  source <(cloneat-emu completion bash)
  autoload -U compinit bashcompinit; compinit; bashcompinit; source <(cloneat-emu completion zsh)`
}

// Run prints the completion of bash, which zsh takes as well behind bashcompinit.
func (*completionCmd) Run(k *kong.Kong) error { return writeCompletion(os.Stdout, k.Model.Node) }

// completion is the script around the words: the longest command that was typed decides
// which come next; behind "--" there are files and commands.
const completion = `_cloneat_emu() {
	local words= at= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		[ "${COMP_WORDS[i]}" = -- ] && { COMPREPLY=($(compgen -c -f -- "${COMP_WORDS[COMP_CWORD]}")); return; }
		case "$at ${COMP_WORDS[i]}" in
%s		esac
	done
	case "$at" in
%s	esac
	COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _cloneat_emu cloneat-emu
`

// writeCompletion writes the script for a command line.
func writeCompletion(w io.Writer, root *kong.Node) error {
	var paths, words strings.Builder
	var walk func(n *kong.Node, path string)
	walk = func(n *kong.Node, path string) {
		list := flagWords(n)
		for _, child := range n.Children {
			if child.Type != kong.CommandNode || child.Hidden {
				continue
			}
			list = append(list, child.Name)
			fmt.Fprintf(&paths, "\t\t%q) at=%q ;;\n", path+" "+child.Name, path+" "+child.Name)
			walk(child, path+" "+child.Name)
		}
		fmt.Fprintf(&words, "\t%q) words=%q ;;\n", path, strings.Join(list, " "))
	}
	walk(root, "")
	_, err := fmt.Fprintf(w, completion, paths.String(), words.String())
	return err
}

// flagWords are the flags of a command, with the values that a flag is bound to.
func flagWords(n *kong.Node) (list []string) {
	for _, f := range n.Flags {
		if f.Hidden {
			continue
		}
		if f.Enum == "" {
			list = append(list, "--"+f.Name)
			continue
		}
		for value := range strings.SplitSeq(f.Enum, ",") {
			list = append(list, "--"+f.Name+"="+strings.TrimSpace(value))
		}
	}
	return list
}
