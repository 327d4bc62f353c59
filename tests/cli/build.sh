#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Makefile, with a program of two files that says how it was built: what was changed since
# the last time is built again, and what is installed can be used.

# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
need_command make

# The one who runs this may have chosen some, on make's command line as well.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES V SAN FUZZ WERROR CPPFLAGS CFLAGS LDFLAGS PREFIX DESTDIR
CC=${CC:-gcc}
export CC
need_command "$CC"

TREE=$TMP/tree
mkdir -p "$TREE/src/bpf" "$TREE/scripts" "$TREE/probes" "$TREE/docs"
cp "$TOP/Makefile" "$TREE"
cp "$TOP/scripts/embed.sh" "$TREE/scripts"
cp "$TOP/src/bpf/embedded.h" "$TREE/src/bpf"
touch "$TREE/docs/linux_net_kernel.8" "$TREE/docs/linux_net_kernel_example.txt" \
	"$TREE/probes/README.md"
echo 'int one;' >"$TREE/probes/one.c"
echo 'int two;' >"$TREE/probes/two.c"
echo 'const char *data_dir(void); const char *data_dir(void) { return DATADIR; }' \
	>"$TREE/src/bpf/source.c"
cat >"$TREE/src/main.c" <<'C'
#include <stdio.h>
#include "bpf/embedded.h"
#ifndef WORD
#define WORD "none"
#endif
#ifndef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 0
#endif
#ifdef __SANITIZE_ADDRESS__
#define BUILT "sanitized"
#else
#define BUILT "plain"
#endif
const char *data_dir(void);
int main(void)
{
	printf("%s fortify=%d word=%s data=%s", BUILT, _FORTIFY_SOURCE, WORD, data_dir());
	for (const struct embedded_file *f = embedded_files; f->name; f++)
		printf(" %s", f->name);
	puts("");
	return 0;
}
C

# make_it ARGS...: in that tree; what is compiled is told by lines "  CC  FILE".
make_it()
{
	RUN_TIMEOUT=60 run make -C "$TREE" "$@"
}

# says TEXT [PROGRAM]: the program's line has the text.
says()
{
	case $("${2:-$TREE/linux_net_kernel}" 2>&1) in
	*"$1"*) ;;
	*) fails "the program does not say '$1' but: $("${2:-$TREE/linux_net_kernel}" 2>&1)" ;;
	esac
}

# compiled N: so many files were.
compiled()
{
	[ "$(grep -c '^  CC ' "$TMP/out")" -eq "$1" ] ||
		fails "$(grep -c '^  CC ' "$TMP/out") files were compiled, not $1"
}

