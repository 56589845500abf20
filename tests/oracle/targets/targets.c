// SPDX-License-Identifier: Apache-2.0
/*
 * targets KIND: becomes that target, or makes it below itself, and waits. The
 * target says that it is ready on descriptor 3.
 *
 *	init			this -- init of all namespaces but user and time
 *	member			this -- init -- member
 *	nested_init		this -- init -- init of a namespace within
 *	nested_member		this -- init -- init within -- member
 *	user_init		init, in a user namespace as well
 *	user_member		this -- init of that -- member
 */
#define _GNU_SOURCE
#include <err.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#define CONTAINER (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

static void __attribute__((noreturn)) be_it(void)
{
	if (write(3, "r", 1) != 1)
		err(1, "descriptor 3");
	for (;;)
		pause();
}

/* Parents of the target wait until they are killed with it. */
static void below(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid) {
		while (waitpid(pid, NULL, 0) < 0)
			;
		_exit(1);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static void container(int more)
{
	if (unshare(CONTAINER | more))
		err(1, "unshare");
	if (more & CLONE_NEWUSER) {
		write_file("/proc/self/uid_map", "0 0 1");
		write_file("/proc/self/setgroups", "deny");
		write_file("/proc/self/gid_map", "0 0 1");
	}
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (sethostname("within", 6))
		err(1, "sethostname");
	below();
}

static void *second_thread(void *arg)
{
	(void)arg;
	be_it();
}

static void dead_leader(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, second_thread, NULL))
		errx(1, "pthread_create");
	syscall(SYS_exit, 0);
}

static void other_uid(void)
{
	if (setgroups(0, NULL) || setresgid(4321, 4321, 4321) || setresuid(4321, 4321, 4321))
		err(1, "setresuid");
	prctl(PR_SET_DUMPABLE, 1);
}

static void other_root(void)
{
	if (chroot("/tmp") || chdir("/"))
		err(1, "chroot");
}

static void become(const char *kind)
{
	if (!strcmp(kind, "uid"))
		other_uid();
	else if (!strcmp(kind, "chroot"))
		other_root();
	else if (!strcmp(kind, "dead_leader"))
		dead_leader();
	else if (!strcmp(kind, "setsid"))
		setsid();
	else if (strcmp(kind, "pause"))
		errx(2, "no such kind: %s", kind);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";

	if (!strncmp(kind, "user_", 5)) {
		container(CLONE_NEWUSER);
		kind += 5;
	} else if (!strncmp(kind, "nested_", 7)) {
		container(0);
		container(0);
		kind += 7;
	} else if (!strcmp(kind, "init") || !strcmp(kind, "member")) {
		container(0);
	} else {
		become(kind);
		be_it();
	}
	if (!strcmp(kind, "member"))
		below();
	be_it();
}
