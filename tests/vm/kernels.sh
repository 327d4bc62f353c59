#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 3000
#
# The table against tcpdump on Debian's kernels, over loopback, a veth pair and a pair of
# NAPI cards: with BTF and no headers (fentry), and with headers and no BTF (kprobes).
. "$(dirname "$0")/../lib.sh"

KERNELS=${VM_KERNELS:-5.10 6.1 6.12}

# one KERNEL --no-headers|--no-btf NET PROGRAM-ARGS...
one()
{
	local kernel=$1 without=$2 net=$3
	local name="$kernel ${without#--} $net"

	shift 3
	"$TOP/scripts/vm.sh" "$kernel" "$without" --net "$net" --timeout 900 -- \
		python3 tests/truth.py --paths lo,veth,nic --name "$name" "$@" \
		>"$TMP/$kernel$without.out" 2>"$TMP/$kernel$without.err"
	echo $? >"$TMP/$kernel$without.status"
}

show()
{
	local kernel=$1 without=$2 status

	status=$(cat "$TMP/$kernel$without.status")
	cat "$TMP/$kernel$without.out"
	cat "$TMP/$kernel$without.err" >&2
	# 1: truth.py has said what was wrong
	[ "$status" -le 1 ] && grep -q '^ok - ' "$TMP/$kernel$without.out" ||
		not_ok "$kernel $without: the run came to its end" "status $status"
}

cd "$TOP" || exit 1
for kernel in $KERNELS; do
	# the two kinds of host side by side: one waits while the other works
	one "$kernel" --no-headers e1000 --kinds fentry &
	LIB_PIDS+=($!)
	one "$kernel" --no-btf virtio --kinds kprobe &
	LIB_PIDS+=($!)
	wait
	show "$kernel" --no-headers
	show "$kernel" --no-btf
done
