# SPDX-License-Identifier: Apache-2.0
"""What one that answers a request may still do.

A clone has its caller's rights, whatever sandbox it is in: it must give them up
before it looks at the request. Here for good, as no_new_privs keeps it from getting
any by a set-user-ID program."""

import ctypes
import os
import resource

NOBODY = 65534
PR_SET_NO_NEW_PRIVS = 38

LIMITS = {
    resource.RLIMIT_AS: 512 << 20,  # bytes
    resource.RLIMIT_CPU: 1,  # seconds
    resource.RLIMIT_FSIZE: 1 << 20,  # bytes
    resource.RLIMIT_NOFILE: 16,
    resource.RLIMIT_NPROC: 0,
    resource.RLIMIT_CORE: 0,
}


def confine():
    """Sets the limits, and becomes nobody if we are root."""
    for limit, value in LIMITS.items():
        resource.setrlimit(limit, (value, value))
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")
