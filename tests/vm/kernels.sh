#!/bin/bash
# SPDX-License-Identifier: MIT
# machines: 2
# timeout: 3000
#
# The table against tcpdump and ftrace on Debian's kernels, over loopback, a veth pair, a
# pair of NAPI cards and VLANs: with BTF and no headers (fentry), and with headers and no BTF
# (kprobes). tests/truth.sh --full takes more kernels, and every case on each.
. "$(dirname "$0")/../lib.sh"

KERNELS=${VM_KERNELS:-5.10 6.1 6.12}
CASES="plain,IP options,refused,nftables,out of order,fragments,odd headers,VLAN,loss,BIG TCP,joined"

# one KERNEL --no-headers|--no-btf NET KIND
one()
{
	local kernel=$1 without=$2 net=$3 kind=$4 load=()

	# kprobes miss calls under load: exactly those that are shown as MISSED
	[ "$kind" != kprobe ] || load=(--load --load-bytes 400000)
	"$TOP/scripts/vm.sh" "$kernel" "$without" --net "$net" --timeout 900 -- \
		python3 -B tests/truth --paths lo,veth,nic,vlan-inband --name "$kernel ${without#--} $net" \
		--kind "$kind" --cases "$CASES" "${load[@]}" \
		>"$TMP/$kernel$without.out" 2>"$TMP/$kernel$without.err"
	echo $? >"$TMP/$kernel$without.status"
}

show()
{
	local kernel=$1 without=$2 status

	status=$(cat "$TMP/$kernel$without.status")
	# what an old kernel has nothing of is looked at on the newest
	case $kernel in
	5.10 | 6.1) sed 's/^skip - \(.*: bulk, BIG TCP # this kernel has no BIG TCP\)$/# \1/' "$TMP/$kernel$without.out" ;;
	*) cat "$TMP/$kernel$without.out" ;;
	esac
	cat "$TMP/$kernel$without.err" >&2
	# 1: it has said what was wrong
	if [ "$status" -gt 1 ] || ! grep -q '^ok - ' "$TMP/$kernel$without.out"; then
		not_ok "$kernel $without: the run came to its end" "status $status"
	fi
}

cd "$TOP" || exit 1
for kernel in $KERNELS; do
	# the two kinds of host side by side: one waits while the other works
	one "$kernel" --no-headers e1000 fentry &
	LIB_PIDS+=($!)
	one "$kernel" --no-btf virtio kprobe &
	LIB_PIDS+=($!)
	wait
	show "$kernel" --no-headers
	show "$kernel" --no-btf
done
