#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 400
# The columns pid and comm against ss(8): a server that shares its sockets with a child, and a
# client of another user; and the process that looks for them.
#
# owner.sh --attach KIND: with this kind of hook.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command ss

PORT=9643
KIND=auto
[ "${1-}" != --attach ] || KIND=$2

cat >"$TMP/traffic.py" <<'PYTHON'
import os, signal, socket, sys, time

signal.alarm(100)
port = int(sys.argv[1])
def call_me(name):
    with open("/proc/self/comm", "wb") as f:
        f.write(name)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen()
if not os.fork():
    listener.close()
    signal.alarm(100)
    call_me(b"a \x1b[31mclient")
    os.setuid(65534)
    client = socket.socket()
    client.connect(("127.0.0.1", port))
    client.sendall(b"early")
    while data := client.recv(100):
        client.sendall(data)
    sys.exit(0)
call_me(b"lnk-server")
time.sleep(0.5)
server, _ = listener.accept()
server.recv(5)
if not os.fork(): # has the sockets, too
    signal.alarm(100)
    call_me(b"lnk-child")
    time.sleep(600)
for _ in range(30):
    server.sendall(b"x" * 50)
    server.recv(50, socket.MSG_WAITALL)
    time.sleep(0.1)
print("done", flush=True)
sys.stdin.readline()
os.kill(0, 9)
PYTHON

start owner --attach "$KIND" -p "$PORT" -o function,sport,dport,pid,comm,state,n --col n=inode
pid=$SPAWNED
# of a process; a guard of kprobes may stand beside it
owners_of()
{
	ps -o pid= -o comm= --ppid "$1" | awk '$2 == "lnk_owners" { print $1 }'
}
child=$(owners_of "$pid")
has()
{
	grep -q "^$1:.$2\$" "/proc/$child/status" || fails "$1 is not $2"
}
check "$KIND: one process looks for owners, may do that, and nothing else" \
	[ "$(echo "$child" | wc -w)" -eq 1 ] -- has CapEff 0000000000080004 -- \
	has CapPrm 0000000000080004 -- has CapInh 0000000000000000 -- \
	has CapBnd 0000000000000000 -- has CapAmb 0000000000000000 -- has NoNewPrivs 1 -- has Seccomp 2 -- \
	has Uid '65534.65534.65534.65534' -- [ "$(find "/proc/$child/fd" -type l | wc -l)" -eq 4 ]

mkfifo "$TMP/go"
setsid python3 "$TMP/traffic.py" "$PORT" <>"$TMP/go" >"$TMP/done" &
python=$!
LIB_PIDS+=("$python")
wait_until 60 [ -s "$TMP/done" ] || { not_ok "there is traffic"; exit 1; }
ss -tnpeH state established "( sport = :$PORT or dport = :$PORT )" >"$TMP/ss"
sleep 0.3
lines=$(wc -l <"$TMP/owner.out") # later rows may be of whoever was killed last
echo >"$TMP/go"
wait "$python" 2>/dev/null
sleep 0.3
kill -INT "$pid"
finish owner "$pid"
head -n "$lines" "$TMP/owner.out" >"$TMP/out"
cat "$TMP/ss" >&2

# of_ss FIELD WHAT: pid, or inode, of the socket whose end at FIELD is the server's.
of_ss()
{
	awk -v at=":$PORT" '$'"$1"' ~ at "$"' "$TMP/ss" | grep -oE "$2[=:][0-9]+" | grep -oE '[0-9]+' |
		sort -n | head -n 1
}
# what stands in the rows of one side (2: the client's, 3: the server's), last of all
last_of()
{
	rows | awk -F ' *[|] *' -v p="$PORT" -v at="$1" '$at == p && $6 == "ESTAB"' | tail -n 1 |
		awk -F ' *[|] *' '{ print $4 "|" $5 "|" $7 + 0 }'
}
check "the server, of two that have the socket: as ss has it" expect_exit 0 -- expect_exact -- \
	[ "$(last_of 3)" = "$(of_ss 3 pid)|lnk-server|$(of_ss 3 ino)" ]
check "the client, with its name made safe" \
	[ "$(last_of 2)" = "$(of_ss 4 pid)|a \\x1b[31mclient|$(of_ss 4 ino)" ]
check "a socket that is not accepted has no owner" \
	[ "$(rows | awk -F ' *[|] *' '$6 == "ESTAB" && $7 == 0' | grep -c .)" -ge 1 ] -- \
	expect_rows '$7 + 0 || ($4 == "-" && $5 == "-")'
check "what is not known is told apart" expect_rows '$7 + 0 == 0 || $4 ~ /^([0-9]+|[?])$/'
check "nobody else is an owner" \
	expect_rows "\$4 !~ /[0-9]/ || \$4 == $(of_ss 3 pid) || \$4 == $(of_ss 4 pid)"
# init may take its time to bury it
has_ended()
{
	! grep -q '^State:.[^ZX]' "/proc/$child/status" 2>/dev/null
}
check "the process that looked has ended" wait_until 2 has_ended
[ "$KIND" = auto ] || exit 0

start killed -o comm,pid -p "$PORT"
pid=$SPAWNED
child=$(owners_of "$pid")
kill -KILL "$pid"
wait "$pid" 2>/dev/null
check "... also after a SIGKILL" [ -n "$child" ] -- wait_until 2 has_ended

start gone -o function,comm,state -p "$PORT"
pid=$SPAWNED
kill -KILL "$(owners_of "$pid")"
traffic 127.0.0.1 "$PORT" 3 >/dev/null
sleep 0.3
stop gone "$pid"
check "without it there are rows, and no owners" expect_exit 0 -- expect_exact -- \
	expect_rows '$2 == "-" || $2 == "?"'

start none -p "$PORT"
check "no such process without the columns" [ -z "$(owners_of "$SPAWNED")" ]
stop none "$SPAWNED"
