// SPDX-License-Identifier: Apache-2.0
/*
 * Every file under /proc/self, but for what counts or tells the time, and
 * what other parts look at.
 */
#include "eye.h"
#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char *const left_out[] = {
	".", "..", "fd", "fdinfo", "map_files", "task", "net", "mem", "pagemap", "maps", "smaps",
	"io", "schedstat", "statm", "stack", "syscall", "wchan", "oom_score", "smaps_rollup",
	"clear_refs", "arch_status", "numa_maps", "sched", "stat", "status", "ns", "attr", "cwd",
	"root", "exe", "patch_state", "mounts", "mountinfo", "mountstats",
	"ksm_merging_pages", "ksm_stat", /* how far the kernel's thread has come */
};

static int listed(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(name, list[i]))
			return 1;
	return 0;
}

static void put_file(const char *name)
{
	long n = slurp(name, big_buf, BUF_SIZE);

	key("proc.%s", name);
	if (n < 0)
		value("errno %d", -n);
	else if (n > 1500)
		value("%d bytes, ", n), value_bytes(big_buf, 1500);
	else
		value_bytes(big_buf, n);
	end();
}

static void look_entry(const char *name, void *arg)
{
	(void)arg;
	if (!listed(name, left_out, sizeof(left_out) / sizeof(left_out[0])))
		put_file(name);
}

static void look_attr(const char *name, void *arg)
{
	char path[100];

	(void)arg;
	if (*name == '.')
		return;
	form(path, sizeof(path), "attr/%s", name);
	put_file(path);
}

static void look_link(const char *prefix, const char *name)
{
	char path[100], text[4096];
	struct stat st = { 0 };
	long n, ret;

	form(path, sizeof(path), "self/%s%s", prefix, name);
	n = sys(__NR_readlinkat, PROC_FD, path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	ret = sys(__NR_newfstatat, PROC_FD, path, &st, 0);
	key("link.%s%s", prefix, name);
	value("%s %d %x %u", text, ret, st.st_dev, st.st_ino), end();
}

static void look_ns(const char *name, void *arg)
{
	(void)arg;
	if (*name != '.')
		look_link("ns/", name);
}

/* Fields of stat that are inherited, by their number in proc(5). */
static void look_stat(void)
{
	static const unsigned char fields[] = {
		5, 6, 7, 8, 9, 18, 19, 20, 23, 25, 26, 27, 28, 31, 32, 33, 34, 38, 40, 41,
		45, 46, 47, 48, 49, 50, 51, 52,
	};
	char *p = big_buf + slurp("stat", big_buf, BUF_SIZE), *e;
	size_t i = 0;

	while (p > big_buf && *p != ')')
		p--;
	p += 2;
	for (long n = 3; *p && i < sizeof(fields); n++, p = e + 1) {
		for (e = p; *e && *e != ' ' && *e != '\n'; e++)
			;
		*e = 0;
		if (fields[i] == n) {
			key("stat.%d", n), value("%s", p), end();
			i++;
		}
	}
}

static void look_status(void)
{
	static const char *const not[] = {
		"State", "Tgid", "Ngid", "Pid", "PPid", "NStgid", "NSpid", "VmHWM", "VmRSS", "RssAnon",
		"RssFile", "RssShmem", "VmPTE", "VmSwap", "voluntary_ctxt_switches",
		"nonvoluntary_ctxt_switches", "SigQ",
	};
	char *text = big_buf, *l;

	slurp("status", big_buf, BUF_SIZE);
	while ((l = next_line(&text))) {
		char *colon = l;

		while (*colon && *colon != ':')
			colon++;
		*colon = 0;
		if (!listed(l, not, sizeof(not) / sizeof(not[0])))
			key("status.%s", l), value("%s", colon + 2), end();
	}
}

/* The scheduler's own words; the rest of the file counts. */
static void look_sched(void)
{
	char *text = big_buf, *l;

	slurp("sched", big_buf, BUF_SIZE);
	while ((l = next_line(&text)))
		if (starts(l, "policy") || starts(l, "prio") || starts(l, "ext.enabled") ||
		    starts(l, "uclamp"))
			line("sched.file", "%s", l);
}

void look_proc(void)
{
	each_entry(open_self("", O_RDONLY | O_DIRECTORY), look_entry, NULL);
	each_entry(open_self("attr", O_RDONLY | O_DIRECTORY), look_attr, NULL);
	each_entry(open_self("ns", O_RDONLY | O_DIRECTORY), look_ns, NULL);
	look_link("", "exe");
	look_link("", "cwd");
	look_link("", "root");
	look_stat();
	look_status();
	look_sched();
}
