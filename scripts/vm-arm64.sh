# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The arm64 part of vm.sh, which sources it: a root file system for a VM whose processor
# cannot run this machine's programs.
#
# It is Debian's packages, unpacked and not installed: no script of theirs runs.  Here it is
# what a cross compiler takes for its --sysroot, there what / is.

# shellcheck disable=SC2154  # of vm.sh
readonly arm64_root=$cache/arm64-root
readonly arm64_root_format=1
# To run the program, to compile it against, and to look at what it shows.
readonly arm64_packages=(base-files bash binutils coreutils dash diffutils ethtool findutils grep
	iproute2 kmod libbpfcc libbpfcc-dev libbpf-dev libcap-dev libpcap-dev
	libreadline-dev libc6-dev libelf-dev libarchive-dev mawk mount nftables procps
	python3 sed tcpdump util-linux busybox-static)

is_arm64()
{
	[[ $1 == *-arm64 ]]
}

# What the packages hold is written for /: seen from elsewhere, a link to /usr would lead out
# of the tree.
make_links_relative()
{
	local link target up
	while IFS= read -r link; do
		target=$(readlink "$1/$link")
		up=$(sed 's|[^/]*/|../|g; s|[^/]*$||' <<<"$link")
		ln -sfn "$up${target#/}" "$1/$link"
	done < <(cd "$1" && find . -type l -lname '/*' -printf '%P\n')
}

has_arm64_root()
{
	[[ -f $arm64_root/format && $(<"$arm64_root/format") == "$arm64_root_format" ]]
}

# Fill CACHE/arm64-root; the caller holds the lock.
fetch_arm64_root()
{
	local dir deb name apt_conf
	! has_arm64_root || return 0
	say "fetching an arm64 root file system from Debian bookworm"
	dir=$(mktemp -d "$cache/new.XXXXXX")
	chmod 755 "$dir"
	make_apt_root "$dir/apt" bookworm arm64
	apt_conf=$dir/apt/apt.conf
	apt-get -c "$apt_conf" -qq update >&2 || die "apt-get update failed for Debian bookworm"
	apt-get -c "$apt_conf" -qq -y --no-install-recommends --download-only \
		install "${arm64_packages[@]}" >&2 || die "the packages of arm64 could not be downloaded"
	for name in bin sbin lib; do
		mkdir -p "$dir/root/usr/$name"
		ln -s "usr/$name" "$dir/root/$name"
	done
	for deb in "$dir"/apt/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$dir/root"
	done
	make_links_relative "$dir/root"
	# tcpdump changes to the user of its name
	printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/:/bin/false \
		tcpdump:x:100:100:tcpdump:/:/bin/false >"$dir/root/etc/passwd"
	printf '%s\n' root:x:0: tcpdump:x:100: nogroup:x:65534: >"$dir/root/etc/group"
	ln -sf mawk "$dir/root/usr/bin/awk"
	rm -rf "$dir/apt"
	echo "$arm64_root_format" >"$dir/format"
	rm -rf "$arm64_root"
	mv "$dir" "$arm64_root"
}
