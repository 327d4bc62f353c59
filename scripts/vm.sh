#!/bin/bash
# SPDX-License-Identifier: MIT
#
# vm.sh: run a command under another Linux kernel.
#
# Theory of operation.  A Debian kernel and its headers are fetched with apt into
# a cache (nothing is installed) and booted in QEMU.  The machine's root file
# system is exported to the VM over 9p, read-only; an overlay on tmpfs makes it
# writable there and forgets everything afterwards.  So the command finds every
# tool of the host, and only the kernel, its modules and its headers differ.
#
#   host                                     VM
#   /                  --9p, ro-->           lower layer of /
#   CACHE/KERNEL       --9p, ro-->           /lib/modules, /usr/src, /boot
#   RUN/out            <--9p, rw--           stdout, stderr, status
#   RUN/initrd         --memory-->           busybox, modules, /init, /job
#
# The VM's command writes into pipes which the VM empties into two files of RUN/out;
# a tail on this side copies them out while they grow.  A write over 9p returns
# when the host has the bytes, so nothing is in flight when the VM resets itself.
#
# For arm64 the root file system is one of Debian's packages (vm-arm64.sh), with nothing
# of this machine's but the current directory.
#
# Limits.  This machine must be x86-64.  Stdin is /dev/null.  What the host changes during the run
# may or may not be seen by the VM (it caches).  stdout and stderr are each in
# order, but not relative to each other.

set -euo pipefail

