#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boots a patched kernel with one program, shows its output, and returns its
# exit status.
set -euo pipefail

usage() {
	cat <<-'END'
	usage: boot.sh [--kernel 6.1|6.12|IMAGE] [--uml] [--debug | --kcsan | --criu]
	               [--timeout SEC] [--smp N] [--mem SIZE] [--console FILE] [--serial]
	               [--env NAME=VALUE]... [--add SRC[:/DST]]...
	               [--] PROGRAM [ARGS]

	Runs PROGRAM as root in a machine of its own, with the libraries and the
	interpreter that it needs.  --add packs another file or directory, with
	the libraries of the programs in it.  Input is empty.  --serial takes the
	output from a serial port, for a distribution's kernel, which has the
	driver of the faster way as a module.  --criu boots a kernel that has what
	CRIU needs.

	Exit status: the program's (128 + N if signal N killed it); 124 after
	--timeout SEC (default 600); 125 if the kernel panicked, complained or
	ended without a result, with the console on standard error; 126 and 127 if
	there is no PROGRAM to execute, as in a shell; 2 for bad use.
	END
}

say() { echo "boot.sh: $*" >&2; }
die() { say "$*"; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
kernel=6.1 uml='' variant='' limit=600 smp=2 mem=2G console='' serial='' add=() env=()

while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=${2:?--kernel needs a version or an image}; shift ;;
	--uml) uml=--uml ;;
	--debug | --kcsan | --criu) variant=$1 ;;
	--timeout) limit=${2:?--timeout needs seconds}; shift ;;
	--smp) smp=${2:?--smp needs a number}; shift ;;
	--mem) mem=${2:?--mem needs a size}; shift ;;
	--console) console=${2:?--console needs a file}; shift ;;
	--serial) serial=1 ;;
	--env) env+=("${2:?--env needs NAME=VALUE}"); shift ;;
	--add) add+=("${2:?--add needs SRC:/DST}"); shift ;;
	-h | --help) usage; exit 0 ;;
	--) shift; break ;;
	-*) usage >&2; die "unknown option: $1" ;;
	*) break ;;
	esac
	shift
