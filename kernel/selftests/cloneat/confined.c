// SPDX-License-Identifier: GPL-2.0
/*
 * Targets and callers that are confined in ways which nobody can put off: the
 * child is as confined as its caller, neither more nor less.
 *
 *	check      or a: the caller
 *	  +-- target    confined otherwise
 *	        +-- kid
 */
#include "group.h"
#include "scene.h"
#include <linux/capability.h>
#include <sys/mount.h>

/* Calls that are younger than some C libraries; the numbers are everybody's. */
#define NR_LANDLOCK_CREATE_RULESET 444
#define NR_LANDLOCK_RESTRICT_SELF 446
#define NR_MSEAL 462
#define NR_IO_URING_REGISTER 427

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#define MDWE_REFUSE 1
#define MDWE_NO_INHERIT 2
#define THP_EXCEPT_ADVISED 2

/* --- Landlock ------------------------------------------------------------ */

/* No FIFO may be made anywhere from here on; -errno. */
static long do_landlock(struct msg *m)
{
	uint64_t make_fifo = 1 << 10;
	long fd = ct_syscall3(NR_LANDLOCK_CREATE_RULESET, &make_fifo,
			      sizeof(make_fifo), 0);
	long ret = fd;

	(void)m;
	if (fd >= 0) {
		ret = ct_syscall3(NR_LANDLOCK_RESTRICT_SELF, fd, 0, 0);
		close(fd);
	}
	return ret;
}

/* Makes one: 0, or -EACCES where Landlock forbids it. */
static long do_make_fifo(struct msg *m)
{
	char name[64];

	(void)m;
	snprintf(name, sizeof(name), "/tmp/cloneat-fifo-%d", ct_pid());
	mkdir("/tmp", 01777);
	if (mkfifo(name, 0600))
		return -errno;
	return unlink(name) ? -errno : 0;
}

static void landlocked(struct actor *a)
{
	long ret = on(a, do_landlock);

	if (ret == -ENOSYS || ret == -EOPNOTSUPP)
		ct_skip("no Landlock here: %s", ct_errname(-ret));
	expect_eq(ret, 0);
	expect_eq(on(a, do_make_fifo), -EACCES);
}

PLAY_DOCUMENTED(landlock_target, "a target in a Landlock domain of its own",
		"a process cannot leave a domain: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, ACTOR_EXEC);
	landlocked(&t);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_make_fifo), 0);
}

PLAY(landlock_both, "caller and target in one Landlock domain: the child is")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	landlocked(&a);
	spawn(&a, &t, 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_make_fifo), -EACCES);
	expect_ok(cl(&a, &k, a.pid, 0, 0));
	expect_eq(on(&k, do_make_fifo), -EACCES);
}

PLAY(landlock_caller, "a caller in a domain that its target is not in: EPERM")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	landlocked(&a);
	expect_eq(cl(&a, &k, t.pid, 0, 0), -EPERM);
	expect_eq(on(&t, do_make_fifo), 0);
}

/* --- security labels ------------------------------------------------------ */

#define LABEL "/proc/self/attr/current"

/* Takes a label of its own, as Smack knows it; -errno. */
static long do_label(struct msg *m)
{
	int fd = open(LABEL, O_WRONLY | O_CLOEXEC);
	long ret = fd < 0 || write(fd, "other", 5) != 5 ? -errno : 0;

	(void)m;
	close(fd);
	return ret;
}

/* 1 if it has that label, 0 if another. */
static long do_has_label(struct msg *m)
{
	char label[256] = "";
	int fd = open(LABEL, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, label, sizeof(label) - 1);

	(void)m;
	if (n < 0)
		return -errno;
	close(fd);
	return !strcmp(label, "other");
}

/*
 * Both labels may do everything to each other: the actors hand each other
 * sockets, which no capability does for Smack.
 */
static void make_rules(void)
{
	static const char *const rules[] = { "_ other rwxat", "other _ rwxat" };
	char dir[64];
	int fd;

	snprintf(dir, sizeof(dir), "/tmp/cloneat-smack-%d", ct_pid());
	mkdir("/tmp", 01777);
	must(mkdir(dir, 0700));
	if (mount("smackfs", dir, "smackfs", 0, NULL)) {
		rmdir(dir);
		ct_skip("no Smack here: %s", ct_errname(errno));
	}
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	for (int i = 0; i < 2; i++) {
		int load = must(openat(fd, "load2", O_WRONLY | O_CLOEXEC));

		must(write(load, rules[i], strlen(rules[i])));
		close(load);
	}
	close(fd);
}

