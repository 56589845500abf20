// SPDX-License-Identifier: GPL-2.0
/*
 * Actors: see actor.h.
 *
 * A command socket is a SEQPACKET pair.  The commander's end asks for
 * credentials, so that the kernel itself says with every message who sent it,
 * in the numbers of the test process's pid namespace.  Actors below actors
 * send the commander's end up as an answer (SCM_RIGHTS).
 */
#include "actor.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/socket.h>

extern char **environ;

struct actor me = { .fd = -1 };

/* What a new actor must know; in memory of its own where it shares ours. */
struct birth {
	int fd;			/* its end of the command socket */
	int commander;		/* the other end */
	int own;		/* its creator's end, which it must not hold */
	int gate[2];		/* opens when the ids are mapped */
	uint64_t flags;
};

/* --- messages ----------------------------------------------------------- */

struct control {
	struct msghdr h;
	struct iovec iov;
	union {
		char buf[CMSG_SPACE(sizeof(int)) +
			 CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} c;
};

static struct msghdr *header(struct control *c, struct msg *m, size_t room)
{
	memset(c, 0, sizeof(*c));
	c->iov = (struct iovec){ m, sizeof(*m) };
	c->h.msg_iov = &c->iov;
	c->h.msg_iovlen = 1;
	c->h.msg_control = room ? c->c.buf : NULL;
	c->h.msg_controllen = room;
	return &c->h;
}

static long transfer(long nr, int fd, struct msghdr *h)
{
	long n;

	do {
		n = ct_syscall3(nr, fd, h, MSG_NOSIGNAL);
	} while (n == -EINTR);
	return n;
}

/* Sends m, and the descriptor m->fd if it has one. */
static long send_msg(int fd, struct msg *m)
{
	struct control c;
	struct msghdr *h = header(&c, m, m->fd < 0 ? 0 :
				  CMSG_SPACE(sizeof(int)));
	struct cmsghdr *cm = CMSG_FIRSTHDR(h);

	if (cm) {
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &m->fd, sizeof(int));
	}
	return transfer(SYS_sendmsg, fd, h);
}

/* Receives m, whose m->fd is valid or -1; who sent it, if that is known. */
static long recv_msg(int fd, struct msg *m, pid_t *from)
{
	struct control c;
	struct msghdr *h = header(&c, m, sizeof(c.c.buf));
	long n = transfer(SYS_recvmsg, fd, h);
	struct ucred cred;

	m->fd = -1;
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(h); n > 0 && cm;
	     cm = CMSG_NXTHDR(h, cm)) {
		if (cm->cmsg_type == SCM_RIGHTS)
			memcpy(&m->fd, CMSG_DATA(cm), sizeof(int));
		if (cm->cmsg_type == SCM_CREDENTIALS && from) {
			memcpy(&cred, CMSG_DATA(cm), sizeof(cred));
			*from = cred.pid;
		}
	}
	return n;
}

static long offset_of(actor_fn fn)
{
	return (long)fn - (long)actor_loop;
}

/* Runs the command in m and turns m into the answer. */
static void obey(struct msg *m, int own)
{
	m->own = own;
	m->fd = -1;
	m->ret = ((actor_fn)((long)actor_loop + m->off))(m);
}

void actor_loop(int fd)
{
	struct msg m;

	memset(&m, 0, sizeof(m));
	m.fd = -1;
	m.ret = ct_tid();
	send_msg(fd, &m);
	while (recv_msg(fd, &m, NULL) == sizeof(m)) {
		obey(&m, fd);
		send_msg(fd, &m);
		if (m.fd >= 0)
			close(m.fd);
	}
	ct_exit_thread(0);
}

/* --- commands ----------------------------------------------------------- */

void actor_start(struct actor *a, actor_fn fn, const long arg[6])
{
	a->m.off = offset_of(fn);
	memcpy(a->m.arg, arg, sizeof(a->m.arg));
	a->m.fd = -1;
	if (a->fd < 0)
		obey(&a->m, -1);
	else if (send_msg(a->fd, &a->m) != sizeof(a->m))
		fail("actor %d does not listen any more", a->pid);
}

long actor_finish(struct actor *a)
{
	if (a->fd >= 0 && recv_msg(a->fd, &a->m, NULL) != sizeof(a->m))
		fail("actor %d died under a command", a->pid);
	return a->m.ret;
}

