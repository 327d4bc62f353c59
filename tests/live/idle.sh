#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
# A host with nothing to show: the program sleeps, and a row comes at once all the same.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

switches()
{
	awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$1/status"
}

start idle -R 0 -p 9641
idle=$SPAWNED
sleep 2.5
before=$(switches "$idle")
sleep 5
woken=$(($(switches "$idle") - before))
# once a second it looks for new CPUs
check "five seconds without an event: woken $woken times" [ "$woken" -le 12 ]

# Every event of a load after that is there, and the rings are quiet again behind it.
traffic 127.0.0.1 9641 3000 >/dev/null
sleep 2.5
before=$(switches "$idle")
sleep 3
woken=$(($(switches "$idle") - before))
check "three seconds without an event after a load: woken $woken times" [ "$woken" -le 8 ]
stop idle "$idle"
check "nothing is missing" expect_exact -- [ "$(cell total "$LOST")" -eq 0 ] -- \
	[ "$(cell netif_receive_skb "$RECEIVED")" -ge 6000 ] -- \
	[ "$(cell total "$RECEIVED")" -eq "$(rows | wc -l)" ]

# From a byte to its row in a pipe, after each pause; the third of five.
ms=$(python3 - "$LNK" <<'PY'
import select, socket, subprocess, sys, time
p = subprocess.Popen([sys.argv[1], "-R", "0", "-p", "9642"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
while b"Started" not in p.stderr.readline():
    pass
listener = socket.create_server(("127.0.0.1", 9642))
near = socket.create_connection(("127.0.0.1", 9642))
far, _ = listener.accept()
took = []
for _ in range(5):
    time.sleep(1.6)
    while select.select([p.stdout], [], [], 0)[0]:
        p.stdout.read(1 << 20)
    start = time.perf_counter()
    near.send(b"x")
    select.select([p.stdout], [], [], 5)
    took.append(time.perf_counter() - start)
    far.recv(1)
p.terminate()
p.communicate()
print(int(sorted(took)[2] * 1000))
PY
)
check "a row appears within 50 ms: $ms ms" [ "$ms" -le 50 ]
