#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 600
#
# --doctor tells the truth of this host, as text and as JSON, and of hosts that lack
# something, played in a private mount namespace.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
need_command setpriv
need_command unshare

chmod 711 "$TMP"
export RUN_TIMEOUT=200
unset BCC_KERNEL_SOURCE

# has VERDICT NAME: a line of the text report.
has()
{
	grep -qE "^  $1 +$2( |\$)" "$TMP/out" || fails "no line '$1 $2'"
}

has_no()
{
	! grep -qE "^  $1 " "$TMP/out" || fails "a line with $1"
}

# What the exit status says is what the lines say.
expect_status_of_lines()
{
	local want=0

	! grep -q '^  LIMIT ' "$TMP/out" || want=3
	! grep -q '^  PROBLEM ' "$TMP/out" || want=1
	expect_exit "$want"
}

# json EXPRESSION: true of the object j.
json()
{
	if ! python3 -m json.tool <"$TMP/out" >/dev/null; then
		fails "stdout is no JSON"
		return
	fi
	python3 -c 'import json, sys
j = json.load(sys.stdin)
checks = {c["name"]: c for c in j["checks"]}
sys.exit(not eval(sys.argv[1]))' "$1" <"$TMP/out" || fails "not true of the JSON: $1"
}

run "$LNK" --doctor
check "what this host lets us do is found to work" expect_status_of_lines -- has_no PROBLEM -- \
	expect_no_err -- has ok privileges -- has ok libbcc -- has ok netif_receive_skb -- \
	has ok 'raw tracepoint netif_receive_skb, IPv4' -- has ok books
check "the counts are compared with a witness" \
	grep -qE 'netif_receive_skb, IPv4 +[0-9]+ events, as it must be' "$TMP/out" -- \
	grep -qE '^  ok +IPv4 +[0-9]+ packets, [0-9]+ with data/FIN$' "$TMP/out"
check "its lines fit 80 columns" \
	awk '/^a connection/ { on = 1 } on && length > 80 { bad = 1; print > "/dev/stderr" }
		END { exit !on || bad }' "$TMP/out"
text_status=$STATUS

run "$LNK" --doctor --json
check "--json says the same" expect_exit "$text_status" -- expect_no_err -- \
	json "j['exit_status'] == $text_status" -- \
	json "j['kernel'] == '$(uname -r)' and j['program'] == 'linux_net_kernel'" -- \
	json "all(c['verdict'] in ('ok', 'note', 'limit', 'problem') for c in j['checks'])" -- \
	json "checks['privileges']['verdict'] == 'ok'"

run "$LNK" --doctor --attach=tracepoint -i 192.0.2.1 -p 9 -s
check "filters and -s do not come into play" expect_status_of_lines -- has ok books -- \
	has ok 'raw tracepoint netif_receive_skb, IPv4'

run "$LNK" --doctor --buffer=shared
if grep -q 'buffer=shared cannot be used here' "$TMP/out"; then
	skip "--buffer=shared: its events are counted as well" "this kernel or processor"
else
	check "--buffer=shared: its events are counted as well" expect_status_of_lines -- \
		has_no PROBLEM -- has ok books -- has ok 'raw tracepoint netif_receive_skb, IPv4'
fi

# --- not root

cp "$LNK" "$TMP/lnk"
run setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$TMP/lnk" --doctor
check "not root: a problem, and what to do" expect_exit 1 -- expect_no_err -- \
	has PROBLEM privileges -- expect_out sudo
run setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$TMP/lnk" --doctor --json
check "not root: --json" expect_exit 1 -- json "j['verdict'] == 'problem'" -- \
	json "checks['privileges']['verdict'] == 'problem' and checks['privileges']['advice']"

# --- hosts that lack something

lacking()
{
	local setup=$1

	shift
	run unshare --mount --propagation private sh -ec "$setup"'
		exec "$@"' sh "$LNK" "$@"
}

if ! unshare --mount --propagation private mount -t tmpfs tmpfs /mnt 2>/dev/null; then
	skip "hosts that lack something" "no mount namespace"
	exit 0
fi

HIDE_MODULES='if [ -d /lib/modules ]; then mount -t tmpfs tmpfs /lib/modules; fi'
HIDE_HEADERS=$HIDE_MODULES'
	if [ -e /sys/kernel/kheaders.tar.xz ]; then mount --bind /dev/null /sys/kernel/kheaders.tar.xz; fi'
