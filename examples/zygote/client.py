# SPDX-License-Identifier: Apache-2.0
"""Starting a zygote, and asking it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "python"))

import cloneat

PYTHON = "/usr/bin/python3"  # Debian's: the one that has its numpy


class Zygote:
    """A zygote that serves until the with block ends."""

    def __init__(self, mode, maker="bwrap"):
        self.mode = mode
        self.maker = maker

    def __enter__(self):
        run = [] if cloneat.available() else ["cloneat-emu", "run", "--"]
        if run and not shutil.which(run[0]):
            sys.exit("zygote: no cloneat() here, and no cloneat-emu in PATH: make build; PATH=$PWD/build:$PATH")
        self.folder = tempfile.TemporaryDirectory(prefix="zygote-")
        self.path = os.path.join(self.folder.name, "socket")
        server = os.path.join(HERE, "zygote.py")
        self.process = subprocess.Popen(
            [*run, PYTHON, "-B", server, "--sandbox", self.mode, "--maker", self.maker, self.path],
            stdout=subprocess.PIPE,
        )
        if self.process.stdout.readline() != b"ready\n":
            self.process.wait()
            self.folder.cleanup()
            sys.exit("the zygote did not start: its message is above")
        return self

    def ask(self, line):
        """The answer to a request, "" if the clone died of it."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.path)
            connection.sendall(line.encode() + b"\n")
            with connection.makefile() as stream:
                return stream.readline()

    def __exit__(self, *_):
        self.process.terminate()
        self.process.stdout.close()
        status = self.process.wait()
        self.folder.cleanup()
        if status != 0:
            raise ChildProcessError(f"the zygote ended with status {status}")