readonly self=${0##*/}
readonly kernels=(5.10 6.1 6.12 5.10-rt 6.1-rt 6.12-rt testing 6.1-arm64 6.12-arm64)
readonly cache=${LNK_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/linux_net_kernel-vm}
# Raise it when what fetch_kernel() leaves in the cache changes.
readonly cache_format=2

# shellcheck source=scripts/vm-arm64.sh
. "$(dirname "${BASH_SOURCE[0]}")/vm-arm64.sh"

usage()
{
	cat <<EOF
Usage: $self KERNEL [OPTIONS] -- COMMAND [ARG...]
       $self --fetch KERNEL...
       $self --list
       $self --arm64-root

Run COMMAND as root under a Debian kernel, in a virtual machine that sees this
machine's files (its changes to them are thrown away), in the current directory.
Standard output, standard error and the exit status are COMMAND's own; standard
input is empty.

KERNEL is one of: ${kernels[*]}
(testing is what Debian's next release has today; an arm64 one is emulated, and finds an
arm64 root file system with this machine's current directory in it, to which a program
for it can be cross-built.)

  --no-btf             nothing in /sys/kernel/btf
  --no-headers         no kernel headers: no /lib/modules/V/build, no source
  --net MODEL          e1000 or virtio: two cards of that model, eth0 and eth1,
                       joined to each other by a cable and to nothing else; move
                       one into a network namespace and TCP between them passes
                       through real NAPI drivers.  none (default): only lo.
                       There is never a way out of the VM
  --cpus N[,MAX]       processors (default 1), and how many there could be: the kernel
                       takes the rest for possible, and they never come.  With more than one, and no KVM, the
                       kernel may crash (seldom) when it patches its own code, as
                       it does for every probe: QEMU translates instructions while
                       another processor rewrites them.  LNK_VM_ACCEL=tcg,thread=single
                       is safe and slow
  --mem MB             memory (default 1024)
  --la57               five levels of page tables (not 5.10).  The kernel is then entered
                       where firmware would, for only there it turns them on: seconds
                       later, and with its addresses at random (--append nokaslr: without)
  --timeout SECONDS    end the VM after that long (default 600)
  --append "WORDS"     more words for the kernel command line
  --fetch              only fill the cache with these kernels
  --list               the kernels, and what the cache holds of them
  --arm64-root         where the arm64 root file system is, for a compiler's --sysroot;
                       fetched if it has to be
  -h, --help           this text

Exit status: COMMAND's own (128 + N if signal N killed it, 127 if not found);
124 if the time was up; 125 if the VM died or could not be started.

The cache is $cache
(LNK_VM_CACHE names another).  A kernel stays as it was fetched; to renew it, remove
its directory there.  Packages come from the Debian mirror that apt is configured
with; where that is not a Debian one, LNK_VM_MIRROR and LNK_VM_MIRROR_SECURITY
name it.  LNK_VM_ACCEL forces QEMU's accelerator (kvm, tcg).
EOF
}

say()
{
	printf '%s: %s\n' "$self" "$*" >&2
}

die()
{
	say "$@"
	exit 125
}

# need PACKAGE COMMAND...: all commands must exist, else name the package.
need()
{
	local package=$1 command
	shift
	for command; do
		PATH=$PATH:/usr/sbin:/sbin type -P "$command" >/dev/null ||
			die "$command is missing; install the package $package"
	done
}

is_kernel()
{
	local k
	for k in "${kernels[@]}"; do
		[[ $k == "$1" ]] && return 0
	done
	return 1
}

check_kernel()
{
	is_kernel "$1" || die "unknown kernel '$1' (one of: ${kernels[*]})"
}

# --- the cache -----------------------------------------------------------

# is_cached KERNEL [FILE]: a kernel's directory appears there complete, by a rename.  Those
# that older versions of this script have fetched have no bzImage.
is_cached()
{
	[[ -f $cache/$1/format && $(<"$cache/$1/format") == "$cache_format" && -f $cache/$1/${2:-kernel} ]] &&
		{ ! is_arm64 "$1" || has_arm64_root; }
}

# Print "RELEASE URI" for what apt is configured with: first what its lists say is
# Debian, then whatever has a component main (the lists may not be fetched yet).
apt_sources()
{
	# shellcheck disable=SC2016  # apt expands these
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' 'Component: main'
	apt-get update --print-uris 2>/dev/null |
		sed -n "s|^'\(.*/\)dists/\([^/]*\)/main/binary-[^/]*/Packages.*|\2 \1|p"
}

# Print "URI SECURITY-URI" of the Debian mirror that apt is configured with.
# The second may be empty.
find_mirror()
{
	local main=${LNK_VM_MIRROR:-} security=${LNK_VM_MIRROR_SECURITY:-} release uri
	local names='bullseye|bookworm|trixie|forky|duke|sid|(old)*stable|testing|unstable'

	while [[ -z ${LNK_VM_MIRROR:-} ]] && read -r release uri; do
		if [[ $release =~ ^($names)$ ]]; then
			main=${main:-$uri}
		elif [[ $release =~ ^($names)-security$ ]]; then
			security=${security:-$uri}
		fi
	done < <(apt_sources)
	[[ -n $main ]] ||
		die "apt is configured with no Debian mirror; name one in LNK_VM_MIRROR"
	printf '%s %s\n' "$main" "$security"
}

# make_apt_root DIR SUITE ARCHITECTURE: an apt world of its own, which knows one release
# and its security updates, and nothing of what is installed here.
make_apt_root()
{
	local dir=$1 suite=$2 arch=$3 keyring main security
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[[ -r $keyring ]] || die "$keyring is missing; install the package debian-archive-keyring"
	read -r main security < <(find_mirror) || exit 125

	mkdir -p "$dir"/{empty,state/lists/partial,cache/archives/partial}
	: >"$dir/status"
	{
		echo "deb [arch=$arch signed-by=$keyring] $main $suite main"
		[[ -z $security ]] ||
			echo "deb [arch=$arch signed-by=$keyring] $security $suite-security main"
	} >"$dir/sources.list"
	# The user _apt cannot write into somebody's home, hence no sandbox user.
	cat >"$dir/apt.conf" <<-EOF
		Dir::State "$dir/state";
		Dir::State::lists "$dir/state/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir/cache";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "$dir/empty";
		Dir::Etc::preferences "$dir/no-preferences";
		Dir::Etc::preferencesparts "$dir/empty";
		APT::Architecture "$arch";
		#clear APT::Architectures;
		#clear APT::Default-Release;
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		APT::Update::Error-Mode "any";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
	EOF
}

# depends PACKAGE=VERSION PATTERN: its first dependency that matches, by name.
depends()
{
	apt-cache -c "$apt_conf" show "$1" 2>/dev/null |
		sed -n 's/^Depends: //p' | tr ',|' '\n' |
		sed 's/^ *//; s/[ (:].*//' | grep -m1 -xE "$2"
}

# download KERNEL DIR: the packages that the meta package leads to, into DIR; of the
# newest version that the mirror really has (an old release's security updates are
# sometimes listed still when they are gone already).  Sets `release`.
download()
{
	local kernel=$1 dir=$2 flavour=amd64 series version image common kbuild package packages
	[[ $kernel == *-rt ]] && flavour=rt-amd64
	! is_arm64 "$kernel" || flavour=arm64
	series=${kernel%-*}
	[[ $kernel != testing ]] || series='[0-9]+'
	while read -r version; do
		image=$(depends "linux-image-$flavour=$version" "linux-image-${series}[.].*") || continue
		release=${image#linux-image-}
		# Since 7.0 it is a package of packages.
		packages=("$image")
		for package in binary modules base; do
			if depends "$image=$version" "linux-$package-.*" >/dev/null; then
				packages+=("linux-$package-$release")
			fi
		done
		common=$(depends "linux-headers-$release=$version" 'linux-headers-.*-common(-rt)?') || continue
		kbuild=$(depends "linux-headers-$release=$version" 'linux-kbuild-.*') || continue
		packages+=("linux-headers-$release" "$common" "$kbuild")
		if (cd "$dir" && apt-get -c "$apt_conf" -qq download "${packages[@]/%/=$version}") >&2; then
			return 0
		fi
		say "Linux $version cannot be had; trying an older one"
		rm -f "$dir"/*.deb
	done < <(apt-cache -c "$apt_conf" show "linux-image-$flavour" | sed -n 's/^Version: //p')
	die "no linux-image-$flavour and headers of Linux $series could be downloaded"
}

# Modules without which the root file system cannot be mounted.  They are stored
# uncompressed and in the order of their dependencies: busybox insmod takes them so.
make_initramfs()
{
	local dir=$1 busybox=$2 root=$1/initramfs n=10 module kind path
	mkdir -p "$root"/{bin,modules,proc,sys,dev,host,kernel,rw,new}
	cp "$busybox" "$root/bin/busybox"
	for module in virtio_pci 9p 9pnet_virtio overlay; do
		while read -r kind path _; do
			[[ $kind == insmod ]] || continue
			module=${path##*/}
			module=${module%%.ko*}
			compgen -G "$root/modules/*-$module.ko" >/dev/null && continue
			case $path in
			*.xz) xz -dc "$path" ;;
			*.zst) zstd -qdc "$path" ;;
			*) cat "$path" ;;
			esac >"$root/modules/$n-$module.ko"
			n=$((n + 1))
		done < <(modprobe -C /dev/null -d "$dir/image" -S "$release" --show-depends "$module")
	done
	(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$dir/initramfs.cpio"
	rm -r "$root"
}

