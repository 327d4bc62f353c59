#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 400
# What a filter or a column costs, in instructions: nothing where it is not asked for, and
# little for each thing that is. The instructions are those in the image that a start leaves.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command unshare

chmod 755 "$TMP"

# image NAME ARGS...: compiles with these; the image in $TMP/NAME.image.
image()
{
	local name=$1

	shift
	# a cache of its own, which nobody else fills
	run unshare -m sh -c '
		mkdir -p /var/cache/linux_net_kernel &&
			mount -t tmpfs -o mode=700 none /var/cache/linux_net_kernel || exit 9
		out=$1
		shift
		"$@" -R 0 -D 0.1 >/dev/null && cat /var/cache/linux_net_kernel/* >"$out"' sh \
		"$TMP/$name.image" "$LNK" "$@"
	if [ "$STATUS" -eq 9 ]; then
		skip all "no mount namespace"
		exit 0
	fi
	expect_exit 0 && [ -s "$TMP/$name.image" ] && return
	not_ok "$name: it starts, and leaves an image"
	exit 1
}

# insns NAME [FILE]: how many instructions the program at netif_receive_skb has; those of all
# programs into FILE.
insns()
{
	python3 - "$TMP/$1.image" "${2-/dev/null}" <<'PYTHON'
import struct, sys
image = open(sys.argv[1], "rb").read()
magic, key_len, maps, programs, total = struct.unpack_from("8s4I", image)
assert magic.startswith(b"LNKIMG") and total == len(image)
at = 24 + key_len + maps * (128 + 5 * 4)
count = 0
with open(sys.argv[2], "wb") as out:
    for _ in range(programs):
        n = struct.unpack_from("I", image, at + 128 + 32 + 8)[0]
        name = image[at:at + 128].rstrip(b"\0")
        out.write(name + b"\n")
        if b"netif_receive_skb" in name:
            count = n
        at += 128 + 32 + 12
        out.write(image[at:at + 8 * n])
        at += 8 * n
assert at == total
print(count)
PYTHON
}

# --- what is not asked for is not there

# The probes as if nothing could be asked: no names, no question, no numbers.
mkdir "$TMP/bare"
chmod 755 "$TMP/bare"
printf '/* nothing */\n' >"$TMP/bare/names.h"
awk '/^#if FILTER_QUESTION$/ { print "\treturn LNK_SHOW;"; off = 1 }
	/^#if EXTRA > DEBUG_FUNC$/ { off = 1 }
	!off { print }
	/^#endif$/ { off = 0 }' "$TOP/probes/show.h" >"$TMP/bare/show.h"
chmod 644 "$TMP/bare"/*
image plain --probe-dir "$TOP/probes"
image bare --probe-dir "$TMP/bare"
PLAIN=$(insns plain "$TMP/plain")
insns bare "$TMP/bare.insns" >/dev/null
check "nothing asked: the same instructions as if nothing could be" \
	[ "$(grep -c 'lnk_question\|lnk_collect' "$TMP/bare/show.h")" -eq 0 ] -- \
	[ "$PLAIN" -gt 100 ] -- cmp "$TMP/plain" "$TMP/bare.insns"

# --- what is asked for costs what it must

# more NAME AT_LEAST AT_MOST ARGS...: so many instructions more than where nothing is asked.
more()
{
	local name=$1 least=$2 most=$3 n

	shift 3
	image "$name" "$@"
	n=$(insns "$name")
	MORE=$((n - PLAIN))
	check "$name: $MORE instructions more" [ "$MORE" -ge "$least" ] -- \
		[ "$MORE" -le "$most" ]
}

many_ports=$(seq -s, 1001 10 1631)
many_nets=$(for i in {1..64}; do printf '10.%d.%d.0/24,' $((i * 37 % 256)) $((i * 91 % 256)); done)
more "one port" 1 40 -p 80
more "one address" 1 80 -i 10.1.2.3
more "two ports" 1 80 -p 80,90
two=$MORE
more "64 ports" $((two + 1)) $((two + 64 * 12)) -p "$many_ports"
more "as many, joined to one range" 1 $((two + 40)) -p "$(seq -s, 1000 1063)"
more "one network" 1 100 -i 10.0.0.0/8
one=$MORE
more "64 networks" $((one + 1)) $((one + 64 * 12)) -i "${many_nets%,}"
more "flags" 1 60 --flags SYN,!ACK
more "a length" 1 250 --len 1-100
ROOT=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
if [ -n "$ROOT" ]; then
	# there is no socket at netif_receive_skb: what is asked of one costs nothing there
	more "a cgroup" -200 10 --cgroup "$ROOT"
fi
more "a column" 2 80 -o +flags
column=$MORE
more "two columns" $((column + 1)) $((column + 60)) -o +flags,win
