#!/bin/bash
# SPDX-License-Identifier: MIT
#
# truth.sh [--short | --full [--resume] [--write]]: is the table true? See
# tests/truth/__main__.py.
#
# --short (the default) looks at this kernel only. --full takes Debian's kernels in virtual
# machines as well, each with BTF and without headers (fentry) and with headers and without
# BTF (kprobes), and this kernel with Debian 13's libbcc; it takes about 50 minutes, and says
# how long each host took. --write puts the result into docs/truth.md.
# TRUTH_HOSTS="6.1 6.1-rt native ..." selects; what the others showed last time is kept in
# build/truth. --resume leaves out the hosts that came to their end there.
. "$(dirname "$0")/lib.sh"

FORM=--short WRITE='' RESUME=''
while [ $# -gt 0 ]; do
	case $1 in
	--short | --full) FORM=$1 ;;
	--write) WRITE=1 ;;
	--resume) RESUME=1 ;;
	*)
		echo "usage: truth.sh [--short | --full [--resume] [--write]]" >&2
		exit 2
		;;
	esac
	shift
done

OUT=$TOP/build/truth # each host's results, for the table

# What this kernel lets the program use decides which rows there are.
native_kind()
{
	"$1" --check --attach=fentry >"$TMP/check" 2>&1 </dev/null
	if grep -q 'fentry tcp_queue_rcv: compiled and verified' "$TMP/check"; then
		echo fentry
	elif [ -e /sys/bus/event_source/devices/kprobe/type ]; then
		echo kprobe
	else
		echo tracepoint
	fi
}

# host NAME FILE COMMAND...: runs a host's part into FILE.out and FILE.err and shows its
# result lines; the table stays in the file. Status 1 means that the run has said itself what
# was wrong.
host()
{
	local name=$1 file=$2 status=0 begun=$SECONDS

	shift 2
	if [ -n "$RESUME" ] && grep -q '^# took ' "$file.out" 2>/dev/null; then
		echo "# $name: done before ($(sed -n 's/^# took //p' "$file.out"))"
		return 0
	fi
	"$@" >"$file.out" 2>"$file.err" </dev/null || status=$?
	# a case that this kernel has no module for is looked at in the virtual machines
	grep -v -e '^row' -e '^# [0-9.]* s: ' "$file.out" | sed 's/^skip - \(.*no netem\)/# \1/'
	if [ "$status" -gt 1 ] || ! grep -q '^ok - .*rows are in the order of time' "$file.out"; then
		not_ok "$name: the run came to its end" "status $status"
		sed 's/^/    /' "$file.err" >&2
	else
		echo "# took $((SECONDS - begun)) s" >>"$file.out"
	fi
	echo "# $name: $((SECONDS - begun)) s"
}

native()
{
	local name

	name="$(uname -r | sed 's/^\([0-9]*\.[0-9]*\).*/\1/') (this host)"
	host native "$OUT/0-native" timeout -k 20 500 python3 -B "$TOP/tests/truth" --lnk "$LNK" \
		--kind "$(native_kind "$LNK")" --name "$name" --table --load
}

# vm KERNEL --no-headers|--no-btf KIND ARGS...
vm()
{
	local kernel=$1 without=$2 kind=$3 attach=() version=$1

	shift 3
	if [ "$kernel" = testing ]; then # by what it is today
		"$TOP/scripts/vm.sh" --fetch testing
		version=$("$TOP/scripts/vm.sh" --list | sed -n 's/^testing *\([0-9]*\.[0-9]*\).*/\1/p')
	fi
	# the others are what the program chooses by itself there
	[ "$kind" != tracepoint ] || attach=(--attach tracepoint)
	host "$kernel $without $kind" "$OUT/1-$kernel$without-$kind" \
		"$TOP/scripts/vm.sh" "$kernel" "$without" --timeout 1500 "$@" -- \
		python3 -B tests/truth --kind "$kind" --name "$version ${without#--}, $kind" --table -v \
		--paths lo,veth,nic,vlan,vlan-inband --load --load-bytes 800000 -- "${attach[@]}"
}

