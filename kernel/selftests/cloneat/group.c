// SPDX-License-Identifier: GPL-2.0
/* A control group for one target: see group.h. */
#include "group.h"
#include "scene.h"
#include <sys/mount.h>

static char mounted[] = "/tmp/cloneat-XXXXXX";
static char group[64];
static bool freezer;	/* of version 1 */

int in_group(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return ct_write(path, "%s", text);
}

static void join_new(struct actor *t, const char *type, const char *options)
{
	char num[16];

	mkdir("/tmp", 01777);
	expect(mkdtemp(mounted));
	ct_unshare(CLONE_NEWNS);
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	if (mount("none", mounted, type, 0, options))
		ct_skip("no control groups here: %s", ct_errname(errno));
	snprintf(group, sizeof(group), "%s/cloneat-XXXXXX", mounted);
	if (!mkdtemp(group))
		ct_skip("no control group here: %s", ct_errname(errno));
	snprintf(num, sizeof(num), "%d", t->pid);
	expect_eq(in_group("cgroup.procs", num), 0);
}

void give_group(struct actor *t)
{
	join_new(t, "cgroup2", NULL);
}

void give_freezer(struct actor *t)
{
	freezer = true;
	join_new(t, "cgroup", "freezer");
}

void freeze(bool frozen)
{
	if (freezer)
		expect_eq(in_group("freezer.state",
				   frozen ? "FROZEN" : "THAWED"), 0);
	else
		expect_eq(in_group("cgroup.freeze", frozen ? "1" : "0"), 0);
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

void leave_group(void)
{
	char path[128], text[256], *num;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	read_all(path, text, sizeof(text));
	for (num = strtok(text, "\n"); num; num = strtok(NULL, "\n"))
		in_group("../cgroup.procs", num); /* it may be gone */
	expect_ok(rmdir(group));
	umount(mounted);
	rmdir(mounted);
}

void remove_group(struct actor *t)
{
	expect_eq(end(t, &me, 0), EXITED(0));
	leave_group();
}

void groups_of(pid_t pid, char *text, size_t size)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	read_all(path, text, size);
}

int divide_groups(const struct hierarchy *h, const char *path)
{
	char file[PATH_MAX];

	snprintf(file, sizeof(file), "%s/cgroup.subtree_control", path);
	return h->unified ? ct_write(file, "+%s", h->controller) : 0;
}

/* Is h what a line of mountinfo is about? */
static bool mounted_by(char *line, struct hierarchy *h)
{
	char root[4], type[32] = "", options[512] = "", *o;
	const char *tail = strstr(line, " - ");

	if (!tail || sscanf(line, "%*d %*d %*s %3s %199s", root, h->path) != 2 ||
	    sscanf(tail, " - %31s %*s %511s", type, options) != 2 ||
	    strcmp(root, "/"))
		return false;
	h->unified = !strcmp(type, "cgroup2");
	if (h->unified)
		return !divide_groups(h, h->path);
	for (o = strtok(options, ","); o; o = strtok(NULL, ","))
		if (!strcmp(o, h->controller))
			return !strcmp(type, "cgroup");
	return false;
}

void find_hierarchy(struct hierarchy *h)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[2 * PATH_MAX];
	bool found = false;

	expect(f);
	while (!found && fgets(line, sizeof(line), f))
		found = mounted_by(line, h);
	fclose(f);
	if (!found)
		ct_skip("no control groups here with %s", h->controller);
}

void new_group(const char *in, const char *prefix, char *path, size_t size)
{
	snprintf(path, size, "%.220s/%s-XXXXXX", in, prefix);
	if (!mkdtemp(path))
		ct_skip("no control group can be made here: %s",
			ct_errname(errno));
	ct_remove_later(path);
}