# QEMU can enter an unpacked kernel (over its PVH note), and the host unpacks it
# ten times faster than an emulated processor would: seconds of every boot.
# Where the kernel lies in a bzImage: Documentation/arch/x86/boot.rst.
unpack_kernel()
{
	local from=$1 to=$2 sectors offset size unpack
	read -r sectors < <(od -An -tu1 -j 497 -N 1 "$from")
	read -r offset size < <(od -An -tu4 -j 584 -N 8 "$from")
	offset=$(((sectors + 1) * 512 + offset))
	for unpack in xz zstd; do
		# The last four bytes are the unpacked size.
		if type -P "$unpack" >/dev/null &&
			dd if="$from" iflag=skip_bytes,count_bytes skip="$offset" \
				count="$((size - 4))" status=none | "$unpack" -dc >"$to" 2>/dev/null; then
			return 0
		fi
	done
	return 1
}

# What fetching takes, and the cache's lock in `lock`: one fetches at a time.
open_cache()
{
	PATH=$PATH:/usr/sbin:/sbin
	need apt apt-get apt-cache
	need dpkg dpkg dpkg-query
	need kmod modprobe depmod
	need busybox-static busybox
	need cpio cpio
	need util-linux flock
	need xz-utils xz

	mkdir -p "$cache"
	exec {lock}>"$cache/lock"
	flock -n "$lock" || { say "waiting for another fetch"; flock "$lock"; }
	rm -rf "$cache"/new.* # what a fetch that failed has left
}