static void labelled(struct actor *a)
{
	long ret;

	if (on(a, do_has_label) == -EINVAL)
		ct_skip("no security module here that labels processes");
	make_rules();
	ret = on(a, do_label);
	if (ret == -EINVAL || ret == -EACCES)
		ct_skip("no label may be taken here: %s", ct_errname(-ret));
	expect_eq(ret, 0);
	expect_eq(on(a, do_has_label), 1);
}

PLAY(label_target, "a target with a label of its own: the child has the caller's")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	labelled(&t);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_has_label), 0);
	expect_eq(on(&t, do_has_label), 1);
}

PLAY(label_caller, "a caller with a label of its own: so has the child")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	labelled(&a);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_has_label), 1);
	expect_eq(on(&t, do_has_label), 0);
}

PLAY_DOCUMENTED(label_kept, "a label that nobody may change any more",
		"a child of the target has it, too: EOPNOTSUPP")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	labelled(&t);
	expect_eq(on(&a, do_drop, CAP_MAC_ADMIN), 0);
	expect_eq(on(&t, do_drop, CAP_MAC_ADMIN), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(on(&k, do_has_label), 0);
}

/* --- sealed mappings ------------------------------------------------------- */

/* Two sealed pages with a value in them: their address, or -errno. */
static long do_sealed(struct msg *m)
{
	long *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long ret;

	if (at == MAP_FAILED)
		return -errno;
	*at = m->arg[0];
	ret = ct_syscall3(NR_MSEAL, at, 2 * PAGE, 0);
	return ret ? ret : (long)at;
}

static long do_read_long(struct msg *m)
{
	return *(volatile long *)m->arg[0];
}

static long sealed(struct actor *a, long value)
{
	long at = on(a, do_sealed, value);

	if (at == -ENOSYS)
		ct_skip("this kernel has no mseal");
	expect(at > 0);
	return at;
}

/* 0 if two pages are mapped there, else -ENOMEM. */
static long mapped(struct actor *a, long at)
{
	return sys(a, SYS_madvise, at, 2 * PAGE, MADV_WILLNEED);
}

static void mseal_target_with(uint64_t flags)
{
	struct actor t, k;
	long at;

	spawn(&me, &t, flags);
	at = sealed(&t, 5);
	expect_ok(cl(&me, &k, t.pid, 0, flags));
	expect_eq(mapped(&k, at), -ENOMEM);
	expect_eq(on(&t, do_read_long, at), 5);
}

PLAY(mseal_target, "a target that sealed memory of its own")
{
	mseal_target_with(0);
}

PLAY_DOCUMENTED(mseal_files, "the same, and the table of descriptors is shared",
		"an exec to get rid of it would end the sharing: EOPNOTSUPP")
{
	mseal_target_with(CLONE_FILES);
}

static void mseal_caller(enum kind kind)
{
	struct actor k;
	long at = sealed(&me, 6);

	kid_of(kind, &k);
	expect_eq(on(&k, do_read_long, at), 6);
	expect_eq(sys(&k, SYS_munmap, at, PAGE), -EPERM);
	expect_eq(sys(&k, SYS_mprotect, at, PAGE, PROT_NONE), -EPERM);
}

/* --- memory that is not to be written and executed -------------------------- */

static long set_mdwe(struct actor *a, long bits)
{
	return sys(a, SYS_prctl, PR_SET_MDWE, bits, 0, 0, 0);
}

static long get_mdwe(struct actor *a)
{
	return sys(a, SYS_prctl, PR_GET_MDWE, 0, 0, 0, 0);
}

/* A page that was written may not become executable: -EACCES. */
static long do_write_execute(struct msg *m)
{
	char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)m;
	*at = 1;
	return ct_syscall3(SYS_mprotect, at, PAGE, PROT_READ | PROT_EXEC);
}

