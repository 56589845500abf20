// SPDX-License-Identifier: GPL-2.0
/*
 * Root and current directory that no path leads to.
 *
 *	check
 *	  +-- a         in a mount namespace of its own
 *	        +-- target    there, too, or in another one
 *	              +-- kid      at the places of a, or at the target's root
 */
#include "scene.h"
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif

#define PLACE "/tmp/cloneat-adrift"

/* A tmpfs at PLACE, as everybody's current directory. */
static long enter_tmpfs(void)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	mkdir("/tmp", 01777);
	if (mkdir(PLACE, 0700) && errno != EEXIST)
		return -errno;
	if (mount("none", PLACE, "tmpfs", 0, NULL) || chdir(PLACE))
		return -errno;
	return mkdir("in", 0700) || mkdir("in/in", 0700) ? -errno : 0;
}

/* It is mounted no more. */
static long lazy(void)
{
	long ret = enter_tmpfs();

	return ret ? ret : umount2(PLACE, MNT_DETACH) ? -errno : 0;
}

static long below_lazy(void)
{
	long ret = lazy();

	return ret ? ret : chdir("in") ? -errno : 0;
}

/* A mount that never was at a place. */
static long detached(void)
{
	int fs = syscall(SYS_fsopen, "tmpfs", 1), mnt;

	if (fs < 0 || syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0))
		return -errno;
	mnt = syscall(SYS_fsmount, fs, 1, 0);
	if (mnt < 0 || fchdir(mnt))
		return -errno;
	close(fs);
	close(mnt);
	return 0;
}

static long tree(void)
{
	int mnt = syscall(SYS_open_tree, AT_FDCWD, "/", 1 | O_CLOEXEC | AT_RECURSIVE);

	if (mnt < 0 || fchdir(mnt))
		return -errno;
	close(mnt);
	return 0;
}

/* It was moved to where the mount that it was reached by does not show it. */
static long moved_out(void)
{
	long ret = enter_tmpfs();

	if (ret)
		return ret;
	if (mkdir("bound", 0700) || mount("in", "bound", NULL, MS_BIND, NULL) ||
	    chdir("bound/in") || rename(PLACE "/in/in", PLACE "/out"))
		return -errno;
	return 0;
}

static long with_root(long ret)
{
	return ret ? ret : chroot(".") ? -errno : 0;
}

static long lazy_root(void)
{
	return with_root(lazy());
}

static long detached_root(void)
{
	return with_root(detached());
}

static long tree_root(void)
{
	return with_root(tree());
}

/* The root is below, and the current directory outside of it. */
static long outside(void)
{
	long ret = enter_tmpfs();

	return ret ? ret : chroot("in/in") ? -errno : 0;
}

static long removed_root(void)
{
	int here;
	long ret = enter_tmpfs();

	if (ret)
		return ret;
	here = open(".", O_PATH | O_DIRECTORY);
	if (chdir("in/in") || chroot(".") || fchdir(here) || rmdir("in/in"))
		return -errno;
	close(here);
	return 0;
}

/* The old root, below the new one and then mounted no more. */
static long pivoted(void)
{
	long ret = enter_tmpfs();
	int old;

	if (ret)
		return ret;
	old = open("/", O_PATH | O_DIRECTORY);
	if (ct_syscall3(SYS_pivot_root, (long)".", (long)".", 0) || fchdir(old) ||
	    chroot(".") || umount2(".", MNT_DETACH))
		return -errno;
	close(old);
	return 0;
}

enum scene {
	SCENE_lazy, SCENE_below_lazy, SCENE_detached,
	SCENE_tree, SCENE_moved_out, SCENE_lazy_root,
	SCENE_detached_root, SCENE_tree_root, SCENE_outside,
	SCENE_removed_root, SCENE_pivoted,
};

