// SPDX-License-Identifier: Apache-2.0

package main

// The examples that --help shows.

// Help is shown by "run --help".
func (*runCmd) Help() string {
	return `Exit status, signals, job control, stdin, stdout and stderr are the program's own. What it leaves running goes on,
with ENOSYS from then on. 125 is a failure of the supervisor, 126 and 127 of starting the program, as in a shell.

Examples:
  cloneat-emu run --trace -- ./program arg        a line per call on stderr
  cloneat-emu run --trace=calls.log --stats -- make test
  cloneat-emu run --userns -- ./program           without root
  cloneat-emu run --linger -- ./daemon --detach   served until the last process ends`
}

// Help is shown by "check --help".
func (*checkCmd) Help() string {
	return `Every feature is tried, not looked up by version. Exit status 1 if programs cannot be supervised at all.

Examples:
  cloneat-emu check
  cloneat-emu check --json | jq -r '.[] | select(.works != "yes") | .feature'`
}

// Help is shown by "conform --help".
func (*conformCmd) Help() string {
	return `Exit status 1 if a check failed that is not documented to differ.

Examples:
  cloneat-emu conform --jobs 2
  cloneat-emu conform --filter '^hint\.'
  cloneat-emu vm -- build/selftests/hint          one program on the real call`
}

// Help is shown by "compare --help".
func (*compareCmd) Help() string {
	return `Needs a checkout, whose kernel/boot.sh builds and boots the kernels. Exit status 1 on an undocumented difference.

Examples:
  cloneat-emu compare --kernel 6.1,6.12 --report out.html --report out.md
  cloneat-emu compare --filter '^(args|order)\.'`
}

// Help is shown by "vm --help".
func (*vmCmd) Help() string {
	return `The program's output and exit status come back; a panic or a complaint of the kernel is 125, with its console shown.

Examples:
  cloneat-emu vm -- ./program arg                 on the patched 6.1, in QEMU
  cloneat-emu vm --uml --kernel 6.12 -- ./program`
}