# fetch_kernel KERNEL [FILE]: unless it is there meanwhile, fill CACHE/KERNEL:
#   format, release, packages   text
#   kernel, initramfs.cpio      to boot from
#   bzImage                     the kernel as it was packed
#   image/lib/modules/V         modules;  image/boot: config and System.map
#   headers/lib/modules/V       the links build and source
#   headers/usr/src, headers/usr/lib/linux-kbuild-N
fetch_kernel()
{
	local kernel=$1 suite dir deb file apt_conf arch=amd64 busybox release=''
	case $kernel in
	5.10*) suite=bullseye ;;
	6.12*) suite=trixie ;;
	6.1*) suite=bookworm ;;
	testing) suite=forky ;;
	esac
	open_cache
	if is_cached "$@"; then # meanwhile
		exec {lock}>&-
		return
	fi

	if is_arm64 "$kernel"; then
		fetch_arm64_root
		arch=arm64 busybox=$arm64_root/root/bin/busybox
	else
		busybox=$(type -P busybox)
	fi
	say "fetching Linux $kernel from Debian $suite"
	dir=$(mktemp -d "$cache/new.XXXXXX")
	chmod 755 "$dir"
	make_apt_root "$dir/apt" "$suite" "$arch"
	apt_conf=$dir/apt/apt.conf
	apt-get -c "$apt_conf" -qq update >&2 || die "apt-get update failed for Debian $suite"
	mkdir "$dir/debs" "$dir/image" "$dir/headers"
	download "$kernel" "$dir/debs"

	for deb in "$dir"/debs/*.deb; do
		case ${deb##*/} in
		linux-image-* | linux-binary-* | linux-modules-* | linux-base-*) dpkg -x "$deb" "$dir/image" ;;
		*) dpkg -x "$deb" "$dir/headers" ;;
		esac
		# shellcheck disable=SC2016  # dpkg expands these
		dpkg-deb -W --showformat='${Package} ${Version}\n' "$deb"
	done >"$dir/packages"
	# Some releases have /lib/modules, others /usr/lib/modules.
	for deb in "$dir/image" "$dir/headers"; do
		mkdir -p "$deb/lib"
		[[ ! -d $deb/usr/lib/modules ]] || mv "$deb/usr/lib/modules" "$deb/lib/modules"
	done
	# ... and what others have in /boot.
	if [[ -e $dir/image/lib/modules/$release/vmlinuz ]]; then
		mkdir -p "$dir/image/boot"
		for file in vmlinuz config System.map; do
			mv "$dir/image/lib/modules/$release/$file" "$dir/image/boot/$file-$release"
		done
	fi
	depmod -b "$dir/image" "$release"
	make_initramfs "$dir" "$busybox"
	mv "$dir/image/boot/vmlinuz-$release" "$dir/bzImage"
	if ! grep -qx CONFIG_PVH=y "$dir/image/boot/config-$release" ||
		! unpack_kernel "$dir/bzImage" "$dir/kernel"; then
		cp "$dir/bzImage" "$dir/kernel"
	fi
	echo "$release" >"$dir/release"
	rm -rf "$dir/apt" "$dir/debs" "$dir/image/usr"
	echo "$cache_format" >"$dir/format"
	rm -rf "${cache:?}/$kernel"
	mv "$dir" "$cache/$kernel"
	exec {lock}>&-
}

