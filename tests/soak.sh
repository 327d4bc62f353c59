#!/bin/bash
# SPDX-License-Identifier: MIT
#
# soak.sh [--seconds N] [--events N] [--write]: a long run at full load, by hand on a quiet
# machine; no part of the other tests.
#
# Every row of a full load over the loopback goes through a pipe to a reader that counts the
# lines and keeps none, for N seconds (600). Each second the program's resident memory,
# descriptors and processor time are looked at. It fails when the books are not exact, when
# the reader counted other rows than they say, when memory or descriptors grow, or when there
# were fewer events than --events (100 million in 600 s). --write puts the figures into
# tests/truth/soak.md, which becomes a part of docs/truth.md.
. "$(dirname "$0")/lib.sh"

SECONDS_=600 EVENTS='' WRITE=''
usage()
{
	echo "usage: soak.sh [--seconds N] [--events N] [--write]" >&2
	exit 2
}
while [ $# -gt 0 ]; do
	case $1 in
	--seconds | --events)
		[[ ${2:-} =~ ^[1-9][0-9]{0,11}$ ]] || usage
		if [ "$1" = --seconds ]; then SECONDS_=$2; else EVENTS=$2; fi
		shift
		;;
	--write) WRITE=1 ;;
	*) usage ;;
	esac
	shift
done
: "${EVENTS:=$((SECONDS_ * 100000000 / 600))}"

need_root
need_binary
cd "$TOP" || exit 1
make -s build/opt/tests/bench/loadgen || exit 1

# The first seconds fill buffers: memory is compared from then on.
WARM=5
# Memory that may come later, in kB: one more event to a burst than ever before.
GROWTH=1024

mkfifo "$TMP/rows"
wc -l <"$TMP/rows" >"$TMP/lines" &
reader=$!
"$LNK" -R 0 >"$TMP/rows" 2>"$TMP/err" </dev/null &
tool=$!
LIB_PIDS+=("$tool" "$reader")
wait_until 60 grep -q '^Started' "$TMP/err" || {
	not_ok "the program starts" "$(cat "$TMP/err")"
	exit 1
}
# one line a second: time, resident kB, descriptors, clock ticks of processor time
sample()
{
	local rss fds ticks

	rss=$(awk '/^VmRSS:/ { print $2 }' "/proc/$tool/status" 2>/dev/null)
	fds=$(find "/proc/$tool/fd" -mindepth 1 2>/dev/null | wc -l)
	ticks=$(awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$tool/stat" 2>/dev/null)
	[ -z "$rss" ] || echo "$SECONDS $rss $fds ${ticks:-0}" >>"$TMP/samples"
}

begun=$SECONDS
build/opt/tests/bench/loadgen rtt -P -c 2 -t "$SECONDS_" >"$TMP/load" 2>&1 &
load=$!
LIB_PIDS+=("$load")
while kill -0 "$load" 2>/dev/null; do
	sample
	sleep 1
done
took=$((SECONDS - begun))
sleep 0.2
kill -INT "$tool"
wait "$tool"
STATUS=$?
wait "$reader"

# The closing table: total SEEN FILTERED LIMITED LOST RECEIVED MALFORMED PRINTED MISSED
read -r _ seen filtered limited lost received malformed printed missed \
	<<<"$(grep '^total ' "$TMP/err")"
lines=$(($(cat "$TMP/lines") - 2)) # the heading

# first, second half, most and least of one column behind the warm-up
figure()
{
	awk -v column="$1" -v warm="$WARM" '
		NR > warm { v[++n] = $column }
		END {
			for (i = 1; i <= n; i++) {
				if (i <= n / 2) { if (v[i] > a) a = v[i] } else if (v[i] > b) b = v[i]
				if (v[i] > most) most = v[i]
				if (i == 1 || v[i] < least) least = v[i]
			}
			printf "%.0f %.0f %.0f %.0f\n", a, b, most, least
		}' "$TMP/samples"
}
read -r rss_first rss_second rss_most rss_least <<<"$(figure 2)"
cpu=$(awk -v hz="$(getconf CLK_TCK)" 'END { printf "%.2f", $4 / hz }' "$TMP/samples")
read -r _ _ fds_most fds_least <<<"$(figure 3)"

check "it ends well" expect_exit 0 -- grep -qx 'Monitoring stopped.' "$TMP/err"
check "the books of $seen events are exact" \
	grep -qx 'seen = filtered + limited + lost + received: exact' "$TMP/err" -- \
	[ "$seen" -eq $((filtered + limited + lost + received)) ]
check "the reader counted the rows that the books say ($printed)" [ "$lines" -eq "$printed" ] -- \
	[ "$received" -eq $((printed + malformed)) ]
check "at least $EVENTS events" [ "$seen" -ge "$EVENTS" ]
check "resident memory: $rss_first kB at most in the first half, $rss_second kB in the second" \
	[ "$rss_second" -le $((rss_first + GROWTH)) ]
check "descriptors: always $fds_least" [ "$fds_most" -eq "$fds_least" ]

mkdir -p build
cat >build/soak.md <<END
## A long run

Written by \`tests/soak.sh\` on $(date -u +%Y-%m-%d): every row of a full load over the loopback
(\`loadgen rtt -P -c 2\`), \`-R 0\`, to a pipe whose reader counts the lines; Linux $(uname -r), $(nproc)
processors. Memory and descriptors were looked at each second, from the ${WARM}th on.

| | |
|---|---:|
| seconds | $took |
| events seen | $seen |
| a second | $((seen / (took > 0 ? took : 1))) |
| received and printed | $printed |
| lines that the reader counted | $lines |
| lost, because a ring was full | $lost |
| missed | $missed |
| seen = filtered + limited + lost + received | $(grep -q ': exact$' "$TMP/err" && echo exact || echo OFF) |
| resident memory, least and most | $rss_least kB, $rss_most kB |
| ... most in the first and in the second half | $rss_first kB, $rss_second kB |
| descriptors, least and most | $fds_least, $fds_most |
| processor time of the program | $cpu s |
END
cat "$TMP/load"
[ -z "$WRITE" ] || cp build/soak.md tests/truth/soak.md
