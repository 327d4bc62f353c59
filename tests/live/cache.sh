#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# Compiled programs on disk: used when everything is the same, and only then.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command unshare

# A /var/cache of our own, seen by nobody else.
if [ "${LNK_PRIVATE:-}" != 1 ]; then
	LNK_PRIVATE=1 exec unshare -m --propagation private "$0"
fi
mount -t tmpfs tmpfs /var/cache || exit 1
dir=/var/cache/linux_net_kernel

short()
{
	run "$LNK" -v -D 0.01 -p 9661 "$@"
}
used()
{
	expect_exit 0 && expect_err 'cache: compiled before'
}
compiled()
{
	expect_exit 0 && expect_err 'libbcc: ' || return 1
	if grep -q 'cache: compiled before' "$TMP/err"; then fails "taken from the cache"; fi
}

short
check "the first start compiles and keeps" compiled -- [ "$(find $dir -name "*.img" | wc -l)" -eq 1 ]
check "only root can look into it" [ "$(stat -c %a $dir)" = 700 ] -- [ "$(stat -c %a $dir/*.img)" = 600 ]
short
check "the second does not compile" used
short --no-cache
check "--no-cache compiles" compiled -- [ "$(find $dir -name "*.img" | wc -l)" -eq 1 ]
short -i 127.0.0.1
check "another filter is another program" compiled -- [ "$(find $dir -name "*.img" | wc -l)" -eq 2 ]
cp "$LNK" "$TMP/copy"
LNK=$TMP/copy short
check "another build of this program compiles" compiled -- [ "$(find $dir -name "*.img" | wc -l)" -eq 3 ]
short
check "the first one's entry is still there" used
rm -f $dir/*.img
short
entry=$(ls $dir/*.img)

# Every kind of damage leads to a compile, and to a good entry again.
size=$(stat -c %s "$entry")
for cut in 0 7 40 $((size / 2)) $((size - 1)); do
	short
	truncate -s "$cut" "$entry"
	short
	check "an entry cut to $cut bytes is not used" compiled
done
python3 - "$entry" <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.rindex(b"raw_tracepoint__netif_receive_skb")
data[at + 3] ^= 1
open(sys.argv[1], "wb").write(data)
PY
short
check "an entry with a changed name is not used" compiled
sed -i 's/FILTER_PORT 9661/FILTER_PORT 9662/' "$entry"
short
check "an entry for another source is not used" compiled
chmod 777 $dir
short
check "a directory that others can write is not used" compiled -- expect_err 'cache: not used'
chmod 700 $dir
chown 65534 "$entry"
short
check "an entry of somebody else's is not used" compiled
chown 0 "$entry"

# What comes from the cache shows the same rows.
short
start warm -v -p 9661
traffic 127.0.0.1 9661 4 >/dev/null
sleep 0.2
stop warm "$SPAWNED"
check "rows and books with a program from the cache" used -- expect_exact -- \
	expect_rows '$4 == 9661 || $5 == 9661' -- [ "$(cell netif_receive_skb "$RECEIVED")" -ge 14 ]
