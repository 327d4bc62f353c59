#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 150
# Headers that lie in a page beside the skb's linear area, behind VLAN tags too: no row, and
# counted as what they are.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command ip
need_command unshare

EACH=40
frames=()
for kind in paged tagged tagged-twice; do
	for ((i = 0; i < EACH; i++)); do
		frames+=("$kind")
	done
done

start pages -p 9704
run unshare -n "$TOP/tests/live/frames.py" 9704 "${frames[@]}" ipv4
if [ "$STATUS" -eq 77 ]; then
	skip tagged "$(cat "$TMP/err")"
	exit 0
fi
check "the frames are sent" expect_exit 0
last_has_come()
{
	grep -q '| 9704 ' "$TMP/pages.out"
}
wait_until 30 last_has_come || not_ok "the last one has a row"
stop pages "$SPAWNED"
check "no other has a row" expect_exit 0 -- expect_exact -- expect_rows '$5 == 9704' -- \
	[ "$(rows | wc -l)" -eq 1 ]
# others' packets may be like that as well
COUNTED=$(sed -n 's/^Calls without a row: .*, \([0-9]*\) out of reach$/\1/p' "$TMP/err")
check "$((3 * EACH)) headers out of reach are counted" [ "${COUNTED:-0}" -ge $((3 * EACH)) ]
