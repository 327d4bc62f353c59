#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --help and --version answer anybody, at once, on stdout.

# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
need_binary

narrow()
{
	[ "$(wc -L <"$TMP/out")" -le 80 ] || fails "a line is wider than 80 columns"
}

one_line()
{
	[ "$(wc -l <"$TMP/out")" -eq 1 ] || fails "stdout is not one line"
}

for option in -h --help; do
	run "$LNK" "$option"
	check "$option" expect_exit 0 -- expect_no_err -- narrow -- \
		expect_out 'Usage: linux_net_kernel [options] [-s [interval [count]]]' -- \
		expect_out '--buffer-pages'
done

for option in -V --version; do
	run "$LNK" "$option"
	check "$option" expect_exit 0 -- expect_no_err -- one_line -- \
		grep -qE '^linux_net_kernel .*[0-9]' "$TMP/out"
done

run "$LNK" -i 10.0.0.1 -p 80 -svd --help
check "--help beside other options" expect_exit 0 -- expect_no_err -- expect_out 'Usage: '

run "$LNK" -p 0 --nosuch --where 'no such' --help
check "--help beside mistakes" expect_exit 0 -- expect_no_err -- expect_out 'Usage: '
run "$LNK" --version --pid 0 --columns nosuch --where '('
check "--version beside mistakes" expect_exit 0 -- expect_no_err -- one_line

# No word is said that did not arrive.
if [ -w /dev/full ]; then
	STATUS=0
	"$LNK" --help >/dev/full 2>"$TMP/err" || STATUS=$?
	rm -f "$TMP/command"
	check "--help to a full device fails" expect_exit 1 -- expect_err_lines 1
else
	skip "--help to a full device fails" "no /dev/full"
fi
