#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 560
# -C: what commands change while it runs.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command ip

PORT=9831
export XDG_STATE_HOME=$TMP/state TERM=xterm
unset SUDO_UID NO_COLOR
mkdir "$XDG_STATE_HOME"
own_probes

# came PORT [ADDRESS]: how many rows of the first stage a short connection has now.
came()
{
	local name=$NAME before

	before=$(grep -c 'netif_receive_skb' "$TMP/$name.out")
	traffic "${2:-127.0.0.1}" "$1" 3 >/dev/null
	sleep 0.2
	CAME=$(($(grep -c 'netif_receive_skb' "$TMP/$name.out") - before))
}

# --- each question, and what comes of it

script each -p $PORT
came $PORT
check "what was asked at the start" [ "$CAME" -gt 0 ]
say "port $((PORT + 1))" "Changed: port $((PORT + 1)) (compile"
came $PORT
none=$CAME
came $((PORT + 1))
check "port" [ "$none" -eq 0 ] -- [ "$CAME" -gt 0 ]
say "port +$PORT" "Changed: port $((PORT + 1)), $PORT ("
came $PORT
check "port: one more" [ "$CAME" -gt 0 ]
say 'ip 127.0.0.2' 'Changed: ip 127.0.0.2 ('
came $PORT
none=$CAME
came $PORT 127.0.0.2
check "ip" [ "$none" -eq 0 ] -- [ "$CAME" -gt 0 ]
say ip 'ip: 127.0.0.2'
say show 'Filtering for IP: 127.0.0.2'
say 'ip any' 'Changed: ip any ('
say "set dport $PORT" "Changed: dport $PORT ("
came $PORT
some=$CAME
say 'set dport any' 'Changed: dport any ('
came $PORT
check "set dport, and taken back" [ "$some" -gt 0 ] -- [ "$CAME" -gt "$some" ]
say 'filter tcp[tcpflags] & tcp-syn != 0' 'Changed: filter tcp[tcpflags] & tcp-syn != 0 ('
came $PORT
check "filter" [ "$CAME" -eq 2 ]
say 'filter any' 'Changed: filter any ('
say 'where len == 1' 'Changed: where len == 1 ('
came $PORT
check "where" [ "$CAME" -eq 6 ]
say 'where any' 'Changed: where any ('
say 'set flags SYN,!ACK' 'Changed: flags SYN, !ACK ('
came $PORT
check "set flags" [ "$CAME" -eq 1 ]
say 'set flags any' 'Changed: flags any ('
say 'set len 1-' 'Changed: len 1- ('
came $PORT
check "set len" [ "$CAME" -eq 6 ]
say 'set len any' 'Changed: len any ('
say 'set ipv6 on' 'Changed: ipv6 on ('
came $PORT
check "set ipv6" [ "$CAME" -eq 0 ]
say 'set ipv4 on' '-4 and -6 exclude each other'
say 'set ipv6 off' 'Changed: ipv6 off ('
say 'set interface l?' 'Changed: interface l? ('
came $PORT
check "set interface" [ "$CAME" -gt 0 ]
say 'set interface any' 'Changed: interface any ('
say "set netns $$" "Changed: netns $$ ("
came $PORT
check "set netns" [ "$CAME" -gt 0 ]
say 'set netns /dev/null' 'it is something else'
say 'set netns any' 'Changed: netns any ('
say 'columns ttl,len,sport' 'Changed: columns ttl,len,sport ('
say 'columns len,ttl'
traffic 127.0.0.1 $PORT 3 >/dev/null
sleep 0.2
say 'set col twice=len*2' 'Changed: col twice=len*2 ('
say 'set time epoch'
say 'columns default'
traffic 127.0.0.1 $PORT 3 >/dev/null
sleep 0.2
say 'set time wall'
say 'rate 2' 'Changed: rate 2 ('
say 'columns function'
traffic 127.0.0.1 $PORT 20 >/dev/null
sleep 0.2
say rate 'rate: 2'
say reload 'Reloaded: the same probes and options (compiled before'
say 'set wide on'
say 'set utc on'
say 'set color always'
say 'set color never'
say 'set duration 3600'
say 'set count 100000'
say set 'count: 100000'
say 'help set' 'sport PORTS'
say 'source sock_def_readable' 'RAW_TRACEPOINT_PROBE(sk_data_ready)'
say source '#define RATE_LIMIT 2'
over
check "all of it is in the books" expect_exit 1 -- expect_exact -- \
	[ "$(grep -c '^linux_net_kernel: ' "$TMP/err")" -eq 2 ] -- [ "$(cell netif_receive_skb "$LIMITED")" -gt 0 ]
