# SPDX-License-Identifier: Apache-2.0
"""Who makes a sandbox: bubblewrap, unshare or runc.

Each has command(program): the command line that runs a program in a new sandbox;
here: where this folder is in there; and init(pid): the sandbox's first process, for
the pid of that command, when the program runs."""

import atexit
import contextlib
import json
import os
import shutil
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def top():
    """What an interpreter needs besides /usr to start inside, by name in /: where
    it leads, or None for a folder. A clone would need none of it."""
    for name in ("bin", "lib", "lib64", "sbin"):
        if os.path.islink("/" + name):
            yield name, "usr/" + name
        elif os.path.isdir("/" + name):
            yield name, None


def only_child(pid):
    """The one child of a process that has one, whichever thread has made it."""
    children = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended
            with open(f"/proc/{pid}/task/{task}/children") as file:
                children += file.read().split()
    (child,) = children
    return int(child)


class Maker:
    """What they have in common: the sandbox's first process is a child of theirs."""

    def init(self, pid):
        return only_child(pid)


class Bwrap(Maker):
    """Namespaces of its own, the system's programs read-only, nothing else of this
    machine. Its first process is bwrap's own, which reaps."""

    here = "/zygote"

    def command(self, program):
        view = ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc/alternatives", "/etc/alternatives"]
        for name, leads in top():
            view += ["--symlink", leads, "/" + name] if leads else ["--ro-bind", "/" + name, "/" + name]
        return [
            "bwrap", "--unshare-all", "--die-with-parent", "--hostname", "sandbox", "--clearenv",
            *view, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
            "--ro-bind", HERE, self.here, "--chdir", "/tmp", "--uid", "65534", "--gid", "65534", *program,
        ]  # fmt: skip


class Unshare(Maker):
    """Namespaces of its own, but this machine's files. Its first process is a shell,
    which reaps while it waits for the program."""

    here = HERE

    def command(self, program):
        script = 'hostname sandbox; cd /tmp; "$@"; exit $?'
        flags = ["--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "--ipc", "--net"]
        return ["unshare", *flags, "sh", "-c", script, "sh", *program]


class Runc(Maker):
    """A container of runc, made of the same files as bubblewrap's sandbox. Its first
    process is a shell."""

    here = "/zygote"
    made = 0

    def __init__(self):
        self.bundle = tempfile.mkdtemp(prefix="zygote-runc-")
        atexit.register(shutil.rmtree, self.bundle, ignore_errors=True)
        root = os.path.join(self.bundle, "rootfs")
        os.mkdir(root)
        for name, leads in top():
            if leads:
                os.symlink(leads, os.path.join(root, name))
            else:
                os.mkdir(os.path.join(root, name))

    def command(self, program):
        """Precondition: the program's arguments are the same every time, since they
        are in the bundle."""
        with open(os.path.join(self.bundle, "config.json"), "w") as file:
            json.dump(self.config(program), file)
        Runc.made += 1
        name = f"zygote-{os.getpid()}-{Runc.made}"
        return ["runc", "run", "--bundle", self.bundle, name]

    def config(self, program):
        bind = {"type": "bind", "options": ["rbind", "ro"]}
        folders = {"/usr": "/usr", "/etc/alternatives": "/etc/alternatives", self.here: HERE}
        folders.update({"/" + name: "/" + name for name, leads in top() if not leads})
        return {
            "ociVersion": "1.0.2",
            "root": {"path": "rootfs"},
            "hostname": "sandbox",
            "process": {
                "cwd": "/tmp",
                "args": ["sh", "-c", '"$@"; exit $?', "sh", *program],
                "env": ["PATH=/usr/bin:/bin"],
                "user": {"uid": 65534, "gid": 65534},
            },
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
                {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
                *({"destination": inside, "source": outside, **bind} for inside, outside in folders.items()),
            ],
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "uts", "ipc", "network")]},
        }


MAKERS = {"bwrap": Bwrap, "unshare": Unshare, "runc": Runc}
