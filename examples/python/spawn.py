# SPDX-License-Identifier: Apache-2.0
"""A clone of this interpreter, with all that it has computed, becomes the
child of another process.

    cloneat-emu run -- python3 examples/python/spawn.py
"""

import ctypes
import os
import signal
import subprocess

SYS_CLONEAT = 511


class CloneArgs(ctypes.Structure):
    """struct cloneat_args of <linux/cloneat.h>."""

    _fields_ = [
        ("flags", ctypes.POINTER(ctypes.c_int)),
        ("flags_size", ctypes.c_int),
        ("reserved1", ctypes.c_uint32),
        ("reserved2", ctypes.c_uint32),
        ("child_stack_base", ctypes.c_uint64),
        ("child_stack_size", ctypes.c_uint64),
        ("parent_tid_ptr", ctypes.c_uint64),
        ("child_tid_ptr", ctypes.c_uint64),
        ("reserved3", ctypes.c_uint64),
    ]


# PyDLL functions keep the lock of the interpreter, as a fork must.
syscall = ctypes.PyDLL(None, use_errno=True).syscall
syscall.restype = ctypes.c_long
before_fork, after_fork_parent, after_fork_child = (
    getattr(ctypes.pythonapi, "PyOS_" + name)
    for name in ("BeforeFork", "AfterFork_Parent", "AfterFork_Child")
)


def cloneat(pid, hint=0, flags=signal.SIGCHLD):
    """Like os.fork(), but the child is a child of the process pid."""
    words = (ctypes.c_int * 2)(flags, 0)
    args = CloneArgs(flags=words, flags_size=ctypes.sizeof(words))
    before_fork()
    child = syscall(SYS_CLONEAT, pid, hint, ctypes.byref(args))
    if child == 0:
        after_fork_child()
        return 0
    error = ctypes.get_errno()
    after_fork_parent()
    if child < 0:
        raise OSError(error, os.strerror(error))
    return child


def main():
    squares = {n: n * n for n in range(1000)}
    cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    done, say_done = os.pipe()
    print(f"caller {os.getpid()}, cat {cat.pid}", flush=True)

    if cloneat(cat.pid) == 0:
        parent = "yes" if os.getppid() == cat.pid else "no"
        print(f"child {os.getpid()}: cat is my parent: {parent};", end=" ")
        print(f"31 squared is still {squares[31]}", flush=True)
        os.write(say_done, b"d")
        os._exit(0)

    os.read(done, 1)
    try:
        cloneat(os.getppid())
    except PermissionError as error:
        print(f"caller: into its own parent: {error.strerror}")
    cat.kill()
    cat.wait()


main()
