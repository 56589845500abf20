# SPDX-License-Identifier: Apache-2.0
"""The module held against what it promises.

    cd examples/python && cloneat-emu run -- python3 -m unittest test_cloneat
"""

import ctypes
import errno
import os
import select
import signal
import subprocess
import sys
import threading
import unittest
import warnings

import cloneat


class Target(unittest.TestCase):
    """Each test has a process to clone into, and a pipe to hear from the child."""

    def setUp(self):
        self.target = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        self.hear, self.say = os.pipe()

    def tearDown(self):
        self.target.stdin.close()
        self.target.wait()
        os.close(self.hear)
        os.close(self.say)

    def child(self, tell, hint=0):
        """What a child finds: tell() runs in it. Nothing it raises is lost."""
        pid = cloneat.fork_into(self.target.pid, hint)
        if pid == 0:
            try:
                text = repr(tell())
            except BaseException as error:  # the child must end here
                text = repr(repr(error))
            os.write(self.say, text.encode() + b"\n")
            os._exit(0)
        text = b""
        while not text.endswith(b"\n"):
            text += os.read(self.hear, 4096)
        return pid, eval(text)


class ForkInto(Target):
    def test_parent_and_pid(self):
        pid, found = self.child(lambda: (os.getpid(), os.getppid()))
        self.assertEqual(found, (pid, self.target.pid))
        with self.assertRaises(ChildProcessError):
            os.waitpid(pid, 0)

    def test_hint(self):
        gone = os.fork()  # numbers are given in turn: this one is free
        if gone == 0:
            os._exit(0)
        os.waitpid(gone, 0)
        hint = gone
        pid, found = self.child(os.getpid, hint)
        self.assertEqual((pid, found), (hint, hint))

    def test_tid_of_c_library(self):
        pid, found = self.child(
            lambda: ctypes.c_int.from_address(cloneat._tid_address()).value
        )
        self.assertEqual(found, pid)

    def test_hooks(self):
        seen = []
        os.register_at_fork(
            before=lambda: seen.append("before"),
            after_in_parent=lambda: seen.append("parent"),
            after_in_child=lambda: seen.append("child"),
        )
        _, found = self.child(lambda: seen)
        self.assertEqual(found, ["before", "child"])
        self.assertEqual(seen, ["before", "parent"])

    def test_threads_start_in_child(self):
        def start():
            done = []
            thread = threading.Thread(target=lambda: done.append(1))
            thread.start()
            thread.join()
            return done

        self.assertEqual(self.child(start)[1], [1])

    def test_signal_mask_is_kept(self):
        def mask():
            return sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))

        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, before)
        want = mask()
        _, found = self.child(lambda: [int(n) for n in mask()])
        self.assertEqual(found, [int(n) for n in want])
        self.assertEqual(mask(), want)

    def test_output_is_not_doubled(self):
        script = (
            "import cloneat, os, subprocess, sys\n"
            "cat = subprocess.Popen(['cat'], stdin=subprocess.PIPE)\n"
            "print('once')\n"
            "pid, fd = cloneat.forkfd_into(cat.pid)\n"
            "if pid == 0: sys.stdout.flush(); os._exit(0)\n"
            "import select; select.select([fd], [], []); cat.stdin.close(); cat.wait()\n"
        )
        out = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
        self.assertEqual(out.stdout, b"once\n")

    def test_warns_of_threads(self):
        leave = threading.Event()
        thread = threading.Thread(target=leave.wait)
        thread.start()
        try:
            with self.assertWarns(RuntimeWarning):
                self.child(os.getpid)
        finally:
            leave.set()
            thread.join()

    def test_no_warning_of_one_thread(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.child(os.getpid)


class Container(unittest.TestCase):
    """Into a pid namespace by unshare(1), whose first process is cat."""

    def test_child_of_init(self):
        hear, say = os.pipe()
        unshare = subprocess.Popen(
            ["unshare", "-pf", "--kill-child", "--mount-proc", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        unshare.stdin.write(b"\n")
        unshare.stdin.flush()
        unshare.stdout.read(1)  # cat runs
        with open(f"/proc/{unshare.pid}/task/{unshare.pid}/children") as file:
            init = int(file.read())
        child, fd = cloneat.forkfd_into(init, 700)
        if child == 0:
            os.write(say, f"{os.getpid()} {os.getppid()} {os.readlink('/proc/self')}".encode())
            while True:
                signal.pause()
        self.assertEqual(os.read(hear, 100), b"700 1 700")
        unshare.kill()  # and init with it
        unshare.communicate()
        self.assertEqual(select.select([fd], [], [])[0], [fd])
        for each in (fd, hear, say):
            os.close(each)


class ForkfdInto(Target):
    def test_tells_the_end(self):
        child, fd = cloneat.forkfd_into(self.target.pid)
        if child == 0:
            os.read(self.hear, 1)
            os._exit(0)
        self.addCleanup(os.close, fd)
        self.assertEqual(select.select([fd], [], [], 0)[0], [])
        os.write(self.say, b"x")
        self.assertEqual(select.select([fd], [], [])[0], [fd])


class Errors(Target):
    def check(self, number, function, *args):
        with self.assertRaises(OSError) as raised:
            function(*args)
        self.assertEqual(raised.exception.errno, number)
        self.assertIn(errno.errorcode[number], str(raised.exception))

    def test_not_a_descendant(self):
        self.check(errno.EPERM, cloneat.fork_into, os.getppid())

    def test_no_pid(self):
        self.check(errno.EINVAL, cloneat.fork_into, -1)

    def test_pid_in_use(self):
        self.check(errno.EEXIST, cloneat.fork_into, self.target.pid, os.getpid())

    def test_undefined_flag(self):
        self.check(errno.EINVAL, cloneat.call, self.target.pid, 0, 1 << cloneat.CLONEXT_INTO_CGROUP)

    def test_still_forks_afterwards(self):
        self.test_no_pid()
        pid, found = self.child(os.getppid)
        self.assertEqual(found, self.target.pid)


class Call(Target):
    def test_to_self_is_a_fork(self):
        child = cloneat.call(os.getpid())
        if child == 0:
            os._exit(7)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 7)

    def test_parent_tid(self):
        tid = ctypes.c_int(0)
        child = cloneat.call(
            os.getpid(),
            flags=signal.SIGCHLD | cloneat.CLONE_PARENT_SETTID,
            parent_tid=ctypes.addressof(tid),
        )
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        self.assertEqual(tid.value, child)

    def test_size_of_struct(self):
        self.assertEqual(ctypes.sizeof(cloneat.CloneatArgs), 64)

    def test_available(self):
        self.assertTrue(cloneat.available())


if __name__ == "__main__":
    unittest.main()
