#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 400
# SIGKILL at any moment: nothing is left behind.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

KILLS=${KILLS:-100}
# In a virtual machine: KILLS_ARGS=--attach=kprobe, whose kprobes have names.
read -ra ARGS <<<"${KILLS_ARGS:-}"

# What a run could leave: entries in kprobe_events and /run and /tmp, pinned objects,
# mounts, files of a cache entry that was being written.
state()
{
	grep -hs _lnk_ /sys/kernel/tracing/kprobe_events /sys/kernel/debug/tracing/kprobe_events
	find /sys/fs/bpf /run /tmp -maxdepth 1 -iname '*linux_net_kernel*' 2>/dev/null
	find /var/cache/linux_net_kernel -name '*.img.*' 2>/dev/null
	grep linux_net_kernel /proc/self/mounts
	true
}

# Children of a killed run belong to init or a reaper: found by what they run.
copy=$TMP/lnk-killed
cp "$LNK" "$copy"
processes()
{
	pgrep -f "^$copy "
}
no_processes()
{
	! processes >/dev/null
}

# How long a start takes here and now, in milliseconds.
start_ms()
{
	local begun

	begun=$(date +%s%N)
	start "timed$RANDOM" -p 9663 "${ARGS[@]}" "$@"
	echo $((($(date +%s%N) - begun) / 1000000))
	kill -KILL "$SPAWNED"
}
compiled_ms=$(start_ms --no-cache)
cached_ms=$(start_ms)

traffic 127.0.0.1 9663 200 100 >/dev/null &
load=$!
LIB_PIDS+=("$load")
state >"$TMP/before"
started=0
for ((i = 0; i < KILLS; i++)); do
	# every tenth compiles
	arg='' ms=$cached_ms
	[ $((i % 10)) -ne 0 ] || arg=--no-cache ms=$compiled_ms
	# shellcheck disable=SC2086 # no argument when empty
	"$copy" -p 9663 -R 0 "${ARGS[@]}" $arg </dev/null >"$TMP/killed.out" 2>"$TMP/killed.err" &
	pid=$!
	# from the first instruction to well into the run
	ms=$((RANDOM % (ms * 3 / 2 + 50)))
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	! grep -q 'Started TCP' "$TMP/killed.err" || started=$((started + 1))
done
check "$KILLS kills, before and after the start" [ "$started" -gt $((KILLS / 10)) ] -- \
	[ "$started" -lt "$KILLS" ]
# the guard of kprobes that have names takes its time
check "no process is left" wait_until 10 no_processes
state >"$TMP/after"
check "no kprobe, pinned object, directory or mount is left" cmp "$TMP/before" "$TMP/after"
kill "$load" 2>/dev/null
wait "$load" 2>/dev/null

start after -p 9663 "${ARGS[@]}"
traffic 127.0.0.1 9663 5 >/dev/null
sleep 0.2
stop after "$SPAWNED"
check "the next run is as good as the first" expect_exit 0 -- expect_exact -- [ "$(cell total "$RECEIVED")" -gt 20 ]

# --- with no mount namespace to be had, both killed during the compile

setpriv_bpf=(setpriv "--bounding-set=-all,+bpf,+perfmon" --inh-caps=-all)
# Probes that take seconds to compile.
chmod 755 "$TMP"
mkdir -m 755 "$TMP/long"
for i in $(seq 100); do
	echo "int kprobe__f$i(struct pt_regs *ctx, struct sk_buff *skb) { return show_skb(ctx, skb); }"
done >"$TMP/long/long.c"
chmod 644 "$TMP/long/long.c"
work_dirs()
{
	find /run /tmp -maxdepth 1 -type d -name '.linux_net_kernel-work.??????' 2>/dev/null
}
one_work_dir()
{
	[ "$(work_dirs | wc -l)" -eq 1 ] && [ -n "$(find "$(work_dirs)" -type f)" ]
}
child_of()
{
	CHILD=$(pgrep -P "$1")
}
compile_without_namespace()
{
	spawn "$1" "${setpriv_bpf[@]}" "$LNK" --no-cache --headers=btf --probe-dir "$TMP/long"
	pid=$SPAWNED
	wait_until 5 child_of "$pid" && wait_until 5 one_work_dir
}
if ! "${setpriv_bpf[@]}" true 2>/dev/null; then
	skip "directories of killed runs" "setpriv knows no CAP_BPF"
elif ! compile_without_namespace both; then
	skip "directories of killed runs" "no compile with CAP_BPF and CAP_PERFMON alone"
else
	run "$LNK" -v --no-cache -D 0.1
	check "a directory in use is not touched" expect_exit 0 -- one_work_dir
	kill -STOP "$pid"
	kill -KILL "$CHILD" "$pid"
	wait "$pid" 2>/dev/null
	check "both are killed: the directory stays" one_work_dir
	run "$LNK" -v -D 0.1
	check "... until the next start" expect_exit 0 -- expect_err 'removed 1 director' -- \
		[ -z "$(work_dirs)" ]
	compile_without_namespace one
	kill -KILL "$CHILD"
	finish one "$pid"
	check "the compiler alone is killed: nothing stays" expect_exit 1 -- [ -z "$(work_dirs)" ]
fi
