#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 600
# The table against other witnesses on this kernel, and the comparison against broken probes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command tcpdump
need_command ip

LNK=$LNK "$TOP/tests/truth.sh" --short

# broken NAME FILE SED-SCRIPT: a probe that is not true has to be found out.
broken()
{
	local name=$1 file=$2 dir=$TMP/$2

	mkdir "$dir" && chmod 755 "$dir"
	sed "$3" "$TOP/probes/$file" >"$dir/$file"
	chmod 644 "$dir/$file"
	if cmp -s "$TOP/probes/$file" "$dir/$file"; then
		not_ok "$name is found out" "the edit of $file does nothing"
		return
	fi
	RUN_TIMEOUT=100 run python3 -B "$TOP/tests/truth" --lnk "$LNK" --kind tracepoint --paths veth \
		--cases plain -- --attach tracepoint --probe-dir "$dir"
	check "$name is found out" expect_exit 1 -- expect_out 'ok - the program starts, and uses tracepoint' -- \
		grep -q "^not ok - .*IPv[46]: plain: netif_receive_skb" "$TMP/out"
	rm -rf "$dir"
}

broken "a row too many" netif_receive_skb.c 's/return show_skb_at_data(ctx, skb)/show_skb_at_data(ctx, skb); &/'
broken "a row too few" netif_receive_skb.c 's/return show_skb_at_data(ctx, skb)/return bpf_get_prandom_u32() % 4 ? show_skb_at_data(ctx, skb) : 0/'
broken "a wrong number" show.h 's/COUNT(c, seen);/& s->event.seq++;/'
