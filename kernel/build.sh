#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds a kernel with the cloneat patches and prints the path of its image.
# What was built once is found again by the hash of everything that went in.
set -euo pipefail

usage() {
	cat <<-'END'
	usage: build.sh [--kernel 6.1|6.12] [--uml] [--debug | --kcsan | --criu] [--path]

	--kernel V  which Debian kernel source to patch (default 6.1)
	--uml       user mode Linux instead of x86-64 for QEMU
	--debug     KASAN, lockdep, RCU, atomic-sleep and kmemleak checking
	--kcsan     data race checking
	--criu      no checks, but what CRIU needs
	--path      print where the image is or would be, build nothing

	CLONEAT_CACHE         where images are kept (default /var/cache/cloneat-emu)
	CLONEAT_LINUX_SOURCE  a tree or tarball to use instead of Debian's package
	CLONEAT_JOBS          jobs of make (default: the number of processors)
	END
}

say() { echo "build.sh: $*" >&2; }
die() { say "$*"; exit 1; }

here=$(cd "$(dirname "$0")" && pwd)
cache=${CLONEAT_CACHE:-/var/cache/cloneat-emu}
kernel=6.1 arch=x86_64 variant='' only_path=''

while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=${2:?--kernel needs a version}; shift ;;
	--uml) arch=uml ;;
	--debug | --kcsan | --criu) variant=${1#--} ;;
	--path) only_path=1 ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; die "unknown argument: $1" ;;
	esac
	shift
done
[ -d "$here/patches/$kernel" ] ||
	die "no patches for kernel '$kernel'; there are: $(ls "$here/patches" | xargs)"
[ "$arch$variant" != umlkcsan ] || die "KCSAN needs x86-64"

# Neither selftests nor texts are part of the kernel image: no need to build it again
# for a sentence. User mode Linux has bugs of its own.
patches() {
	find "$here/patches/$kernel" -name '[0-9]*.patch' \
		! -name '0000-*' ! -name '*selftests*' ! -name '*Documentation*' | sort
	[ "$arch" != uml ] || find "$here/fixes" -path "*/$kernel/um-*.patch" | sort
}

fragments() {
	local f
	for f in base "$kernel" "$arch" ${variant:+"$variant"}; do
		echo "$here/config/$f.config"
	done
}

# One line for each option; a later fragment decides against an earlier one.
wanted() {
	fragments | xargs -d '\n' cat | awk -F= '/^CONFIG_/ { last[$1] = $0 }
		END { for (k in last) print last[k] }' | LC_ALL=C sort
}

package=linux-source-$kernel
needed=(bc bison flex gcc libc6-dev libelf-dev libssl-dev make patch perl xz-utils)
[ -n "${CLONEAT_LINUX_SOURCE:-}" ] || needed+=("$package")

missing() {
	local p
	for p in "${needed[@]}"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null |
			grep -qx installed || echo "$p"
	done
}

install_packages() {
	local list
	if ! command -v apt-get >/dev/null; then
		[ -n "${CLONEAT_LINUX_SOURCE:-}" ] ||
			die "no apt-get here: set CLONEAT_LINUX_SOURCE to a kernel tree and install: ${needed[*]}"
		return 0
	fi
	list=$(missing | xargs)
	[ -n "$list" ] || return 0
	[ "$(id -u)" = 0 ] || die "run as root, or install first: $list"
	say "installing $list"
	apt-get -qq -o DPkg::Lock::Timeout=600 update >&2 || true
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
		-o DPkg::Lock::Timeout=600 install $list >&2
}

source_version() {
	if [ -z "${CLONEAT_LINUX_SOURCE:-}" ]; then
		dpkg-query -W -f '${Version}' "$package"
	elif [ -d "$CLONEAT_LINUX_SOURCE" ]; then
		sha256sum <"$CLONEAT_LINUX_SOURCE/Makefile"
	else
		sha256sum <"$CLONEAT_LINUX_SOURCE"
	fi
}

image_dir() {
	local hash
	hash=$({
		source_version
		# Only the contents: neither names nor the way here nor messages count.
		patches | xargs -d '\n' sed -s -n '/^diff --git /,$p'
		fragments | xargs -d '\n' cat
	} | sha256sum | cut -c1-16)
	echo "$cache/$kernel-$arch${variant:+-$variant}-$hash"
}

unpack() { # TREE
	local source=${CLONEAT_LINUX_SOURCE:-/usr/src/$package.tar.xz}
	mkdir "$1"
	if [ -d "$source" ]; then
		cp -a "$source/." "$1"
	else
		tar -x -f "$source" -C "$1" --strip-components=1
	fi
}

apply_patches() { # TREE
	local p
	patches | while read -r p; do
		patch -d "$1" -p1 -s -F0 -N --no-backup-if-mismatch <"$p" >&2 ||
			die "$(basename "$p") does not apply to $kernel ($(source_version)) without fuzz"
	done
}

# A fragment says what it wants; Kconfig drops what does not fit without a word.
verify_config() { # CONFIG
	local line bad=''
	while read -r line; do
		case $line in
		*=n) ! grep -q "^${line%=n}=" "$1" || bad+=" $line" ;;
		*) grep -qxF -- "$line" "$1" || bad+=" $line" ;;
		esac
	done < <(wanted)
	[ -z "$bad" ] || die "the configuration lacks:$bad"
}

configure() { # TREE
	wanted | grep -v '=n$' >"$1/.wanted"
	make_kernel "$1" KCONFIG_ALLCONFIG=.wanted allnoconfig >/dev/null
	verify_config "$1/.config"
}

make_kernel() { # TREE ARGS...
	local tree=$1 a=$arch
	shift
	[ "$a" != uml ] || a=um
	KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=cloneat \
		KBUILD_BUILD_HOST=emu make -s -C "$tree" ARCH=$a "$@"
}

# The image appears under its final name only when it is complete.
build() { # DIR
	local dir=$1 image=bzImage built=arch/x86/boot/bzImage tree
	[ "$arch" != uml ] || { image=linux; built=linux; }
	# Whoever holds the lock is alone: other directories are of the dead.
	rm -rf "$cache"/.building.*
	work=$(mktemp -d "$cache/.building.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT HUP TERM
	tree=$work/tree
	mkdir "$work/out"

	say "building $(basename "$dir")"
	unpack "$tree"
	apply_patches "$tree"
	configure "$tree"
	if ! make_kernel "$tree" -j"${CLONEAT_JOBS:-$(nproc)}" "$image" >"$work/out/build.log" 2>&1; then
		tail -n 40 "$work/out/build.log" >&2
		die "the build failed"
	fi
	cp "$tree/$built" "$work/out/$image"
	cp "$tree/.config" "$work/out/config"
	cp "$tree/System.map" "$work/out/" 2>/dev/null || true
	mv -T "$work/out" "$dir"
}

image_in() { # DIR
	local image=bzImage
	[ "$arch" != uml ] || image=linux
	echo "$1/$image"
}

[ -n "$only_path" ] || install_packages
dir=$(image_dir)
if [ -z "$only_path" ] && [ ! -d "$dir" ]; then
	mkdir -p "$cache" || die "cannot write $cache: set CLONEAT_CACHE"
	exec 9>"$cache/.lock"
	flock -n 9 || { say "waiting for another build"; flock 9; }
	[ -d "$dir" ] || build "$dir"
fi
image_in "$dir"