bool answered(struct actor *a)
{
	struct pollfd p = { .fd = a->fd, .events = POLLIN };

	return must(poll(&p, 1, 0)) != 0;
}

void actor_busy(int line, struct actor *a)
{
	if (answered(a))
		ct_fail(line, "actor %d is done already, with %ld", a->pid,
			actor_finish(a));
}

long actor_on(struct actor *a, actor_fn fn, const long arg[6])
{
	actor_start(a, fn, arg);
	return actor_finish(a);
}

long do_syscall(struct msg *m)
{
	return ct_syscall6(m->arg[0], m->arg[1], m->arg[2], m->arg[3],
			   m->arg[4], m->arg[5], 0);
}

long do_wait4(struct msg *m)
{
	return ct_syscall6(SYS_wait4, m->arg[0], (long)m->buf, m->arg[1],
			   (long)(m->buf + 16), 0, 0);
}

long do_waitid(struct msg *m)
{
	memset(m->buf, 0, sizeof(siginfo_t));
	return ct_syscall6(SYS_waitid, m->arg[0], m->arg[1], (long)m->buf,
			   m->arg[2], 0, 0);
}

static long do_exit(struct msg *m)
{
	ct_exit(m->arg[0]);
}

/* --- births ------------------------------------------------------------- */

static int self_exe = -1;

static void execute(int fd)
{
	char num[16];
	char *argv[] = { "actor", "--actor", num, NULL };

	snprintf(num, sizeof(num), "%d", fd);
	ct_syscall6(SYS_execveat, self_exe, (long)"", (long)argv,
		    (long)environ, AT_EMPTY_PATH, 0);
	ct_exit(98);
}

static void own_proc(void)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		ct_exit(97);
}

/* The first steps of a new actor. */
static long born(void *arg)
{
	struct birth *b = arg;
	char c;

	if (!(b->flags & (CLONE_FILES | ACTOR_THREAD))) {
		close(b->commander);
		if (b->own >= 0)
			close(b->own);
		if (b->gate[1] >= 0)
			close(b->gate[1]);
	}
	if (b->gate[0] >= 0 && read(b->gate[0], &c, 1) != 1)
		ct_exit(96);
	if (b->flags & ACTOR_PROC)
		own_proc();
	if (b->flags & ACTOR_EXEC)
		execute(b->fd);
	actor_loop(b->fd);
}

static void *born_thread(void *arg)
{
	born(arg);
	return NULL;
}

static long start_thread(struct birth *b)
{
	pthread_t t;

	return pthread_create(&t, NULL, born_thread, b) ? -EAGAIN : 0;
}

/* Everything but the birth itself. */
static struct birth *expect_birth(struct msg *m, uint64_t flags)
{
	static __thread struct birth plain;
	struct birth *b = &plain;
	int sv[2], one = 1;