# The Debian mirror that apt is configured with.
mirror()
{
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
		grep -v security | head -n 1
}

# Debian 13 in a directory: its libbcc (0.31), its compiler, our sources.
debian13()
{
	local root=$OUT/debian13 packages

	if ! command -v debootstrap >/dev/null; then
		skip "libbcc 0.31" "needs debootstrap"
		return 0
	fi
	packages=gcc,libc6-dev,make,pkgconf,libbpfcc-dev,libbpf-dev,libelf-dev,libarchive-dev,libcap-dev,libpcap-dev,libreadline-dev
	packages=$packages,libbpfcc,python3,tcpdump,iproute2,ethtool,nftables,procps,mount,kmod
	if [ "$(cat "$root/complete" 2>/dev/null)" != "$packages" ]; then
		rm -rf --one-file-system "$root"
		if ! debootstrap --variant=minbase --include="$packages" trixie "$root" \
			"${TRUTH_MIRROR:-$(mirror)}" >"$TMP/debootstrap" 2>&1; then
			skip "libbcc 0.31" "debootstrap failed: $(tail -n 1 "$TMP/debootstrap")"
			return 0
		fi
		echo "$packages" >"$root/complete"
	fi
	rm -rf "$root/src"
	mkdir -p "$root/src"
	tar -C "$TOP" --exclude=./build --exclude=./.git --exclude=./linux_net_kernel -c . |
		tar -C "$root/src" -x
	cat >"$TMP/inside" <<'INSIDE'
cd /src && make -s >/dev/null || exit 2
mount -t sysfs sysfs /sys && mount -t proc proc /proc && mount -t devtmpfs dev /dev && mount -t tmpfs tmpfs /run &&
	mount -t tracefs tracefs /sys/kernel/tracing || exit 2
kind=tracepoint
./linux_net_kernel --check --attach=fentry 2>&1 |
	grep -q 'fentry tcp_queue_rcv: compiled and verified' && kind=fentry
exec python3 -B tests/truth --kind $kind --name "$NAME" --table --load
INSIDE
	# shellcheck disable=SC2016 # the inner shell expands them
	NAME="$(uname -r | sed 's/^\([0-9]*\.[0-9]*\).*/\1/') (this host), libbcc 0.31" \
		host "libbcc 0.31" "$OUT/2-libbcc" timeout -k 20 600 unshare -m \
		sh -c 'mount --bind "$1" "$1" && exec chroot "$1" sh -c "$2"' sh "$root" \
		"$(cat "$TMP/inside")"
}

write()
{
	{
		sed '/^<!-- the table -->$/q' "$TOP/docs/truth.md"
		echo
		python3 "$TOP/tests/truth/report.py" "$OUT"/*.out
		if [ -e "$TOP/tests/truth/soak.md" ]; then
			echo
			cat "$TOP/tests/truth/soak.md"
		fi
	} >"$TMP/truth.md" && cp "$TMP/truth.md" "$TOP/docs/truth.md"
}

need_root
need_binary
need_command tcpdump
need_command ip
need_command ethtool
need_command nft
need_command python3
cd "$TOP" || exit 1
mkdir -p "$OUT"

if [ "$FORM" = --short ]; then
	native
	exit 0
fi

wanted()
{
	case " ${TRUTH_HOSTS:-native libbcc 5.10 6.1 6.12 5.10-rt 6.1-rt 6.12-rt testing} " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

if wanted native; then native; fi
for kernel in 5.10 6.1 6.12 5.10-rt 6.1-rt 6.12-rt testing; do
	wanted "$kernel" || continue
	vm "$kernel" --no-headers fentry --net virtio
	vm "$kernel" --no-btf kprobe --net e1000
done
if wanted 6.1; then vm 6.1 --no-headers tracepoint --net e1000; fi
if wanted libbcc; then debian13; fi
if [ -n "$WRITE" ]; then write; fi
