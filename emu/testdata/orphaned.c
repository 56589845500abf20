// SPDX-License-Identifier: Apache-2.0
/* Adopts what a caller leaves that is killed in a call for a container's init. */
#define _GNU_SOURCE
#include "adopt.h"
#include "init_caller.h"

int main(void)
{
	return adopt_from(call_for_init);
}
