#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# Edit and rerun: no rebuild, and a new file is a new stage.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

chmod 755 "$TMP"
mkdir -m 755 "$TMP/probes"
cat >"$TMP/probes/mine.c" <<'PROBE'
/* in a comment: int kprobe__not_a_probe(struct pt_regs *ctx) */
RAW_TRACEPOINT_PROBE(tcp_rcv_space_adjust)
{
	return show_sock(ctx, (struct sock *)ctx->args[0]);
}
PROBE
# an edit of one of ours: every SEQ is one more
sed 's/e->seq = bpf_ntohl(seq);/e->seq = bpf_ntohl(seq) + 1000;/' "$TOP/probes/packet.h" >"$TMP/probes/packet.h"
chmod 644 "$TMP/probes"/*

start mine --probe-dir "$TMP/probes" -p 9641
edited=$SPAWNED
start plain -p 9641
plain=$SPAWNED
traffic 127.0.0.1 9641 5 >/dev/null
sleep 0.2
stop plain "$plain"
rows | awk -F ' *[|] *' '$1 == "[netif_receive_skb]" { printf "%.0f %s\n", $6 + 1000, $7 }' | sort >"$TMP/plain.seq"
stop mine "$edited"
check "a new file is a stage of its own" expect_exit 0 -- expect_exact -- \
	expect_err 'Stage tcp_rcv_space_adjust: raw tracepoint tcp_rcv_space_adjust' -- \
	expect_out '[tcp_rcv_space_adjust]'
rows | awk -F ' *[|] *' '$1 == "[netif_receive_skb]" { printf "%.0f %s\n", $6, $7 }' | sort >"$TMP/edited.seq"
check "an edit is used without a rebuild" [ -s "$TMP/edited.seq" ] -- cmp "$TMP/plain.seq" "$TMP/edited.seq"

run "$LNK" --dump-source --probe-dir "$TMP/probes"
check "--dump-source says where each part is from" expect_exit 0 -- \
	expect_err "mine.c: $TMP/probes" -- expect_err "tcp_queue_rcv.c: $TOP/probes" -- \
	expect_out "#line 1 \"$TMP/probes/mine.c\"" -- expect_out '#line 1 "probes/tcp_queue_rcv.c"'

# Without any directory the text inside the binary serves, and it is the same text.
mkdir "$TMP/bin"
cp "$LNK" "$TMP/bin/"
"$LNK" --dump-source >"$TMP/tree" 2>/dev/null
run "$TMP/bin/linux_net_kernel" --dump-source
check "the built-in probes are those of the tree" expect_exit 0 -- expect_err 'event.h: built in' -- \
	cmp "$TMP/out" "$TMP/tree"
