# SPDX-License-Identifier: Apache-2.0
# strace counts the calls of a tree of processes, shows some, and injects an error.
# One child at a time: of two that end together the shell has one SIGCHLD or two.
strace -f -c -U name,calls -S name -o count sh -c 'ls / >list; wc -l <list >/dev/null; (exit 3); cat /dev/null' || true
awk '$2 ~ /^[0-9]+$/ { print $1 ": " $2 }' count
strace -f -qq -e trace=chdir,exit_group -e signal=none -o calls sh -c '(cd /; exit 5); exit 6' || echo "status: $?"
sed -E 's/^[0-9]+ +//' calls | sort
strace -qq -e inject=getcwd:error=ENOENT -e trace=none -o /dev/null /bin/pwd >/dev/null || echo "injected: $?"
