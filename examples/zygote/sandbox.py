# SPDX-License-Identifier: Apache-2.0
"""A sandbox that waits for clones, and what ends it."""

import ctypes
import os
import signal
import subprocess

PR_SET_CHILD_SUBREAPER = 36


class Sandbox:
    """A sandbox, made by one of makers.py, that waits for clones.

    init is its first process, which adopts and reaps. The sandbox ends, with all
    in it, when the last copy of the descriptor hold is closed: cat ends, and init
    with it.

        caller ── maker ── init (1 inside) ─┬─ cat, reads hold
                                            └─ clones of the caller
    """

    def __init__(self, maker):
        _adopt_orphans()
        holder, self.hold = os.pipe()
        ready, echo = os.pipe()
        self._pidfd = -1
        self.maker = subprocess.Popen(maker.command(["cat"]), stdin=holder, stdout=echo)
        for fd in (holder, echo):
            os.close(fd)
        with open(ready, "rb") as answer:
            # cat answers only after the sandbox is complete.
            os.write(self.hold, b"\n")
            if answer.read(1) != b"\n":
                self._close()
                self.maker.wait()
                raise ChildProcessError(f"{self.maker.args[0]} ended before its sandbox was ready")
        self.init = maker.init(self.maker.pid)
        self._pidfd = os.pidfd_open(self.init)

    def release(self):
        """Leaves the sandbox to those inside that hold it."""
        os.close(self.hold)
        self.hold = -1

    def gone(self):
        """Whether it has ended and was reaped."""
        if self._pidfd >= 0 and (self.maker.poll() is None or not self._reaped(os.WNOHANG)):
            return False
        self._close()
        return True

    def end(self):
        """Ends it with all in it, and waits until they are gone."""
        if self._pidfd < 0:
            return
        try:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.maker.wait()
        self._reaped(0)
        self._close()

    def _reaped(self, options):
        """Precondition: the maker is gone. If init was not, then it is our child now."""
        try:
            return os.waitpid(self.init, options)[0] == self.init
        except ChildProcessError:
            return True

    def _close(self):
        for fd in (self.hold, self._pidfd):
            if fd >= 0:
                os.close(fd)
        self.hold = self._pidfd = -1


def _adopt_orphans():
    """A maker may be gone before its init, which nobody here would reap then."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
