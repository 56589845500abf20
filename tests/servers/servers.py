# SPDX-License-Identifier: Apache-2.0
"""Real servers as targets: redis and nginx answer a benchmark on loopback while
children are cloned into the serving process. The clients must see no error; what
the calls cost them is told as the 99th percentile of the latencies.

    caller (this program, under `cloneat-emu run`)
      +-- redis-server, or nginx: master -- worker
      |         +-- child, child ...   made by cloneat, end at once
      +-- redis-benchmark, or wrk      the load

Usage: servers.py [CALLS]
"""

import contextlib
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import cloneat

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 500
QUIET = 3  # seconds of load without calls, to compare with


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def await_port(port):
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.01)


@contextlib.contextmanager
def running(*command):
    """A process that is ended with this; its output is nobody's."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


class Redis:
    name = "redis"
    batch = 10000

    @contextlib.contextmanager
    def serve(self, folder):
        self.port = free_port()
        options = {"port": self.port, "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "no"}
        with running("redis-server", *(w for k, v in options.items() for w in (f"--{k}", str(v)))) as server:
            await_port(self.port)
            yield server.pid

    def load(self):
        return f"redis-benchmark -p {self.port} -c 20 -n {self.batch} -t get --csv"

    def figures(self, text):
        """Requests, errors, and the latencies' 99th percentiles in ms."""
        p99 = [float(line.split(",")[6].strip('"')) for line in text.splitlines() if line.startswith('"GET"')]
        return len(p99) * self.batch, len(re.findall("(?i)error", text)), p99


class Nginx:
    name = "nginx"
    config = """
        daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
        events {{ }}
        http {{
            access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            server {{ listen 127.0.0.1:{port}; location / {{ return 200 "served"; }} }}
        }}"""

    @contextlib.contextmanager
    def serve(self, folder):
        self.port = free_port()
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w") as f:
            f.write(self.config.format(folder=folder, port=self.port))
        with running("nginx", "-c", path, "-e", os.path.join(folder, "error.log")) as master:
            await_port(self.port)
            with open(f"/proc/{master.pid}/task/{master.pid}/children") as f:
                yield int(f.read())  # the worker

    def load(self):
        return f"wrk -t 1 -c 20 -d 1s --latency http://127.0.0.1:{self.port}/"

    def figures(self, text):
        units = {"us": 0.001, "ms": 1, "s": 1000}
        p99 = [float(n) * units[u] for n, u in re.findall(r"99%\s+([\d.]+)(us|ms|s)\n", text)]
        errors = [int(n) for line in re.findall("Socket errors:(.*)", text) for n in re.findall(r"\d+", line)]
        errors += [int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", text)]
        return sum(int(n) for n in re.findall(r"(\d+) requests in", text)), sum(errors), p99


def under_load(server, folder, work):
    """Runs work() while clients come in batches, of which the last ends after it."""
    stop, out = os.path.join(folder, "stop"), os.path.join(folder, "out")
    with open(out, "w") as f:
        loop = f"until {server.load()} || echo error; [ -e {stop} ]; do :; done"
        clients = subprocess.Popen(["sh", "-c", loop], stdout=f, stderr=subprocess.STDOUT)
    work()
    open(stop, "w").close()
    clients.wait()
    os.unlink(stop)
    with open(out) as f:
        return server.figures(f.read())


def calls_into(pid):
    """Children of the server that end at once; all of them are its own to reap."""
    for _ in range(CALLS):
        if cloneat.fork_into(pid) == 0:
            os._exit(0)


def tell(server, what, figures):
    requests, errors, p99 = figures
    print(f"{server.name:8}{what:12}{requests:10} requests{errors:4} errors   p99 {statistics.median(p99):.2f} ms"
          f" (worst batch {max(p99):.2f})", flush=True)
    return requests > 0 and errors == 0


def main():
    good = cloneat.available() or sys.exit("servers: the call does not exist here: use cloneat-emu run")
    for server in (Redis(), Nginx()):
        # The worker of nginx is another user.
        with tempfile.TemporaryDirectory() as folder, server.serve(folder) as pid:
            os.chmod(folder, 0o755)
            good &= tell(server, "quiet", under_load(server, folder, lambda: time.sleep(QUIET)))
            good &= tell(server, f"{CALLS} calls", under_load(server, folder, lambda: calls_into(pid)))
            os.kill(pid, 0)  # it lives
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
