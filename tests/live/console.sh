#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 240
# -C: every command and every mistake, from a script and at a terminal.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

PORT=9817
PAUSED=10
export XDG_STATE_HOME=$TMP/state TERM=xterm
unset SUDO_UID NO_COLOR
mkdir "$XDG_STATE_HOME"

# --- a script: every command

script all -p $PORT -o +flags --col twice=len*2
say help 'list the commands'
say 'help pause' 'counted as PAUSED'
say show "Filtering for Port: $PORT"
say stages 'Stage sock_def_readable'
say '# nothing'
say ''
traffic 127.0.0.1 $PORT 3 >/dev/null
sleep 0.3
say pause 'Paused:'
traffic 127.0.0.1 $PORT 20 >/dev/null
sleep 0.3
say 'mark while paused'
say resume 'rows were not shown'
say 'columns twice,function,flags'
traffic 127.0.0.1 $PORT 3 >/dev/null
sleep 0.3
say stats 'Total events processed'
say quit
over
check "a script: every command, and exit status 0" expect_exit 0 -- expect_exact -- \
	expect_err 'Columns: function,src,dst,sport,dport,seq,ack,time,flags,twice'
hidden=$(sed -n 's/^Resumed: \([0-9]*\) rows were not shown$/\1/p' "$TMP/err")
printed=$(grep -c '\[[a-z]' "$TMP/out")
check "rows of a pause have a figure of their own, and it is exact" [ "${hidden:-0}" -gt 0 ] -- \
	grep -q "^STAGE .* PRINTED MISSED PAUSED$" "$TMP/err" -- \
	[ "$(awk -v c="$PAUSED" '$1 == "total" { v = $c } END { print v }' "$TMP/err")" = "$hidden" ] -- \
	[ "$(awk -v c="$PRINTED" '$1 == "total" { v = $c } END { print v }' "$TMP/err")" = "$printed" ] -- \
	[ "$(awk -v c="$RECEIVED" '$1 == "total" { v = $c } END { print v }' "$TMP/err")" -eq $((hidden + printed)) ]
check "a mark stands among the rows, with the time" \
	grep -qE '^--- [0-9-]{10} [0-9:]{8}\.[0-9]{6} while paused$' "$TMP/out"
check "other columns have a header of their own" \
	grep -qE '^ *twice \| KERNEL FUNCTION +\| FLAGS' "$TMP/out" -- \
	[ "$(awk '/^--- /{ on = 1 } on && /^ *[0-9-]+ \| \[/' "$TMP/out" | wc -l)" -gt 0 ]

# --- a script: every mistake

script bad -p $PORT
say paus "no command is called 'paus'; did you mean 'pause'?"
say 'quit now' "quit takes no argument: 'now'"
say mark 'mark: its argument TEXT is missing'
say 'columns sorce' "no column is called 'sorce'"
say 'port 99999' "port: '99999' is not a port"
say 'ip 10.0.0.1/8' "ip: '10.0.0.1/8' is not a host's"
say 'rate -1' "rate: '-1' is not a whole number"
say 'where nosuch' "--where:1: unknown name 'nosuch'"
say 'set dprot 80' "no option is called 'dprot'; did you mean 'dport'?"
say 'set attach kprobe' '--attach cannot be changed while the monitor runs'
say 'set ipv4 perhaps' "ipv4: 'perhaps' is not on or off"
say 'set time never' "time: 'never' is not one of"
say 'tee off' 'tee: no file is written'
say 'tee /nonexistent/rows' 'tee /nonexistent/rows: No such file'
say 'filter tcp prot 80' 'Not changed: filter tcp prot 80: the program that was there goes on'
say 'set interface nosuch' "'nosuch' is no interface here"
say 'stages nowhere' "no stage is called 'nowhere'"
say 'help me' "no command is called 'me'"
say resume 'not paused'
say pause Paused
say pause 'paused already'
say "$(printf '%05000d' 0)" 'a line is longer than 4096 bytes'
printf 'a\0b\n' >&8
printf 'xyzzy' >&8
over
check "every mistake has one line, and the exit status is 1" expect_exit 1 -- expect_exact -- \
	expect_err 'a line holds a zero byte' -- expect_err "no command is called 'xyzzy'" -- \
	[ "$(grep -c '^linux_net_kernel: ' "$TMP/err")" -eq 23 ]

