# SPDX-License-Identifier: Apache-2.0
"""A bubblewrap sandbox: namespaces of its own, the system's programs read-only,
nothing else of this machine."""

import ctypes
import json
import os
import signal
import subprocess

PR_SET_CHILD_SUBREAPER = 36

# What an interpreter needs to start inside; a clone would need none of it.
VIEW = ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc/alternatives", "/etc/alternatives"]
for _name in ("bin", "lib", "lib64", "sbin"):
    if os.path.islink("/" + _name):
        VIEW += ["--symlink", "usr/" + _name, "/" + _name]
    elif os.path.isdir("/" + _name):
        VIEW += ["--ro-bind", "/" + _name, "/" + _name]


def command(*more):
    """The bwrap command line up to the program that runs inside."""
    here = os.path.dirname(os.path.abspath(__file__))
    return [
        "bwrap", "--unshare-all", "--die-with-parent", "--hostname", "sandbox", "--clearenv",
        *VIEW, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
        "--ro-bind", here, "/zygote", "--chdir", "/tmp", "--uid", "65534", "--gid", "65534", *more,
    ]  # fmt: skip


class Sandbox:
    """A sandbox that waits for clones.

    init is its first process (bwrap's own), which adopts and reaps. The sandbox
    ends, with all in it, when the last copy of the descriptor hold is closed: cat
    ends, bwrap with it, and init dies with bwrap.

        caller ── bwrap ── init (1 inside) ─┬─ cat, reads hold
                                            └─ clones of the caller
    """

    def __init__(self):
        _adopt_orphans()
        holder, self.hold = os.pipe()
        tell, told = os.pipe()
        ready, echo = os.pipe()
        self.bwrap = subprocess.Popen(
            [*command("--info-fd", str(told)), "cat"],
            stdin=holder, stdout=echo, pass_fds=[told],
        )  # fmt: skip
        for fd in (holder, told, echo):
            os.close(fd)
        with open(tell) as file, open(ready, "rb") as answer:
            self.init = _first_pid(file.read())
            self._pidfd = os.pidfd_open(self.init)
            # cat answers only after the sandbox is complete.
            os.write(self.hold, b"\n")
            if answer.read(1) != b"\n":
                raise ChildProcessError("bwrap ended before its sandbox was ready")

    def release(self):
        """Leaves the sandbox to those inside that hold it."""
        os.close(self.hold)
        self.hold = -1

    def gone(self):
        """Whether it has ended and was reaped."""
        if self._pidfd >= 0 and (self.bwrap.poll() is None or not self._reaped(os.WNOHANG)):
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
        self.bwrap.wait()
        self._reaped(0)
        self._close()

    def _reaped(self, options):
        """Precondition: bwrap is gone. If init was not, then it is our child now."""
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
    """bwrap may be gone before its init, which nobody here would reap then."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _first_pid(info):
    if not info:
        raise ChildProcessError("bwrap told no pid: its message is above")
    return json.loads(info)["child-pid"]
