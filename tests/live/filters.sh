#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

start both -i 127.0.0.1 -p 9601
start port -p 9601
start v6 -i ::1
start other -i 127.0.0.77
start words -i 127.0.0.1 -p 9601 -d -v -R 0 --buffer-pages 8 --no-cache
both=${LIB_PIDS[0]} port=${LIB_PIDS[1]} v6=${LIB_PIDS[2]} other=${LIB_PIDS[3]} words=${LIB_PIDS[4]}
traffic 127.0.0.1 9601 5 >/dev/null
traffic 127.0.0.1 9602 5 >/dev/null
traffic ::1 9601 5 >/dev/null
sleep 0.3

stop both "$both"
check "-i and -p together are AND" expect_exit 0 -- expect_exact -- \
	expect_rows '($2 == "127.0.0.1" || $3 == "127.0.0.1") && ($4 == 9601 || $5 == 9601)' -- \
	expect_err 'Filtering for IP: 127.0.0.1' -- expect_err 'Filtering for Port: 9601'
n=$(cell netif_receive_skb "$FILTERED")
if [ "${n:-0}" -gt 0 ]; then ok "what is filtered out is counted"; else not_ok "what is filtered out is counted"; fi

stop port "$port"
check "-p alone takes both families" expect_exact -- \
	expect_rows '$4 == 9601 || $5 == 9601' -- expect_out '::1 ' -- expect_out '127.0.0.1 '

stop v6 "$v6"
check "-i takes an IPv6 address" expect_exact -- expect_rows '$2 == "::1" || $3 == "::1"' -- \
	expect_err 'Filtering for IP: ::1'

stop other "$other"
check "an address that nobody uses: no row" expect_exit 0 -- expect_exact
if rows >/dev/null; then not_ok "no row"; else ok "no row"; fi

stop words "$words"
check "all flags combine" expect_exit 0 -- expect_exact -- expect_rows '$4 == 9601 || $5 == 9601' -- \
	expect_out "  Debug - Function name: 'netif_receive_skb'" -- expect_out '  Debug - Raw bytes: [' -- \
	expect_err 'headers: ' -- expect_err 'cflags: ' -- expect_err 'libbcc: ' -- expect_err 'kernel: Linux '

# An unused filter costs nothing: no instruction of it is in the program.
"$LNK" --dump-source 2>/dev/null >"$TMP/plain"
"$LNK" --dump-source -p 80 -i 10.1.2.3 2>/dev/null >"$TMP/filtered"
check "filters are constants in the source" \
	grep -q '^#define FILTER_PORT 80$' "$TMP/filtered" -- \
	grep -q '^#define FILTER_PORT 0$' "$TMP/plain" -- \
	[ "$(diff "$TMP/plain" "$TMP/filtered" | grep -c '^>')" -eq 4 ]
