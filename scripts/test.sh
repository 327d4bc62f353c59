#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh [ARG...]: from a fresh checkout to the result of every test.  Installs what
# the tests need, builds, and runs them (ARG... are those of tests/run).  The last
# line is "N passed, N failed, N skipped"; the exit status is 0 if none failed.
# LNK_NO_INSTALL=1 leaves the packages alone.

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
[ -n "${LNK_NO_INSTALL:-}" ] || "$top/scripts/install-deps.sh" --test

# The last line has to be the last one, and to be there: what make says of itself
# after a failure is left out, and a build that fails is a test that failed.
{
	if make -s -j"$(nproc)" -C "$top" --no-print-directory WERROR=1 all &&
		make -s -C "$top" --no-print-directory WERROR=1 check CHECK_ARGS="$*"; then
		echo 'test.sh: status 0'
	else
		echo 'test.sh: status 1'
	fi
} 2>&1 | {
	last='' status=1
	while IFS= read -r line; do
		case $line in
		'make: *** '* | 'make['*']: *** '*) continue ;;
		'test.sh: status '?) status=${line##* }; continue ;;
		esac
		printf '%s\n' "$line"
		last=$line
	done
	case $last in
	[0-9]*' passed, '[0-9]*' failed, '[0-9]*' skipped') ;;
	*) echo '0 passed, 1 failed, 0 skipped'; status=1 ;;
	esac
	exit "$status"
}
