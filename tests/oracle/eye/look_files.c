// SPDX-License-Identifier: Apache-2.0
/* Each descriptor: what it refers to, its flags, what fdinfo says of it. */
#include "eye.h"
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef F_GETOWN_EX
#define F_GETOWN_EX 16
#endif

static const struct {
	const char *name;
	int command;
} gets[] = {
	{ "fd", F_GETFD }, { "fl", F_GETFL }, { "sig", 11 }, { "lease", 1025 },
	{ "pipe", 1032 }, { "seals", 1034 }, { "hint", 1035 },
};

/* Time that is left is rounded: the two children look at different times. */
static void value_info(char *text)
{
	char *l;

	while ((l = next_line(&text))) {
		if (starts(l, "it_value: ("))
			value("it_value %d|", number(l + 11) / 1000000);
		else
			value("%s|", l);
	}
}

static void look_socket(long fd)
{
	unsigned char address[128];
	int len = sizeof(address), v[3] = { 0 };

	if (sys(__NR_getsockname, fd, address, &len) < 0)
		return;
	key("fd.%d.socket", fd);
	value_hex(address, len < 128 ? len : 128);
	for (int i = 0; i < 3; i++) {
		static const int option[3] = { SO_TYPE, SO_RCVBUF, SO_ACCEPTCONN };

		len = sizeof(int);
		sys(__NR_getsockopt, fd, SOL_SOCKET, option[i], &v[i], &len);
		value(" %d", (long)v[i]);
	}
	end();
}

static void look_fd(const char *name, void *arg)
{
	char path[64], text[4096];
	struct stat st;
	long fd = number(name), n, owner[1] = { 0 };
	int queued = -1;

	if (*name == '.' || fd == *(int *)arg)
		return;
	form(path, sizeof(path), "self/fd/%d", fd);
	n = sys(__NR_readlinkat, PROC_FD, path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	key("fd.%d.link", fd), value("%s", text), end();
	key("fd.%d.flags", fd);
	for (size_t i = 0; i < sizeof(gets) / sizeof(gets[0]); i++)
		value("%s %d ", gets[i].name, sys(__NR_fcntl, fd, gets[i].command, 0));
	end();
	if (sys(__NR_fcntl, fd, F_GETOWN_EX, owner) == 0)
		key("fd.%d.owner", fd), value("%x", owner[0]), end();
	if (fd < 3)	/* whoever reads our output changes the rest */
		return;
	if (sys(__NR_fstat, fd, &st) == 0) {
		key("fd.%d.stat", fd);
		value("%x %u %x %d", st.st_dev, st.st_ino, (long)st.st_mode, st.st_size), end();
	}
	if (sys(__NR_ioctl, fd, 0x541b /* FIONREAD */, &queued) == 0)
		key("fd.%d.queued", fd), value("%d", (long)queued), end();
	look_socket(fd);
	form(path, sizeof(path), "fdinfo/%d", fd);
	if (slurp(path, text, sizeof(text)) > 0)
		key("fd.%d.info", fd), value_info(text), end();
}

void look_files(void)
{
	int dir_fd = open_self("fd", O_RDONLY | O_DIRECTORY);

	each_entry(dir_fd, look_fd, &dir_fd);
}
