// SPDX-License-Identifier: GPL-2.0
/* A page whose faults somebody else serves: see fault.h. */
#include "fault.h"
#include <sys/ioctl.h>

static long do_missing_page(struct msg *m)
{
	struct uffdio_api api = { .api = UFFD_API, .features = m->arg[0] };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	reg.range.start = (uintptr_t)page;
	reg.range.len = PAGE;
	if (page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		return -errno;
	m->fd = fd;
	m->arg[0] = (long)page;
	return 0;
}

char *missing_page(struct actor *t, uint64_t features, int *uffd)
{
	long ret = on(t, do_missing_page, features);

	if (ret == -ENOSYS || ret == -EPERM)
		ct_skip("no userfaultfd here: %s", ct_errname(-ret));
	expect_eq(ret, 0);
	*uffd = t->m.fd;
	return (char *)t->m.arg[0];
}
