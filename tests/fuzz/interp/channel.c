// SPDX-License-Identifier: Apache-2.0
/* What goes to actors and comes back. */
#include "interp.h"
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void make_channels(void)
{
	int sv[2], one = 1;

	for (int i = 0; i < MAX_ACTORS; i++) {
		need(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), "socketpair");
		need(dup2(sv[0], CHANNEL_FD + i) >= 0, "dup2");
		need(dup3(sv[1], CONTROL_FD + i, O_CLOEXEC) >= 0, "dup3");
		need(!setsockopt(CONTROL_FD + i, SOL_SOCKET, SO_PASSCRED, &one,
				 sizeof(one)), "SO_PASSCRED");
		close(sv[0]);
		close(sv[1]);
	}
}

void tell(int i, const struct command *c)
{
	need(send(CONTROL_FD + i, c, sizeof(*c), 0) == sizeof(*c), "send");
}

/* Takes an answer; returns the sender's process id. */
int hear(int i, struct answer *a)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} c;
	struct iovec iov = { a, sizeof(*a) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c, .msg_controllen = sizeof(c) };
	struct cmsghdr *cm;
	struct ucred cred;

	need(recvmsg(CONTROL_FD + i, &h, 0) == sizeof(*a), "recvmsg");
	cm = CMSG_FIRSTHDR(&h);
	need(cm && cm->cmsg_type == SCM_CREDENTIALS, "credentials");
	memcpy(&cred, CMSG_DATA(cm), sizeof(cred));
	return cred.pid;
}

/* Is there an answer? */
bool readable(int i)
{
	struct pollfd p = { CONTROL_FD + i, POLLIN, 0 };

	return poll(&p, 1, 0) > 0;
}
