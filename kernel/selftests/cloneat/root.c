// SPDX-License-Identifier: GPL-2.0
/*
 * Root and current directory: the caller's in the same mount namespace; in
 * another one both become the target's root.
 *
 *	check      at /proc
 *	  +-- target    at / or in a root of its own
 *	        +-- kid
 */
#include "scene.h"
#include <sys/mount.h>

static long chdir_by(struct actor *a, const char *path)
{
	snprintf(a->m.buf, sizeof(a->m.buf), "%s", path);
	return on(a, do_chdir);
}

/*
 * A root that holds nothing but a directory, on a tmpfs of its own if arg[0] is
 * set.  The answer has its name.
 */
static long do_new_root(struct msg *m)
{
	mkdir("/tmp", 01777);
	if (m->arg[0] && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	if (m->arg[0] && mount("none", "/tmp", "tmpfs", 0, NULL))
		return -errno;
	snprintf(m->buf, sizeof(m->buf), "/tmp/cloneat-root-XXXXXX");
	if (!mkdtemp(m->buf) || chroot(m->buf) || mkdir("/dir", 0700) ||
	    chdir("/dir"))
		return -errno;
	return 0;
}

/* Of the actor, from now on; the name of what is to be removed. */
static const char *new_root(struct actor *a)
{
	static char root[32];

	expect_eq(on(a, do_new_root, 0), 0);
	snprintf(root, sizeof(root), "%.31s", a->m.buf);
	return root;
}

static void remove_root(const char *root)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "%s/dir", root);
	rmdir(dir);
	rmdir(root);
}

/* As the process sees it. */
static long do_getcwd(struct msg *m)
{
	return ct_syscall3(SYS_getcwd, m->buf, sizeof(m->buf), 0);
}

static void cwd_is(struct actor *a, const char *path)
{
	expect_ok(on(a, do_getcwd));
	if (strcmp(a->m.buf, path))
		fail("cwd is %s, expected %s", a->m.buf, path);
}

static void same_place(pid_t a, pid_t b, const char *what)
{
	expect(proc_link(a, what) != 0);
	if (proc_link(a, what) != proc_link(b, what))
		fail("%s of %d and %d are different", what, a, b);
}

static void other_place(pid_t a, pid_t b, const char *what)
{
	if (proc_link(a, what) == proc_link(b, what))
		fail("%s of %d and %d are the same", what, a, b);
}

/* --- the same mount namespace ------------------------------------------- */

static void cwd_of_caller(enum kind kind)
{
	struct actor store, *t = target_of(kind, &store), k;

	expect_eq(chdir_by(&me, "/proc"), 0);
	if (kind != SELF)
		expect_eq(chdir_by(t, "/"), 0);
	expect_ok(cl(&me, &k, t->pid, 0, 0));
	cwd_is(&k, "/proc");
	expect_eq(chdir_by(&k, "/"), 0);
	cwd_is(&me, "/proc");
	if (kind != SELF)
		cwd_is(t, "/");
}

static const struct kinds rows[] = {
	KINDS(cwd_of_caller, "cwd is the caller's in one mount namespace"),
};

PLAY_TABLE(places, rows)
{
	play_kind();
}

/* A directory of an ordinary user is closed to this one from now on. */
static long do_lose_ways(struct msg *m)
{
	drop_cap(CAP_DAC_OVERRIDE);
	drop_cap(CAP_DAC_READ_SEARCH);
	(void)m;
	return 0;
}

/*
 * The caller is in a directory that it may not enter, the target too if both.
 * What prctl() sets before has the target as well.
 */
