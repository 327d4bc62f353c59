#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# The table against tcpdump on this kernel.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command tcpdump
need_command ip

# What this kernel lets us use decides which rows there are.
run "$LNK" --check --attach=fentry
kinds=tracepoint
if grep -q 'fentry tcp_queue_rcv: compiled and verified' "$TMP/err"; then
	kinds=fentry
elif [ -e /sys/bus/event_source/devices/kprobe/type ]; then
	kinds=kprobe
fi
python3 "$TOP/tests/truth.py" --lnk "$LNK" --kinds "$kinds" --name "$(uname -r)"
