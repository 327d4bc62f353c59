#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 400
# --buffer=shared: events through memory that the probes share with the program.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command ip

case $(uname -m) in
x86_64) ;;
*)
	skip shared "it takes x86-64"
	exit 0
	;;
esac

# The same traffic and the same witnesses as for the perf rings.
cat >"$TMP/lnk" <<E2
#!/bin/sh
exec "$LNK" --buffer=shared "\$@"
E2
chmod 755 "$TMP/lnk"
RUN_TIMEOUT=120 run python3 -B "$TOP/tests/truth" --lnk "$TMP/lnk" --kind tracepoint --name shared --load
check "rows, tcpdump, TcpInSegs and books agree: $(grep -c '^ok' "$TMP/out") checks" expect_exit 0 -- \
	[ "$(grep -c '^ok' "$TMP/out")" -ge 50 ]

# --- the program is stopped

spawn storm bash -c "while :; do python3 '$TOP/tests/traffic.py' 127.0.0.1 9691 2000 >/dev/null || exit; done"
storm=$SPAWNED
start deep -R 0 -p 9691 --buffer=shared
deep=$SPAWNED
start shallow -R 0 -p 9691 --buffer=shared --buffer-pages 1
shallow=$SPAWNED
kill -STOP "$deep" "$shallow"
sleep 2
kill -CONT "$deep" "$shallow"
sleep 0.3
LATE=$(date '+%F %T.%6N')
sleep 0.3
# its rings go on where they were full
goes_on()
{
	rows | awk -F' [|] ' -v late="$LATE" '$NF > late { n++ } END { exit !n }' || fails "no row after $LATE"
}
stop deep "$deep"
check "stopped for seconds under load" expect_exit 0 -- expect_exact -- goes_on -- \
	[ "$(cell total "$RECEIVED")" -eq "$(rows | wc -l)" ] -- [ "$(cell total "$RECEIVED")" -gt 0 ]
stop shallow "$shallow"
check "the same with one page a CPU: what did not fit is counted" expect_exit 0 -- expect_exact -- goes_on -- \
	[ "$(cell total "$LOST")" -gt 0 ] -- [ "$(cell total "$RECEIVED")" -eq "$(rows | wc -l)" ] -- \
	[ $(($(cell total "$LOST") + $(cell total "$RECEIVED") + $(cell total "$FILTERED"))) -eq "$(cell total "$SEEN")" ]
kill "$storm"
reap "$storm" 30

# --- with numbers behind each event

start more -R 0 -p 9692 --buffer=shared -o +len,+ttl,+ifname --col 'answer=40 + 2'
traffic 127.0.0.1 9692 50 >/dev/null
sleep 0.3
stop more "$SPAWNED"
check "columns of all kinds" expect_exit 0 -- expect_exact -- \
	[ "$(cell netif_receive_skb "$RECEIVED")" -ge 100 ] -- expect_rows '$NF ~ /^42 *$/'

# --- exchanged under load, against the kernel's own count and a packet socket

own_probes
change()
{
	echo "/* $1 */" >>"$DIR/tcp_queue_rcv.c"
}
start load --watch --probe-dir "$DIR" -R 0 -p 9693 --buffer=shared --buffer-pages 2048
reloads_under_load load "$SPAWNED" 9693 10 6 change

# --- from the cache, and where it has no use

start again -p 9694 --buffer=shared
traffic 127.0.0.1 9694 5 >/dev/null
sleep 0.3
stop again "$SPAWNED"
check "a program from the cache" expect_exit 0 -- expect_exact -- \
	[ "$(cell netif_receive_skb "$RECEIVED")" -ge 14 ]
run "$LNK" -s 0.2 1 --buffer=shared
check "-s sends nothing" expect_exit 0
run "$LNK" --buffer=ring
check "another word" expect_exit 2 -- expect_err_lines 1 -- expect_err "--buffer: 'ring'"
