#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 1800
# -C: another question with every kind of hook, under traffic.
. "$(dirname "$0")/../lib.sh"

cd "$TOP" || exit 1
cat >"$TMP/inside.sh" <<'INSIDE'
exec 2>&1
attach=$1
mkfifo /run/in
./linux_net_kernel -C --attach "$attach" -R 0 -p 9661 </run/in >/run/rows 2>/run/err &
tool=$!
exec 8>/run/in
while ! grep -q Started /run/err && kill -0 $tool; do sleep 0.1; done
(
	while [ ! -e /run/enough ]; do
		python3 tests/traffic.py 127.0.0.1 9661 20
		sleep 1
	done
) >/dev/null &
load=$!
sleep 1
n=0
for line in 'port 9661,9662' 'columns +ttl,+len' 'where len >= 0 || 1' 'ip 127.0.0.0/8' 'set ipv4 on'; do
	echo "$line" >&8
	n=$((n + 1))
	while [ "$(grep -c '^Changed' /run/err)" -lt $n ] && kill -0 $tool; do sleep 0.2; done
done
touch /run/enough
wait $load
sleep 1
echo 'filter tcp prot 1' >&8
while ! grep -q '^Not changed' /run/err && kill -0 $tool; do sleep 0.2; done
echo "caps $(awk '/^CapEff/ { print $2 }' /proc/$tool/status)"
exec 8>&-
wait $tool
echo "status $?"
cat /run/err
echo "rows $(grep -c '^\[' /run/rows) ttl $(awk -F ' *[|] *' '$9 == "64" || $9 == 64' /run/rows | wc -l)"
INSIDE

# goes KERNEL ATTACH
goes()
{
	RUN_TIMEOUT=900 run scripts/vm.sh "$1" --timeout 800 -- bash "$TMP/inside.sh" "$2"
	check "$1, $2: $(grep -c '^Changed' "$TMP/out") other questions" expect_exit 0 -- \
		[ "$(grep -c '^Changed: .*, no row lost)$' "$TMP/out")" -eq 5 ] -- \
		grep -q '^status 1$' "$TMP/out" -- grep -q 'Not changed: filter tcp prot 1' "$TMP/out" -- \
		grep -q 'received: exact' "$TMP/out" -- \
		[ "$(awk '$1 == "total" { print $8 }' "$TMP/out")" = "$(awk '$1 == "rows" { print $2 }' "$TMP/out")" ] -- \
		[ "$(awk '$1 == "rows" { print $4 }' "$TMP/out")" -gt 20 ]
}

goes 6.1 fentry
# VM_ALL=1: each of them takes some minutes
if [ -n "${VM_ALL:-}" ]; then
	goes 5.10 kprobe
	goes 6.1 kprobe
	goes 6.12 auto
fi
