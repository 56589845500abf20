/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file system with a directory and a file, which is this program, for one
 * check alone.  Its server may be told not to answer.
 *
 *	check
 *	  +-- server
 */
#ifndef FUSE_H
#define FUSE_H

#include "scene.h"
#include <linux/fuse.h>

/* What is not answered (FUSE_*, or 0); that it has come; how many are before. */
enum { HELD, MET, BEFORE, SERVER_SLOTS };
extern volatile long *server;

extern char served_dir[64], served_file[64];

/* Where it is to be; skips where there can be none. */
void make_place(void);
/* Every scene has a server of its own there. */
void mount_server(int scene);

#endif /* FUSE_H */
