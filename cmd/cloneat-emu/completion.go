// SPDX-License-Identifier: Apache-2.0

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
// which come next. Behind "--" there is a command, and then files, as bash completes them
// where COMPREPLY stays empty. bash makes words of their own of "=" and what is behind it.
const completion = `_cloneat_emu() {
	local words= at= i cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD-1]}
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [ "${COMP_WORDS[i]}" = -- ]; then
			((i + 1 < COMP_CWORD)) || COMPREPLY=($(compgen -c -f -- "$cur"))
			return
		fi
		case "$at ${COMP_WORDS[i]}" in
%s		esac
	done
	[ "$flag" != = ] || flag=${COMP_WORDS[COMP_CWORD-2]}
	[ "$cur" != = ] || cur=
	case "$at $flag" in
%s	*)
		case "$at" in
%s		esac
		;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _cloneat_emu cloneat-emu
`

// writeCompletion writes the script for a command line.
func writeCompletion(w io.Writer, root *kong.Node) error {
	var paths, values, words strings.Builder
	var walk func(n *kong.Node, path string)
	walk = func(n *kong.Node, path string) {
		list := positionals(n)
		for _, f := range n.Flags {
			if f.Hidden {
				continue
			}
			list = append(list, flagWords(f)...)
			if !f.IsBool() {
				fmt.Fprintf(&values, "\t%q) words=%q ;;\n", path+" --"+f.Name, strings.Join(choices(f.Value), " "))
			}
		}
		for _, child := range n.Children {
			if child.Type != kong.CommandNode || child.Hidden {
				continue
			}
			list = append(list, child.Name)
			fmt.Fprintf(&paths, "\t\t%q) at=%q ;;\n", path+" "+child.Name, path+" "+child.Name)
			walk(child, path+" "+child.Name)
		}
		fmt.Fprintf(&words, "\t\t%q) words=%q ;;\n", path, strings.Join(list, " "))
	}
	walk(root, "")
	_, err := fmt.Fprintf(w, completion, paths.String(), values.String(), words.String())
	return err
}

// choices are the words that a flag or an argument is bound to, if it is.
func choices(v *kong.Value) (list []string) {
	if v.Enum == "" {
		return nil
	}
	for word := range strings.SplitSeq(v.Enum, ",") {
		list = append(list, strings.TrimSpace(word))
	}
	return list
}

// positionals are the words that a command's arguments are bound to.
func positionals(n *kong.Node) (list []string) {
	for _, p := range n.Positional {
		list = append(list, choices(p)...)
	}
	return list
}

// flagWords are a flag, with each of the values that it is bound to.
func flagWords(f *kong.Flag) (list []string) {
	for _, value := range choices(f.Value) {
		list = append(list, "--"+f.Name+"="+value)
	}
	if list == nil {
		list = []string{"--" + f.Name}
	}
	return list
}
