/* SPDX-License-Identifier: GPL-2.0 */
/* A page whose faults, and forks, are told on a descriptor: userfaultfd(2). */
#ifndef FAULT_H
#define FAULT_H

#include "actor.h"
#include <linux/userfaultfd.h>

/*
 * A page of t's that nobody has touched, registered with a userfaultfd with
 * these features: its address in t, and our descriptor in *uffd.
 */
char *missing_page(struct actor *t, uint64_t features, int *uffd);

#endif /* FAULT_H */
