// SPDX-License-Identifier: Apache-2.0
/*
 * Engine and time of a call, from the line that `cloneat-emu run --trace=FIFO`
 * writes once the call is over:
 *
 *	[pid 812] cloneat(815, 0, {flags=[SIGCHLD]}) = 818 <transplant 1.4ms 312 pages>
 *
 * Without a trace, on a kernel that has the call, it is the kernel's work and
 * the time is what the caller measured.
 */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *trace;

void trace_open(const char *path)
{
	trace = fopen(path, "re");
	must(trace, path);
}

void trace_next(struct call *call, double ms)
{
	char *line = NULL, *mark;
	size_t size = 0;

	if (!trace) {
		strcpy(call->engine, "kernel");
		snprintf(call->took, sizeof(call->took), "%.2fms", ms);
		return;
	}
	must(getline(&line, &size, trace) > 0, "a line in the trace");
	mark = strrchr(line, '<');
	must(mark, line);
	if (sscanf(mark, "<%31[a-z_] %31[^ >]", call->engine, call->took) != 2) {
		strcpy(call->engine, "refused");
		must(sscanf(mark, "<%31[^ >]", call->took) == 1, line);
	}
	free(line);
}