# --- what is in force, all of it

script force -p $PORT -c 1000 --col twice=len*2
say show 'Column of your own: twice=len*2'
say 'interval 2' 'there are no blocks without -s'
say "tee $TMP/force
mark in the file" 'rows go there as well'
say show "Rows go to a file as well: $TMP/force"
say 'set duration 500'
say show 'End: after 500 s'
say 'set color always'
say show 'Colours: always'
say 'set wide on'
say show 'Width: every column'
say 'tee off' ': 0 rows'
say show 'Width: every column'
over
check "a script waits for the file that it asked for" grep -q 'in the file' "$TMP/force"
check "'show' names all that commands can change" expect_exit 1 -- expect_err 'End: after 1000 rows' -- \
	[ "$(grep -c 'Rows go to a file' "$TMP/err")" -eq 4 ]

run "$LNK" -C -p $PORT
check "the end of the input is the end" expect_exit 0 -- expect_exact
run sh -c 'exec "$0" -C -p 9817 <"$1"' "$LNK" "$TMP"
check "commands that cannot be read" expect_exit 1 -- expect_exact -- \
	expect_err 'linux_net_kernel: no more commands can be read: Is a directory'
run "$LNK" -C -p $PORT
if grep -q PAUSED "$TMP/err"; then
	not_ok "who did not pause has no column PAUSED"
else
	ok "who did not pause has no column PAUSED"
fi

script stats -s 0.2
say pause 'no block is shown'
before=$(grep -c STAGE "$TMP/stats.out")
sleep 0.7
check "-s: no block in a pause" [ "$(grep -c STAGE "$TMP/stats.out")" -eq "$before" ]
say 'columns seq' 'there are no columns with -s'
say resume Resumed
sleep 0.7
say 'interval 3600' # none comes by itself any more
say show 'Blocks of statistics: every 3600 s; now shown'
between=$(grep -c STAGE "$TMP/stats.out")
check "-s: blocks come again" [ "$between" -gt $((before + 1)) ]
sleep 0.5
begun=$(date +%s%N)
say 'interval 0.5 3'
finish stats "$SPAWNED"
exec 8>&-
took=$((($(date +%s%N) - begun) / 1000000))
check "-s: another interval, and the end after as many blocks as its count says, from then on ($took ms)" \
	[ "$took" -ge 1500 ] -- \
	expect_exit 1 -- [ "$(grep -c STAGE "$TMP/out")" -eq $((between + 3)) ] -- \
	[ "$(grep -c '^linux_net_kernel: ' "$TMP/err")" -eq 1 ]

# --- a terminal

