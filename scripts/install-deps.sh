#!/bin/sh
# SPDX-License-Identifier: MIT
#
# install-deps.sh [--build] [--run] [--test] [--bench] [--lint] [--print]
#
# Installs, of the packages needed to build, run, test, measure or lint, those that
# are missing, on Debian, Ubuntu, Fedora and what is derived from them.  Without an
# option: to build and run.  --test and --bench include both.  --print says what it
# would do, and does nothing.  Of what --bench compares with, what cannot be had is
# left out.
#
# It is silent, and quick, when nothing is missing.  It asks no questions, and
# needs only a shell and the distribution's package manager.

set -eu

self=${0##*/}

say()
{
	printf '%s: %s\n' "$self" "$*" >&2
}

die()
{
	say "$@"
	exit 1
}

usage()
{
	sed -n 's/^# \{0,1\}//; 4,13p' "$0"
}

# In the lists below "a|b" is satisfied by either, and installed as a.
# libbpfcc is named besides its -dev package because it is loaded at run time only.
debian_build='gcc libc6-dev make pkg-config|pkgconf libbpfcc-dev libbpf-dev libelf-dev
	libarchive-dev libcap-dev libpcap-dev libreadline-dev'
debian_run='libbpfcc kmod'
debian_test='bash bpftrace busybox-static clang cpio debian-archive-keyring ethtool
	gcc-aarch64-linux-gnu git iproute2 libclang-rt-dev|libclang-rt-14-dev mandoc|man-db nftables
	procps python3 qemu-system-arm qemu-system-x86 tcpdump tmux util-linux xz-utils zstd'
debian_bench='bpftool bpftrace iproute2 linux-headers-amd64 linux-perf python3 python3-bpfcc
	tcpdump trace-cmd util-linux'
debian_lint='clang-format clang-tidy cppcheck shellcheck valgrind'

fedora_build='gcc glibc-devel make pkgconf-pkg-config bcc-devel libbpf-devel
	elfutils-libelf-devel libarchive-devel libcap-devel libpcap-devel readline-devel'
fedora_run='bcc kmod'
fedora_test='bash bpftrace busybox clang compiler-rt cpio debian-keyring apt dpkg ethtool git
	iproute libasan libubsan mandoc|man-db nftables procps-ng python3 qemu-system-x86-core tcpdump tmux
	util-linux xz zstd'
fedora_bench='bpftool bpftrace iproute kernel-devel perf python3 python3-bcc tcpdump trace-cmd
	util-linux'
fedora_lint='clang-tools-extra cppcheck ShellCheck valgrind'

# Prints debian, fedora, or nothing.
family()
{
	ID='' ID_LIKE=''
	# shellcheck disable=SC1091  # another machine's file
	[ ! -r /etc/os-release ] || . /etc/os-release
	for id in $ID $ID_LIKE; do
		case $id in
		debian | ubuntu) echo debian; return ;;
		fedora) echo fedora; return ;;
		esac
	done
}

# installed PACKAGE...: prints those that are, one a line.
installed()
{
	if [ "$family" = debian ]; then
		# shellcheck disable=SC2016  # dpkg-query expands these
		dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
			sed -n 's/^installed //p'
	else
		for p; do
			if rpm -q --whatprovides "$p" >/dev/null 2>&1; then
				echo "$p"
			fi
		done
	fi
}

# missing ITEM...: prints what has to be installed for them, on one line.
missing()
{
	# shellcheck disable=SC2046  # split into words
	have=" $(installed $(echo "$@" | tr '|' ' ') | tr '\n' ' ')"
	for item; do
		found=''
		for p in $(echo "$item" | tr '|' ' '); do
			case $have in *" $p "*) found=1 ;; esac
		done
		[ -n "$found" ] || printf '%s ' "${item%%|*}"
	done
}

install_command()
{
	if [ "$family" = debian ]; then
		echo "apt-get install -y --no-install-recommends"
	else
		echo "dnf install -y --setopt=install_weak_deps=False"
	fi
}

updated=''

install()
{
	if [ "$family" = debian ]; then
		export DEBIAN_FRONTEND=noninteractive
		wait_lock=DPkg::Lock::Timeout=300
		if [ -z "$updated" ]; then
			apt-get -qq -o "$wait_lock" update >&2 ||
				say "apt-get update failed; trying with what is known"
			updated=1
		fi
		apt-get install -y -qq --no-install-recommends \
			-o "$wait_lock" -o Dpkg::Use-Pty=0 "$@" >&2
	else
		dnf install -y -q --setopt=install_weak_deps=False "$@" >&2
	fi
}

# Kernel headers are a last resort: only where the kernel does not describe its
# types itself, and never a reason to fail.
want_headers()
{
	release=$(uname -r)
	[ ! -e /sys/kernel/btf/vmlinux ] && [ ! -e /sys/kernel/kheaders.tar.xz ] &&
		[ ! -e "/lib/modules/$release/build/Makefile" ]
}

headers_package()
{
	if [ "$family" = debian ]; then
		echo "linux-headers-$(uname -r)"
	else
		echo "kernel-devel-$(uname -r)"
	fi
}

build='' run='' test='' bench='' lint='' print=''
while [ $# -gt 0 ]; do
	case $1 in
	--build) build=1 ;;
	--run) run=1 ;;
	--test) test=1 build=1 run=1 ;;
	--bench) bench=1 build=1 run=1 ;;
	--lint) lint=1 ;;
	--print) print=1 ;;
	-h | --help) usage; exit 0 ;;
	*) die "unknown argument '$1' (--build, --run, --test, --bench, --lint, --print)" ;;
	esac
	shift
done
[ -n "$build$run$lint" ] || build=1 run=1

family=$(family)
if [ "$family" = fedora ]; then
	b=$fedora_build r=$fedora_run t=$fedora_test l=$fedora_lint m=$fedora_bench
else
	b=$debian_build r=$debian_run t=$debian_test l=$debian_lint m=$debian_bench
fi
# shellcheck disable=SC2086  # split into words
set -- ${build:+$b} ${run:+$r} ${test:+$t} ${lint:+$l}
[ -n "$family" ] ||
	die "unknown distribution; install what Debian calls: $*${bench:+ $m}" \
		"(and set LNK_NO_INSTALL=1)"

# shellcheck disable=SC2046  # split into words
set -- $(missing "$@")
extra=''
if [ -n "$bench" ]; then
	# shellcheck disable=SC2086
	extra=$(missing $m)
fi
headers=''
if [ -n "$run" ] && want_headers; then
	headers=$(headers_package)
fi

if [ -n "$print" ]; then
	[ -z "$*$extra$headers" ] ||
		echo "$(install_command) $*${extra:+ $extra}${headers:+ $headers}"
	exit 0
fi
if [ $# -gt 0 ]; then
	[ "$(id -u)" -eq 0 ] || die "must be root to install: $*"
	say "installing $*"
	install "$@" || die "could not install all of: $*"
	# shellcheck disable=SC2046
	set -- $(missing "$@")
	[ $# -eq 0 ] || die "still missing: $*"
fi
for p in $extra; do
	if [ "$(id -u)" -ne 0 ] || ! install "$p"; then
		say "$p cannot be installed; the benchmark leaves out what needs it"
	fi
done
if [ -n "$headers" ]; then
	# Not every start has to ask the mirror again for what it does not have.
	if ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1; then
		updated=1
	fi
	if [ "$(id -u)" -ne 0 ] || ! install "$headers" 2>/dev/null; then
		say "the kernel has no BTF, and $headers cannot be installed;" \
			"tracing needs one of the two"
	fi
fi
