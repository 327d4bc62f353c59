#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 560
# --watch: another program takes the place of the running one. SWAPS=1000 for the long run.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command ip

SWAPS=${SWAPS:-200}
own_probes
PROBE=$DIR/tcp_queue_rcv.c
cp "$PROBE" "$TMP/plain.c"

watching()
{
	local name=$1

	shift
	start "$name" --watch --probe-dir "$DIR" "$@"
	WATCHED=$SPAWNED
}

# said NAME PATTERN [TIMES]: within a minute and a half.
said()
{
	wait_until 90 said_times "$1" "$2" "${3:-1}" || fails "stderr lacks: $2 (${3:-1} times)"
}

# put FILE: a probe file with the text on stdin, in one piece.
put()
{
	cat >"$TMP/new"
	chmod 644 "$TMP/new"
	mv "$TMP/new" "$1"
}

# Ended, if perhaps not yet waited for.
gone()
{
	[ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"
}

# A change of no consequence, which none of the runs before can have compiled.
change()
{
	{
		cat "$TMP/plain.c"
		echo "/* $1 $$ $RANDOM */"
	} | put "$PROBE"
}

# --- two processes, and who keeps what

start alone -p 9671
check "without --watch there is one process" [ -z "$(pgrep -P "$SPAWNED")" ]
stop alone "$SPAWNED"

watching kept -p 9671
broker=$(broker_of "$WATCHED")
check "with --watch a second one keeps the privileges" [ -n "$broker" ] -- \
	[ "$(capabilities "$broker" CapEff)" != 0000000000000000 ] -- [ "$(capabilities "$broker" NoNewPrivs)" = 1 ]
case $(capabilities "$WATCHED" CapEff) in
0000000000000000 | 0000008000000000) ok "the one that prints has given them up" ;;
*) not_ok "the one that prints has given them up" "$(grep Cap "/proc/$WATCHED/status")" ;;
esac
if [ -n "$(capabilities "$WATCHED" Seccomp)" ] && [[ $(uname -m) =~ ^(x86_64|aarch64)$ ]]; then
	check "and its system calls are filtered" [ "$(capabilities "$WATCHED" Seccomp)" = 2 ]
fi

# --- an error, and its end

put "$PROBE" <<E2
$(cat "$TMP/plain.c")
int broken = no_such_name;
E2
line=$(grep -c '' "$PROBE")
check "an error is shown with file, line, source line and caret" said kept 'Not reloaded' -- \
	grep -qF "tcp_queue_rcv.c:$line:14: error:" "$TMP/kept.err" -- \
	grep -qF 'int broken = no_such_name;' "$TMP/kept.err" -- grep -q '^  *^~*$' "$TMP/kept.err"
traffic 127.0.0.1 9671 5 >/dev/null
put "$PROBE" <"$TMP/plain.c"
check "back to what runs: nothing to do" said kept 'again those that run'
put "$PROBE" <<E2
$(cat "$TMP/plain.c")
RAW_TRACEPOINT_PROBE(tcp_bad_csum)
{
	return *(int *)0x1234 + show_skb(ctx, (struct sk_buff *)ctx->args[0]);
}
E2
check "nor does one that the verifier refuses" said kept 'Not reloaded' 3 -- \
	grep -q 'tcp_bad_csum.*verifier' "$TMP/kept.err"
chmod 666 "$PROBE"
change untrusted
chmod 666 "$PROBE"
touch "$PROBE"
check "nor a file that others can write" said kept 'can be written by others'
put "$PROBE" <"$TMP/plain.c"
sleep 0.3
stop kept "$WATCHED"
check "the program that was there went on" expect_exit 0 -- expect_exact -- \
	[ "$(cell netif_receive_skb "$PRINTED")" -ge 14 ]

# --- under load, against the kernel's own count and a packet socket

watching load -R 0 -p 9672 --buffer-pages 2048
change_under_load()
{
	change "load $(($1 % 2))"
}
reloads_under_load load "$WATCHED" 9672 12 8 change_under_load

# --- stages come and go

watching stages -p 9673
traffic 127.0.0.1 9673 5 >/dev/null
put "$DIR/space.c" <<'E2'
RAW_TRACEPOINT_PROBE(tcp_rcv_space_adjust)
{
	return show_sock(ctx, (struct sock *)ctx->args[0]);
}
E2
check "a new file is a new stage" said stages 'space.c (new)' -- \
	grep -q '^Stage tcp_rcv_space_adjust: raw tracepoint' "$TMP/stages.err"
traffic 127.0.0.1 9673 5 >/dev/null
sleep 0.2
rm "$DIR/space.c"
check "a removed file is a stage less" said stages 'space.c (removed)' -- \
	grep -q '^Stage tcp_rcv_space_adjust: removed' "$TMP/stages.err"
traffic 127.0.0.1 9673 5 >/dev/null
sleep 0.2
stop stages "$WATCHED"
check "the statistics have all of them" expect_exit 0 -- expect_exact -- \
	[ "$(grep -c '^Reloaded.*, no row lost)$' "$TMP/err")" -eq 2 ] -- \
	[ "$(cell tcp_rcv_space_adjust "$RECEIVED")" -gt 0 ] -- \
	[ "$(cell tcp_rcv_space_adjust "$RECEIVED")" -eq "$(grep -c '^\[tcp_rcv_space_adjust\]' "$TMP/out")" ] -- \
	[ "$(cell netif_receive_skb "$RECEIVED")" -eq "$(grep -c '^\[netif_receive_skb\]' "$TMP/out")" ] -- \
	[ "$(cell netif_receive_skb "$RECEIVED")" -ge 42 ]

# --- the directory goes, and another comes

