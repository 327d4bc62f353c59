#!/bin/bash
# SPDX-License-Identifier: MIT
# machines: 2
# timeout: 1800
# Packets of which virtio_net, without GRO, leaves all but the Ethernet header in a page: each has
# its row where the kernel tells where pages lie; where it does not, each is counted.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

cd "$TOP" || exit 1

# inside NAME PATTERN KIND ARGUMENT...: a VM by these arguments of vm.sh; that it is what it should
# be, a line of cpuinfo or iomem tells.
inside()
{
	local name=$1 pattern=$2 kind=$3

	shift 3
	vm_start "$name" "$@" --net virtio --timeout 800 -- sh -c '
		bulk()
		{
			python3 -B tests/truth --paths nic --kind "$1" --cases "merging off,filled" --name "$2"
		}
		! grep -qE "$2" /proc/cpuinfo /proc/iomem || echo "there is $2"
		"$0" -v --check -i 1.2.3.4 2>&1 | grep "^headers in pages"
		bulk "$1" open && bulk "$1" cached && mount --bind /dev/null /proc/kcore || exit
		"$0" -v --check -i 1.2.3.4 2>&1 | grep "^headers in pages"
		"$0" --doctor | grep "  headers in pages"
		bulk "$1" closed' "$LNK" "$kind" "$pattern"
}

# said NAME
said()
{
	local out=$TMP/out none="0 fragments without a TCP header and 0 headers out of reach are counted"

	vm_end "$1" 820
	sed "s/^/# $1: /" "$out"
	cat "$TMP/err" >&2
	check "$1: rows are what tcpdump saw, and nothing is out of reach" expect_exit 0 -- \
		expect_out "there is " -- \
		grep -q "^ok - open: nic IPv4: bulk, merging off: ip_rcv_finish: .* by tcpdump" "$out" -- \
		grep -q "^ok - open: nic IPv6: bulk, merging off: netif_receive_skb: .* by tcpdump" "$out" -- \
		grep -q "^ok - open: nic IPv4: crafted: filled frames: ip_rcv_finish: 7 by tcpdump" "$out" -- \
		grep -q "^ok - open: nic IPv6: crafted: filled frames: ip_rcv_finish: 7 by tcpdump" "$out" -- \
		expect_out "ok - open: $none" -- expect_out "ok - cached: $none" -- \
		expect_out "headers in pages: read, by what /proc/kcore says"
	check "$1: where kcore cannot be read they are counted" expect_exit 0 -- \
		grep -q "^ok - closed: 0 fragments .* and [1-9][0-9]* headers out of reach are counted" "$out" -- \
		expect_out "headers in pages: not read (/proc/kcore: it cannot be read)" -- \
		grep -q "^  note  *headers in pages  *not read" "$out"
}

# most pages are those above the hole below 4 GiB
inside holes "^100000000-.*RAM" fentry 6.1 --no-headers --mem 3840
inside la57 la57 fentry 6.12 --no-headers --la57
said holes
inside kprobes RAM kprobe 6.1 --no-btf
said la57
said kprobes
