# SPDX-License-Identifier: Apache-2.0
"""A clone of this interpreter, with all that it has computed, becomes the
child of another process.

    cloneat-emu run -- python3 examples/python/spawn.py
"""

import os
import subprocess

import cloneat


def main():
    squares = {n: n * n for n in range(1000)}
    cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    done, say_done = os.pipe()
    print(f"caller {os.getpid()}, cat {cat.pid}")

    if cloneat.fork_into(cat.pid) == 0:
        parent = "yes" if os.getppid() == cat.pid else "no"
        print(f"child {os.getpid()}: cat is my parent: {parent};", end=" ")
        print(f"31 squared is still {squares[31]}", flush=True)
        os.write(say_done, b"d")
        os._exit(0)

    os.read(done, 1)
    try:
        cloneat.fork_into(os.getppid())
    except PermissionError as error:
        print(f"caller: into its own parent: {os.strerror(error.errno)}")
    cat.kill()
    cat.wait()


main()