static void mdwe_of(struct actor *a, uint64_t flags, bool before)
{
	struct actor t, k;
	long ret;

	spawn(&me, a, 0);
	if (!before)
		spawn(a, &t, flags);
	ret = set_mdwe(a, MDWE_REFUSE);
	if (ret == -EINVAL)
		ct_skip("no PR_SET_MDWE in this kernel");
	expect_eq(ret, 0);
	if (before)
		spawn(a, &t, flags);
	expect_ok(cl(a, &k, t.pid, 0, 0));
	expect_eq(get_mdwe(&k), MDWE_REFUSE);
	expect_eq(on(&k, do_write_execute), -EACCES);
	expect_eq(get_mdwe(&t), before ? MDWE_REFUSE : 0);
}

PLAY(mdwe_caller, "a caller that denies itself writable code: its child, too")
{
	struct actor a;

	mdwe_of(&a, 0, false);
	mdwe_of(&a, ACTOR_EXEC, false);
}

PLAY(mdwe_both, "caller and target deny themselves writable code")
{
	struct actor a;

	mdwe_of(&a, 0, true);
	mdwe_of(&a, ACTOR_EXEC, true);
}

/* A page of code that was written before that is forbidden: its address. */
static long do_make_code(struct msg *m)
{
	char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, "code", 5);
	if (mprotect(at, PAGE, PROT_READ | PROT_EXEC))
		return -errno;
	m->ret = prctl(PR_SET_MDWE, MDWE_REFUSE, 0, 0, 0) ? -errno : (long)at;
	return m->ret;
}

static long do_is_code(struct msg *m)
{
	return !strcmp((char *)m->arg[0], "code");
}

/* A kid of a caller that has such a page, and of its target: its address. */
static long code_of(struct actor *k)
{
	struct actor a, t;
	long at;

	spawn(&me, &a, 0);
	at = on(&a, do_make_code);
	if (at == -EINVAL)
		ct_skip("no PR_SET_MDWE in this kernel");
	expect(at > 0);
	spawn(&a, &t, ACTOR_EXEC);
	expect_ok(cl(&a, k, t.pid, 0, 0));
	return at;
}

PLAY(mdwe_code, "code that was written before that was forbidden is there")
{
	struct actor k;
	long at = code_of(&k);

	expect_eq(on(&k, do_is_code, at), 1);
	expect_eq(get_mdwe(&k), MDWE_REFUSE);
}

/* Does the kernel account for the mapping at arg[0]? */
static long do_is_accounted(struct msg *m)
{
	return vma_flag(m->arg[0], " ac");
}

PLAY_DOCUMENTED(mdwe_accounted, "such code is accounted for, as before",
		"what may never be written to is not")
{
	struct actor k;
	long at = code_of(&k);

	expect_eq(on(&k, do_is_accounted, at), 1);
}

/* What fork() does not hand down, as it is asked not to. */
static void mdwe_kept(enum kind kind)
{
	struct actor k;
	long ret = set_mdwe(&me, MDWE_REFUSE | MDWE_NO_INHERIT);

	if (ret == -EINVAL)
		ct_skip("no PR_MDWE_NO_INHERIT in this kernel");
	expect_eq(ret, 0);
	kid_of(kind, &k);
	expect_eq(get_mdwe(&k), 0);
	expect_eq(on(&k, do_write_execute), 0);
}

/* --- rules for io_uring ---------------------------------------------------------- */

#define REGISTER_RESTRICTIONS 11
#define RESTRICT_SQE_OP 1

/* Nothing but empty requests from here on; -errno. */
static long do_bind_rings(struct msg *m)
{
	struct {
		uint16_t flags, rules;
		uint32_t reserved[3];
		uint16_t what;
		uint8_t op, reserved1;
		uint32_t reserved2[3];
	} bound = { .rules = 1, .what = RESTRICT_SQE_OP };

	(void)m;
	return ct_syscall6(NR_IO_URING_REGISTER, -1, REGISTER_RESTRICTIONS,
			   (long)&bound, 1, 0, 0);
}

static void bind_rings(struct actor *a)
{
	long ret = on(a, do_bind_rings);

	if (ret == -EINVAL || ret == -EBADF || ret == -ENOSYS)
		ct_skip("no rules for io_uring without a ring in this kernel");
	expect_eq(ret, 0);
}

/* Nobody is bound twice: what root is told, who passes nothing. */
static long rings_bound(struct actor *a)
{
	return sys(a, NR_IO_URING_REGISTER, -1, REGISTER_RESTRICTIONS, 0, 0) ==
	       -EPERM;
}