static long (*const scenes[])(void) = {
	[SCENE_lazy] = lazy,
	[SCENE_below_lazy] = below_lazy,
	[SCENE_detached] = detached,
	[SCENE_tree] = tree,
	[SCENE_moved_out] = moved_out,
	[SCENE_lazy_root] = lazy_root,
	[SCENE_detached_root] = detached_root,
	[SCENE_tree_root] = tree_root,
	[SCENE_outside] = outside,
	[SCENE_removed_root] = removed_root,
	[SCENE_pivoted] = pivoted,
};

static long do_scene(struct msg *m)
{
	return scenes[m->arg[0]]();
}

/* --- what is there ------------------------------------------------------ */

struct place {
	unsigned long mount, inode;
};

static struct place place(struct actor *who, const char *what)
{
	struct statx st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", who->pid, what);
	must(statx(AT_FDCWD, path, 0, STATX_INO | STATX_MNT_ID, &st));
	return (struct place){ st.stx_mnt_id, st.stx_ino };
}

static void same(struct actor *x, const char *what, struct actor *y, const char *as)
{
	struct place have = place(x, what), want = place(y, as);

	if (have.mount != want.mount || have.inode != want.inode)
		fail("%s: mount %lu inode %lu, expected %lu and %lu", what, have.mount,
		     have.inode, want.mount, want.inode);
}

static long do_getcwd(struct msg *m)
{
	return ct_syscall3(SYS_getcwd, m->buf, sizeof(m->buf), 0);
}

/* Both see the same name of it. */
static void same_name(struct actor *x, struct actor *y)
{
	long ret = on(y, do_getcwd);

	expect_eq(on(x, do_getcwd), ret);
	if (ret > 0 && strcmp(x->m.buf, y->m.buf))
		fail("getcwd: %s, expected %s", x->m.buf, y->m.buf);
}

/* --- the checks --------------------------------------------------------- */

static struct actor a, t, k;

struct row {
	const char *name, *verdict;
	long scene;
	uint64_t target;	/* CLONE_*, ACTOR_* */
	bool theirs;		/* it is the target that is there */
};

#define ROWS(scene, text)						\
	{ #scene "_forked", text " (target: forked)", SCENE_##scene, 0, false }, \
	{ #scene "_executed", text " (target: executed)", SCENE_##scene, ACTOR_EXEC, false }, \
	{ #scene "_left", text ", and the target elsewhere", SCENE_##scene, CLONE_NEWNS, false }, \
	{ #scene "_of_target", text ", of a target elsewhere", SCENE_##scene, CLONE_NEWNS, true }, \
	{ #scene "_of_init", text ", of an init elsewhere", SCENE_##scene, \
	  CLONE_NEWNS | CLONE_NEWPID, true }

static const struct row rows[] = {
	ROWS(lazy, "on a mount that was detached"),
	ROWS(below_lazy, "below the root of one"),
	ROWS(detached, "on a mount that never was at a place"),
	ROWS(tree, "on a detached copy of a tree"),
	ROWS(moved_out, "moved out of what is mounted of it"),
	ROWS(lazy_root, "at a root that was detached"),
	ROWS(detached_root, "at a root that never was at a place"),
	ROWS(tree_root, "at a detached copy of the root"),
	ROWS(outside, "outside of the root"),
	ROWS(removed_root, "outside of a root that was removed"),
	ROWS(pivoted, "at the old root of a new one"),
};

/* In one mount namespace the places are the caller's, else both are the target's root. */
PLAY_TABLE(adrift, rows)
{
	const struct row *row = ct_arg();
	bool other = row->target & CLONE_NEWNS;

	spawn(&me, &a, CLONE_NEWNS);
	spawn(&a, &t, row->target);
	expect_eq(on(row->theirs ? &t : &a, do_scene, row->scene), 0);
	expect_ok(cl(&a, &k, t.vpid, 0, 0));
	same(&k, "root", other ? &t : &a, "root");
	same(&k, "cwd", other ? &t : &a, other ? "root" : "cwd");
	if (!other)
		same_name(&k, &a);
	expect_eq(end(&k, &t, 5), EXITED(5));
}
