#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 400
# --pid and --comm, changed at the console while two servers talk to their clients.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

PORT=9661 # and the next one
pair one "$PORT" long 100000
one_server=$SERVER
pair two $((PORT + 1)) long 100000
two_server=$SERVER two_client=$CLIENT
go one
go two

# piece NAME: rows of a while go to $TMP/NAME.piece.
marked()
{
	grep -q "begin $1\$" "$TMP/$NAME.out" && grep -q "end $1\$" "$TMP/$NAME.out"
}
piece()
{
	say "mark begin $1"
	sleep 0.7
	say "mark end $1"
	wait_until 10 marked "$1" || not_ok "$1: there are marks"
	sed -n "/begin $1\$/,/end $1\$/p" "$TMP/$NAME.out" | grep '^\[' >"$TMP/$1.piece"
}
# piece_has NAME ROWS 'AWK CONDITION': so many rows at least, and all of them so ($4 the process,
# $5 its name).
piece_has()
{
	awk -F ' *[|] *' "!($3) { bad = 1; print > \"/dev/stderr\" } END { exit bad || NR < $2 }" "$TMP/$1.piece"
}
of_port()
{
	grep -c "| *$2 *|" "$TMP/$1.piece"
}

script whose -p "$PORT-$((PORT + 1))" -o function,sport,dport,pid,comm
piece all
check "without a filter: both" [ "$(of_port all "$PORT")" -gt 50 ] -- [ "$(of_port all $((PORT + 1)))" -gt 50 ]
say "set pid $one_server" "Changed: pid $one_server ("
piece one
check "one process" piece_has one 50 "\$4 == $one_server && \$3 == $PORT && \$5 ~ \"^lnk-one-server *\$\""
say "set pid +$two_client" "Changed: pid $one_server, $two_client ("
piece both
check "one more" piece_has both 100 \
	"(\$4 == $one_server && \$3 == $PORT) || (\$4 == $two_client && \$2 == $PORT + 1)" -- \
	[ "$(of_port both "$PORT")" -gt 50 ] -- [ "$(of_port both $((PORT + 1)))" -gt 50 ]
say 'set comm lnk-two-client' 'Changed: comm lnk-two-client ('
piece named
check "and the name" piece_has named 50 "\$4 == $two_client"
say 'set pid any' 'Changed: pid any ('
say 'set comm lnk-one-server' 'Changed: comm lnk-one-server ('
piece other
check "the name alone" piece_has other 50 "\$4 == $one_server"
say show "for process name: lnk-one-server"
say 'columns function,sport,dport'
say 'columns function,sport,dport,pid,comm'
say 'set comm any' 'Changed: comm any ('
piece none
check "and none" [ "$(of_port none "$PORT")" -gt 50 ] -- [ "$(of_port none $((PORT + 1)))" -gt 50 ]

# --- a process that ends

say 'set pid 0' "'0'"
say "set pid $two_server" "Changed: pid $two_server ("
piece two
check "another process" piece_has two 50 "\$4 == $two_server"
was=$(wc -c <"$TMP/$NAME.err")
kill -KILL "$two_server"
wait_until 20 said_since "$was" "Process $two_server has ended" || not_ok "its end is told"
say 'set len 0-' 'Changed: len 0- ('
piece ended
check "when it has ended there are no rows" [ ! -s "$TMP/ended.piece" ]
say 'set pid any' 'Changed: pid any ('
say "set pid $two_server" "there is no process $two_server"
piece again
check "a process that is not there is none, and all goes on" [ "$(of_port again "$PORT")" -gt 50 ]

# counted COLUMN: in the last table of the books, of all stages.
total()
{
	awk -v c="$1" '$1 == "total" { v = $c } END { print v + 0 }' "$2"
}
counted()
{
	say stats 'seen = '
	total "$1" "$TMP/$NAME.err"
}

# --- many descriptors, and a number that is given again

echo many >"$TMP/many.in"
python3 "$TOP/tests/live/pairs.py" $((PORT + 1)) many many 1000 <"$TMP/many.in" >"$TMP/many.pids" &
LIB_PIDS+=($!)
many=$!
wait_until 30 [ -s "$TMP/many.pids" ] || not_ok "there are many connections"
was=$(wc -c <"$TMP/$NAME.err")
say "set pid $many" "Changed: pid $many ("
sleep 1
piece many
unknown=$(counted 11)
piece many
check "a process with 2000 connections" piece_has many 100 "\$4 == $many" -- \
	[ $(($(counted 11) - unknown)) -le 20 ]
kill -KILL "$many"
wait_until 20 said_since "$was" "Process $many has ended" || not_ok "its end is told, too"
say "set pid $one_server" "Changed: pid $one_server ("
piece later
was=$(wc -c <"$TMP/$NAME.err")
kill -KILL "$one_server"
python3 - "$PORT" "$one_server" <<'PYTHON' >"$TMP/impostor" &
import os, signal, socket, sys, time

signal.alarm(30)
port, pid = int(sys.argv[1]), int(sys.argv[2])
end = time.time() + 5
while time.time() < end:
    try:
        with open("/proc/sys/kernel/ns_last_pid", "w") as f:
            f.write(str(pid - 1))
    except OSError:
        break
    child = os.fork()
    if not child:
        if os.getpid() != pid:
            os._exit(1)
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        for _ in range(300):
            s = socket.create_connection(("127.0.0.1", port))
            t, _ = server.accept()
            s.sendall(b"x")
            t.recv(1)
            s.close()
            t.close()
            time.sleep(0.01)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        print("impostor", flush=True)
        break
PYTHON
impostor=$!
LIB_PIDS+=("$impostor")
wait_until 20 said_since "$was" "Process $one_server has ended" || not_ok "its end is told as well"
say "mark begin impostor"
wait "$impostor"
say "mark end impostor"
wait_until 10 marked impostor || not_ok "impostor: there are marks"
say 'set pid any' 'Changed: pid any ('
over
sed -n '/begin impostor$/,/end impostor$/p' "$TMP/out" | grep '^\[' >"$TMP/impostor.piece"
if [ -s "$TMP/impostor" ]; then
	check "another process with its number is not meant" [ ! -s "$TMP/impostor.piece" ]
else
	skip "another process with its number is not meant" "a process cannot be given a number here"
fi
last()
{
	total "$1" "$TMP/err"
}
check "the books hold over all that" expect_exit 1 -- expect_exact -- \
	[ "$(grep -c 'Not changed' "$TMP/err")" -eq 1 ] -- [ "$(last 10)" -gt 100 ] -- \
	[ "$(last "$RECEIVED")" -eq $(($(last 7) + $(last "$PRINTED") + $(last 10) + $(last 11))) ] -- \
	[ "$(last "$PRINTED")" -eq "$(rows | wc -l)" ]
