#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

start blocks -s 0.3 4
traffic 127.0.0.1 9631 10 >/dev/null
finish blocks "$SPAWNED"
check "-s 0.3 4: four blocks, then the end" expect_exit 0 -- [ "$(grep -c '^Processed ' "$TMP/out")" -eq 4 ] -- \
	expect_out 'TCP Event Monitoring - Statistics Mode' -- expect_err 'Monitoring stopped.'
check "no row and no event" expect_err 'Total events processed: ' -- [ "$(cell total "$RECEIVED")" -eq 0 ]
if rows >/dev/null; then not_ok "no row"; else ok "no row"; fi

start filtered -s -p 9632
traffic 127.0.0.1 9632 10 >/dev/null
traffic 127.0.0.1 9633 10 >/dev/null
sleep 1.1
stop filtered "$SPAWNED"
# 10 one-byte requests and replies: 28 segments of 40 bytes and timestamps
seen=$(awk '$1 == "netif_receive_skb" { n = $2 } END { print n }' "$TMP/out")
total=$(($(cell netif_receive_skb "$SEEN") - $(cell netif_receive_skb "$FILTERED")))
check "-s -p counts what passes the filter" expect_exit 0 -- [ "$seen" -ge 26 ] -- [ "$seen" -le 34 ] -- \
	[ "$total" -eq "$seen" ] -- [ "$(cell netif_receive_skb "$FILTERED")" -gt 20 ]

# On a terminal the block is written over itself.
python3 - "$LNK" >"$TMP/tty" <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "-s", "0.2", "3"])
data = b""
try:
    while chunk := os.read(fd, 4096):
        data += chunk
except OSError:
    pass
os.waitpid(pid, 0)
sys.stdout.buffer.write(data)
PY
check "on a terminal in place" grep -q $'\033\[[0-9]*A' "$TMP/tty"
if grep -q $'\033' "$TMP/out"; then not_ok "no escape in a pipe"; else ok "no escape in a pipe"; fi