MAKE="python3 $TOP/tests/traffic.py 127.0.0.1 $PORT"
types -C -p $PORT <<STEPS
wait lnk> 
keys sho\\t
wait show 
keys \\r
wait Rows: 0 printed
wait lnk> 
keys mar
wait mar
run $MAKE 2
wait [netif_receive_skb]
wait lnk> mar
keys \\x15columns +fl\\t
wait columns +flags
keys \\x15tee o\\t
wait tee off
keys \\x15stages sock\\t
wait stages sock_def_readable
keys \\x03
wait ^C
wait lnk> 
keys help quit\\r
wait as Ctrl-D does
keys \\x1b[A
wait lnk> help quit
keys \\x03
wait ^C
keys \\x03
STEPS
check "at a terminal: Tab, a line kept under rows, the line before, Ctrl-C twice" expect_exit 0 -- \
	expect_out ': exact' -- expect_out 'Received signal 2'

types -C -p $PORT <<STEPS
wait lnk> 
keys mark one\\rport\\rmark two\\rset time\\r
wait mark one
wait --- 
wait lnk> port
wait port: $PORT
wait lnk> mark two
wait --- 
wait lnk> set time
wait time: wall
keys \\x04
STEPS
check "of several lines that are pasted each is answered below itself" expect_exit 0

types -C -p $PORT <<STEPS
wait lnk> 
keys \\x03
wait ^C
keys mark these\\x03
wait ^C
keys show\\r
wait Rows: 0 printed
keys \\x03
wait ^C
keys \\x03
wait Monitoring stopped.
STEPS
check "keys that were typed before Ctrl-C go with it, and count" expect_exit 0

# as wide as it is, it is not broken on 200 columns
LONG=$(printf '%0100d' 0 | tr 0 x)
types -C -p $PORT <<STEPS
wait lnk> 
keys $LONG
wait xxxx
size 200
wait TIMESTAMP
wait lnk> $LONG
keys \\x15typed
wait typed
size 40
wait hidden (the terminal has 40 columns
wait lnk> typed
keys \\x15help interval\\r
wait every SEC\\r\\nseconds, and the monitor ends after\\r\\n
keys \\x04
STEPS
check "a terminal that is resized has a new header and its line again; Ctrl-D ends" expect_exit 0 -- \
	expect_out ': exact'

history=$XDG_STATE_HOME/linux_net_kernel/history
check "what was typed is kept, for its user only" \
	[ "$(stat -c %a "${history%/*}" "$history" | tr '\n' ' ')" = '700 600 ' ] -- \
	grep -qx 'help quit' "$history"

rm "$history"
echo kept >"$TMP/else"
ln -s "$TMP/else" "$history"
types -C -v -p $PORT <<STEPS
wait lnk> 
keys show\\rquit\\r
STEPS
check "a link is not followed" expect_exit 0 -- [ "$(cat "$TMP/else")" = kept ] -- \
	expect_out 'lines that are typed are not kept'
rm "$history"
mkdir "$TMP/other"
chown 65534 "$TMP/other"
XDG_STATE_HOME=$TMP/other types -C -p $PORT <<STEPS
wait lnk> 
keys show\\rquit\\r
STEPS
check "nothing is written in another user's directory" expect_exit 0 -- \
	[ -z "$(ls -A "$TMP/other")" ]
mkdir "$TMP/caller"
SUDO_UID=65534 HOME=$TMP/caller XDG_STATE_HOME=$TMP/caller types -C -p $PORT <<STEPS
wait lnk> 
keys quit\\r
STEPS
check "under sudo the caller's environment does not count" expect_exit 0 -- \
	[ -z "$(ls -A "$TMP/caller")" ]

# Rows to a file: the prompt is on stderr.
TYPIST_OUT=$TMP/rows types -C -p $PORT <<STEPS
wait lnk> 
run $MAKE 2
run sleep 0.3
keys mark here\\r
wait lnk> 
keys stats\\r
wait Total events
keys quit\\r
STEPS
check "rows to a file, the prompt on stderr" expect_exit 0 -- grep -q ' here$' "$TMP/rows" -- \
	grep -q '^\[netif_receive_skb\]' "$TMP/rows"

# More rows than a terminal takes: it is not read at all for a while.
types -C -p $PORT -R 0 --buffer-pages 1024 <<STEPS
wait lnk> 
stop
run $MAKE 1000
keys pause\\r
run sleep 1
go
wait Paused:
keys resume\\r
wait Resumed:
keys quit\\r
STEPS
# a pause that was heard only afterwards would have found nothing left to hide
check "keys are heard while the terminal takes no rows" expect_exit 0 -- expect_out ': exact' -- \
	grep -qE 'Resumed: [1-9][0-9]* rows were not shown' "$TMP/out" -- \
	[ "$(tr -d '\r' <"$TMP/out" | awk -v c="$PRINTED" '$1 == "total" { print $c }')" -eq \
		"$(grep -ac '\[[a-z_]*\] *|' "$TMP/out")" ]

types -C -p $PORT -R 0 <<STEPS
wait lnk> 
stop
run $MAKE 1000
keys \\x03
run sleep 0.3
keys \\x03
run sleep 4
go
wait Monitoring stopped.
STEPS
check "Ctrl-C twice ends, also where the terminal takes nothing" expect_exit 0 -- \
	expect_out ': exact'