# nobody_else_writes DIR [FIND...]: to what is in it, or to what find(1) finds of it.
nobody_else_writes()
{
	local dir=$1 found

	shift
	[ $# -gt 0 ] || set -- -true
	found=$(find "$dir" ! -type l -perm /022 '(' "$@" ')')
	[ -z "$found" ] || fails "others can write: $found"
}

make_it
check "it is built" expect_exit 0 -- compiled 2 -- says 'plain ' -- says ' one.c two.c' -- \
	says "data=/usr/local/share/linux_net_kernel "
make_it
check "nothing is changed, nothing is built" expect_exit 0 -- compiled 0
make_it WERROR=1
check "... nor for WERROR, which changes nothing in the program" expect_exit 0 -- compiled 0

# --- probes

rm "$TREE/probes/two.c"
make_it
check "a probe that is removed is no longer in the program" expect_exit 0 -- says ' one.c' -- \
	eval '! says two.c'
mv "$TREE/probes/one.c" "$TREE/probes/uno.c"
make_it
check "a probe that is renamed is there by its new name" expect_exit 0 -- says ' uno.c' -- \
	eval '! says one.c'

# --- variables

make_it CFLAGS="-O1 -DWORD='\"a b\"'"
check "other CFLAGS: everything is built again" expect_exit 0 -- compiled 2 -- says 'word=a b '
make_it
check "... and without them once more" expect_exit 0 -- compiled 2 -- says word=none
make_it -n CFLAGS=-O1
make_it
check "make -n changes nothing" expect_exit 0 -- compiled 0
make_it PREFIX=/usr
check "another PREFIX: the place of the probes in the program is it" expect_exit 0 -- \
	compiled 1 -- says data=/usr/share/linux_net_kernel

# --- flags

for flags in '-O0' '-g' '-Og -O0'; do
	make_it WERROR=1 CFLAGS="$flags"
	check "CFLAGS=$flags: no fortification, no warning" expect_exit 0 -- expect_no_err -- \
		says fortify=0
done
for flags in '-O2 -D_FORTIFY_SOURCE=1' '-O2 -Wp,-D_FORTIFY_SOURCE=1'; do
	make_it WERROR=1 CFLAGS="$flags"
	check "CFLAGS=$flags: that is it" expect_exit 0 -- expect_no_err -- says fortify=1
done
make_it WERROR=1 CPPFLAGS=-D_FORTIFY_SOURCE=1
check "CPPFLAGS=-D_FORTIFY_SOURCE=1: that is it" expect_exit 0 -- expect_no_err -- says fortify=1
printf '#!/bin/sh\nexec %s -D_FORTIFY_SOURCE=3 "$@"\n' "$CC" >"$TMP/cc"
chmod 755 "$TMP/cc"
make_it WERROR=1 CC="$TMP/cc"
check "a compiler that defines it by itself: no warning" expect_exit 0 -- expect_no_err -- \
	says fortify=2

cp "$TREE/src/main.c" "$TMP/main.c"
echo 'static int unused(void) { return 0; }' >>"$TREE/src/main.c"
make_it
check "a warning does not end a user's build" expect_exit 0 -- expect_err 'unused'
touch "$TREE/src/main.c"
make_it WERROR=1
check "... but one with WERROR=1" expect_exit 2 -- expect_err 'unused'
cp "$TMP/main.c" "$TREE/src/main.c"

# --- sanitizers

make_it
if ! echo 'int main(void) { return 0; }' |
	"$CC" -fsanitize=address,undefined -x c - -o "$TMP/sanitized" 2>/dev/null; then
	skip "SAN=1" "$CC has no sanitizers"
else
	make_it SAN=1
	check "SAN=1: only in build/san" expect_exit 0 -- says 'sanitized ' "$TREE/build/san/linux_net_kernel" -- \
		says 'plain '
	make_it SAN=1 install DESTDIR="$TMP/san"
	check "SAN=1: is not installed" expect_exit 2 -- expect_err 'not installed' -- \
		[ ! -e "$TMP/san" ]
fi

# --- install

make_it install DESTDIR="$TMP/local"
make_it install DESTDIR="$TMP/root" PREFIX=/usr
check "install PREFIX=/usr after a make for /usr/local: the program knows its place" \
	expect_exit 0 -- says data=/usr/share/linux_net_kernel "$TMP/root/usr/sbin/linux_net_kernel" -- \
	says data=/usr/local/share/linux_net_kernel "$TMP/local/usr/local/sbin/linux_net_kernel" -- \
	[ -e "$TMP/root/usr/share/linux_net_kernel/probes/uno.c" ]

chmod -R g+w "$TREE"
(umask 002 && make -s -C "$TREE" PREFIX=/usr install DESTDIR="$TMP/group") >/dev/null 2>&1
check "under umask 002 nothing is installed that others can write" \
	[ -x "$TMP/group/usr/sbin/linux_net_kernel" ] -- nobody_else_writes "$TMP/group/usr"
check "... and the probes of the tree are such that the program takes them" \
	nobody_else_writes "$TREE/probes" -name '*.c' -o -type d
(umask 077 && make -s -C "$TREE" PREFIX=/usr install DESTDIR="$TMP/own") >/dev/null 2>&1
check "under umask 077 everybody may read what is installed" \
	[ -z "$(find "$TMP/own/usr" ! -perm -044)" ] -- [ -x "$TMP/own/usr/sbin/linux_net_kernel" ]
