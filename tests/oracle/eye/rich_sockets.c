// SPDX-License-Identifier: Apache-2.0
/* Pipes and sockets with something in them, from 240 on. */
#include "eye.h"
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static void place(int fd, int at)
{
	sys(__NR_dup3, fd, at, at & 1 ? O_CLOEXEC : 0);
	sys(__NR_close, fd);
}

static void rich_pipes(void)
{
	int p[2], owner[2] = { 0 /* F_OWNER_TID */, 0 };

	did("pipe", sys(__NR_pipe2, p, O_NONBLOCK));
	place(p[0], 240), place(p[1], 241);
	sys(__NR_write, 241, "in the pipe", 11);
	did("pipe size", sys(__NR_fcntl, 240, 1031, 16384));
	owner[1] = sys(__NR_gettid);
	sys(__NR_fcntl, 240, 15 /* F_SETOWN_EX */, owner);
	sys(__NR_fcntl, 240, 10 /* F_SETSIG */, 40);
	sys(__NR_fcntl, 240, F_SETFL, O_NONBLOCK | O_ASYNC);
}

/* A message with a descriptor in flight. */
static void rich_unix(void)
{
	struct { struct cmsghdr h; int fd; } control = { { sizeof(struct cmsghdr) + 4, SOL_SOCKET, SCM_RIGHTS }, 240 };
	struct iovec iov = { "m", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct sockaddr_un name = { AF_UNIX, "" };
	int p[2], fd;

	did("socketpair", sys(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, p));
	place(p[0], 242), place(p[1], 243);
	did("in flight", sys(__NR_sendmsg, 242, &m, 0));
	fd = sys(__NR_socket, AF_UNIX, SOCK_STREAM, 0);
	form(name.sun_path + 1, 60, "oracle-%d", sys(__NR_getpid));
	did("unix socket", sys(__NR_bind, fd, &name, 3 + str_len(name.sun_path + 1)));
	sys(__NR_listen, fd, 5);
	place(fd, 244);
}

static void rich_inet(void)
{
	struct sockaddr_in any = { AF_INET, 0, { 0x0100007f }, { 0 } };
	int fd = sys(__NR_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	did("tcp", sys(__NR_bind, fd, &any, sizeof(any)));
	sys(__NR_listen, fd, 7);
	place(fd, 245);
	fd = sys(__NR_socket, AF_INET, SOCK_DGRAM, 0);
	did("udp", sys(__NR_bind, fd, &any, sizeof(any)));
	place(fd, 246);
	place(did("netlink", sys(__NR_socket, AF_NETLINK, SOCK_RAW, 0)), 247);
}

void rich_sockets(void)
{
	rich_pipes();
	rich_unix();
	rich_inet();
}
