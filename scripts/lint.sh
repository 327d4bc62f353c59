#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lint.sh: clang-format, clang-tidy, cppcheck and shellcheck over the whole tree. Any
# remark is a failure.

set -eu
cd "$(dirname "$0")/.."
status=0

sources=$(find src tests -name '*.c')
headers=$(find src tests -name '*.h')
# probes/*.c are BPF C: only libbcc can parse them
# shellcheck disable=SC2089  # clang-tidy is to see the quotes
flags="-std=c11 -D_GNU_SOURCE -Isrc -I. -DVERSION=\"lint\" -DDATADIR=\"/usr/local/share/lnk\""

echo '  clang-format'
# shellcheck disable=SC2086
clang-format --dry-run -Werror $sources $headers probes/event.h || status=1

echo '  clang-tidy'
for f in $sources; do
	# shellcheck disable=SC2086,SC2090
	clang-tidy --quiet --warnings-as-errors='*' "$f" -- $flags 2>/dev/null || status=1
done

echo '  cppcheck'
# shellcheck disable=SC2086
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
	--error-exitcode=1 -Isrc -I. -D_GNU_SOURCE -DVERSION='""' -DDATADIR='""' \
	-D__x86_64__ src tests || status=1

echo '  shellcheck'
# SC1091: a library's path is known when it runs. SC2016: programs for awk and sh stand in
# single quotes. SC2034, SC2153: what a library sets is used by those who source it.
git ls-files -z '*.sh' '*.inc' tests/run .ci/run |
	xargs -0 shellcheck -x -e SC1091,SC2016,SC2034,SC2153 || status=1

exit $status
