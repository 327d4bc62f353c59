#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 200
# Standard streams that are closed when the program starts: what it opens next must not
# take their numbers, or rows and messages would go into it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

# closed REDIRECTION ARGS...: to its end, as run does; the redirections are the shell's.
closed()
{
	local how=$1

	shift
	echo " $LNK $* $how" >"$TMP/command"
	: >"$TMP/out"
	: >"$TMP/err"
	STATUS=0
	eval "timeout -k 5 60 \"\$LNK\" \"\$@\" </dev/null >\"\$TMP/out\" 2>\"\$TMP/err\" $how" || STATUS=$?
}

for args in "-D 0.2" "-s 0.1 1" "--check" "--dump-source" "--doctor" "--version" "--help"; do
	# shellcheck disable=SC2086 # several words
	closed '>&-' $args
	check "stdout closed ($args): it says so" expect_exit 1 -- expect_err_lines 1 -- \
		expect_err 'standard output is closed'
done
closed '<&- >&- 2>&-' -D 0.2
check "all three closed" expect_exit 1

# of_rows_only: nothing but the table in stdout
of_rows_only()
{
	head -n 1 "$TMP/out" | grep -q '^KERNEL FUNCTION ' || fails "no header" || return
	[ "$(sed '1,2d; /^\[.* | .* | .* | .* | .* | .* | .* | [0-9: .-]* *$/d' "$TMP/out" | wc -l)" -eq 0 ] ||
		fails "something else among the rows"
}

# streams NAME REDIRECTION: a whole run, verbose, ended by a signal
streams()
{
	local name=$1 how=$2 pid

	: >"$TMP/$name.err"
	eval "\"\$LNK\" -v --no-cache -p 9681 </dev/null >\"\$TMP/\$name.out\" 2>\"\$TMP/\$name.err\" $how &"
	pid=$!
	LIB_PIDS+=("$pid")
	wait_until 60 grep -qs '^KERNEL FUNCTION' "$TMP/$name.out"
	traffic 127.0.0.1 9681 5 >/dev/null
	sleep 0.3
	# 0, 1 and 2 are what they were, or /dev/null
	FDS=$(for fd in 0 1 2; do readlink "/proc/$pid/fd/$fd"; done)
	stop "$name" "$pid"
}

streams stderr '2>&-'
# 5 requests and replies on lo: 18 segments
check "stderr closed: rows as ever, and nothing else" expect_exit 0 -- of_rows_only -- \
	[ "$(rows | grep -c '^\[netif_receive_skb\]')" -eq 18 ] -- expect_no_err -- \
	[ "$(sed -n 3p <<<"$FDS")" = /dev/null ]
streams stdin '<&-'
check "stdin closed" expect_exit 0 -- of_rows_only -- expect_exact -- \
	[ "$(rows | grep -c '^\[netif_receive_skb\]')" -eq 18 ] -- [ "$(sed -n 1p <<<"$FDS")" = /dev/null ]
streams both '<&- 2>&-'
check "stdin and stderr closed" expect_exit 0 -- of_rows_only -- expect_no_err -- \
	[ "$(rows | grep -c '^\[netif_receive_skb\]')" -eq 18 ]
