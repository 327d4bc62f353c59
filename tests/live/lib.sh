# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For the live tests: source it after ../lib.sh.

need_root
need_binary
need_command python3

# start NAME ARGS...: the program in the background, attached when this returns. It has
# $START_SECONDS (120) for that.
start()
{
	local name=$1

	shift
	spawn "$name" "$LNK" "$@"
	wait_until "${START_SECONDS:-120}" grep -q 'Started TCP monitoring' "$TMP/$name.err" && return
	not_ok "$name: the program starts"
	cat "$TMP/$name.err" >&2
	exit 1
}

# stop NAME PID [SIGNAL]: ends it; its exit status in $STATUS.
stop()
{
	kill "-${3:-INT}" "$2"
	finish "$1" "$2"
}

# finish NAME PID: waits for its own end; for the looks of lib.sh, its output is the
# last run's.
finish()
{
	STATUS=0
	reap "$2" 60 || STATUS=$?
	cp "$TMP/$1.out" "$TMP/out"
	cp "$TMP/$1.err" "$TMP/err"
	echo " $LNK (as $1)" >"$TMP/command"
}

traffic()
{
	python3 "$TOP/tests/traffic.py" "$@" || exit 1
}

# The rows alone.
rows()
{
	grep '^\[' "$TMP/out"
}

expect_exact()
{
	expect_err 'seen = filtered + limited + lost + received: exact'
}

# expect_rows awk-condition: every row meets it ($2 source, $3 destination, $4 and $5 the
# ports, $6 SEQ, $7 ACK SEQ), and there is at least one.
expect_rows()
{
	rows | awk -F ' *[|] *' "!($1) { bad = 1; print > \"/dev/stderr\" } END { exit bad || !NR }" ||
		fails "a row that is not: $1"
}

# The number in a column of the closing table: cell STAGE COLUMN (1 is the stage).
cell()
{
	awk -v s="$1" -v c="$2" '$1 == s { print $c }' "$TMP/err"
}
SEEN=2 FILTERED=3 LIMITED=4 LOST=5 RECEIVED=6 PRINTED=8

# script NAME ARGS...: with -C; commands are written to descriptor 8 by say.
script()
{
	local name=$1

	shift
	mkfifo "$TMP/$name.in"
	"$LNK" -C "$@" <"$TMP/$name.in" >"$TMP/$name.out" 2>"$TMP/$name.err" &
	SPAWNED=$!
	LIB_PIDS+=("$SPAWNED")
	exec 8>"$TMP/$name.in"
	wait_until 60 grep -q 'Started TCP monitoring' "$TMP/$name.err"
	NAME=$name
}

# say LINE [TEXT]: a command, and what is waited for on stderr, behind what was there before.
say()
{
	local was

	was=$(wc -c <"$TMP/$NAME.err")
	echo "$1" >&8
	[ $# -eq 1 ] || wait_until 60 said_since "$was" "$2" || not_ok "'$1' is answered: $2"
}

said_since()
{
	tail -c "+$(($1 + 1))" "$TMP/$NAME.err" | grep -qF -e "$2"
}

over()
{
	exec 8>&-
	finish "$NAME" "$SPAWNED"
}