check "columns of every kind were shown" grep -qE '^ *TTL \| +LEN \| SRC PORT' "$TMP/out" -- \
	grep -qE '^ *LEN \| TTL *$' "$TMP/out" -- grep -qE '^ +1 \| +64$' "$TMP/out"

script enough -p $PORT
traffic 127.0.0.1 $PORT 3 >/dev/null
sleep 0.3
echo 'set count 2' >&8
finish enough "$SPAWNED"
exec 8>&-
check "a count that is there already ends it, and it is said" expect_exit 0 -- expect_exact -- \
	[ "$(rows | wc -l)" -gt 2 ] -- expect_err "The end: there are $(rows | wc -l) rows already"
script late -p $PORT
echo 'set duration 0.001' >&8
finish late "$SPAWNED"
exec 8>&-
check "... and so does a time that is over" expect_exit 0 -- expect_exact -- \
	expect_err 'The end: so much time has passed already'

# --- under full load: each segment has its row, under the right header

script load -R 0 -p 9832 --buffer-pages 2048
spawn traffic unshare -n python3 "$LIVE" load 9832 16 "$TMP/seen"
talk=$SPAWNED
done=0
for change in 'port 9832,9833' 'columns +ttl,+len' 'where seq != 1 || 1' 'columns +len,+ttl,+win' \
	'ip 127.0.0.1' 'columns +cpu,+ttl,+len' 'set col x=len+1' 'port 9832'; do
	kill -0 "$talk" 2>/dev/null || break
	say "$change" ' lost)' # how many is compared below
	done=$((done + 1))
done
reap "$talk" 60
sleep 0.3
over
check "other questions under load: $done" [ "$done" -ge 4 ]
check_segments "each segment has one row"
check "rows stand under their columns: $(python3 "$LIVE" cells "$TMP/out" 2>&1)" \
	python3 "$LIVE" cells "$TMP/out"

# --- what goes wrong, and the program that was there goes on

script wrong -p $PORT --probe-dir "$DIR" --no-cache
echo 'int broken = no_such_name;' >>"$DIR/tcp_queue_rcv.c"
say reload 'Not reloaded: the program that was there goes on'
say "port $((PORT + 1))" "Not changed: port $((PORT + 1)): the program that was there goes on"
came $PORT
check "a probe that does not compile" grep -q 'tcp_queue_rcv.c:[0-9]*:14: error' "$TMP/wrong.err" -- \
	[ "$CAME" -gt 0 ]
cp "$TOP/probes/tcp_queue_rcv.c" "$DIR"
echo "port $((PORT + 1)) &" >&8
echo "set dport $((PORT + 2)) &" >&8
say "set dport any" "Changed: port $((PORT + 1)) ("
came $((PORT + 1))
check "three in quick succession: the last one counts, once" [ "$CAME" -gt 0 ] -- \
	[ "$(grep -c '^Changed' "$TMP/wrong.err")" -eq 1 ]
echo "port $PORT &" >&8
say pause Paused
wait_until 30 grep -q "^Changed: port $PORT" "$TMP/wrong.err"
came $PORT
check "a pause during a build stays one" [ "$CAME" -eq 0 ]
say resume 'rows were not shown'
echo "port $((PORT + 3)) &" >&8
sleep 0.15
say "tee $TMP/rows" 'rows go there as well'
check "a file is opened while a program is built, and that goes on" \
	wait_until 30 grep -q "^Changed: port $((PORT + 3)) (" "$TMP/wrong.err"
came $((PORT + 3))
say 'tee off' " rows"
teed=$(grep -c '^\[' "$TMP/rows")
check "rows are in the file as well, for its user only" [ "$teed" -gt 0 ] -- \
	[ "$(stat -c %a "$TMP/rows")" = 600 ] -- \
	grep -qF "tee $TMP/rows: $teed rows" "$TMP/wrong.err" -- grep -q '^KERNEL FUNCTION' "$TMP/rows"
ln -s "$TMP/rows" "$TMP/link"
say "tee $TMP/link" 'links are not followed'
say 'tee /dev/full' 'no regular file'
echo root:x:0:0 >"$TMP/passwd"
say "tee $TMP/passwd" 'does not begin with a table'
broker=$(broker_of "$SPAWNED")
echo "port $PORT &" >&8
sleep 0.1
kill -KILL "$broker"
check "the broker is killed during a build" wait_until 20 grep -q 'runs on, and no change' "$TMP/wrong.err"
say 'port 1' 'can not be changed any more'
say 'columns seq,sport'
say reload 'can not be changed any more'
traffic 127.0.0.1 $((PORT + 3)) 3 >/dev/null
sleep 0.2
say quit
over
check "and the rest goes on" expect_exit 1 -- expect_exact -- grep -qE '^[0-9]+ +\| 9[0-9]{3}' "$TMP/out"

