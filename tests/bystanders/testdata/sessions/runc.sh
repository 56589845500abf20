# SPDX-License-Identifier: Apache-2.0
# A container by runc: run, a command in it, its end.
id=bystander-$$
mkdir -p root/usr root/proc root/dev
for l in bin lib lib64; do ln -s usr/$l root/$l; done
cat >config.json <<J
{"ociVersion":"1.0.2","root":{"path":"root"},
"process":{"cwd":"/","args":["sleep","1000"],"env":["PATH=/usr/bin:/bin"],"user":{"uid":0,"gid":0}},
"mounts":[{"destination":"/proc","type":"proc","source":"proc"},
{"destination":"/usr","type":"bind","source":"/usr","options":["rbind","ro"]}],
"linux":{"cgroupsPath":"/$id","namespaces":[{"type":"pid"},{"type":"mount"},{"type":"uts"},{"type":"ipc"}]}}
J
trap 'runc delete -f $id >/dev/null 2>&1' EXIT
runc run -d $id </dev/null >/dev/null 2>&1
runc exec $id sh -c 'echo "inside: pid 1 is $(cat /proc/1/comm)"' </dev/null
runc exec $id sh -c 'exit 4' </dev/null || echo "status: $?"
runc exec $id grep -E 'Cap|NoNewPrivs' /proc/self/status </dev/null
echo "state: $(runc state $id | grep -o '"status": "[a-z]*"')"
runc kill $id KILL
until runc state $id | grep -q stopped; do :; done
echo "end: $(runc state $id | grep -o '"status": "[a-z]*"')"