	if (flags & (CLONE_VM | ACTOR_THREAD))
		b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b == MAP_FAILED || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv))
		return NULL;
	fcntl(sv[0], F_SETFD, FD_CLOEXEC);
	setsockopt(sv[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	*b = (struct birth){ sv[1], sv[0], m->own, { -1, -1 }, flags };
	return b;
}

/* Closes what the new actor has a copy of, and hands the other end up. */
static long announce(struct msg *m, struct birth *b, long ret)
{
	if (!(b->flags & (CLONE_FILES | ACTOR_THREAD)) || ret < 0)
		close(b->fd);
	if (ret < 0)
		close(b->commander);
	else
		m->fd = b->commander;
	return ret;
}

static bool map_ids(pid_t pid, uint64_t flags)
{
	char path[64];

	if (!(flags & ACTOR_MAPROOT))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	if (ct_write(path, "0 0 100000"))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	return !ct_write(path, "0 0 100000");
}

static void open_gate(struct birth *b, pid_t pid)
{
	if (b->gate[0] < 0)
		return;
	if (pid > 0 && map_ids(pid, b->flags) && write(b->gate[1], "", 1) < 0)
		perror("# gate");
	close(b->gate[0]);
	close(b->gate[1]);
}

static long do_spawn(struct msg *m)
{
	uint64_t flags = m->arg[0];
	struct birth *b = expect_birth(m, flags);
	unsigned int classic = flags | SIGCHLD;
	long ret;

	if (!b)
		return -ENOMEM;
	if ((flags & CLONE_NEWUSER) && pipe(b->gate))
		return -EMFILE;
	if (flags & ACTOR_THREAD) {
		ret = start_thread(b);
	} else if (flags & CLONE_VM) {
		ret = clone_call(classic, ct_stack(NULL), CT_STACK_SIZE, NULL,
				 NULL, 0, born, b);
	} else {
		ret = clone_words(classic);
		if (!ret)
			born(b);
	}
	open_gate(b, ret);
	return announce(m, b, ret);
}

/* Takes the command socket that the parent's answer brought. */
static long adopt(struct actor *parent, struct actor *a, long ret)
{
	struct msg hello;

	a->pid = -1;
	a->fd = -1;
	a->vpid = ret;
	if (ret < 0)
		return ret;
	a->fd = parent->m.fd;
	fcntl(a->fd, F_SETFD, FD_CLOEXEC);
	if (recv_msg(a->fd, &hello, &a->pid) != sizeof(hello))
		a->pid = -1;
	a->m = hello;
	return ret;
}

long spawn(struct actor *parent, struct actor *a, uint64_t flags)
{
	long ret = adopt(parent, a, on(parent, do_spawn, flags));

	if (ret < 0 && (flags & (CLONE_NEWTIME | CLONE_NEWUSER)))
		ct_skip("no such namespaces here: %ld", ret);
	if (ret < 0)
		fail("no target: %s", ct_errname(-ret));
	if (a->pid < 0)
		fail("the new target %ld died at once", ret);
	if (flags & ACTOR_THREAD) {
		a->pid = a->m.ret;
		a->vpid = a->m.ret;
	}
	return a->vpid;
}

/* Parameters of cl() in m->arg; m->buf holds the struct extra. */
static long do_cloneat(struct msg *m)
{
	const struct extra *x = (void *)m->buf;
	uint64_t flags = m->arg[2];
	struct birth *b = expect_birth(m, flags & (CLONE_FILES | CLONE_VM));
	struct ct_args args;
	long ret;

	if (!b)
		return -ENOMEM;
	ct_args(&args, flags, flags >> 32);
	args.a.child_stack_base = x->stack;
	args.a.child_stack_size = x->stack_size;
	args.a.parent_tid_ptr = x->ptid;
	args.a.child_tid_ptr = x->ctid;
	args.a.reserved3 = x->tls;
	if ((flags & CLONE_VM) && !x->stack)
		ct_stack(&args.a);
	if (args.a.child_stack_base) {
		ret = cloneat_call(m->arg[0], m->arg[1], &args.a, born, b);
	} else {
		ret = cloneat(m->arg[0], m->arg[1], &args.a);
		if (!ret)
			born(b);
	}
	return announce(m, b, ret);
}

static void start_extra(struct actor *by, pid_t target, pid_t hint,
			uint64_t flags, const struct extra *x)
{
	if (!(flags & 0x7f) && !(flags & NOSIGNAL))
		flags |= SIGCHLD;
	flags &= ~NOSIGNAL;
	memcpy(by->m.buf, x, sizeof(*x));
	start(by, do_cloneat, target, hint, flags);
}

void cl_start(struct actor *by, pid_t target, pid_t hint, uint64_t flags)
{
	struct extra none = { 0 };

	start_extra(by, target, hint, flags, &none);
}

long cl_finish(struct actor *by, struct actor *kid)
{
	return adopt(by, kid, actor_finish(by));
}

long cl_extra(struct actor *by, struct actor *kid, pid_t target, pid_t hint,
	      uint64_t flags, const struct extra *x)
{
	long ret;

	start_extra(by, target, hint, flags, x);
	ret = cl_finish(by, kid);
	if (ret >= 0 && kid->pid < 0)
		fail("the new child %ld died at once", ret);
	return ret;
}

long cl(struct actor *by, struct actor *kid, pid_t target, pid_t hint,
	uint64_t flags)
{
	struct extra none = { 0 };

	return cl_extra(by, kid, target, hint, flags, &none);
}

/* --- ends --------------------------------------------------------------- */

void quit(struct actor *a, int code)
{
	start(a, do_exit, code);
	close(a->fd);
	a->fd = -1;
	wait_end(a->pid);
}

pid_t number_in(struct actor *a, struct actor *p)
{
	pid_t ids[8], depth[8];
	int n = proc_nspid(p == &me ? getpid() : p->pid, depth, 8);

	expect(proc_nspid(a->pid, ids, 8) >= n);
	return ids[n - 1];
}

long end(struct actor *a, struct actor *p, int code)
{
	pid_t number = number_in(a, p);
	long ret;

	quit(a, code);
	ret = on(p, do_wait4, number, __WALL);
	return ret == number ? status_of(p) : ret < 0 ? ret : -ENXIO;
}

/* --- /proc -------------------------------------------------------------- */

uint64_t proc_link(pid_t pid, const char *file)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	if (stat(path, &st))
		return 0;
	return (uint64_t)st.st_dev << 32 ^ st.st_ino;
}

