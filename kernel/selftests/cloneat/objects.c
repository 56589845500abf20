// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the caller's that belongs to an object of the kernel: the child
 * has it, or has it not, as after fork().
 *
 *	check      maps it
 *	  +-- target    another, executed
 *	        +-- kid
 */
#include "scene.h"
#include <glob.h>
#include <linux/aio_abi.h>
#include <linux/if_packet.h>
#include <linux/perf_event.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#define NR_MEMFD_SECRET 447

/* 0 if the page is mapped, -ENOMEM if not; it is not touched. */
static long do_mapped(struct msg *m)
{
	unsigned char in;

	return ct_syscall3(SYS_mincore, m->arg[0], PAGE, &in);
}

static long do_read_long(struct msg *m)
{
	return *(volatile long *)m->arg[0];
}

static long do_write_long(struct msg *m)
{
	*(volatile long *)m->arg[0] = m->arg[1];
	return 0;
}

static void *map(size_t size, int prot, int fd)
{
	void *at = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

	must(at == MAP_FAILED ? -1 : 0);
	return at;
}

/* A context is its own process's; the page that shows it is fork's as well. */
PLAY_DOCUMENTED(aio_ring, "the page of an AIO context is mapped in the child",
		"no descriptor leads to its file: EOPNOTSUPP")
{
	struct actor t, k;
	unsigned long ctx = 0;
	long ret = ct_syscall3(SYS_io_setup, 4, &ctx, 0);

	if (ret == -ENOSYS)
		ct_skip("this kernel has no asynchronous I/O");
	expect_eq(ret, 0);
	spawn(&me, &t, ACTOR_EXEC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_mapped, ctx), 0);
	expect_eq(sys(&k, SYS_io_destroy, ctx), -EINVAL);
	expect_eq(ct_syscall3(SYS_io_destroy, ctx, 0, 0), 0);
}

PLAY_DOCUMENTED(secret, "secret memory is shared",
		"only who has its descriptor can map it: EOPNOTSUPP")
{
	struct actor t, k;
	volatile long *at;
	int fd = syscall(NR_MEMFD_SECRET, 0);

	if (fd < 0)
		ct_skip("no secret memory here: %s", ct_errname(errno));
	must(ftruncate(fd, PAGE));
	at = map(PAGE, PROT_READ | PROT_WRITE, fd);
	close(fd);
	*at = 7;
	spawn(&me, &t, ACTOR_EXEC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_read_long, (long)at), 7);
	expect_eq(on(&k, do_write_long, (long)at, 8), 0);
	expect_eq(*at, 8);
}

/* Maps a register of a PCI device's, and leaves it alone; NULL: none here. */
static void *map_device(void)
{
	void *at = NULL;
	glob_t g;

	if (glob("/sys/bus/pci/devices/*/resource[0-5]", 0, NULL, &g))
		return NULL;
	for (size_t i = 0; i < g.gl_pathc && !at; i++) {
		int fd = open(g.gl_pathv[i], O_RDWR | O_CLOEXEC);

		at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			at = NULL;
		close(fd);
	}
	globfree(&g);
	return at;
}

PLAY_DOCUMENTED(device, "memory of a device is mapped in the child",
		"who has it mapped has it from the driver: EOPNOTSUPP")
{
	struct actor t, k;
	void *at = map_device();

	if (!at)
		ct_skip("no memory of a device to be mapped here");
	spawn(&me, &t, ACTOR_EXEC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_mapped, (long)at), 0);
}

PLAY_DOCUMENTED(packet_ring, "the ring of a packet socket is shared",
		"only who has its descriptor can map it: EOPNOTSUPP")
{
	struct tpacket_req req = {
		.tp_block_size = PAGE, .tp_block_nr = 1,
		.tp_frame_size = PAGE / 2, .tp_frame_nr = 2,
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct actor t, k;
	void *at;

	if (fd < 0)
		ct_skip("no packet sockets here: %s", ct_errname(errno));
	must(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)));
	at = map(PAGE, PROT_READ | PROT_WRITE, fd);
	spawn(&me, &t, ACTOR_EXEC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_mapped, (long)at), 0);
}

/* fork(2) opens no file. */
PLAY_DOCUMENTED(watched, "nobody sees a mapped file of the caller's opened",
		"it is opened, to be mapped in the child")
{
	int fd = must(memfd_create("watched", MFD_CLOEXEC)), watch;
	char path[64], event[256];
	struct actor t, k;

	must(ftruncate(fd, PAGE));
	*(volatile char *)map(PAGE, PROT_READ | PROT_WRITE, fd) = 1;
	spawn(&me, &t, ACTOR_EXEC);
	watch = must(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(inotify_add_watch(watch, path, IN_OPEN));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect(read(watch, event, sizeof(event)) < 0 && errno == EAGAIN);
}

static long do_map(struct msg *m)
{
	return ct_syscall6(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE,
			   m->arg[0], 0);
}

/* In the caller: who opens the file from now on has to be permitted to, by this process. */
static long do_guard(struct msg *m)
{
	int fan = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);

	if (fan < 0)
		return -errno;
	if (fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN_PERM, m->arg[0], NULL))
		return -errno;
	return fan;
}

