# SPDX-License-Identifier: Apache-2.0
"""The system call cloneat() for Python, without any package.

    import cloneat

    if cloneat.fork_into(pid) == 0:
        ...                             # we are a child of pid, in its namespaces
        os._exit(0)

The call is there on a patched kernel and under `cloneat-emu run`. fork_into() is
what os.fork() is; call() is the bare system call.

A child has one thread only. If the caller has others, locks that they hold (of
malloc, of an extension) stay locked in the child: fork while there is one.
"""

import ctypes
import errno
import os
import signal
import sys
import warnings

from . import _abi
from ._abi import *  # noqa: F403: CLONE_* and CLONEXT_* are ours, too

_PR_GET_TID_ADDRESS = 40

# PyDLL functions keep the interpreter's lock, as a fork must: the child would
# wait for ever for a lock that a thread which it does not have took meanwhile.
_libc = ctypes.PyDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
_before_fork, _after_fork_parent, _after_fork_child = (
    getattr(ctypes.pythonapi, "PyOS_" + name)
    for name in ("BeforeFork", "AfterFork_Parent", "AfterFork_Child")
)
for _hook in (_before_fork, _after_fork_parent, _after_fork_child):
    _hook.restype = None


def available():
    """Whether the call exists here: cloneat(0, 0, NULL) is EFAULT, not ENOSYS."""
    return _cloneat(0, 0, None) == (-1, errno.EFAULT)


def call(pid, hint=0, flags=signal.SIGCHLD, *, parent_tid=0, child_tid=0, tls=0):
    """The bare system call; returns the child's id, and 0 in the child.

    flags holds all words of the array: bit n is flag n, so CLONE_* masks and
    1 << CLONEXT_* can be ored. parent_tid and child_tid are addresses. Nothing is
    done for the interpreter: the child may do little but os._exit() or os.exec*().
    """
    return _checked(*_cloneat(pid, hint, _args(flags, parent_tid, child_tid, tls)))


def fork_into(pid, hint=0):
    """Like os.fork(), but the child becomes a child of the process pid, in its
    namespaces, with the id hint unless that is 0.

    Only pid can wait for it. Raises OSError with the call's errno.
    """
    return _fork(pid, hint, 0, 0)


def forkfd_into(pid, hint=0):
    """Like fork_into(), and returns (child, pidfd): the descriptor becomes readable
    when the child ends. (0, -1) in the child.
    """
    fd = ctypes.c_int(-1)
    child = _fork(pid, hint, _abi.CLONE_PIDFD, ctypes.addressof(fd))
    return (child, fd.value) if child else (0, -1)


def _fork(pid, hint, flags, parent_tid):
    _warn_of_threads()
    sys.audit("cloneat.fork_into", pid, hint)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()  # or both would print what is still in there
    tid = _tid_address()
    if tid:
        flags |= _abi.CLONE_CHILD_SETTID | _abi.CLONE_CHILD_CLEARTID
    args = _args(flags | signal.SIGCHLD, parent_tid, tid, 0)
    # A handler that raises between the hooks would leave the import lock taken.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        _before_fork()
        child, error = _cloneat(pid, hint, args)
        if child == 0:
            _after_fork_child()
        else:
            _after_fork_parent()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return _checked(child, error)


def _tid_address():
    """Where the C library keeps the thread's id, or 0. Its own fork() has the kernel
    write the child's there; locks that know their owner rely on it.
    """
    address = ctypes.c_uint64(0)
    if _libc.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(address), 0, 0, 0) != 0:
        return 0
    return address.value


def _warn_of_threads():
    if len(os.listdir("/proc/self/task")) > 1:
        warnings.warn(
            "this process has several threads: locks that the others hold stay locked in the child",
            RuntimeWarning,
            stacklevel=4,
        )


def _args(flags, parent_tid, child_tid, tls):
    words = _abi.FlagSet(flags & 0xFFFFFFFF, flags >> 32)
    return _abi.CloneatArgs(
        flags=words,
        flags_size=ctypes.sizeof(words),
        parent_tid_ptr=parent_tid,
        child_tid_ptr=child_tid,
        reserved3=tls,
    )


def _cloneat(pid, hint, args):
    """Returns (child, errno)."""
    ctypes.set_errno(0)
    child = _syscall(
        _abi.SYS_CLONEAT,
        ctypes.c_long(pid),
        ctypes.c_long(hint),
        ctypes.byref(args) if args is not None else None,
    )
    return child, ctypes.get_errno()


def _checked(child, error):
    if child < 0:
        name = "EOPNOTSUPP" if error == errno.EOPNOTSUPP else errno.errorcode[error]
        raise OSError(error, f"cloneat: {name}: {os.strerror(error)}")
    return child
