// SPDX-License-Identifier: GPL-2.0
/*
 * A target that is blocked until somebody unlocks, sends or opens something: see
 * busy.h.
 */
#include "busy.h"
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <linux/futex.h>
#include <time.h>

static char path[] = "/tmp/cloneat-XXXXXX";

static long in_futex(struct msg *m)
{
	(void)m;
	slot_wait(1, 1);
	return 0;
}

static long in_futex_timeout(struct msg *m)
{
	struct timespec far = { 1000, 0 };

	(void)m;
	return ct_syscall6(SYS_futex, (long)&ct_slot[1], FUTEX_WAIT, 0,
			   (long)&far, 0, 0);
}

static long in_semop(struct msg *m)
{
	struct sembuf op = { .sem_op = -1 };

	(void)m;
	return ct_syscall3(SYS_semop, sem, &op, 1);
}

static long in_semtimedop(struct msg *m)
{
	struct sembuf op = { .sem_op = -1 };
	struct timespec far = { 1000, 0 };

	(void)m;
	return ct_syscall6(SYS_semtimedop, sem, (long)&op, 1, (long)&far, 0, 0);
}

struct text {
	long type;
	char c;
};

static long in_msgrcv(struct msg *m)
{
	struct text t = { 0 };

	(void)m;
	return msgrcv(queue, &t, 1, 0, 0) == 1 ? t.c : -errno;
}

static long in_flock(struct msg *m)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	long ret = errno_of(flock(fd, LOCK_EX));

	(void)m;
	close(fd);
	return ret;
}

static long in_setlkw(struct msg *m)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	(void)m;
	return errno_of(fcntl(p[0], F_SETLKW, &l));
}

static long in_open_fifo(struct msg *m)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)m;
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* --- how they are prepared and released --------------------------------- */

static void make_file(void)
{
	mkdir("/tmp", 01777);
	p[1] = must(mkstemp(path));
	must(flock(p[1], LOCK_EX));
}

static void make_locked_memfd(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	p[0] = must(memfd_create("lock", 0));
	must(fcntl(p[0], F_SETLK, &l));
}

static void make_fifo(void)
{
	mkdir("/tmp", 01777);
	must(close(mkstemp(path)));
	must(unlink(path));
	must(mkfifo(path, 0600));
}

static void sem_up(struct actor *t)
{
	struct sembuf op = { .sem_op = 1 };

	(void)t;
	must(semop(sem, &op, 1));
}

static void send_text(struct actor *t)
{
	struct text text = { 1, 'b' };

	(void)t;
	must(msgsnd(queue, &text, 1, 0));
}

static void unlock_file(struct actor *t)
{
	(void)t;
	must(flock(p[1], LOCK_UN));
}

static void unlock_memfd(struct actor *t)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	(void)t;
	must(fcntl(p[0], F_SETLK, &l));
}

static void open_writer(struct actor *t)
{
	(void)t;
	p[1] = must(open(path, O_WRONLY));
}

/* --- the checks --------------------------------------------------------- */

static const struct block blocks[] = {
	BLOCK(futex, SYS_futex, make_nothing, wake, 0),
	BLOCK(futex_timeout, SYS_futex, make_nothing, wake, 0),
	BLOCK(semop, SYS_semop, make_sem, sem_up, 0),
	BLOCK(semtimedop, SYS_semtimedop, make_sem, sem_up, 0),
	BLOCK(msgrcv, SYS_msgrcv, make_queue, send_text, 'b'),
	BLOCK(flock, SYS_flock, make_file, unlock_file, 0),
	BLOCK(setlkw, SYS_fcntl, make_locked_memfd, unlock_memfd, 0),
	BLOCK(open_fifo, SYS_openat, make_fifo, open_writer, 0),
};

PLAY_TABLE(blocked, blocks)
{
	play_block();
	unlink(path);
}