watching dir -p 9679
mv "$DIR" "$DIR.gone"
said dir 'Not reloaded'
sleep 2.5
check "a directory that has gone is told once" [ "$(grep -c 'Not reloaded' "$TMP/dir.err")" -eq 1 ]
mkdir -m 755 "$DIR"
cp "$DIR.gone"/*.[ch] "$DIR"
chmod 644 "$DIR"/*
sleep 1.5
change dir
check "another in its place is watched" said dir '^Reloaded: .*tcp_queue_rcv.c ('
rm -rf "$DIR.gone"
traffic 127.0.0.1 9679 5 >/dev/null
sleep 0.2
stop dir "$WATCHED"
check "and rows go on" expect_exit 0 -- expect_exact -- [ "$(cell netif_receive_skb "$PRINTED")" -ge 14 ]

# --- what was asked stays: expressions, a C expression, columns and their numbers

watching asked -o +len --where 'len > 0' 'tcp port 9680'
traffic 127.0.0.1 9680 5 >/dev/null
change asked
said asked '^Reloaded:'
before=$(grep -c '^.netif_receive_skb' "$TMP/asked.out")
traffic 127.0.0.1 9681 5 >/dev/null
traffic 127.0.0.1 9680 5 >/dev/null
sleep 0.2
stop asked "$WATCHED"
check "what was asked stays" expect_exit 0 -- expect_exact -- [ "$before" -gt 0 ] -- \
	[ "$(grep -c '^.netif_receive_skb' "$TMP/out")" -eq $((2 * before)) ] -- \
	awk -F ' *[|] *' '/^.netif/ && ($4 != 9680 && $5 != 9680 || $9 + 0 < 1) { exit 1 }' "$TMP/out"

# --- blocks of -s go on

watching blocks -s 0.2 -p 9674
traffic 127.0.0.1 9674 20 >/dev/null
sleep 0.5
change blocks
said blocks '^Reloaded:'
traffic 127.0.0.1 9674 20 >/dev/null
sleep 0.5
stop blocks "$WATCHED"
check "blocks of -s go on from where they were" expect_exit 0 -- expect_err 'Reloaded:' -- \
	awk '/^netif_receive_skb/ { if ($2 < last) exit 1; last = $2 } END { exit last < 80 }' "$TMP/out"

# --- the latest change wins

watching latest -p 9675
change first
sleep 0.1
change second
said latest '^Reloaded:'
sleep 0.5
stop latest "$WATCHED"
check "a second change while one is built" expect_exit 0 -- \
	[ "$(grep -c '^Reloaded:' "$TMP/err")" -eq 1 ]

# --- ends during a build

for end in TERM INT; do
	watching "build$end" -p 9676
	broker=$(broker_of "$WATCHED")
	change "build $end"
	wait_until 20 pgrep -P "$broker" >/dev/null
	compiler=$(pgrep -P "$broker")
	begun=$(date +%s%N)
	stop "build$end" "$WATCHED" "$end"
	took=$((($(date +%s%N) - begun) / 1000000))
	check "SIG$end during a build" expect_exit 0 -- expect_exact -- [ "$took" -lt 3000 ] -- \
		wait_until 3 gone "$broker" -- wait_until 3 gone "$compiler"
done
watching duration -p 9676 -D 1
change duration
finish duration "$WATCHED"
check "-D during a build" expect_exit 0 -- expect_exact
watching count -p 9676 -c 3
change count
traffic 127.0.0.1 9676 20 >/dev/null
finish count "$WATCHED"
check "-c during a build" expect_exit 0 -- expect_exact -- [ "$(rows | wc -l)" -eq 3 ]

# --- without the broker

watching orphan -p 9677
kill -KILL "$(broker_of "$WATCHED")"
check "the broker is killed: it says so" said orphan 'runs on, and no change'
change orphan
traffic 127.0.0.1 9677 5 >/dev/null
sleep 0.3
check "and goes on" kill -0 "$WATCHED"
stop orphan "$WATCHED"
check "to a good end" expect_exit 0 -- expect_exact -- [ "$(cell netif_receive_skb "$PRINTED")" -ge 14 ]
watching widow -p 9677
broker=$(broker_of "$WATCHED")
kill -KILL "$WATCHED"
finish widow "$WATCHED"
check "the broker dies with the one it serves" wait_until 3 gone "$broker"

# --- many

watching many -p 9678
broker=$(broker_of "$WATCHED")
{
	cat "$TMP/plain.c"
	echo "/* another */"
} >"$TMP/other.c"
python3 "$LIVE" swaps "$WATCHED" "$TMP/many.err" "$PROBE" "$TMP/other.c" "$TMP/plain.c" 4 >/dev/null
fds_before="$(fds "$WATCHED") $(fds "$broker")"
rss_before=$(awk '/VmRSS/ { print $2 }' "/proc/$WATCHED/status")
if python3 "$LIVE" swaps "$WATCHED" "$TMP/many.err" "$PROBE" "$TMP/other.c" "$TMP/plain.c" "$SWAPS" \
	>"$TMP/swaps" 2>&1; then
	ok "$(cat "$TMP/swaps")"
else
	not_ok "$SWAPS exchanges" "$(cat "$TMP/swaps")"
fi
sleep 0.2
rss=$(awk '/VmRSS/ { print $2 }' "/proc/$WATCHED/status")
check "no descriptor and no memory is left by them ($fds_before, $rss_before to $rss kB)" \
	[ "$(fds "$WATCHED") $(fds "$broker")" = "$fds_before" ] -- [ "$rss" -lt $((rss_before + 1024)) ]
traffic 127.0.0.1 9678 5 >/dev/null
sleep 0.2
stop many "$WATCHED"
check "and the last one works" expect_exit 0 -- expect_exact -- \
	[ "$(cell netif_receive_skb "$PRINTED")" -ge 14 ]
