#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 2400
#
# arm64, emulated: a program that was cross-built with warnings as errors, and its table against
# tcpdump and ftrace; on 6.12, which attaches fentry, and on 6.1, which only loads it, with types
# from BTF and from headers.
. "$(dirname "$0")/../lib.sh"

CC=aarch64-linux-gnu-gcc
VM=$TOP/scripts/vm.sh
BUILT=build/arm64

need_command $CC
need_command qemu-system-aarch64
if [ -z "$($CC -print-multiarch)" ]; then
	skip all "needs a cross compiler that knows where Debian's libraries lie"
	exit 0
fi
cd "$TOP" || exit 1

RUN_TIMEOUT=600 run "$VM" --arm64-root
check "an arm64 root file system" expect_exit 0 || exit 1
root=$(cat "$TMP/out")
RUN_TIMEOUT=600 run make CC="$CC --sysroot=$root" WERROR=1 BUILD=$BUILT $BUILT/linux_net_kernel
check "it is cross-built without a warning" expect_exit 0 || exit 1

# rows KERNEL --no-headers|--no-btf NET KIND
rows()
{
	RUN_TIMEOUT=930 run "$VM" "$1-arm64" "$2" --net "$3" --timeout 900 -- \
		python3 -B tests/truth --lnk $BUILT/linux_net_kernel --paths lo,veth,nic \
		--name "$1 $2" --kind "$4" --cases "plain,IP options,refused,out of order,fragments,joined"
	sed 's/ - /&arm64: /' "$TMP/out"
	cat "$TMP/err" >&2
	if [ "$STATUS" -gt 1 ] || ! grep -q '^ok - ' "$TMP/out"; then
		not_ok "$1 $2: the run came to its end" "status $STATUS"
	fi
}

rows 6.12 --no-headers virtio fentry
rows 6.1 --no-btf e1000 kprobe

RUN_TIMEOUT=330 run "$VM" 6.1-arm64 --no-headers --timeout 300 -- sh -c '
	"$0" --buffer=shared --check
	echo "shared: $?"
	"$0" --check && "$0" --doctor' $BUILT/linux_net_kernel
check "6.1: what it cannot attach it does not compile" expect_exit 0 -- \
	expect_err 'kprobe tcp_v4_do_rcv: compiled and verified' -- \
	expect_err 'fentry tcp_v4_do_rcv: not compiled in: this kernel takes programs of type TRACING'
check "6.1: the doctor agrees" expect_out 'note     fentry ' -- expect_out 'Everything works here.'
check "--buffer=shared: not here" expect_out 'shared: 1' -- \
	expect_err '--buffer=shared cannot be used here'