has_la57()
{
	grep -qxE 'CONFIG_X86_5LEVEL=y|CONFIG_PGTABLE_LEVELS=5' "$cache/$1/image/boot"/config-*
}

list()
{
	local k
	for k in "${kernels[@]}"; do
		if is_cached "$k"; then
			printf '%-10s %s (%s)\n' "$k" "$(<"$cache/$k/release")" \
				"$(sed -n 's/^linux-image-[^ ]* //p' "$cache/$k/packages")"
		else
			printf '%-10s not fetched\n' "$k"
		fi
	done
}

# --- inside the VM -------------------------------------------------------

# /init of the VM, for busybox sh.  It reads /job/conf, and ends in /run/vm/main
# after the change of root; both are process 1.
print_init()
{
	cat <<'INIT'
#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
fail() { echo "vm: $*" >/dev/console; echo b >/proc/sysrq-trigger; }
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
. /job/conf
for m in /modules/*; do insmod "$m" || fail "cannot load $m"; done

o=trans=virtio,version=9p2000.L,msize=524288
mount -t 9p -o ro,cache=loose,$o host /host || fail "no root file system"
mount -t 9p -o ro,cache=loose,$o kernel /kernel || fail "no kernel directory"
mount -t tmpfs tmpfs /rw
mkdir /rw/upper /rw/work /rw/mod-upper /rw/mod-work
mount -t overlay -o lowerdir=/host,upperdir=/rw/upper,workdir=/rw/work overlay /new ||
	fail "no overlay"
if [ -n "$here" ]; then
	mkdir -p /here /rw/here-upper /rw/here-work "/new$here"
	mount -t 9p -o ro,cache=loose,$o here /here || fail "no current directory"
	mount -t overlay -o lowerdir=/here,upperdir=/rw/here-upper,workdir=/rw/here-work \
		overlay "/new$here" || fail "no overlay"
fi

# Only this kernel's modules and headers are to be seen, never the host's.
layers=/kernel/image/lib/modules
[ "$headers" = 0 ] || layers=/kernel/headers/lib/modules:$layers
mkdir -p /new/lib/modules /new/usr/src /new/boot
mount -t overlay -o lowerdir=$layers,upperdir=/rw/mod-upper,workdir=/rw/mod-work \
	overlay /new/lib/modules || fail "no modules"
mount --bind /kernel/image/boot /new/boot
if [ "$headers" = 1 ]; then
	mount --bind /kernel/headers/usr/src /new/usr/src
	for d in /kernel/headers/usr/lib/linux-kbuild-*; do
		mkdir -p "/new/usr/lib/${d##*/}"
		mount --bind "$d" "/new/usr/lib/${d##*/}"
	done
else
	mount -t tmpfs tmpfs /new/usr/src
fi

mount --move /proc /new/proc
mount --move /sys /new/sys
mount --move /dev /new/dev
cd /new
mkdir -p dev/pts dev/shm
mount -t devpts -o mode=620,ptmxmode=666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf bpf sys/fs/bpf
mount -t debugfs debugfs sys/kernel/debug
mount -t tracefs tracefs sys/kernel/tracing
if [ "$btf" = 0 ] && [ -d sys/kernel/btf ]; then
	mkdir /rw/no-btf
	mount --bind /rw/no-btf sys/kernel/btf
fi
ln -sf /proc/self/fd dev/fd
ln -sf /proc/self/fd/0 dev/stdin
ln -sf /proc/self/fd/1 dev/stdout
ln -sf /proc/self/fd/2 dev/stderr

