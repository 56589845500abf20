// SPDX-License-Identifier: GPL-2.0
/* A control group for one target: see group.h. */
#include "group.h"
#include "scene.h"
#include <sys/mount.h>

static char mounted[] = "/tmp/cloneat-XXXXXX";
static char group[64];

int in_group(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return ct_write(path, "%s", text);
}

void give_group(struct actor *t)
{
	char num[16];

	mkdir("/tmp", 01777);
	expect(mkdtemp(mounted));
	ct_unshare(CLONE_NEWNS);
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mount("none", mounted, "cgroup2", 0, NULL))
		ct_skip("no control groups here: %s", ct_errname(errno));
	snprintf(group, sizeof(group), "%s/cloneat-XXXXXX", mounted);
	if (!mkdtemp(group))
		ct_skip("no control group here: %s", ct_errname(errno));
	snprintf(num, sizeof(num), "%d", t->pid);
	expect_eq(in_group("cgroup.procs", num), 0);
}

static void read_all(const char *path, char *text, size_t size)
{
	int fd = must(open(path, O_RDONLY | O_CLOEXEC));
	ssize_t n = must(read(fd, text, size - 1));

	text[n] = 0;
	close(fd);
}

void await_frozen(void)
{
	char path[128], text[256];

	snprintf(path, sizeof(path), "%s/cgroup.events", group);
	do {
		sched_yield();
		read_all(path, text, sizeof(text));
	} while (!strstr(text, "frozen 1"));
}

void remove_group(struct actor *t)
{
	expect_eq(end(t, &me, 0), EXITED(0));
	rmdir(group);
	umount(mounted);
	rmdir(mounted);
}

void groups_of(pid_t pid, char *text, size_t size)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	read_all(path, text, size);
}
