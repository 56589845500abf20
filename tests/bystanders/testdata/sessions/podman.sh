# SPDX-License-Identifier: Apache-2.0
# A container by podman, with its default seccomp profile.
mkdir -p root/usr root/proc root/dev root/sys root/run root/tmp root/etc root/var root/root
for l in bin lib lib64; do ln -s usr/$l root/$l; done
podman --runtime runc --cgroup-manager cgroupfs run --rm --net host --ulimit nofile=1024:1024 \
	--ulimit nproc=1000:1000 -v /usr:/usr:ro --rootfs "$PWD/root" \
	sh -c 'echo "inside: $$ $(id -u)"; grep -E "Cap|NoNewPrivs|Seccomp:" /proc/self/status; exit 5' </dev/null || echo "status: $?"
