#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 600
# --pid and --comm: two servers and two clients in parallel, and connections that are closed at
# once. The same program without the filter, and with the socket's inode, is the witness: what
# has a file and comes to the server's port is the server's.
#
# pid.sh --attach KIND: with this kind of hook.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

PORT=9651 # and the next two
KIND=auto
[ "${1-}" != --attach ] || KIND=$2

declare -A pid ended
# shellcheck disable=SC2054 # these commas are in an argument
ASK=(--attach "$KIND" -p "$PORT-$((PORT + 2))" -o function,sport,dport,seq,pid,comm,n --col n=inode)

pair one "$PORT" long 40
one_server=$SERVER one_client=$CLIENT
pair two $((PORT + 1)) long 40
two_client=$CLIENT
pair quick $((PORT + 2)) short 100
quick_server=$SERVER

asked every
asked server --pid "$one_server"
start_all # the others are the same program, which is kept
asked clients --pid "$one_client,$two_client"
asked named --comm lnk-two-server --comm lnk-two-client
asked quick --pid "$quick_server"
asked nobody --pid "$one_server" --comm lnk-one-client
start_all
go one
go two
go quick
for name in one two quick; do
	wait "${ended[$name]}"
done
kill -INT "${pid[@]}"

socket_rows()
{
	rows | grep -v '^\[_*\(netif\|ip\)'
}
# those of "every" whose socket has a file and that meet CONDITION, as FILE
expected()
{
	awk -F ' *[|] *' "\$7 + 0 && ($2) { print \$1, \$2, \$3, \$4 }" "$TMP/every.rows" | sort >"$TMP/$1.expected"
}
shown()
{
	socket_rows | awk -F ' *[|] *' '{ print $1, $2, $3, $4 }' | sort
}
same_as_expected()
{
	local missing

	shown >"$TMP/$1.shown"
	[ -z "$(comm -13 "$TMP/$1.expected" "$TMP/$1.shown")" ] || fails "a row that is not there without the filter" ||
		return
	missing=$(comm -23 "$TMP/$1.expected" "$TMP/$1.shown" | tee "$TMP/missing" | wc -l)
	[ "$missing" -le "$(cell total "$UNKNOWN")" ] || fails "$missing rows are missing, and not told" || return
	# under emulation a tenth of a second is short
	[ -n "${START_SECONDS-}" ] || [ "$missing" -le 2 ] || fails "rows are missing: $(cat "$TMP/missing")"
}
finish every "${pid[every]}"
socket_rows >"$TMP/every.rows"
check "without a filter: there are rows, and no UNKNOWN" expect_exit 0 -- expect_exact -- \
	[ "$(wc -l <"$TMP/every.rows")" -gt 300 ] -- [ "$(grep -c UNKNOWN "$TMP/err")" -eq 0 ]
OTHERS=10 UNKNOWN=11 MALFORMED=7
books_hold()
{
	expect_exact || return
	[ "$(cell total "$RECEIVED")" -eq $(($(cell total "$MALFORMED") + $(cell total "$PRINTED") + \
		$(cell total "$OTHERS") + $(cell total "$UNKNOWN"))) ] || fails "received is not the sum of what became of it" ||
		return
	[ "$(cell total "$PRINTED")" -eq "$(rows | wc -l)" ] || fails "PRINTED"
}
# exactly NAME WHOSE CONDITION ON ROWS, OF EVERY: all of these, and no other
exactly()
{
	finish "$1" "${pid[$1]}"
	expected "$1" "$3"
	check "$KIND: $2: every row, or told, and none of others" expect_exit 0 -- books_hold -- \
		[ "$(wc -l <"$TMP/$1.expected")" -ge "$5" ] -- \
		expect_rows "$4" -- same_as_expected "$1"
}
exactly server "a server's" "\$3 == $PORT" "\$5 == $one_server && \$6 == \"lnk-one-server\"" 80
exactly clients "two clients'" "\$2 == $PORT || \$2 == $PORT + 1" \
	"\$5 == (\$2 == $PORT ? $one_client : $two_client)" 80
exactly named "a name's, server and client" "\$2 == $PORT + 1 || \$3 == $PORT + 1" \
	'$6 == ($2 == '$((PORT + 1))' ? "lnk-two-client" : "lnk-two-server")' 160

finish nobody "${pid[nobody]}"
check "$KIND: a process must have the name, too" expect_exit 0 -- books_hold -- [ "$(rows | wc -l)" -eq 0 ]

# a connection that is accepted between the look of one program and that of the other
finish quick "${pid[quick]}"
expected quick "\$3 == $PORT + 2"
want=$(wc -l <"$TMP/quick.expected")
have=$(cell total "$PRINTED")
told=$((have + $(cell total "$UNKNOWN"))) # of these some are others'
ownerless=$(sed -n 's/^Of FILTERED: \([0-9]*\) .*/\1/p' "$TMP/err")
echo "closed at once: $want rows with a file, $(cell total "$PRINTED") shown, $(cell total "$UNKNOWN") unknown," \
	"$ownerless without a file" >&2
check "$KIND: connections that are closed at once: shown or told" expect_exit 0 -- books_hold -- \
	[ "$want" -ge 100 ] -- [ $((have - want)) -le 3 ] -- [ $((want - told)) -le 3 ] -- \
	expect_rows "\$5 == $quick_server && \$3 == $PORT + 2"
part=95
[ -z "${START_SECONDS-}" ] || part=50
check "$KIND: ... and nearly all are shown" [ "$(cell total "$PRINTED")" -ge $((want * part / 100)) ]
without=$(awk -F ' *[|] *' '$7 + 0 == 0' "$TMP/every.rows" | wc -l)
check "$KIND: calls of sockets without a file are counted" [ $((ownerless - without)) -le 6 ] -- \
	[ $((without - ownerless)) -le 6 ]
[ "$KIND" = auto ] || exit 0

# --- a probe of the user's where ours would be

mkdir -m 755 "$TMP/probes"
cat >"$TMP/probes/inet_sock_set_state.c" <<'C'
RAW_TRACEPOINT_PROBE(inet_sock_set_state)
{
	return show_sock(ctx, (struct sock *)ctx->args[0]);
}
C
chmod 711 "$TMP"
chmod 644 "$TMP/probes/inet_sock_set_state.c"
start own --probe-dir "$TMP/probes" -p "$PORT" --pid $$
stop own "$SPAWNED"
check "a probe of the user's on the same tracepoint is a stage, as ever" expect_exit 0 -- expect_exact -- \
	expect_err 'Stage inet_sock_set_state: raw tracepoint inet_sock_set_state' -- \
	grep -q '^inet_sock_set_state ' "$TMP/err"

# --- nobody to ask

pair last "$PORT" long 3
start gone -p "$PORT" --pid "$SERVER"
gone=$SPAWNED
kill -KILL "$(ps -o pid= -o comm= --ppid "$gone" | awk '$2 == "lnk_owners" { print $1 }')"
go last
wait "${ended[last]}"
stop gone "$gone"
check "without the process that looks: no row, all of them counted, and a line" expect_exit 0 -- expect_exact -- \
	[ "$(rows | wc -l)" -eq 0 ] -- [ "$(cell total "$UNKNOWN")" -gt 5 ] -- \
	[ "$(cell total "$UNKNOWN")" -eq "$(cell total "$RECEIVED")" ] -- \
	expect_err 'the process that finds out who has a socket has ended: no row can be shown any more'
