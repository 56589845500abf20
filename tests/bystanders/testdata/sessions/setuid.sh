# SPDX-License-Identifier: Apache-2.0
# A set-user-ID program, and one with a file capability, get their rights.
cat >who.c <<'C'
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	printf("%s: uid %d euid %d secure %ld dumpable %d nnp %d\n", argv[argc - 1], getuid(),
	       geteuid(), getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE),
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	return 0;
}
C
gcc -o who who.c
./who plain
setpriv --reuid 65534 --regid 65534 --clear-groups ./who "another user"
chmod 4755 who
setpriv --reuid 65534 --regid 65534 --clear-groups ./who set-user-ID
setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs ./who "no new privileges"
