#!/bin/bash
# SPDX-License-Identifier: MIT
# machines: 2
# timeout: 1900
# --buffer=shared with fentry and with kprobes, against tcpdump and ftrace; and a kernel that
# it is not for.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

cd "$TOP" || exit 1
# shellcheck disable=SC2016 # for the shell inside
INSIDE='printf "#!/bin/sh\nexec ./linux_net_kernel --buffer=shared \"\$@\"\n" >/run/lnk
chmod 755 /run/lnk
python3 -B tests/truth --lnk /run/lnk --paths lo,veth,nic --name "6.12 shared" --kind "$0" \
	--cases "plain,fragments,out of order" --load --load-bytes 400000
echo "status $?"'

# one KIND --no-headers|--no-btf NET
one()
{
	vm_start "$1" 6.12 "$2" --net "$3" --timeout 900 -- bash -c "$INSIDE" "$1"
}

# said KIND
said()
{
	vm_end "$1" 920
	grep -E '^(not )?ok - |^# ' "$TMP/out"
	check "$1: the run came to its end, and all is well" grep -qxF 'status 0' "$TMP/out" -- \
		[ "$(grep -c '^ok - ' "$TMP/out")" -ge 50 ]
}

one fentry --no-headers e1000
one kprobe --no-btf virtio
said fentry
said kprobe

RUN_TIMEOUT=600 run scripts/vm.sh 6.1 --no-headers --timeout 560 -- \
	bash -c './linux_net_kernel --buffer=shared -D 1 2>&1; echo "status $?"'
check "before Linux 6.2 it is refused, in one line" expect_out 'status 1' -- \
	expect_out '--buffer=shared cannot be used here (before Linux 6.2 a probe may interrupt itself)' -- \
	[ "$(grep -c linux_net_kernel: "$TMP/out")" -eq 1 ]
