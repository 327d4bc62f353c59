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

LIVE=$TOP/tests/live/reload.py

# The probes, to be changed, in $DIR.
own_probes()
{
	DIR=$TMP/probes
	chmod 711 "$TMP"
	mkdir -m 755 "$DIR"
	cp "$TOP"/probes/*.[ch] "$DIR"
	chmod 644 "$DIR"/*
}

broker_of()
{
	pgrep -P "$1" -x lnk_broker
}

# capabilities PID CapEff
capabilities()
{
	awk -v f="$2:" '$1 == f { print $2 }' "/proc/$1/status"
}

fds()
{
	find "/proc/$1/fd" -mindepth 1 | wc -l
}

# said_times NAME PATTERN TIMES: it is on stderr so many times.
said_times()
{
	[ "$(grep -c -e "$2" "$TMP/$1.err")" -ge "$3" ]
}

# Each segment that the kernel and a packet socket counted (reload.py load) has its row.
check_segments()
{
	local matched=0

	python3 "$LIVE" same "$TMP/seen" "$TMP/out" "$(cell netif_receive_skb "$LOST")" >"$TMP/same" 2>&1 ||
		matched=1
	check "$1: $(cat "$TMP/same")" [ "$matched" -eq 0 ] -- expect_exit 0 -- expect_exact -- \
		[ "$(cell total "$PRINTED")" -eq "$(rows | wc -l)" ]
}

# reloads_under_load NAME PID PORT SECONDS TIMES CHANGE: `CHANGE N` makes --watch build another
# program, so often while there is traffic; then the monitor is ended.
reloads_under_load()
{
	local name=$1 pid=$2 port=$3 seconds=$4 times=$5 change=$6 talk i

	spawn traffic unshare -n python3 "$LIVE" load "$port" "$seconds" "$TMP/seen"
	talk=$SPAWNED
	for ((i = 1; i <= times; i++)); do
		"$change" "$i"
		wait_until 90 said_times "$name" '^Reloaded:' "$i" || break
		kill -0 "$talk" 2>/dev/null || break
	done
	reap "$talk" 60
	sleep 0.3
	stop "$name" "$pid"
	check "exchanges under load: $(grep -c '^Reloaded:' "$TMP/err")" \
		[ "$(grep -c '^Reloaded:' "$TMP/err")" -ge 2 ]
	check_segments "each segment has one row"
	check "rows are in the order of time" \
		awk -F ' *[|] *' '/^\[/ { if ($8 < last) exit 1; last = $8 }' "$TMP/out"
}

# types ARGS... <STEPS: somebody at a terminal, see typist.py.
types()
{
	echo " typist.py $LNK $*" >"$TMP/command"
	STATUS=0
	timeout -k 5 100 "$TOP/tests/typist.py" "$LNK" "$@" >"$TMP/out" 2>"$TMP/err" || STATUS=$?
}

# script NAME ARGS...: with -C; commands are written to descriptor 8 by say.
script()
{
	local name=$1

	shift
	mkfifo "$TMP/$name.in"
	: >"$TMP/$name.out"
	: >"$TMP/$name.err"
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

# asked NAME ARGS...: the program with these and $ASK, beside others; its number is ${pid[NAME]}.
# start_all waits until all of them have started.
declare -A pid
ASK=()
asked()
{
	local name=$1

	shift
	spawn "$name" "$LNK" "${ASK[@]}" "$@"
	pid[$name]=$SPAWNED
}

all_started()
{
	local name

	for name in "${!pid[@]}"; do
		grep -q 'Started TCP monitoring' "$TMP/$name.err" || return 1
	done
}

start_all()
{
	wait_until "${START_SECONDS:-120}" all_started && return
	not_ok "all of them start"
	cat "$TMP"/*.err >&2
	exit 1
}

# pair NAME PORT long|short COUNT: a server and a client of pairs.py, in $SERVER and $CLIENT; they
# begin with "go NAME", and their end is waited for with "wait ${ended[NAME]}".
declare -A ended
pair()
{
	mkfifo "$TMP/$1.go"
	python3 "$TOP/tests/live/pairs.py" "$2" "$1" "$3" "$4" <>"$TMP/$1.go" >"$TMP/$1.pids" &
	LIB_PIDS+=($!)
	ended[$1]=$!
	wait_until 30 [ -s "$TMP/$1.pids" ] || not_ok "$1: there are processes"
	read -r SERVER CLIENT <"$TMP/$1.pids"
}

go()
{
	echo >"$TMP/$1.go"
}
