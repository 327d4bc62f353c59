#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
#
# A compiler that hangs is ended after five minutes: of a clock that goes a hundred times as
# fast, which a library put before libc gives the program. There is no switch for it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command cc

cat >"$TMP/fast.c" <<'SOURCE'
#define _GNU_SOURCE
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TIMES 100

int clock_gettime(clockid_t id, struct timespec *ts)
{
	long long ns;
	int ret = syscall(SYS_clock_gettime, id, ts);

	if (!ret && id == CLOCK_MONOTONIC) {
		ns = (ts->tv_sec * 1000000000LL + ts->tv_nsec) % 1000000000000000LL * TIMES;
		ts->tv_sec = ns / 1000000000;
		ts->tv_nsec = ns % 1000000000;
	}
	return ret;
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
	return syscall(SYS_poll, fds, n, ms > 0 ? (ms + TIMES - 1) / TIMES : ms);
}

int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size)
{
	(void)size;
	return poll(fds, n, ms);
}
SOURCE
if ! cc -O2 -fPIC -shared -o "$TMP/fast.so" "$TMP/fast.c" 2>"$TMP/cc.err"; then
	skip all "cannot build a library here: $(head -n 1 "$TMP/cc.err")"
	exit 0
fi
chmod 755 "$TMP"

child_of()
{
	CHILD=$(pgrep -P "$1")
}

within_limits()
{
	grep -q '^Max address space *2147483648 ' "/proc/$CHILD/limits"
}

# hung NAME ARGS...: its child is stopped at once; how long it takes to end, in $MS.
hung()
{
	local name=$1 begun pid

	shift
	begun=$(date +%s%N)
	spawn "$name" env LD_PRELOAD="$TMP/fast.so" "$LNK" --no-cache "$@"
	pid=$SPAWNED
	wait_until 5 child_of "$pid"
	wait_until 5 within_limits
	kill -STOP "$CHILD"
	cat "/proc/$CHILD/limits" >"$TMP/limits"
	finish "$name" "$pid"
	MS=$((($(date +%s%N) - begun) / 1000000))
}

hung quiet -D 5
check "a compiler that hangs is ended after five minutes" expect_exit 1 -- expect_no_out -- \
	expect_err_lines 1 -- expect_err 'Failed to compile BPF module: the compile took too long' -- \
	[ "$MS" -ge 3000 ] -- [ "$MS" -lt 5000 ] -- [ ! -e "/proc/$CHILD" ]
check "what it may allocate and write is bounded" \
	grep -q '^Max address space *2147483648 ' "$TMP/limits" -- \
	grep -q '^Max file size *16777216 ' "$TMP/limits"
hung check --check
check "... also with --check" expect_exit 1 -- expect_err 'the compile took too long' -- \
	[ "$MS" -ge 3000 ] -- [ "$MS" -lt 5000 ] -- [ ! -e "/proc/$CHILD" ]

# Text without end: a macro that doubles itself sixty times.
mkdir -m 755 "$TMP/endless"
{
	echo '#define A0 x'
	for i in $(seq 60); do
		echo "#define A$i A$((i - 1)) A$((i - 1))"
	done
	echo 'int f(void) { return A60; }'
} >"$TMP/endless/endless.c"
chmod 644 "$TMP/endless/endless.c"
spawn endless env LD_PRELOAD="$TMP/fast.so" "$LNK" --no-cache --probe-dir "$TMP/endless" -D 5
pid=$SPAWNED
wait_until 5 child_of "$pid"
most=0
while kill -0 "$pid" 2>/dev/null; do
	rss=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$CHILD/status" 2>/dev/null)
	[ "${rss:-0}" -le "$most" ] || most=$rss
	sleep 0.2
done
finish endless "$pid"
check "a source without end (the compiler took $((most / 1024)) MB)" expect_exit 1 -- \
	expect_err 'Failed to compile BPF module: ' -- [ ! -e "/proc/$CHILD" ]

# ... and one that has no more memory to take
STATUS=0
bash -c 'ulimit -v 700000; exec "$@"' limited "$LNK" --no-cache --probe-dir "$TMP/endless" -D 5 \
	</dev/null >"$TMP/out" 2>"$TMP/err" || STATUS=$?
check "a source without end: its memory is bounded, and it is said" expect_exit 1 -- expect_no_out -- \
	expect_err_lines 1 -- expect_err 'Failed to compile BPF module: LLVM ERROR: out of memory'
