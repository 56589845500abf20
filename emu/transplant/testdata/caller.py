import ctypes, os, sys

libc = ctypes.CDLL(None, use_errno=True)
data = {i: str(i) * 10 for i in range(10000)}
target = os.fork()
if target == 0:
    os.close(1)
    if len(sys.argv) > 1:
        os.execv(sys.argv[1], sys.argv[1:])
    while True:
        libc.pause()
os.write(2, b"target %d\n" % target)
if libc.syscall(34) == 0:  # pause: 0 in the clone only
    assert data == {i: str(i) * 10 for i in range(10000)}
    import json, hashlib
    print(json.dumps({"parent": os.getppid() == target, "sum": sum(data.keys()),
                      "spawned": os.popen("echo works").read()}))
    sys.stdout.flush()
    os._exit(0)