static void play_unsearchable(uint64_t flags, bool both, int option, long arg)
{
	char dir[] = "/tmp/cloneat-cwd-XXXXXX";
	struct actor a, t, k;

	mkdir("/tmp", 01777);
	expect(mkdtemp(dir));
	must(chown(dir, 1000, 1000));
	spawn(&me, &a, 0);
	if (option)
		expect_eq(sys(&a, SYS_prctl, option, arg), 0);
	if (both)
		expect_eq(chdir_by(&a, dir), 0);
	spawn(&a, &t, flags);
	expect_eq(chdir_by(&a, dir), 0);
	expect_eq(on(&a, do_lose_ways), 0);
	expect_eq(on(&t, do_lose_ways), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_place(k.pid, a.pid, "cwd");
	expect_eq(chdir_by(&k, dir), -EACCES);
	expect_eq(end(&k, &t, 5), EXITED(5));
	must(rmdir(dir));
}

PLAY(unsearchable, "a directory that neither may enter any more is inherited")
{
	play_unsearchable(0, true, 0, 0);
}

PLAY(unsearchable_forked, "the same where the target is elsewhere")
{
	play_unsearchable(0, false, 0, 0);
}

PLAY(unsearchable_executed, "the same where the target has made an exec")
{
	play_unsearchable(ACTOR_EXEC, false, 0, 0);
}

PLAY(unsearchable_init, "the same where the target is init of a container")
{
	play_unsearchable(CLONE_NEWPID, false, 0, 0);
}

PLAY_DOCUMENTED(unsearchable_nnp, "the same where all have no_new_privs",
		"no exec gives a right to the target's child: EOPNOTSUPP")
{
	play_unsearchable(0, false, PR_SET_NO_NEW_PRIVS, 1);
}

PLAY_DOCUMENTED(unsearchable_unbound,
		"the same where none can have the right to enter it",
		"no exec gives a right to the target's child: EOPNOTSUPP")
{
	play_unsearchable(0, false, PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH);
}

PLAY(unsearchable_user, "the same with an ordinary user's caller and target")
{
	char dir[] = "/tmp/cloneat-cwd-XXXXXX";
	struct actor a, t, k;

	mkdir("/tmp", 01777);
	expect(mkdtemp(dir));
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	expect_eq(chdir_by(&a, dir), 0);
	expect_eq(on(&a, do_become, 1000), 0);
	expect_eq(on(&t, do_become, 1000), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_place(k.pid, a.pid, "cwd");
	expect_eq(end(&k, &t, 5), EXITED(5));
	must(rmdir(dir));
}

PLAY(target_chrooted, "a target's chroot does not matter in the same namespace")
{
	struct actor t, k;
	const char *root;

	spawn(&me, &t, 0);
	root = new_root(&t);
	other_place(t.pid, getpid(), "root");
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	same_place(k.pid, getpid(), "root");
	same_place(k.pid, getpid(), "cwd");
	other_place(t.pid, getpid(), "root");
	expect_eq(end(&k, &t, 5), EXITED(5));
	remove_root(root);
}

PLAY(caller_chrooted, "a caller's chroot is the child's in the same namespace")
{
	struct actor a, t, k;
	const char *root;

	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	root = new_root(&a);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_place(k.pid, a.pid, "root");
	same_place(k.pid, a.pid, "cwd");
	cwd_is(&k, "/dir");
	other_place(k.pid, t.pid, "root");
	expect_eq(end(&k, &t, 5), EXITED(5));
	remove_root(root);
}

PLAY(both_chrooted, "both chrooted: the caller's is the child's")
{
	struct actor a, t, k;
	const char *root;

	spawn(&me, &a, 0);
	root = new_root(&a);
	spawn(&a, &t, 0);
	expect_eq(chdir_by(&t, "/"), 0);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	cwd_is(&k, "/dir");
	same_place(k.pid, a.pid, "root");
	remove_root(root);
}

PLAY(deleted_cwd, "a current directory that was removed is kept")
{
	char dir[] = "/tmp/cloneat-XXXXXX";
	struct actor a, t, k;

	mkdir("/tmp", 01777);
	expect(mkdtemp(dir));
	spawn(&me, &a, 0);
	spawn(&a, &t, 0);
	expect_eq(chdir_by(&a, dir), 0);
	must(rmdir(dir));
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_place(k.pid, a.pid, "cwd");
	expect_eq(on(&k, do_getcwd), -ENOENT);
}

/* --- another mount namespace -------------------------------------------- */

PLAY(other_namespace, "another mount namespace: root and cwd are the target's root")
{
	struct actor t, k;

	mkdir("/tmp", 01777);
	spawn(&me, &t, CLONE_NEWNS);
	expect_eq(chdir_by(&me, "/proc"), 0);
	expect_eq(chdir_by(&t, "/tmp"), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	cwd_is(&k, "/");
	same_place(k.pid, t.pid, "root");
	cwd_is(&me, "/proc");
	cwd_is(&t, "/tmp");
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(other_chrooted, "another mount namespace, target chrooted: its root it is")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWNS);
	expect_eq(on(&t, do_new_root, 1), 0);
	expect_eq(chdir_by(&me, "/proc"), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	same_place(k.pid, t.pid, "root");
	cwd_is(&k, "/");
	expect_eq(chdir_by(&k, "/dir"), 0);
	expect_eq(chdir_by(&k, "/proc"), -ENOENT);
	expect_eq(chdir_by(&k, "../../../proc"), -ENOENT);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

static long do_close_root(struct msg *m)
{
	(void)m;
	return chown("/", 1000, 1000) ? -errno : 0;
}

/* Neither may enter the target's root. */
static void unsearchable_root(uint64_t flags)
{
	struct actor a, t, k;

	spawn(&me, &a, 0);
	spawn(&a, &t, CLONE_NEWNS | flags);
	expect_eq(on(&t, do_new_root, 1), 0);
	expect_eq(on(&t, do_close_root), 0);
	expect_eq(on(&a, do_lose_ways), 0);
	expect_eq(on(&t, do_lose_ways), 0);
	expect_eq(chdir_by(&t, "/"), -EACCES);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_place(k.pid, t.pid, "root");
	cwd_is(&k, "/");
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(other_unsearchable, "the same with a root that may not be entered")
{
	unsearchable_root(0);
}

PLAY(other_unsearchable_init, "the same with the init of a container")
{
	unsearchable_root(CLONE_NEWPID);
}

PLAY(other_init_chrooted, "the same with the init of a container")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWNS | CLONE_NEWPID);
	expect_eq(on(&t, do_new_root, 1), 0);
	expect_ok(cl(&me, &k, t.pid, 0, 0));
	same_place(k.pid, t.pid, "root");
	cwd_is(&k, "/");
	expect_eq(chdir_by(&k, "/dir"), 0);
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(other_caller_chrooted, "a chrooted caller: its root does not go along")
{
	struct actor a, t, k;
	const char *root;

	spawn(&me, &a, 0);
	spawn(&a, &t, CLONE_NEWNS);
	root = new_root(&a);
	expect_ok(cl(&a, &k, t.pid, 0, 0));
	same_place(k.pid, t.pid, "root");
	cwd_is(&k, "/");
	expect_eq(end(&k, &t, 5), EXITED(5));
	remove_root(root);
}

/* --- a new mount namespace ---------------------------------------------- */

PLAY(new_namespace, "CLONE_NEWNS on the caller's own: cwd stays, seen anew")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(chdir_by(&me, "/proc"), 0);
	expect_ok(cl(&me, &k, t.pid, 0, CLONE_NEWNS));
	cwd_is(&k, "/proc");
	same_place(k.pid, getpid(), "root");
	expect_eq(end(&k, &t, 5), EXITED(5));
}

PLAY(new_on_top, "CLONE_NEWNS on top of the target's: at its root")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_NEWNS);
	expect_eq(on(&t, do_new_root, 1), 0);
	expect_eq(chdir_by(&me, "/proc"), 0);
	expect_ok(cl(&me, &k, t.pid, 0, CLONE_NEWNS));
	same_place(k.pid, t.pid, "root");
	cwd_is(&k, "/");
	expect_eq(end(&k, &t, 5), EXITED(5));
}

/* --- shared ------------------------------------------------------------- */

PLAY(shared_fs, "CLONE_FS with a target that shares: one cwd for all three")
{
	struct actor t, k;

	spawn(&me, &t, CLONE_FS);
	expect_ok(cl(&me, &k, t.pid, 0, CLONE_FS));
	expect_eq(chdir_by(&k, "/proc"), 0);
	cwd_is(&me, "/proc");
	cwd_is(&t, "/proc");
	expect_ok(sys(&k, SYS_umask, 0071));
	expect_eq(sys(&me, SYS_umask, 0022), 0071);
}

PLAY(unshared_fs, "CLONE_FS with a target that does not share: EINVAL")
{
	struct actor t, k;

	spawn(&me, &t, 0);
	expect_eq(cl(&me, &k, t.pid, 0, CLONE_FS), -EINVAL);
}
