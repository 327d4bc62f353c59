# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For the scripts in tests/LAYER/: source it first. A script prints one line for each
# thing it looked at, by ok, not_ok or skip, and details to stderr.
#
#	. "$(dirname "$0")/../lib.sh"
#	run "$LNK" --version
#	expect_exit 0 && expect_out 'linux_net_kernel *' && ok "the version is printed"
#
# Or shorter, where a line is the sum of several looks:
#
#	check "the version is printed" expect_exit 0
#
# $LNK	the program under test (default: the one at the top of the tree)
# $TOP	the top of the tree
# $TMP	a directory of the script's own, removed when it ends

set -u

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LNK=$(realpath -m "${LNK:-$TOP/linux_net_kernel}")
TEST_FILE=$(basename "$0" .sh)
TMP=$(mktemp -d "${TMPDIR:-/tmp}/lnk-test.XXXXXXXX") || exit 1
STATUS=0 # of the last run
LIB_PIDS=()

# In the C locale, so that messages of the tools that are used here are in English.
export LC_ALL=C

ok()
{
	printf 'ok - %s: %s\n' "$TEST_FILE" "$1"
}

# not_ok NAME [DETAIL...]: what the last run said is shown with it.
not_ok()
{
	printf 'not ok - %s: %s\n' "$TEST_FILE" "$1"
	{
		printf -- '--- %s: %s\n' "$TEST_FILE" "$1"
		shift
		[ $# -eq 0 ] || printf '    %s\n' "$@"
		if [ -e "$TMP/command" ]; then
			printf '    command:'
			cat "$TMP/command"
			printf '    exit status: %s\n' "$STATUS"
			sed 's/^/    stdout: /' "$TMP/out" | head -n 40
			sed 's/^/    stderr: /' "$TMP/err" | head -n 40
		fi
	} >&2
}

skip()
{
	printf 'skip - %s: %s # %s\n' "$TEST_FILE" "$1" "$2"
}

# Runs a command with no input; leaves its output in $TMP/out and $TMP/err, its exit
# status in $STATUS. A command that hangs is ended after $RUN_TIMEOUT seconds (30) and
# has status 124.
run()
{
	printf ' %q' "$@" >"$TMP/command"
	echo >>"$TMP/command"
	STATUS=0
	timeout -k 5 "${RUN_TIMEOUT:-30}" "$@" </dev/null >"$TMP/out" 2>"$TMP/err" || STATUS=$?
}

# The looks: each prints nothing and returns whether it held; WHY then says what did not.
WHY=
fails()
{
	WHY=$1
	return 1
}

expect_exit()
{
	[ "$STATUS" -eq "$1" ] || fails "exit status $STATUS, not $1"
}

expect_no_out()
{
	[ ! -s "$TMP/out" ] || fails "there is output on stdout"
}

expect_no_err()
{
	[ ! -s "$TMP/err" ] || fails "there is output on stderr"
}

# Exactly N lines, the last one ended by a newline.
expect_err_lines()
{
	if [ "$(wc -l <"$TMP/err")" -ne "$1" ] || [ "$(grep -c '' "$TMP/err")" -ne "$1" ]; then
		fails "stderr is not $1 line(s)"
	fi
}

# Fixed strings.
expect_out()
{
	grep -qF -e "$1" "$TMP/out" || fails "stdout lacks: $1"
}

expect_err()
{
	grep -qF -e "$1" "$TMP/err" || fails "stderr lacks: $1"
}

# check NAME LOOK ARGS... [-- LOOK ARGS...]...: one result line for all the looks.
check()
{
	local name=$1 look=()

	shift
	while [ $# -gt 0 ]; do
		look=()
		while [ $# -gt 0 ] && [ "$1" != -- ]; do
			look+=("$1")
			shift
		done
		[ $# -eq 0 ] || shift
		WHY=
		if ! "${look[@]}"; then
			not_ok "$name" "${WHY:-${look[*]}}"
			return 1
		fi
	done
	ok "$name"
}

is_root()
{
	[ "$(id -u)" -eq 0 ]
}

# Ends the script here unless it runs as root.
need_root()
{
	is_root && return
	skip all "needs root"
	exit 0
}

need_command()
{
	command -v "$1" >/dev/null && return
	skip "${2:-all}" "needs $1"
	exit 0
}

need_binary()
{
	[ -x "$LNK" ] && return
	not_ok "$LNK is there" "build it first: make"
	exit 1
}

# spawn NAME COMMAND...: in the background, output in $TMP/NAME.out and .err, its process
# in $SPAWNED. It is ended with the script if it still runs then.
SPAWNED=
spawn()
{
	local name=$1

	shift
	# now, and not when it gets to it: what one with the same name said before is not its
	: >"$TMP/$name.out"
	: >"$TMP/$name.err"
	"$@" </dev/null >"$TMP/$name.out" 2>"$TMP/$name.err" &
	SPAWNED=$!
	LIB_PIDS+=("$SPAWNED")
}

# wait_until SECONDS COMMAND...: whether the command succeeded in that time.
wait_until()
{
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# reap PID SECONDS: waits for a spawned process; its exit status, or 124 when it still
# ran and was killed.
reap()
{
	local end=$((SECONDS + $2))

	while kill -0 "$1" 2>/dev/null; do
		if [ "$SECONDS" -ge "$end" ]; then
			kill -KILL "$1" 2>/dev/null
			wait "$1" 2>/dev/null
			return 124
		fi
		sleep 0.05
	done
	wait "$1"
}

lib_cleanup()
{
	local pid

	for pid in ${LIB_PIDS[@]+"${LIB_PIDS[@]}"}; do
		kill -TERM "$pid" 2>/dev/null || continue
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$TMP"
}
trap lib_cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