/* In the caller: permits whatever has been asked for. */
static long do_permit(struct msg *m)
{
	struct fanotify_event_metadata e;
	struct fanotify_response r = { .response = FAN_ALLOW };

	while (read(m->arg[0], &e, sizeof(e)) == sizeof(e)) {
		r.fd = e.fd;
		if (write(m->arg[0], &r, sizeof(r)) != sizeof(r))
			return -errno;
		close(e.fd);
	}
	return errno == EAGAIN ? 0 : -errno;
}

PLAY_DOCUMENTED(permitted, "nobody waits for the caller to permit that its file be opened",
		"it is opened, to be mapped in the child: EBUSY")
{
	int fd = must(memfd_create("guarded", MFD_CLOEXEC)), fan;
	struct actor a, t, other, k;
	long at, ret;

	must(ftruncate(fd, PAGE));
	spawn(&me, &a, 0);
	at = on(&a, do_map, fd);
	fan = on(&a, do_guard, fd);
	if (fan == -ENOSYS || fan == -EINVAL || fan == -EPERM)
		ct_skip("no permissions to open here: %s", ct_errname(-fan));
	expect(fan >= 0);
	spawn(&a, &t, ACTOR_EXEC);
	spawn(&me, &other, ACTOR_EXEC);
	expect_eq(sys(&a, SYS_close, fd), 0);
	cl_start(&a, t.pid, 0, 0);
	/* Meanwhile others are served. */
	expect_ok(cl(&me, &k, other.pid, 0, 0));
	expect_eq(end(&k, &other, 3), EXITED(3));
	ret = cl_finish(&a, &k);
	expect_eq(on(&a, do_permit, fan), 0);
	expect_ok(ret);
	expect_eq(on(&k, do_mapped, at), 0);
}

PLAY(perf_ring, "the ring of a counter is not in the child: fork leaves it out")
{
	struct actor t, k, f;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK, .exclude_kernel = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	void *at;

	if (fd < 0)
		ct_skip("no counters here: %s", ct_errname(errno));
	at = map(2 * PAGE, PROT_READ | PROT_WRITE, fd);
	spawn(&me, &t, ACTOR_EXEC);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_mapped, (long)at), -ENOMEM);
	spawn(&me, &f, 0);
	expect_eq(on(&f, do_mapped, (long)at), -ENOMEM);
}

/* --- the kernel's own pages ------------------------------------------------- */

/* Unmaps the vdso and its data: how many mappings there were. */
static long do_drop_vdso(struct msg *m)
{
	unsigned long from[8], to[8];
	char line[256];
	FILE *f = fopen("/proc/self/maps", "re");
	long n = 0;

	(void)m;
	if (!f)
		return -errno;
	while (n < 8 && fgets(line, sizeof(line), f))
		if (strstr(line, "[vdso]") || strstr(line, "[vvar"))
			n += sscanf(line, "%lx-%lx", &from[n], &to[n]) == 2;
	fclose(f);
	for (long i = 0; i < n; i++)
		if (munmap((void *)from[i], to[i] - from[i]))
			return -errno;
	return n;
}

/* None is left. */
static long do_count_vdso(struct msg *m)
{
	char line[256];
	FILE *f = fopen("/proc/self/maps", "re");
	long n = 0;

	(void)m;
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		n += strstr(line, "[vdso]") || strstr(line, "[vvar");
	fclose(f);
	return n;
}

PLAY_DOCUMENTED(no_vdso, "a caller that unmapped the vdso has children without it",
		"the target's child needs one to be rebuilt: EOPNOTSUPP")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, ACTOR_EXEC);
	expect(on(&a, do_drop_vdso) > 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_count_vdso), 0);
}

static void target_without_vdso(uint64_t flags)
{
	struct actor t, k;

	spawn(&me, &t, flags);
	expect(on(&t, do_drop_vdso) > 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect(on(&k, do_count_vdso) > 0);
	expect_eq(on(&t, do_count_vdso), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(no_vdso_target, "a target that unmapped the vdso: its child has the caller's")
{
	target_without_vdso(0);
	target_without_vdso(ACTOR_EXEC);
}

PLAY(no_vdso_self, "a caller that unmapped the vdso can clone itself")
{
	struct actor a, k;

	spawn(&me, &a, 0);
	expect(on(&a, do_drop_vdso) > 0);
	expect_ok(cl(&a, &k, a.pid, 0, 0));
	expect_eq(on(&k, do_count_vdso), 0);
	expect_eq(end(&k, &a, 5), EXITED(5));
}