PLAY_DOCUMENTED(rings_target, "a target that is bound in its use of io_uring",
		"a process cannot put rules off: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	bind_rings(&t);
	expect_eq(rings_bound(&t), 1);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(rings_bound(&k), 0);
}

PLAY_DOCUMENTED(rings_caller, "a caller that is bound in its use of io_uring",
		"nobody can read the rules: EOPNOTSUPP")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	bind_rings(&a);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(rings_bound(&k), 1);
	expect_eq(rings_bound(&t), 0);
}

PLAY(rings_init, "a caller that is bound in its use of io_uring, in a container")
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, CLONE_NEWPID);
	bind_rings(&a);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(rings_bound(&k), 1);
}

/* --- huge pages ---------------------------------------------------------------- */

/* None but where they are asked for: a flag beside the switch. */
static void thp_of(uint64_t flags)
{
	struct actor a, t, k;
	long ret;

	spawn(&me, &a, 0);
	spawn(&a, &t, flags);
	ret = sys(&a, SYS_prctl, PR_SET_THP_DISABLE, 1, THP_EXCEPT_ADVISED, 0,
		  0);
	if (ret == -EINVAL)
		ct_skip("no PR_THP_DISABLE_EXCEPT_ADVISED in this kernel");
	expect_eq(ret, 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0),
		  1 | THP_EXCEPT_ADVISED);
}

PLAY(thp_advised, "huge pages only where advised: in the child, too")
{
	thp_of(0);
	thp_of(ACTOR_EXEC);
}

static const struct kinds rows[] = {
	KINDS(mseal_caller, "what the caller sealed is sealed in the child"),
	KINDS(mdwe_kept, "PR_MDWE_NO_INHERIT: the child may write code"),
};

PLAY_TABLE(kinds, rows)
{
	play_kind();
}

/* --- control groups --------------------------------------------------------------- */

PLAY_DOCUMENTED(control_group, "the control group is the caller's",
		"a supervisor may lack the right to move the target's child")
{
	char mine[1024], theirs[1024];
	struct actor t, k;
	long ret;

	spawn(&me, &t, 0);
	give_group(&t);
	ret = cl(&me, &k, t.pid, 0, 0);
	if (ret > 0) {
		groups_of(k.pid, theirs, sizeof(theirs));
		quit(&k, 0);
		expect_eq(on(&t, do_wait4, k.pid, 0), k.pid);
	}
	groups_of(getpid(), mine, sizeof(mine));
	remove_group(&t);
	expect_ok(ret);
	expect(!strcmp(mine, theirs));
}

/* --- 32-bit code ------------------------------------------------------------------ */

#ifdef __x86_64__

/*
 * A program for i386: pause() for ever, and the number of a call that fails in
 * between.  The header says that the file is loaded at 0x8048000, and runs.
 */
static const unsigned char program32[] = {
	0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 0x04, 0x08, 0x34, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0x34, 0, 0x20, 0, 1, 0, 0, 0,
	0, 0, 0, 0,
	1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x04, 0x08, 0, 0x80, 0x04, 0x08,
	0x5d, 0, 0, 0, 0x5d, 0, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0,
	0xb8, 29, 0, 0, 0,	/* mov $__NR_pause, %eax */
	0xcd, 0x80,		/* int $0x80 */
	0xeb, 0xf7,		/* jmp to the mov */
};

static long do_execute_32(struct msg *m)
{
	static char *const argv[] = { "program32", NULL };
	int fd = memfd_create("program32", MFD_CLOEXEC);

	(void)m;
	if (write(fd, program32, sizeof(program32)) != sizeof(program32))
		return -EIO;
	fexecve(fd, argv, environ);
	return -errno;
}

PLAY_DOCUMENTED(code_32, "a target that runs 32-bit code",
		"its child could not be made to run 64-bit code: EOPNOTSUPP")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	start(&t, do_execute_32);
	wait_blocked(&t, 29);
	if (answered(&t))
		ct_skip("no 32-bit programs here: %s",
			ct_errname(-actor_finish(&t)));
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	expect_eq(sys(&k, SYS_getppid), t.pid);
}

#endif /* __x86_64__ */