if [ -d /sys/kernel/btf ]; then
	lacking "mount -t tmpfs tmpfs /sys/kernel/btf; $HIDE_HEADERS" --doctor
	check "no BTF and no headers: what to install" expect_exit 1 -- has note BTF -- \
		has PROBLEM 'kernel types' -- expect_out linux-headers
	lacking "mount -t tmpfs tmpfs /sys/kernel/btf; $HIDE_HEADERS" --doctor --json
	check "no BTF and no headers: --json" expect_exit 1 -- \
		json "checks['kernel types']['verdict'] == 'problem'"
fi

# What is there and cannot be used is as good as missing: an empty file, one that is no BTF, one
# that ends too early, one that cannot be read.
if [ -e /sys/kernel/btf/vmlinux ]; then
	echo 'no BTF' >"$TMP/garbage"
	head -c 100000 /sys/kernel/btf/vmlinux >"$TMP/short"
	for f in /dev/null "$TMP/garbage" "$TMP/short"; do
		lacking "mount --bind $f /sys/kernel/btf/vmlinux; $HIDE_HEADERS" --doctor
		check "BTF is $(basename "$f"): a problem" expect_exit 1 -- expect_no_err -- \
			has note BTF -- expect_out 'libbpf cannot read' -- \
			has PROBLEM 'kernel types' -- has note fentry
	done
	lacking "mount -t tmpfs tmpfs /sys/kernel/btf; mkdir /sys/kernel/btf/vmlinux; $HIDE_HEADERS" \
		--doctor
	check "BTF cannot be read: a problem" expect_exit 1 -- expect_no_err -- has note BTF -- \
		has PROBLEM 'kernel types'
	lacking 'for d in /run /tmp; do mount --bind $d $d; mount -o remount,ro,bind $d; done' --doctor
	check "no place to try headers in: BTF serves all the same" expect_status_of_lines -- \
		has_no PROBLEM -- expect_out 'not looked at' -- has ok 'kernel types'
fi
lacking "mount -t tmpfs tmpfs /sys/kernel; echo none >/sys/kernel/kheaders.tar.xz; $HIDE_MODULES" \
	--doctor
check "kheaders are no archive: a problem" expect_exit 1 -- expect_no_err -- has note kheaders -- \
	expect_out 'reading the archive' -- has PROBLEM 'kernel types'

LIBBCC=$(ldconfig -p 2>/dev/null | sed -n 's/.*libbcc\.so\.0 .*=> //p' | head -n 1)
if [ -n "$LIBBCC" ]; then
	lacking "mount --bind /dev/null '$LIBBCC'" --doctor
	check "no libbcc: what to install" expect_exit 1 -- has PROBLEM libbcc -- \
		expect_out 'install libbpfcc'
else
	skip "no libbcc: what to install" "its place is not known to ldconfig"
fi

# A libbcc that lacks one function of those that a compile calls, and not the last of them.
CC=${CC:-gcc}
if command -v "$CC" >/dev/null; then
	echo 'int bcc_func_load(void) { return 0; } int bpf_table_flags_id(void) { return 0; }' |
		"$CC" -shared -fPIC -x c - -o "$TMP/libbcc.so.0"
	run env LD_LIBRARY_PATH="$TMP" "$LNK" --doctor
	check "a libbcc that a run cannot use: what to install" expect_exit 1 -- \
		has PROBLEM libbcc -- expect_out 'is too old: ' -- \
		expect_out 'undefined symbol: bpf_module_create_c_from_string' -- \
		expect_out 'install libbpfcc'
	run env LD_LIBRARY_PATH="$TMP" "$LNK" --check --no-cache
	check "... and the run says the same" expect_exit 1 -- expect_err_lines 1 -- \
		expect_err 'undefined symbol: bpf_module_create_c_from_string' -- \
		expect_err 'install libbpfcc'
else
	skip "a libbcc that a run cannot use" "needs $CC"
fi

# A network namespace whose loopback is down: nothing can be compared, and it says so.
run unshare --net "$LNK" --doctor
check "the loopback is down: it says that nothing was compared" expect_exit 3 -- \
	has_no PROBLEM -- expect_out 'nothing was compared'
