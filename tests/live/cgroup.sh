#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 400
# --cgroup and the column cgroup, against ss(8): a server in one cgroup, which it leaves
# before it accepts, and a client in another.
#
# cgroup.sh --attach KIND: with this kind of hook, and with one filter only.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

PORT=9641
KIND=auto
[ "${1-}" != --attach ] || KIND=$2

ROOT=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
if [ -z "$ROOT" ]; then
	mkdir "$TMP/cgroup2"
	if ! mount -t cgroup2 none "$TMP/cgroup2" 2>/dev/null; then
		skip all "no cgroup2 can be mounted"
		exit 0
	fi
	ROOT=$TMP/cgroup2
fi
TOP_GROUP=$ROOT/lnk-test-$$
if ! mkdir "$TOP_GROUP" 2>/dev/null; then
	skip all "no cgroup can be made in $ROOT"
	exit 0
fi
clean()
{
	lib_cleanup 2>/dev/null
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rmdir "$TOP_GROUP"/a/b "$TOP_GROUP"/{a,c,} 2>/dev/null
		[ -d "$TOP_GROUP" ] || break
		sleep 0.2
	done
	[ "$ROOT" != "$TMP/cgroup2" ] || umount "$ROOT"
	rm -rf "$TMP"
}
trap clean EXIT
mkdir "$TOP_GROUP"/{a,c} "$TOP_GROUP/a/b"
GROUP=${TOP_GROUP##*/}

cat >"$TMP/traffic.py" <<'PYTHON'
import os, socket, sys, time

top, port = sys.argv[1], int(sys.argv[2])
def enter(group):
    with open(f"{top}/{group}/cgroup.procs", "w") as f:
        f.write(str(os.getpid()))
def listen():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen()
    return s

enter("a/b")
listener = listen()
enter("c")
client = socket.create_connection(("127.0.0.1", port))
server, _ = listener.accept()
for _ in range(5):
    client.sendall(b"x" * 100)
    server.recv(100, socket.MSG_WAITALL)
    server.sendall(b"y" * 100)
    client.recv(100, socket.MSG_WAITALL)
print("done", flush=True)
sys.stdin.readline()
PYTHON

declare -A pid
# shellcheck disable=SC2054 # these commas are in an argument
ASK=(--attach "$KIND" -p "$PORT" -o function,sport,dport,cgroup,state)

asked every
asked above --cgroup "$GROUP/a"
[ "$KIND" != auto ] || asked root --cgroup .
[ "$KIND" != auto ] || asked itself --cgroup "$TOP_GROUP/a/b"
[ "$KIND" != auto ] || asked other --cgroup "$GROUP/c/"
[ "$KIND" != auto ] || asked two --cgroup "$GROUP/c" --cgroup "$GROUP/a/b" --cgroup "$GROUP/a/b/../b"
start_all
mkfifo "$TMP/go"
# talk: in the background, until "echo >$TMP/go" and wait "$python"
talk()
{
	rm -f "$TMP/done"
	python3 "$TMP/traffic.py" "$TOP_GROUP" "$PORT" <>"$TMP/go" >"$TMP/done" &
	LIB_PIDS+=($!)
	python=$!
	wait_until 30 [ -s "$TMP/done" ] || not_ok "there is traffic"
}
talk
ss -tnH --cgroup "( sport = :$PORT or dport = :$PORT )" >"$TMP/ss" 2>&1
sleep 0.5
echo >"$TMP/go"
wait "$python"
sleep 0.5
kill -INT "${pid[@]}"

AB=$(stat -c %i "$TOP_GROUP/a/b")
C=$(stat -c %i "$TOP_GROUP/c")
socket_rows()
{
	rows | grep -v '^\[_*\(netif\|ip\)'
}
# ss has the path; of the program the number
ss_says()
{
	local path

	path=$(awk -v at="$1" '$'"$2"' ~ at "$" { sub(/.*cgroup:/, ""); sub(/ .*/, ""); print }' "$TMP/ss")
	stat -c %i "$ROOT$path"
}
finish every "${pid[every]}"
all=$(socket_rows | wc -l)
server=$(socket_rows | awk -F ' *[|] *' -v p=$PORT '$3 == p' | wc -l)
check "$KIND: the column: the cgroup where each socket was made" expect_exit 0 -- expect_exact -- \
	[ "$server" -ge 5 ] -- [ $((all - server)) -ge 5 ] -- \
	[ "$(socket_rows | awk -F ' *[|] *' -v p=$PORT '{ print $3 == p, $4 + 0 }' | sort -u | tr '\n' ' ')" = \
		"0 $C 1 $AB " ]
check "the column: nothing where there is a packet only" \
	[ "$(rows | grep "^\[_*\(netif\|ip\)" | awk -F ' *[|] *' '{ print $4 }' | sort -u | tr -d ' \n')" = - ]
if grep -q cgroup: "$TMP/ss"; then
	check "the column: as ss has it" [ "$(ss_says ":$PORT" 4)" = "$AB" ] -- \
		[ "$(ss_says ":$PORT" 5)" = "$C" ]
else
	skip "the column: as ss has it" "ss does not know --cgroup"
fi
# only NAME ROWS CONDITION
only()
{
	finish "$1" "${pid[$1]}"
	check "--cgroup: $1, $2 rows" expect_exit 0 -- expect_exact -- [ "$(rows | wc -l)" -eq "$2" ] -- \
		expect_rows "$3"
}
only above "$server" "\$3 == $PORT && \$4 == $AB"
[ "$KIND" = auto ] || exit 0
only root "$all" '$1 !~ /netif/'
only itself "$server" "\$3 == $PORT && \$4 == $AB"
only other $((all - server)) "\$2 == $PORT && \$4 == $C"
only two "$all" "\$4 == $C || \$4 == $AB"

# --- at the console

script changed -p "$PORT" -o function,sport,dport,cgroup,state --cgroup "$GROUP/a"
say 'port +9999' 'Changed: port'
say "set cgroup $GROUP/c" "Changed: cgroup $GROUP/c ("
talk
echo >"$TMP/go"
wait "$python"
sleep 0.5
mkdir "$TOP_GROUP/gone"
say "set cgroup $GROUP/gone" "Changed: cgroup $GROUP/gone ("
rmdir "$TOP_GROUP/gone"
say 'set len 0-' 'Changed: len 0- ('
say 'set len any' 'Changed: len any ('
say "set cgroup $GROUP/nobody-made-it" 'Not changed: cgroup'
say 'set cgroup any' 'Changed: cgroup any ('
over
check "at the console: another cgroup" expect_exit 1 -- expect_exact -- \
	[ "$(rows | wc -l)" -eq $((all - server)) ] -- expect_rows "\$2 == $PORT && \$4 == $C" -- \
	expect_err "'$GROUP/nobody-made-it' is no cgroup: No such file or directory"

# --- a kernel that keeps none

mkdir -m 755 "$TMP/probes"
{
	echo '#undef CONFIG_SOCK_CGROUP_DATA'
	cat "$TOP/probes/names.h"
} >"$TMP/probes/names.h"
chmod 711 "$TMP"
chmod 644 "$TMP/probes/names.h"
run "$LNK" --probe-dir "$TMP/probes" --check --cgroup .
check "a kernel that keeps no cgroup with a socket: it is said" expect_exit 1 -- expect_err_lines 1 -- \
	expect_err "this kernel keeps no cgroup with a socket"
run "$LNK" --probe-dir "$TMP/probes" --check
check "... and nothing else is missing there" expect_exit 0 -- expect_err 'compiled and verified'
