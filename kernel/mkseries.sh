#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the last patch of each series, the selftests, from selftests/cloneat.
# With --check: only say whether the patches are up to date.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
name=0007-selftests-Add-a-suite-for-cloneat.patch
check=''
[ "${1:-}" != --check ] || check=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() { echo "mkseries.sh: $*" >&2; exit 1; }

# The neighbours in the alphabet, the same in both versions.
target_hunk() {
	cat <<-'END'
	diff --git a/tools/testing/selftests/Makefile b/tools/testing/selftests/Makefile
	--- a/tools/testing/selftests/Makefile
	+++ b/tools/testing/selftests/Makefile
	END
	sed -n "/^@@/,\$p" "$here/patches/$1/selftests-makefile.hunk"
}

# Files as a patch in git's form, sorted, so that the result is the same
# everywhere.
new_files() {
	local f n
	(cd "$here/selftests/cloneat" && git ls-files | LC_ALL=C sort) |
	while read -r f; do
		n=$(wc -l <"$here/selftests/cloneat/$f")
		echo "diff --git a/tools/testing/selftests/cloneat/$f b/tools/testing/selftests/cloneat/$f"
		if [ -x "$here/selftests/cloneat/$f" ]; then
			echo "new file mode 100755"
		else
			echo "new file mode 100644"
		fi
		echo "--- /dev/null"
		echo "+++ b/tools/testing/selftests/cloneat/$f"
		echo "@@ -0,0 +1,$n @@"
		sed 's/^/+/' "$here/selftests/cloneat/$f"
	done
}

series_patch() { # VERSION
	cat <<-'END'
	From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
	From: cloneat-emu maintainers <maintainers@users.noreply.r-seed-43ea991d.example>
	Date: Thu, 26 Nov 2026 12:00:00 +0000
	Subject: [RFC PATCH 7/7] selftests: Add a suite for cloneat()

	Small self-checking programs, one area each, that print TAP.  A check
	expects one behaviour; the tree of its processes is drawn above it.

	Signed-off-by: cloneat-emu maintainers <maintainers@users.noreply.r-seed-43ea991d.example>
	---
	END
	target_hunk "$1"
	new_files
}

for dir in "$here"/patches/*; do
	version=$(basename "$dir")
	series_patch "$version" >"$work/$version"
	if [ -z "$check" ]; then
		cp "$work/$version" "$dir/$name"
	else
		cmp -s "$work/$version" "$dir/$name" ||
			die "$dir/$name is older than selftests/cloneat: run kernel/mkseries.sh"
	fi
done