mkdir -p run/vm/out run/lock
mount -t 9p -o rw,cache=none,$o out run/vm/out || fail "no output directory"
cp /bin/busybox /job/* run/vm/
exec switch_root /new /run/vm/busybox sh /run/vm/main
INIT
}

# /run/vm/main of the VM.  The command's ends of the pipes are closed by whoever
# holds them; what is left behind is killed, so that the pipes do end.
print_main()
{
	cat <<'MAIN'
cd /run/vm
. ./conf
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
./busybox hostname "$hostname"
./busybox ip link set lo up
[ "$driver" = none ] || modprobe "$driver"

./busybox mkfifo stdout stderr
echo >out/started
./busybox cat stdout >>out/stdout &
out=$!
./busybox cat stderr >>out/stderr &
err=$!
# The shell in between takes the pipes: this one might write "Killed" into them.
./busybox setsid ./busybox sh -c 'exec ./busybox env -i "PATH=$PATH" HOME=/root USER=root \
	LOGNAME=root SHELL=/bin/sh TERM=dumb /bin/sh ./command </dev/null >stdout 2>stderr'
status=$?
{
	read -r me _ </proc/self/stat
	./busybox sleep 1
	for p in /proc/[0-9]*; do
		case " 1 $me $out $err " in
		*" ${p#/proc/} "*) ;;
		*) kill -9 "${p#/proc/}" ;;
		esac
	done
} 2>/dev/null &
wait "$out" "$err"
echo "$status" >out/status
echo b >/proc/sysrq-trigger
MAIN
}

# quote WORD...: as a POSIX shell reads them back.
quote()
{
	local word
	for word; do
		printf "'%s' " "${word//\'/\'\\\'\'}"
	done
}

# --- running it ----------------------------------------------------------

# A processor that can virtualise is asked for besides /dev/kvm: there are machines
# whose /dev/kvm takes no ordinary kernel.
accelerator()
{
	if [[ -n ${LNK_VM_ACCEL:-} ]]; then
		echo "$LNK_VM_ACCEL"
	elif [[ -r /dev/kvm && -w /dev/kvm ]] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
		echo kvm
	else
		echo tcg
	fi
}

# Emulated, AVX is slower than what it takes the place of: a compile takes 10 % longer with it.
# Five levels of page tables: QEMU says so where it has none.
processor()
{
	local five=''
	((!$2)) || five=,+la57,enforce
	case $1 in
	tcg*) echo "Nehalem$five" ;;
	*) echo "max$five" ;;
	esac
}

run_dir='' qemu=''

# shellcheck disable=SC2317  # called by the trap
cleanup()
{
	local status=$?
	trap '' HUP INT TERM
	if [[ -n $qemu ]]; then
		kill "$qemu" 2>/dev/null || :
		wait "$qemu" 2>/dev/null || :
	fi
	[[ -z $run_dir ]] || rm -rf "$run_dir"
	exit "$status"
}

# show_console: the end of what the kernel and QEMU said, for a VM that died.
show_console()
{
	say "the end of its console:"
	tail -n 60 "$run_dir/console" "$run_dir/qemu.log" 2>/dev/null | tr -d '\r' | sed 's/^/  | /' >&2
}

# prepare_run: what the VM of this run boots from, and finds its command in.
prepare_run()
{
	local kernel=$1 btf=$2 headers=$3 driver=$4 here='' tree=$run_dir/tree
	shift 4
	mkdir -p "$tree/job"
	print_init >"$tree/init"
	chmod 755 "$tree/init"
	print_main >"$tree/job/main"
	! is_arm64 "$kernel" || here=$(quote "$PWD")
	printf '%s\n' "btf=$btf" "headers=$headers" "driver=$driver" "hostname=vm-$kernel" \
		"here=$here" \
		>"$tree/job/conf"
	printf '%s\n' "cd $(quote "$PWD")|| exit 125" "exec $(quote "$@")" >"$tree/job/command"
	# The kernel unpacks archives that follow one another into one tree.
	cp "$cache/$kernel/initramfs.cpio" "$run_dir/initrd"
	(cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet) >>"$run_dir/initrd"
}

# boot LIMIT QEMU ARGUMENT...: one life of the VM, its output copied to ours.
# Returns what QEMU or timeout returned.
boot()
{
	local limit=$1 out err status=0
	shift
	rm -rf "$run_dir/out"
	mkdir "$run_dir/out"
	: >"$run_dir/out/stdout"
	: >"$run_dir/out/stderr"
	# Both setprivs see to it that QEMU ends even if this script is killed outright.
	setpriv --pdeathsig TERM timeout --kill-after 5 "$limit" setpriv --pdeathsig KILL \
		"$@" </dev/null >"$run_dir/qemu.log" 2>&1 &
	qemu=$!
	tail -s 0.1 -c +1 -f --pid="$qemu" "$run_dir/out/stdout" &
	out=$!
	tail -s 0.1 -c +1 -f --pid="$qemu" "$run_dir/out/stderr" >&2 &
	err=$!

	wait -n "$qemu" "$out" "$err" || :
	# Did a tail end first?  Then nobody reads our output any more.
	if kill -0 "$qemu" 2>/dev/null && [[ ! -s $run_dir/out/status ]]; then
		exit 141
	fi
	wait "$qemu" || status=$?
	qemu=''
	wait "$out" "$err" || :
	return "$status"
}

run_vm()
{
	local kernel=$1 btf=$2 headers=$3 net=$4 cpus=$5 mem=$6 limit=$7 append=$8 la57=$9
	shift 9
	local k=$cache/$kernel image=kernel root=/ console=ttyS0 model=$net driver=none machine=()
	local args=() share attempt status accel

	[[ $PWD != *$'\n'* && $PWD != /proc/* && $PWD != /sys/* && $PWD != /dev/* && $PWD != /run/* ]] ||
		die "the VM cannot see the directory $PWD"
	trap cleanup EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	run_dir=$(mktemp -d "${TMPDIR:-/tmp}/lnk-vm.XXXXXX")

	((!la57)) || image=bzImage
	if is_arm64 "$kernel"; then
		root=$arm64_root/root console=ttyAMA0
		# A processor that signs no pointers: emulated, that takes time.
		machine=(qemu-system-aarch64 -machine virt -accel tcg -cpu cortex-a72)
	else
		accel=$(accelerator)
		machine=(qemu-system-x86_64 -machine pc -accel "$accel" -cpu "$(processor "$accel" "$la57")")
	fi
	share=security_model=none,multidevs=remap
	append="console=$console quiet panic=-1 nowatchdog mitigations=off no_timer_check audit=0 $append"
	args=("${machine[@]}" -no-user-config -nodefaults -display none -no-reboot
		-smp "${cpus/,/,maxcpus=}" -m "$mem"
		-kernel "$k/$image" -initrd "$run_dir/initrd" -append "$append"
		-serial "file:$run_dir/console"
		-fsdev "local,id=host,path=$root,readonly=on,$share"
		-fsdev "local,id=kernel,path=$k,readonly=on,$share"
		-fsdev "local,id=out,path=$run_dir/out,$share"
		# Functions of one device share an interrupt: one less thing to set up.
		-device "virtio-9p-pci,fsdev=host,mount_tag=host,addr=4.0,multifunction=on"
		-device "virtio-9p-pci,fsdev=kernel,mount_tag=kernel,addr=4.1"
		-device "virtio-9p-pci,fsdev=out,mount_tag=out,addr=4.2")
	! is_arm64 "$kernel" ||
		args+=(-fsdev "local,id=here,path=$PWD,readonly=on,$share"
			-device "virtio-9p-pci,fsdev=here,mount_tag=here,addr=4.3")
	case $net in
	e1000) driver=e1000 ;;
	virtio) driver=virtio_net model=virtio-net-pci ;;
	esac
	if [[ $net != none ]]; then
		args+=(-netdev "hubport,id=n0,hubid=0" -device "$model,netdev=n0,romfile="
			-netdev "hubport,id=n1,hubid=0" -device "$model,netdev=n1,romfile=")
	fi
	prepare_run "$kernel" "$btf" "$headers" "$driver" "$@"

	# A VM that died before the command was started may be started anew.
	for attempt in 1 2 3; do
		status=0
		boot "$limit" "${args[@]}" || status=$?
		if [[ -s $run_dir/out/status ]]; then
			exit "$(<"$run_dir/out/status")"
		elif ((status == 124 || status == 137)); then
			say "the VM ($kernel) was ended after $limit seconds"
			show_console
			exit 124
		elif [[ -e $run_dir/out/started ]] || ((attempt == 3)); then
			break
		elif [[ ! -s $run_dir/console ]]; then
			break # QEMU did not even start
		fi
		say "the VM ($kernel) died while booting; trying again"
	done
	say "the VM ($kernel) died, or did not start"
	show_console
	exit 125
}

number()
{
	[[ $2 =~ ^[1-9][0-9]{0,6}$ ]] || die "$1 wants a whole number above 0, not '$2'"
}

main()
{
	local kernel='' btf=1 headers=1 net=none cpus=1 mem=1024 limit=600 append='' la57=0

	while (($#)); do
		case $1 in
		--net | --cpus | --mem | --timeout | --append) (($# > 1)) || die "$1 wants a value" ;;
		esac
		case $1 in
		-h | --help) usage; exit 0 ;;
		--list) list; exit 0 ;;
		--arm64-root)
			has_arm64_root || { open_cache; fetch_arm64_root; }
			echo "$arm64_root/root"
			exit 0
			;;
		--fetch)
			shift
			(($#)) || die "--fetch wants kernels (${kernels[*]})"
			for kernel; do check_kernel "$kernel"; done
			for kernel; do is_cached "$kernel" || fetch_kernel "$kernel"; done
			exit 0
			;;
		--no-btf) btf=0 ;;
		--no-headers) headers=0 ;;
		--la57) la57=1 ;;
		--net)
			net=$2
			[[ $net == none || $net == e1000 || $net == virtio ]] ||
				die "--net takes e1000, virtio or none, not '$net'"
			shift
			;;
		--cpus)
			number "$1" "${2%,*}"
			number "$1" "${2#*,}"
			cpus=$2
			shift
			;;
		--mem) number "$1" "$2"; mem=$2; shift ;;
		--timeout) number "$1" "$2"; limit=$2; shift ;;
		--append) append=$2; shift ;;
		--) shift; break ;;
		-*) die "unknown option $1 (see $self --help)" ;;
		*)
			[[ -z $kernel ]] || die "what is '$1'? A command is set off by -- (see $self --help)"
			kernel=$1
			;;
		esac
		shift
	done
	[[ -n $kernel ]] || die "no kernel given (one of: ${kernels[*]}; see $self --help)"
	check_kernel "$kernel"
	(($#)) || die "no command given (see $self --help)"
	[[ $(uname -m) == x86_64 ]] || die "the VMs are x86-64; this machine is not"
	if is_arm64 "$kernel"; then
		need qemu-system-arm qemu-system-aarch64
	else
		need qemu-system-x86 qemu-system-x86_64
	fi
	need cpio cpio
	need util-linux setpriv
	is_cached "$kernel" || fetch_kernel "$kernel"
	if ((la57)); then
		! is_arm64 "$kernel" || die "--la57 is for kernels of x86-64"
		has_la57 "$kernel" || die "Linux $kernel has no five levels of page tables"
		is_cached "$kernel" bzImage || fetch_kernel "$kernel" bzImage
	fi
	run_vm "$kernel" "$btf" "$headers" "$net" "$cpus" "$mem" "$limit" "$append" "$la57" "$@"
}

main "$@"
