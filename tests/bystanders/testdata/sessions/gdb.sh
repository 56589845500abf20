# SPDX-License-Identifier: Apache-2.0
# A gdb session: breakpoint, steps, registers, a forked child that is followed.
cat >work.c <<'C'
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int twice(int n)
{
	int m = n;
	m += n;
	return m;
}
int main(void)
{
	int st = 0, n = twice(21);
	pid_t pid = fork();
	if (!pid)
		_exit(twice(n));
	waitpid(pid, &st, 0);
	printf("n %d, status %d\n", n, WEXITSTATUS(st));
	return 0;
}
C
gcc -g -O0 -o work work.c
tell() { sed -E 's/0x[0-9a-f]+/ADDR/g; s/(process|LWP) [0-9]+/\1 N/g; s/[0-9]+ (is executing|exited)/N \1/' | grep -v '^warning\|debuginfod\|^$'; }
gdb -q -nx -batch -ex 'break twice' -ex "run >/dev/null" -ex next -ex next -ex 'print m' -ex 'print $eflags' \
	-ex backtrace -ex finish -ex 'set follow-fork-mode child' -ex continue -ex 'print n' -ex continue ./work 2>&1 </dev/null | tell
gdb -q -nx -batch -ex 'catch syscall exit_group' -ex "run >/dev/null" -ex up -ex 'info registers rip rax orig_rax' \
	-ex continue -ex continue ./work 2>&1 </dev/null | tell
sleep 1000 &
gdb -q -nx -batch -p $! -ex 'print $_siginfo.si_signo' -ex detach 2>&1 </dev/null | tell | tail -n 2
kill $!
