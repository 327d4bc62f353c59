#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
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
over
check "the books hold over all that" expect_exit 1 -- expect_exact -- \
	[ "$(grep -c 'Not changed' "$TMP/err")" -eq 1 ] -- [ "$(cell total 10)" -gt 100 ] -- \
	[ "$(cell total "$RECEIVED")" -eq $(($(cell total 7) + $(cell total "$PRINTED") + $(cell total 10) + \
		$(cell total 11))) ] -- [ "$(cell total "$PRINTED")" -eq "$(rows | wc -l)" ]
