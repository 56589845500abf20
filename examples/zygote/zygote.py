# SPDX-License-Identifier: Apache-2.0
"""A server whose every answer comes from a fresh clone of itself in a sandbox.

    cloneat-emu run -- /usr/bin/python3 examples/zygote/zygote.py --sandbox each SOCKET

It imports once, outside. For a connection it clones itself into a sandbox, as a
child of the sandbox's init; the clone gives up its rights, sets limits, answers one
line, and ends. Whatever the request makes of it, it dies with the sandbox.

    --sandbox each      a sandbox for each request, which ends with its clone
    --sandbox one       one sandbox for all
    --maker MAKER       who makes it: bwrap, unshare or runc

SIGTERM ends the server, its sandboxes and all in them."""

import argparse
import os
import select
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))

import cloneat
import jobs
import limits
from makers import MAKERS
from sandbox import Sandbox


class Each:
    """A sandbox for each clone. The clone alone holds it, so both end together."""

    def __init__(self, maker):
        self.maker = maker
        self.sandboxes = []

    def enter(self, work):
        self.sandboxes = [s for s in self.sandboxes if not s.gone()]
        sandbox = Sandbox(self.maker)
        self.sandboxes.append(sandbox)
        if cloneat.fork_into(sandbox.init) == 0:
            work(keep=sandbox.hold)
        sandbox.release()

    def end(self):
        for sandbox in self.sandboxes:
            sandbox.end()


class One:
    """One sandbox, which the server holds. One that was killed is replaced."""

    def __init__(self, maker):
        self.maker = maker
        self.sandbox = Sandbox(maker)

    def enter(self, work):
        try:
            child = cloneat.fork_into(self.sandbox.init)
        except ProcessLookupError:
            self.sandbox.end()
            self.sandbox = Sandbox(self.maker)
            child = cloneat.fork_into(self.sandbox.init)
        if child == 0:
            work()

    def end(self):
        self.sandbox.end()


def serve_one(connection, keep=-1):
    """In the clone: answers a line and ends. Only the connection crosses,
    standard error, and keep."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        null = os.open("/dev/null", os.O_RDWR)  # the sandbox's
        own = {null, 2, keep, connection.fileno()}
        for fd in [int(name) for name in os.listdir("/proc/self/fd")]:
            if fd not in own:
                close(fd)
        for fd in (0, 1):
            os.dup2(null, fd)
        os.close(null)
        limits.confine()
        with connection.makefile("rw") as stream:
            stream.write(jobs.answer(stream.readline()))
        os._exit(0)
    finally:
        os._exit(1)  # never into the server's own code


def close(fd):
    try:
        os.close(fd)
    except OSError:
        pass  # that of listdir itself


def serve(path, sandboxes):
    """Never returns: the handler of SIGTERM raises SystemExit. A signal that comes
    just before a call that blocks would be handled after it only; the wakeup
    descriptor ends select() in that case, too."""
    stop, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        try:
            listener.listen(64)
            print("ready", flush=True)
            while True:
                select.select([listener, stop], [], [])
                connection, _ = listener.accept()
                with connection:
                    answer(connection, sandboxes)
        finally:
            os.unlink(path)


def answer(connection, sandboxes):
    """A sandbox that cannot be had costs one request, not the server."""
    try:
        sandboxes.enter(lambda **keep: serve_one(connection, **keep))
    except OSError as error:
        print(f"zygote: {error}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sandbox", choices=["each", "one"], default="each")
    parser.add_argument("--maker", choices=MAKERS, default="bwrap")
    parser.add_argument("socket", help="path of the unix socket to serve")
    options = parser.parse_args()
    if not cloneat.available():
        sys.exit("zygote: no cloneat() here: start it with cloneat-emu run -- PROGRAM")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        maker = MAKERS[options.maker]()
        sandboxes = Each(maker) if options.sandbox == "each" else One(maker)
        try:
            serve(options.socket, sandboxes)
        finally:
            sandboxes.end()
    except OSError as error:
        sys.exit(f"zygote: socket {options.socket}, sandbox {options.sandbox}: {error}")


if __name__ == "__main__":
    main()
