// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// prelude is the beginning of every printed program. All its processes go
// through the same list of steps; each is done by one of them, while the others
// wait for theirs, so that the list reads like the program that was drawn.
//
//go:embed testdata/prelude.c
var prelude string

// Source returns the program in C.
func Source(p Program) string {
	var b strings.Builder
	b.WriteString(prelude)
	for i, op := range p.Ops {
		fmt.Fprintf(&b, "\tif (turn(%d, %d, me)) {\t/* %s */\n%s\t}\n", i+1, op.Actor, op, op.c(i+1))
	}
	fmt.Fprintf(&b, "\tturn(%d, -1, me);\n}\n", len(p.Ops)+1)
	return b.String()
}

// c returns the operation as C statements of step n.
func (o Op) c(n int) string {
	switch o.Name {
	case "clone":
		return o.clone(n)
	case "cloneat":
		return o.cloneat(n)
	case "clone3":
		return fmt.Sprintf("\t\texact(%d, %d, %s, (int[]){ %s, %s });\n", n, o.Child, o.Args[0], o.Args[1], o.Args[2])
	case "exec":
		return fmt.Sprintf("\t\texecute(me, %d);\n", n)
	case "exit", "exitgroup":
		return fmt.Sprintf("\t\tdone(%d, \"%s\", 0);\n\t\t%s;\n", n, o.Name, o.call())
	}
	return fmt.Sprintf("\t\tdone(%d, \"%s\", %s);\n", n, o.Name, o.call())
}

// plainCalls are operations that are one call with numbers or processes as arguments.
var plainCalls = map[string]string{
	"exit": "syscall(SYS_exit, %s)", "exitgroup": "_exit(%s)", "kill": "kill(%s, %s)", "unshare": "unshare(%s)",
	"setsid": "setsid()", "umask": "umask(%s)", "close": "close(%s)", "setpgid": "setpgid(%s, %s)",
	"subreaper": "prctl(PR_SET_CHILD_SUBREAPER, %s)", "dumpable": "prctl(PR_SET_DUMPABLE, %s)",
	"bound": "prctl(PR_CAPBSET_DROP, %s)", "nnp": "prctl(PR_SET_NO_NEW_PRIVS, %s, 0, 0, 0)",
	"wait": "waitpid(%s, NULL, WNOHANG | __WALL)", "write": "put(%s, %s)", "open": "put_fd(%s, %s)",
	"setid": "setid(%s)", "caps": "keep_caps(%sUL)", "signal": "set_signal(%s, %s)", "block": "block(%sUL)",
	"setns": "enter(%s, %s)", "rlimit": "limit(%s, %s)", "keepcaps": "prctl(PR_SET_KEEPCAPS, %s)",
	"pdeath": "prctl(PR_SET_PDEATHSIG, %s)", "secure": "prctl(PR_SET_SECUREBITS, %s)", "slack": "prctl(PR_SET_TIMERSLACK, %s)",
	"thp": "prctl(PR_SET_THP_DISABLE, %s, 0, 0, 0)", "tsc": "prctl(PR_SET_TSC, %s)", "mce": "prctl(PR_MCE_KILL, %s, %s, 0, 0)",
	"ambient": "prctl(PR_CAP_AMBIENT, %s, %s, 0, 0)", "persona": "syscall(SYS_personality, %s)", "nice": "syscall(SYS_setpriority, 0, %s, %s)",
	"ioprio": "syscall(SYS_ioprio_set, 1, %s, %s)", "resuid": "syscall(SYS_setresuid, %s, %s, %s)",
	"resgid": "syscall(SYS_setresgid, %s, %s, %s)", "fsuid": "syscall(SYS_setfsuid, %s)", "fchdir": "fchdir(%s)",
	"fcntl": "fcntl(%s, %s, %s)", "dup3": "dup3(%s, %s, %s)", "lseek": "lseek(%s, %s, %s)", "ftruncate": "ftruncate(%s, %s)",
	"mmap": "syscall(SYS_mmap, %sL, %s, %s, %s, %s, %sL)", "munmap": "syscall(SYS_munmap, %sL, %s)",
	"mprotect": "syscall(SYS_mprotect, %sL, %s, %s)", "madvise": "syscall(SYS_madvise, %sL, %s, %s)",
	"mlock": "syscall(SYS_mlock2, %sL, %s, %s)", "mremap": "syscall(SYS_mremap, %sL, %s, %s, %s, %sL)", "mlockall": "mlockall(%s)",
	"softlimit": "soft_limit(%s, %s)", "sched": "set_policy(%s, %s, %s, %s)", "altstack": "alt_stack(%s, %s, %s)",
	"capsets": "set_caps(%sUL, %sUL, %sUL)", "filter": "filter(%s, %s)", "keyring": "join_keyring(\"k%s\")", "timer": "timer(%s)",
	"path": "go(%s, %s)", "mount": "mount_dev(%s)", "oom": "put_text(\"/proc/thread-self/oom_score_adj\", \"%s\")", "idmap": "be_root()",
	"tkill": "syscall(SYS_tkill, %s, %s)", "killpg": "kill(-%s, %s)", "sem": "sem_undo(%s)", "shm": "segment(%s, %s, %s)", "brk": "(long)sbrk(%s * 4096)", "lock": "lock(%s, %s, %s)",
	"comm": "prctl(PR_SET_NAME, \"c%s\")", "poke": "poke(%s, %s)",
}