done
[ $# -gt 0 ] || { usage >&2; die "no program given"; }
program=$(type -P -- "$1") || {
	case $1 in */*) [ ! -e "$1" ] || { say "this cannot be executed: $1"; exit 126; } ;; esac
	say "no such program: $1"
	exit 127
}
program=$(realpath -- "$program")
shift

install_packages() {
	local p list=()
	command -v apt-get >/dev/null || return 0
	for p in cpio gcc libc6-dev ${uml:-qemu-system-x86}; do
		[ "$p" != --uml ] || continue
		dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null |
			grep -qx installed || list+=("$p")
	done
	[ ${#list[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "run as root, or install first: ${list[*]}"
	say "installing ${list[*]}"
	apt-get -qq -o DPkg::Lock::Timeout=600 update >&2 || true
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
		-o DPkg::Lock::Timeout=600 install "${list[@]}" >&2
}

find_image() {
	if [ -f "$kernel" ]; then
		realpath -- "$kernel"
	else
		# shellcheck disable=SC2086
		"$here/build.sh" --kernel "$kernel" $uml $variant
	fi
}

# --- the initramfs ---------------------------------------------------------

pack_file() { # SRC DST
	[ ! -e "$root$2" ] || return 0
	mkdir -p "$root$(dirname "$2")"
	cp -L -- "$1" "$root$2"
}

# What FILE needs to start: its interpreter and its libraries.
pack_needs() { # FILE
	local line path
	if [ "$(head -c 2 -- "$1" | tr -d '\0')" = '#!' ]; then
		path=$(head -n 1 -- "$1" | sed 's/^#![ \t]*//' | cut -d' ' -f1)
		[ ! -x "$path" ] || { pack_file "$path" "$path"; pack_needs "$(realpath "$path")"; }
		return 0
	fi
	{ ldd -- "$1" 2>/dev/null || true; } | while read -r line; do
		path=$(grep -o '/[^ ]*' <<<"${line#*=> }" | head -n 1) || continue
		[ ! -f "$path" ] || pack_file "$path" "$path"
	done
}

pack_added() { # SRC[:/DST]
	local src=${1%%:*} dst=${1#*:} file
	[ "$dst" != "$1" ] || dst=$(realpath -- "$src")
	[ -e "$src" ] || die "--add: no such file: $src"
	[ "${dst#/}" != "$dst" ] || die "--add: $dst is no absolute path"
	if [ -d "$src" ]; then
		mkdir -p "$root$dst"
		cp -rL -- "$src/." "$root$dst"
	else
		pack_file "$src" "$dst"
	fi
	find "$src" -type f -perm /111 | while read -r file; do
		pack_needs "$file"
	done
}

pack_root() { # ARGS...
	local a
	root=$work/root
	mkdir -p "$root"/{etc,root,tmp,proc,sys,dev,run,var,usr,home}
	chmod 700 "$root/root"
	chmod 1777 "$root/tmp"
	gcc -static -O2 -o "$root/init" "$here/init/init.c"
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	printf '127.0.0.1 localhost cloneat-vm\n' >"$root/etc/hosts"
	pack_file "$program" "$program"
	pack_needs "$program"
	for a in "${add[@]}"; do
		pack_added "$a"
	done
	printf '%s\0' "$program" "$@" >"$root/cmdline"
	printf '%s\0' PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root TERM=dumb CLONEAT_VM=1 "${env[@]}" >"$root/environ"
	(cd "$root" && find . -print0 | cpio --null -o -H newc --quiet -R 0:0) >"$work/initramfs"
}

# --- the machine -----------------------------------------------------------

# A /dev/kvm that opens says little: without the processor's support it runs
# nothing, for ever.  CLONEAT_ACCEL=tcg or =kvm decides otherwise.
accel() {
	if [ -n "${CLONEAT_ACCEL:-}" ]; then
		echo "$CLONEAT_ACCEL"
	elif [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
		echo kvm
	else
		echo tcg
	fi
}

# no_timer_check: an emulated timer is late on a busy host, which is no broken one.
# secretmem.enable: off by default before 6.5.
# What hardened kernels forbid, where there is something to forbid (6.12): nobody writes
# through /proc/PID/mem where the owner may not.
params='secretmem.enable=1 proc_mem.force_override=never panic=-1 oops=panic no_timer_check rdinit=/init rcupdate.rcu_cpu_stall_timeout=120'

# An emulated processor gets little done in the 80 us for which KCSAN holds an access up.
[ "$variant" != --kcsan ] || params+=' kcsan.udelay_task=1000 kcsan.udelay_interrupt=200'

# A write to a virtio port is over when it is queued, so a pipe that is slow
# would lose what is queued when the machine ends: a file never is.
#
# An emulated processor that has to wait while its clock is measured gets a wrong
# one: on a busy host a machine's minutes were seconds, and its checks late.  The
# HPET needs no measuring.
run_qemu() {
	local machine how clock='' port=/dev/vport0p1 way
	how=$(accel)
	threads=$((smp % 2 ? 1 : 2)) # two of a core may be told not to share it (PR_SCHED_CORE)
	[ "$how" != tcg ] || clock=clocksource=hpet
	way=(-device virtio-serial-pci
		-chardev "file,id=out,path=$work/output"
		-device "virtserialport,chardev=out,name=out")
	if [ -n "$serial" ]; then
		port=/dev/ttyS1
		way=(-serial "file:$work/output")
	fi
	: >"$work/output"
	timeout -k 10 "$limit" qemu-system-x86_64 \
		-machine pc -accel "$how" -cpu max -smp "$smp,threads=$threads" -m "$mem" \
		-nodefaults -no-user-config -no-reboot -display none \
		-kernel "$image" -initrd "$work/initramfs" \
		-append "console=ttyS0 no_timer_check CLONEAT_PORT=$port $clock $params" \
		-serial "file:$work/console" \
		"${way[@]}" \
		</dev/null >/dev/null 2>"$work/errors" &
	machine=$!
	tail --pid="$machine" -s 0.1 -c +1 -f "$work/output"
	wait "$machine"
}

# The line of the program is descriptor 3; standard output is the console.
run_uml() {
	GLIBC_TUNABLES=glibc.pthread.rseq=0 TMPDIR=$work \
		timeout -k 10 "$limit" "$image" \
		mem="$mem" initrd="$work/initramfs" uml_dir="$work" umid=vm \
		con0=null,fd:1 con=null ssl=null ssl1=null,fd:3 console=tty0 \
		CLONEAT_PORT=/dev/ttyS1 "$params" \
		3>&1 </dev/null >"$work/console" 2>"$work/errors"
}

# What a kernel says when one of its own rules was broken. A program's protection fault
# has neither comma nor colon.
splats='WARNING:|Oops|Kernel panic|general protection fault[,:]|KASAN'
splats+='|suspicious RCU|possible circular|possible recursive|inconsistent lock'
splats+='|INFO: task .* blocked|stalls? on CPU|self-detected stall|unreferenced object|scheduling while atomic'

# KCSAN names the two functions that race. The kernel has races of its own in all that a
# fork goes through, and does not end for them: these are only counted.
ours='cloneat|clone_target|live_thread|descends_from_current|shared_with_current'
ours+='|pid_ns_may_set_tid|copy_active_nsproxy|target_namespaces'

complaints() {
	grep -aE "$splats" "$work/console" || true
	grep -a 'BUG:' "$work/console" | if [ "$variant" = --kcsan ]; then
		grep -vE "BUG: KCSAN: .* in" || true
		races | grep -E "$ours" || true
	else
		cat
	fi
}

# What a kernel says whose checks are at work. A configuration can have them and
# leave them off.
at_work() {
	case $variant in
	--debug)
		printf '%s\n' 'KernelAddressSanitizer initialized' 'Lock dependency validator' \
			'RCU lockdep checking is enabled' 'kmemleak: .* initialized'
		;;
	--kcsan) printf '%s\n' 'kcsan: enabled' 'kcsan: selftest: .* passed' ;;
	esac
}

idle_checks() {
	local said
	at_work | while read -r said; do
		grep -aqE "$said" "$work/console" || echo "$said"
	done
}

races() {
	sed -n 's/.*BUG: KCSAN: \(.* in .*\)/\1/p' "$work/console" | tr -d '\r' | sort | uniq -c | sort -rn
}

judge() { # STATUS of the machine
	local result
	result=$(tr -d '\r' <"$work/console" |
		sed -n 's/^cloneat-init: exit status \([0-9]*\)$/\1/p' | tail -n 1)
	[ -z "$console" ] || cp "$work/console" "$console"
	[ "$variant" != --kcsan ] || { say "data races, the kernel's own among them:"; races >&2; }
	if [ "$1" = 124 ] || [ "$1" = 137 ]; then
		show_console "the time of $limit s is over"
		return 124
	elif [ -n "$(complaints)" ]; then
		show_console "the kernel complained"
		return 125
	elif [ -n "$(idle_checks)" ]; then
		show_console "this kernel does not check itself: it never said $(idle_checks | paste -sd,)"
		return 125
	elif [ -z "$result" ]; then
		show_console "no result: the machine ended with status $1"
		return 125
	fi
	return "$result"
}

show_console() { # WHY
	{
		cat "$work/errors" "$work/console"
		echo "boot.sh: $1"
	} >&2
}

install_packages
image=$(find_image)
work=$(mktemp -d "${TMPDIR:-/tmp}/cloneat-boot.XXXXXX")
trap 'rm -rf "$work"' EXIT
pack_root "$@"
touch "$work/console" "$work/errors"

# Through a pipe: QEMU and UML change the state of the file that they write to.
status=0
if [ -n "$uml" ] || [[ $(basename "$image") = linux* ]]; then
	[ "$mem" != 2G ] || mem=512M
	run_uml | cat || status=${PIPESTATUS[0]}
else
	run_qemu | cat || status=${PIPESTATUS[0]}
fi
judge "$status"
