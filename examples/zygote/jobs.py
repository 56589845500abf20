# SPDX-License-Identifier: Apache-2.0
"""What is served: a request in JSON, an answer in JSON. Its imports are what a
warm start saves.

As a program it answers one request from its standard input: the cold start."""

import decimal  # noqa: F401: part of the load
import email.message  # noqa: F401
import json
import os
import resource
import sys
import xml.dom.minidom  # noqa: F401

import numpy
import numpy.polynomial  # noqa: F401

MEGABYTE = 1 << 20


def solve(request):
    """The vector x of matrix * x = right, in whole numbers where it has them."""
    x = numpy.linalg.solve(numpy.array(request["matrix"]), numpy.array(request["right"]))
    return [round(float(v), 9) for v in x]


def spectrum(request):
    """The frequency of which the samples hold most."""
    power = numpy.abs(numpy.fft.rfft(numpy.array(request["samples"])))
    return int(power.argmax())


def where(_):
    """Where this runs: what the sandbox and the limits made of it."""
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
    return {
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "uid": os.getuid(),
        "groups": os.getgroups(),
        "host": os.uname().nodename,
        "root": sorted(os.listdir("/")),
        "cwd": os.getcwd(),
        "programs": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
        "capabilities": int(status["CapEff"], 16),
        "no_new_privs": int(status["NoNewPrivs"]),
        "cpu": resource.getrlimit(resource.RLIMIT_CPU),
    }


def files(_):
    """What is open here, by descriptor; a socket's or pipe's number is left out."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink("/proc/self/fd/" + fd).partition(":[")[0]
        except FileNotFoundError:
            pass  # that of listdir itself
    return found


def eat(request):
    """Uses that many megabytes of memory."""
    return int(numpy.ones(request["megabytes"] * MEGABYTE, dtype=numpy.uint8).sum()) // MEGABYTE


def fork(_):
    """Tries to make a process."""
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    return "forked"


def spin(_):
    """Never ends by itself."""
    while True:
        pass


JOBS = {job.__name__: job for job in (solve, spectrum, where, files, eat, fork, spin)}


def answer(line):
    """The answer to one request, a line each. What goes wrong is an answer, too."""
    try:
        request = json.loads(line)
        result = {"result": JOBS[request["job"]](request)}
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    return json.dumps(result) + "\n"


if __name__ == "__main__":
    import limits

    limits.confine()
    sys.stdout.write(answer(sys.stdin.readline()))