func (o Op) call() string {
	var args []any
	for _, a := range o.Args {
		args = append(args, number(a))
	}
	return fmt.Sprintf(plainCalls[o.Name], args...)
}

// number is an argument in C.
func number(arg string) string {
	switch {
	case arg == "I":
		return "1"
	case strings.HasPrefix(arg, "P"):
		return "all->pid[" + arg[1:] + "]"
	}
	return arg
}

// faults are what the interpreter's enum fault does to the arguments, in C.
var faults = []string{
	"", "(void)a;", "a.flags = NULL;", "a.reserved1 = 1;", "a.reserved2 = 1;", "a.reserved3 = a.reserved3 ? a.reserved3 : 1;",
	"a.child_stack_size = 65536;", "a.child_stack_base = 4096;", "a.child_stack_base = -4096UL; a.child_stack_size = 8192;",
	"a.reserved3 = 0xffff800000000000UL;", "a.parent_tid_ptr = a.child_tid_ptr = 8;", "a.flags_size = 12;", "a.flags_size = 12; set[2] = 1;",
	"a.parent_tid_ptr = a.child_tid_ptr = (long)program;", "at = edge(&a, 32);", "a.flags = edge(set, 4);", "a.flags = long_set(set); a.flags_size = 4096;",
}

// mostFault is the highest number of a fault.
var mostFault = len(faults) - 1

// thirdWord is the first of the faults that make the array longer.
const thirdWord = 11

// how tells birth() in the prelude what is special about a birth.
func how(flags uint32) string {
	switch {
	case flags&unix.CLONE_VM != 0 && flags&unix.CLONE_VFORK != 0:
		return "OWN_STACK | VFORK"
	case flags&unix.CLONE_VM != 0:
		return "OWN_STACK"
	case flags&unix.CLONE_VFORK != 0:
		return "VFORK"
	}
	return "0"
}

func (o Op) clone(n int) string {
	flags, stack := bits(o.Args[0]), "0"
	if flags&unix.CLONE_VM != 0 {
		stack = "new_stack() + STACK_SIZE"
	}
	return fmt.Sprintf("\t\tbirth(%d, %d, %s, SYS_clone, %sL, %s, (long)tids, (long)(tids + 1));\n", n, o.Child, how(flags), o.Args[0], stack)
}

func (o Op) cloneat(n int) string {
	flags := bits(o.Args[2]) | bits(o.Args[3])<<8
	fault, _ := strconv.Atoi(o.Args[5])
	var b strings.Builder
	fmt.Fprintf(&b, "\t\tclone_flag_t set[3] = { (int)%s, (int)%s };\n", o.Args[2], o.Args[3])
	fmt.Fprintf(&b, "\t\tstruct cloneat_args a = { .flags = set, .flags_size = %s };\n", o.Args[4])
	b.WriteString("\t\tvoid *at = &a;\n\n\t\t(void)at;\n")
	b.WriteString("\t\ta.parent_tid_ptr = (long)tids;\n\t\ta.child_tid_ptr = (long)(tids + 1);\n")
	if flags&unix.CLONE_VM != 0 {
		b.WriteString("\t\ta.child_stack_base = new_stack();\n\t\ta.child_stack_size = STACK_SIZE;\n")
	}
	if flags&unix.CLONE_SETTLS != 0 {
		b.WriteString("\t\ta.reserved3 = (long)tls;\n")
	}
	if faults[fault] != "" {
		fmt.Fprintf(&b, "\t\t%s\n", faults[fault])
	}
	if o.Args[4] == "4" && fault < thirdWord { // the array ends before the second word
		flags = bits(o.Args[2])
	}
	args := "(long)at"
	if fault == 1 {
		args = "0"
	}
	fmt.Fprintf(&b, "\t\tbirth(%d, %d, %s, 511, %s, %s, %s, 0);\n", n, o.Child, how(flags), number(o.Args[0]), number(o.Args[1]), args)
	return b.String()
}

// bits reads a word of flags.
func bits(word string) uint32 {
	n, _ := strconv.ParseUint(word, 0, 32)
	return uint32(n)
}
