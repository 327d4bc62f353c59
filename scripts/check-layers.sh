#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# check-layers.sh [TREE]: that includes in TREE/src point down only.
#
#	main.c -> app -> conf, bpf, event, sink -> base
#
# The four in the middle do not include each other. All but base may include
# "probes/event.h", the wire contract between the probes and the host. Base knows the C
# library only. Prints one line for each include that breaks this; exit status 1 then.

set -u

TREE=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}

# What a folder of src may include from, beside itself.
allowed()
{
	case $1 in
	base) echo "" ;;
	conf | bpf | event | sink) echo "base probes/event.h" ;;
	app) echo "conf bpf event sink base probes/event.h" ;;
	main.c) echo "app conf bpf event sink base probes/event.h" ;;
	*) return 1 ;;
	esac
}

# say FILE:LINE TEXT
say()
{
	printf '%s: %s\n' "$1" "$2"
	bad=1
}

check_include()
{
	local where=$1 from=$2 what=$3 ok

	case $what in
	"<bcc/"* | "<bpf/"*)
		[ "$from" != base ] || say "$where" "base includes $what"
		return
		;;
	"<"*) return ;;
	esac
	what=${what#\"}
	what=${what%\"}
	case $what in
	*../* | ./*) say "$where" "\"$what\": write it as seen from src" ;;
	*/*)
		for ok in $from $(allowed "$from"); do
			[ "$ok" != "$what" ] && [ "$ok" != "${what%%/*}" ] || return
		done
		say "$where" "$from may not include \"$what\""
		;;
	*) say "$where" "\"$what\": write it with its folder" ;;
	esac
}

check_file()
{
	local file=$1 from line what

	from=${file%%/*}
	if ! allowed "$from" >/dev/null; then
		say "src/$file" "no folder of the design"
		return
	fi
	while IFS=: read -r line what; do
		check_include "src/$file:$line" "$from" "$what"
	done < <(sed -nE '/^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]/{=;s/^[^"<]*(["<][^">]*[">]).*/\1/;p}' \
		"$TREE/src/$file" | paste -d: - -)
}

bad=0 files=0
while read -r file; do
	check_file "$file"
	files=$((files + 1))
done < <(cd "$TREE/src" && find . -name '*.[ch]' | sed 's|^\./||' | sort)

if [ "$files" -eq 0 ]; then
	say "$TREE/src" "there are no sources"
fi
exit "$bad"