bool proc_child(pid_t pid, pid_t id)
{
	char path[64];
	bool found = false;
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "r");
	if (!f)
		ct_skip("this kernel has no /proc/PID/task/TID/children");
	while (fscanf(f, "%d", &n) == 1)
		found |= n == id;
	fclose(f);
	return found;
}

pid_t latest_child(pid_t pid)
{
	char path[64];
	int child, last = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (!f)
		ct_skip("no %s here", path);
	while (fscanf(f, "%d", &child) == 1)
		last = child;
	fclose(f);
	return last;
}

/* The number of the system call that it sleeps in, -1 if it does not. */
static long sleeps_in(pid_t tid)
{
	char path[64], line[64];
	long nr = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	f = fopen(path, "re");
	if (!f && access("/proc/self/syscall", F_OK))
		ct_skip("this kernel has no /proc/PID/syscall");
	if (!f)
		fail("%d is gone", tid);
	if (fgets(line, sizeof(line), f) && *line != 'r')
		nr = strtol(line, NULL, 10);
	fclose(f);
	return proc_state(tid) == 'S' ? nr : -1;
}

void wait_blocked(struct actor *a, long nr)
{
	while (sleeps_in(a->pid) != nr && !answered(a))
		usleep(200);
}

bool is_asleep(pid_t tid)
{
	return sleeps_in(tid) >= 0;
}

void wait_asleep(struct actor *a)
{
	while (!is_asleep(a->pid) && !answered(a))
		usleep(200);
}

/* --- cleaning up -------------------------------------------------------- */

struct census {
	int n;
	struct { pid_t pid, ppid; bool below; } p[8192];
};

static void count_in(struct census *c, pid_t pid)
{
	char path[64], line[512], *paren;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return;
	paren = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	if (paren && c->n < (int)ct_count(c->p)) {
		c->p[c->n].pid = pid;
		c->p[c->n].ppid = strtol(paren + 4, NULL, 10);
		c->p[c->n++].below = false;
	}
	fclose(f);
}

static void mark_below(struct census *c, pid_t top, pid_t but)
{
	for (int i = 0; i < c->n; i++) {
		if (c->p[i].ppid != top || c->p[i].below)
			continue;
		c->p[i].below = c->p[i].pid != but;
		mark_below(c, c->p[i].pid, but);
	}
}

/* Kills one process; true if it still lived. */
static bool put_down(pid_t pid)
{
	int fd = ct_open_pidfd(pid);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool alive;

	if (fd < 0)
		return false;
	alive = !poll(&p, 1, 0);
	if (alive) {
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
		wait_end_fd(fd);
	}
	close(fd);
	return alive;
}

static int sweep(struct census *c)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int n = 0;

	c->n = 0;
	while (d && (e = readdir(d)))
		if (atoi(e->d_name) > 0)
			count_in(c, atoi(e->d_name));
	if (d)
		closedir(d);
	mark_below(c, getppid(), getpid());
	for (int i = 0; i < c->n; i++)
		if (c->p[i].below)
			n += put_down(c->p[i].pid);
	return n;
}

int settle(void)
{
	static struct census c;
	int all = 0, n;

	do {
		n = sweep(&c);
		all += n;
	} while (n);
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
	return all;
}

/* Runs before main(): an executed actor never gets there. */
__attribute__((constructor)) static void actor_main(int argc, char **argv)
{
	self_exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (argc == 3 && !strcmp(argv[1], "--actor"))
		actor_loop(atoi(argv[2]));
}
