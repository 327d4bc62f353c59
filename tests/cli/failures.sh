#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# timeout: 600
#
# What cannot be done here is said in words that tell what to do next, with exit status
# 1 and nothing on stdout. The machines that lack something are played in a private mount
# namespace.

# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
need_binary
need_root
need_command setpriv
need_command unshare

chmod 711 "$TMP"
export RUN_TIMEOUT=120
unset BCC_KERNEL_SOURCE

# lacking SETUP ARGS...: runs the program where SETUP has been done before.
lacking()
{
	local setup=$1

	shift
	run unshare --mount --propagation private sh -ec "$setup"'
		exec "$@"' sh "$LNK" "$@"
}

HIDE_BTF='mount -t tmpfs tmpfs /sys/kernel/btf'
HIDE_HEADERS='
	if [ -d /lib/modules ]; then mount -t tmpfs tmpfs /lib/modules; fi
	if [ -e /sys/kernel/kheaders.tar.xz ]; then mount --bind /dev/null /sys/kernel/kheaders.tar.xz; fi'
HIDE_TRACEFS='
	mount -t tmpfs tmpfs /sys/kernel/tracing
	if [ -d /sys/kernel/debug/tracing ]; then mount -t tmpfs tmpfs /sys/kernel/debug/tracing; fi'

can_mount()
{
	unshare --mount --propagation private mount -t tmpfs tmpfs /mnt 2>/dev/null
}

# --- not root

cp "$LNK" "$TMP/lnk"
nobody()
{
	run setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$TMP/lnk" "$@"
}

for args in "" "-s" "-p 80 -c 1" "--check"; do
	# shellcheck disable=SC2086 # several words
	nobody $args
	check "not root${args:+ ($args)}: which capabilities" expect_exit 1 -- expect_no_out -- \
		expect_err_lines 1 -- expect_err CAP_BPF -- expect_err CAP_PERFMON -- \
		expect_err root
done

run setpriv --bounding-set=-all --inh-caps=-all "$LNK" -D 0.1
check "root without capabilities" expect_exit 1 -- expect_no_out -- expect_err_lines 1 -- \
	expect_err CAP_BPF

# What needs no right asks for none.
nobody --version
check "not root: --version" expect_exit 0 -- expect_no_err
nobody --dump-source
check "not root: --dump-source" expect_exit 0 -- expect_out tcp_queue_rcv

# --- the kernel's types

run "$LNK" -D 0.1 --headers="$TMP"
check "--headers with a directory that is no header tree" expect_exit 1 -- expect_no_out -- \
	expect_err "$TMP"

run "$LNK" -D 0.1 --headers="$TMP/none"
check "--headers with a directory that is not there" expect_exit 1 -- expect_no_out -- \
	expect_err "$TMP/none"

if ! can_mount; then
	skip "machines that lack something" "no mount namespace"
	exit 0
fi

if [ -d /sys/kernel/btf ]; then
	lacking "$HIDE_BTF" -D 0.1 --headers=btf
	check "--headers=btf without BTF" expect_exit 1 -- expect_no_out -- \
		expect_err /sys/kernel/btf/vmlinux

	lacking "$HIDE_BTF; $HIDE_HEADERS" -D 0.1
	check "no BTF and no headers" expect_exit 1 -- expect_no_out -- \
		expect_err /sys/kernel/btf/vmlinux -- \
		expect_err "/lib/modules/$(uname -r)" -- expect_err headers
fi

lacking "$HIDE_HEADERS" -D 0.1 --headers=installed
check "--headers=installed without any" expect_exit 1 -- expect_no_out -- \
	expect_err "/lib/modules/$(uname -r)"

lacking "$HIDE_HEADERS" -D 0.1 --headers=kheaders
check "--headers=kheaders without any" expect_exit 1 -- expect_no_out -- expect_err kheaders

# --- the kernel's hooks

if [ -e /sys/bus/event_source/devices/kprobe ]; then
	skip "no kprobes" "this kernel has them"
else
	lacking "$HIDE_TRACEFS" -D 0.1 --attach=kprobe
	check "no kprobes" expect_exit 1 -- expect_no_out -- expect_err kprobe
fi

# Where only the plain tracepoint is left, tracefs must be there.
mkdir "$TMP/probes"
cp "$TOP"/probes/*.[ch] "$TMP/probes/"
for f in "$TMP"/probes/*.c; do
	echo '/* nothing here */' >"$f"
done
cat >"$TMP/probes/plain.c" <<'PROBE'
int tracepoint__net__netif_receive_skb(void *ctx)
{
	return 0;
}
PROBE
chmod -R go-w "$TMP/probes"
lacking "$HIDE_TRACEFS" -D 0.1 --probe-dir "$TMP/probes"
check "tracefs is not mounted: how to mount it" expect_exit 1 -- expect_no_out -- \
	expect_err tracefs -- expect_err 'mount -t tracefs'

if [ -d /sys/kernel/security ]; then
	echo 'none integrity [confidentiality]' >"$TMP/lockdown"
	lacking "if [ ! -e /sys/kernel/security/lockdown ]; then
			mount -t tmpfs tmpfs /sys/kernel/security
			: >/sys/kernel/security/lockdown
		fi
		mount --bind '$TMP/lockdown' /sys/kernel/security/lockdown" -D 0.1
	check "lockdown in confidentiality mode" expect_exit 1 -- expect_no_out -- \
		expect_err lockdown -- expect_err confidentiality
else
	skip "lockdown in confidentiality mode" "no /sys/kernel/security"
fi

# --- the libraries

LIBBCC=$(ldconfig -p 2>/dev/null | sed -n 's/.*libbcc\.so\.0 .*=> //p' | head -n 1)
if [ -n "$LIBBCC" ]; then
	lacking "mount --bind /dev/null '$LIBBCC'" -D 0.1
	check "libbcc is missing: what to install" expect_exit 1 -- expect_no_out -- \
		expect_err libbcc -- expect_err install
else
	skip "libbcc is missing: what to install" "its place is not known to ldconfig"
fi
