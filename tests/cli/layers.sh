#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Includes point down only, and the script that says so can tell.

# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

CHECK=$TOP/scripts/check-layers.sh

run "$CHECK"
check "includes in src point down only" expect_exit 0 -- expect_no_out

# tree FILE INCLUDE: a tree with one source that has one include.
tree()
{
	rm -rf "$TMP/tree"
	mkdir -p "$(dirname "$TMP/tree/src/$1")"
	printf '/* a file */\n#include %s\n' "$2" >"$TMP/tree/src/$1"
	run "$CHECK" "$TMP/tree"
}

refused()
{
	tree "$1" "$2"
	check "$1 may not include $2" expect_exit 1 -- expect_out "src/$1:2: "
}

allowed()
{
	tree "$1" "$2"
	check "$1 may include $2" expect_exit 0 -- expect_no_out
}

refused base/num.c '"conf/config.h"'
refused base/num.c '"probes/event.h"'
refused base/num.c '<bpf/libbpf.h>'
refused conf/options.c '"bpf/hooks.h"'
refused bpf/source.c '"conf/config.h"'
refused bpf/source.c '"probes/packet.h"'
refused event/decode.h '"sink/table.h"'
refused sink/table.c '"event/decode.h"'
refused sink/table.c '"app/session.h"'
refused app/session.c '"main.h"'
refused app/session.c '"../bpf/hooks.h"'
refused bpf/hooks.c '"hooks.h"'
allowed base/num.c '"base/num.h"'
allowed base/num.c '<errno.h>'
allowed bpf/source.c '"base/text.h"'
allowed bpf/source.c '<bpf/libbpf.h>'
allowed sink/table.c '"probes/event.h"'
allowed app/session.c '"sink/table.h"'
allowed main.c '"app/session.h"'
allowed main.c '"base/log.h"'

tree junk/drawer.c '<errno.h>'
check "a folder outside the design is refused" expect_exit 1 -- expect_out "src/junk/drawer.c"

mkdir -p "$TMP/empty/src"
run "$CHECK" "$TMP/empty"
check "a tree without sources is refused" expect_exit 1
