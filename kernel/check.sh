#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a reviewer would run on the series first: checkpatch --strict, fuzz 0,
# every step builds by itself without new warnings of W=1 and sparse, with and
# without CONFIG_CLONEAT, and with it and hardly anything else; the UAPI header
# is C90, and no table has the number but those of x86-64 and arm64.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
versions=()
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) versions+=("${2:?--kernel needs a version}"); shift ;;
	*) echo "usage: check.sh [--kernel 6.1|6.12]..." >&2; exit 2 ;;
	esac
	shift
done
[ ${#versions[@]} -gt 0 ] || versions=(6.1 6.12)

work=$(mktemp -d "${TMPDIR:-/tmp}/cloneat-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - $*"; }
bad() { echo "not ok - $*"; failed=1; }

needed=(sparse python3-ply)
for p in "${needed[@]}"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed ||
		apt-get -qq -y -o DPkg::Lock::Timeout=600 install "$p" >/dev/null
done

# Argued exceptions of checkpatch:
# NEW_TYPEDEFS      clone_flag_t and clone_flag_set_t are the proposal's names,
#                   part of the interface.
# FILE_PATH_CHANGES An RFC has no entry in MAINTAINERS yet.
# For the selftests also what is about kernel code and not about programs:
# BIT_MACRO, PREFER_DEFINED_ATTRIBUTE_MACRO, STATIC_CONST_CHAR_ARRAY  there is
#                   no such macro in userspace, and argv is no constant.
# ENOSYS, ENOTSUPP  a test of the number means just that.
# EMBEDDED_FUNCTION_NAME, FUNCTION_ARGUMENTS  checkpatch takes "run" in an English
#                   sentence and a macro's (void) for what they are not.
# OPEN_ENDED_LINE   a block of __asm__ begins so.
# TYPO_SPELLING     "useable" is a field of struct user_desc.
# MULTISTATEMENT_MACRO_USE_DO_WHILE, COMPLEX_MACRO, MACRO_ARG_REUSE,
# MACRO_ARG_PRECEDENCE, CAMELCASE, VOLATILE, AVOID_EXTERNS, USLEEP_RANGE
#                   the harness declares checks by macros and shares memory
#                   with its processes.
exceptions=NEW_TYPEDEFS,FILE_PATH_CHANGES
test_exceptions=$exceptions,BIT_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO
test_exceptions+=,STATIC_CONST_CHAR_ARRAY,MULTISTATEMENT_MACRO_USE_DO_WHILE
test_exceptions+=,COMPLEX_MACRO,MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE,CAMELCASE
test_exceptions+=,VOLATILE,AVOID_EXTERNS,USLEEP_RANGE
test_exceptions+=,ENOSYS,ENOTSUPP,EMBEDDED_FUNCTION_NAME,FUNCTION_ARGUMENTS,OPEN_ENDED_LINE,TYPO_SPELLING

check_style() { # VERSION
	local p ignore
	for p in "$here/patches/$1"/*.patch; do
		ignore=$exceptions
		case $p in *selftests*) ignore=$test_exceptions ;; esac
		if (cd "$tree" && scripts/checkpatch.pl --strict --quiet --ignore "$ignore" "$p") >"$work/log" 2>&1; then
			ok "$1 checkpatch $(basename "$p")"
		else
			cat "$work/log"
			bad "$1 checkpatch $(basename "$p")"
		fi
	done
}

objects='kernel/fork.o kernel/nsproxy.o kernel/pid.o kernel/pid_namespace.o
	kernel/sys_ni.o kernel/exit.o fs/exec.o'

# Warnings without their line numbers, so that moved code is not new.
warnings() { # TREE OBJECTS
	local o
	for o in $2; do
		rm -f "$1/$o"
	done
	# shellcheck disable=SC2086
	make -s -C "$1" ARCH=x86_64 W=1 C=1 -j"$(nproc)" $2 2>&1 |
		grep -E 'warning|error' | sed -E 's/:[0-9]+(:[0-9]+)?:/:/' | sort -u
	[ "${PIPESTATUS[0]}" = 0 ] || echo "error: make failed"
}

configure() { # VERSION
	# An option that two fragments set is the last one's, as in build.sh.
	cat "$here/config"/{base,"$1",x86_64}.config |
		awk -F= '/^CONFIG_/ { last[$1] = $0 } END { for (k in last) print last[k] }' |
		grep -v '=n$' >"$tree/.wanted"
	make -s -C "$tree" ARCH=x86_64 KCONFIG_ALLCONFIG=.wanted allnoconfig >/dev/null
	make -s -C "$tree" ARCH=x86_64 -j"$(nproc)" prepare >/dev/null
}

check_steps() { # VERSION
	local p now=$objects
	warnings "$tree" "$objects" >"$work/before" || true
	for p in "$here/patches/$1"/000[1-6]*.patch; do
		if ! patch -d "$tree" -p1 -s -F0 --no-backup-if-mismatch <"$p"; then
			bad "$1 $(basename "$p") applies without fuzz"
			return
		fi
		make -s -C "$tree" ARCH=x86_64 olddefconfig
		[ ! -f "$tree/kernel/cloneat.c" ] || now="$objects kernel/cloneat.o"
		warnings "$tree" "$now" >"$work/after" || true
		if comm -13 "$work/before" "$work/after" | grep .; then
			bad "$1 $(basename "$p") builds without new warnings"
		else
			ok "$1 $(basename "$p") builds without new warnings"
		fi
	done
}

check_without() { # VERSION
	"$tree/scripts/config" --file "$tree/.config" -d CLONEAT
	make -s -C "$tree" ARCH=x86_64 olddefconfig
	warnings "$tree" "$objects" >"$work/after" || true
	if comm -13 "$work/before" "$work/after" | grep .; then
		bad "$1 builds with CONFIG_CLONEAT=n"
	else
		ok "$1 builds with CONFIG_CLONEAT=n"
	fi
	"$tree/scripts/config" --file "$tree/.config" -e CLONEAT
}

# Nothing that the call touches but can do without: no namespaces, cgroups, IPC.
check_small() { # VERSION
	printf '%s\n' CONFIG_64BIT=y CONFIG_EXPERT=y CONFIG_CLONEAT=y >"$tree/.wanted"
	make -s -C "$tree" ARCH=x86_64 KCONFIG_ALLCONFIG=.wanted allnoconfig >/dev/null
	if grep -qx CONFIG_CLONEAT=y "$tree/.config" &&
		make -s -C "$tree" ARCH=x86_64 -j"$(nproc)" kernel/cloneat.o kernel/fork.o \
			kernel/nsproxy.o kernel/pid.o; then
		ok "$1 builds without namespaces, cgroups and IPC"
	else
		bad "$1 builds without namespaces, cgroups and IPC"
	fi
}

check_header() { # VERSION
	local h=include/uapi/linux/cloneat.h
	if cmp -s "$tree/$h" "$here/$h" &&
		gcc -std=c90 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c "$here/$h" &&
		g++ -Wall -Werror -fsyntax-only -x c++ "$here/$h"; then
		ok "$1 UAPI header: the same file, C90 and C++"
	else
		bad "$1 UAPI header: the same file, C90 and C++"
	fi
}

# What a table of 6.12's form says with these ABIs.
table() { # FILE ABIS
	sh "$tree/scripts/syscalltbl.sh" --abis "$2" "$tree/$1" "$work/table"
	cat "$work/table"
}

expect() { # TEXT PATTERN COUNT FILE
	if [ "$(grep -cE "$2" "$4")" = "$3" ]; then
		ok "$1"
	else
		bad "$1"
	fi
}

# What arch/ARCH's users of asm-generic/unistd.h get of the generic table.
generic_numbers() { # ARCH
	echo '#include <asm/unistd.h>' | gcc -nostdinc -E -dM -undef \
		-D__BITS_PER_LONG="$2" -I "$tree/arch/$1/include/uapi" \
		-I "$tree/include/uapi" -I "$work/none" -x c - 2>"$work/log" || cat "$work/log"
}

# The tables that an architecture makes of 6.12's scripts/syscall.tbl.
generic_tables() { # VERSION ARCH
	local bits abis wanted makefile=$tree/arch/$2/kernel/Makefile.syscalls
	[ -f "$makefile" ] || return 0
	for bits in 32 64; do
		abis=$(sed -n "s/^syscall_abis_$bits += *//p" "$makefile")
		table scripts/syscall.tbl "common,$bits${abis:+,${abis// /,}}" >"$work/t"
		wanted=0
		[ "$2$bits" != arm6464 ] || wanted=1
		expect "$1 $2, $bits bits: cloneat in its table: $wanted" cloneat $wanted "$work/t"
	done
}

check_tables() { # VERSION
	local a
	table arch/x86/entry/syscalls/syscall_64.tbl common,64 >"$work/t"
	expect "$1 x86-64 has 511" '\(511, sys_cloneat\)' 1 "$work/t"
	table arch/x86/entry/syscalls/syscall_64.tbl common,x32 >"$work/t"
	expect "$1 x32 has no cloneat" cloneat 0 "$work/t"
	table arch/x86/entry/syscalls/syscall_32.tbl i386 >"$work/t"
	expect "$1 i386 has no cloneat" cloneat 0 "$work/t"

	if [ -f "$tree/scripts/syscall.tbl" ]; then
		for a in arm64 arc csky hexagon loongarch nios2 openrisc riscv; do
			generic_tables "$1" $a
		done
		expect "$1 arm64 compat has no cloneat" cloneat 0 "$tree/arch/arm64/tools/syscall_32.tbl"
	else
		mkdir -p "$work/none/asm"
		echo >"$work/none/asm/bitsperlong.h"
		generic_numbers arm64 64 >"$work/t"
		expect "$1 arm64 has 511" '__NR_cloneat 511$' 1 "$work/t"
		expect "$1 arm64 ends at 512" '__NR_syscalls 512$' 1 "$work/t"
		for a in arc csky hexagon nios2 openrisc riscv; do
			generic_numbers $a 32 >"$work/t"
			expect "$1 $a has no cloneat" cloneat 0 "$work/t"
		done
		expect "$1 arm64 compat has no cloneat" cloneat 0 "$tree/arch/arm64/include/asm/unistd32.h"
	fi
}

# The touched objects for arm64, where a cross compiler is installed.
check_arm64() { # VERSION
	local cross=aarch64-linux-gnu-
	command -v ${cross}gcc >/dev/null || { echo "# $1 arm64: no ${cross}gcc here"; return 0; }
	cat "$here/config/base.config" "$here/config/$1.config" | grep -v '=n$' >"$tree/.wanted"
	make -s -C "$tree" mrproper
	make -s -C "$tree" ARCH=arm64 CROSS_COMPILE=$cross KCONFIG_ALLCONFIG=.wanted allnoconfig >/dev/null
	if make -s -C "$tree" ARCH=arm64 CROSS_COMPILE=$cross -j"$(nproc)" kernel/cloneat.o \
		kernel/fork.o kernel/nsproxy.o arch/arm64/kernel/sys.o; then
		ok "$1 builds for arm64"
	else
		bad "$1 builds for arm64"
	fi
}

for v in "${versions[@]}"; do
	tree=$work/$v
	mkdir "$tree"
	tar -x -f "${CLONEAT_LINUX_SOURCE:-/usr/src/linux-source-$v.tar.xz}" -C "$tree" --strip-components=1
	check_style "$v"
	configure "$v"
	check_steps "$v"
	check_without "$v"
	check_header "$v"
	check_tables "$v"
	check_small "$v"
	check_arm64 "$v"
	rm -rf "$tree"
done
"$here/mkseries.sh" --check && ok "selftests patches are up to date" || bad "selftests patches are up to date"
exit $failed