script end -p $PORT --no-cache
say "port $((PORT + 1))" Building
over
check "the end of the input during a build waits for it" expect_exit 0 -- expect_exact -- \
	expect_err "Changed: port $((PORT + 1)) ("
script steps -p $PORT --no-cache
printf '%s\n' "port $((PORT + 1))" 'where no_such_name > 1' 'filter tcp prot 80' 'mark here' \
	"set dport $((PORT + 2))" quit >&8
over
check "each command of a script finds in place what the last one asked for" expect_exit 1 -- expect_exact -- \
	[ "$(sed -n 's/^\(Building\|Changed\|Not changed\): \([a-z]*\).*/\1 \2/p' "$TMP/err" | tr '\n' ,)" = \
		"Building port,Changed port,Building filter,Not changed filter,Building dport,Changed dport," ]
script ended -p $PORT --no-cache
say "port $((PORT + 1)) &" Building
over
check "... unless the command ended in &" expect_exit 1 -- expect_exact -- \
	expect_err "Not changed: port $((PORT + 1)): ended before the new program was there"

# --- a file that is full

if mkdir "$TMP/small" && mount -t tmpfs -o size=64k none "$TMP/small" 2>/dev/null; then
	script full -p $PORT
	say "tee $TMP/small/rows" 'rows go there as well'
	traffic 127.0.0.1 $PORT 200 >/dev/null
	check "a file that is full ends, and it is said how many rows are in it" \
		wait_until 10 grep -q 'No space left on device: ended with' "$TMP/full.err"
	in=$(sed -n 's/.*ended with \([0-9]*\) rows in it.*/\1/p' "$TMP/full.err")
	whole=$(grep -c '^\[.*[0-9]$' "$TMP/small/rows")
	umount "$TMP/small"
	say quit
	over
	check "the table goes on ($in rows in the file, $whole whole lines)" expect_exit 1 -- expect_exact -- \
		[ "${in:-0}" -gt 100 ] -- [ "$((whole - in))" -ge 0 ] -- [ "$((whole - in))" -le 1 ]
else
	skip "a file that is full" "no tmpfs"
fi

# --- with --watch

script both --watch --probe-dir "$DIR" -p $PORT
say "port $((PORT + 1))" 'Changed: port'
say 'columns +ttl' 'Changed: columns +ttl'
{
	cat "$TOP/probes/tcp_queue_rcv.c"
	echo '/* another */'
} >"$DIR/tcp_queue_rcv.c"
check "a file that is saved" wait_until 30 grep -q '^Reloaded: .*tcp_queue_rcv.c (' "$TMP/both.err"
came $((PORT + 1))
check "keeps what was changed at the console" [ "$CAME" -gt 0 ] -- grep -qE '\| +64$' "$TMP/both.out"
echo "port $PORT" >&8
cp "$TOP/probes/tcp_queue_rcv.c" "$DIR"
wait_until 30 grep -q "port $PORT (" "$TMP/both.err"
sleep 0.5
came $PORT
check "a command and a file at once" [ "$CAME" -gt 0 ]
over
check "-C and --watch together" expect_exit 0 -- expect_exact

# --- blocks of -s

script blocks -s 0.2 -p $PORT
traffic 127.0.0.1 $PORT 20 >/dev/null
say "port $((PORT + 1))" 'Changed: port'
traffic 127.0.0.1 $((PORT + 1)) 20 >/dev/null
sleep 0.5
say 'tee x' 'there are no rows with -s'
over
check "-s: counts of both are added" expect_exit 1 -- \
	awk '/^netif_receive_skb/ { n = $2 } END { exit n < 80 }' "$TMP/out"

# --- Tab

types -C -i 127.0.0.0/8 <<STEPS
wait lnk> 
run python3 $TOP/tests/traffic.py 127.0.0.33 $PORT 1
wait $PORT
run sleep 0.3
keys set interf\\tl\\t
wait set interface lo
keys \\x15set wi\\to\\t
wait set wide o
keys \\x15ip 127.0.0.33\\t
wait ip 127.0.0.33
keys \\x15port 983\\t
wait port $PORT
keys ,98\\r
wait Changed: port $PORT, 98
wait lnk> 
keys set time ep\\t\\r
keys \\x04
STEPS
check "Tab knows interfaces, options, their words, addresses and ports of rows" expect_exit 0 -- \
	expect_out ': exact'

# --- who may do what

script who -p $PORT
broker=$(broker_of "$SPAWNED")
check "a second process keeps the privileges" [ -n "$broker" ] -- \
	[ "$(capabilities "$broker" CapEff)" != 0000000000000000 ]
case $(capabilities "$SPAWNED" CapEff) in
0000000000000000 | 0000008000000000) ok "and nobody else" ;;
*) not_ok "and nobody else" "$(grep Cap "/proc/$SPAWNED/status")" ;;
esac
say quit
over
