#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What is written about the options is what the option table says.
#
# docs.sh --update writes the man page's OPTIONS section anew instead of comparing it.

# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

MAN=$TOP/docs/linux_net_kernel.8
# The table's own words. $OPTDOC is the program that prints them, if it is built.
OPTDOC=${OPTDOC:-}
if [ -z "$OPTDOC" ]; then
	OPTDOC=$TMP/optdoc
	need_command "${CC:-cc}"
	run "${CC:-cc}" -std=c11 -D_GNU_SOURCE -I"$TOP/src" -I"$TOP" \
		"$TOP"/src/conf/*.c "$TOP"/src/base/*.c -o "$OPTDOC"
	if ! expect_exit 0; then
		not_ok "optdoc compiles" "$WHY"
		exit 1
	fi
fi

# What stands between the lines "BEGIN $2" and "END $2" of a file.
section()
{
	awk -v w="$2" '$0 ~ "END " w "( -->)?$" { on = 0 } on { print } $0 ~ "BEGIN " w "( -->)?$" { on = 1 }' "$1"
}

renew()
{
	awk -v w="$2" -v new="$3" '
		$0 ~ "END " w "( -->)?$" { on = 0 }
		!on { print }
		$0 ~ "BEGIN " w "( -->)?$" { on = 1; while ((getline line < new) > 0) print line }
	' "$1" >"$TMP/new" && cat "$TMP/new" >"$1"
}

# The names of expressions, from their table.
cat >"$TMP/names.c" <<'C'
#include <stdio.h>
#include <string.h>
#include "bpf/names.h"

static const char *of(unsigned int needs)
{
	return needs & KNOWS_SOCK ? "socket" : needs ? "packet" : "both";
}

int main(int argc, char **argv)
{
	int man = argc > 1 && !strcmp(argv[1], "man");

	if (!man)
		puts("| name | of | what it is |\n|---|---|---|");
	for (size_t i = 0; i < probe_name_count; i++)
		printf(man ? ".TP\n.BR %s \" (%s)\"\n%s.\n" : "| `%s` | %s | %s |\n", probe_names[i].name,
		       of(probe_names[i].needs), probe_names[i].help);
	return 0;
}
C
if command -v "${CC:-cc}" >/dev/null; then
	run "${CC:-cc}" -std=c11 -I"$TOP/src" "$TMP/names.c" "$TOP/src/bpf/names.c" -o "$TMP/names"
	check "the table of names compiles" expect_exit 0
	"$TMP/names" man | sed 's/->/\\->/g' >"$TMP/names.man"
	"$TMP/names" md >"$TMP/names.md"
fi
"$OPTDOC" man >"$TMP/options.man"

if [ "${1-}" = --update ]; then
	renew "$MAN" OPTIONS "$TMP/options.man"
	renew "$MAN" NAMES "$TMP/names.man"
	renew "$TOP/docs/expressions.md" NAMES "$TMP/names.md"
	exit
fi

# same NAME FILE SECTION WANT
same()
{
	section "$2" "$3" >"$TMP/section"
	run diff -u "$4" "$TMP/section"
	check "$1 (tests/cli/docs.sh --update renews them)" expect_exit 0
}

same "the man page's OPTIONS are those of the table" "$MAN" OPTIONS "$TMP/options.man"
if [ -e "$TMP/names" ]; then
	same "the man page's names of expressions are those of the table" "$MAN" NAMES "$TMP/names.man"
	same "docs/expressions.md has the names of the table" "$TOP/docs/expressions.md" NAMES \
		"$TMP/names.md"
else
	skip "names of expressions are those of the table" "needs ${CC:-cc}"
fi

run sed -n 's/^\.SH //p' "$MAN"
printf '%s\n' NAME SYNOPSIS DESCRIPTION REQUIREMENTS OPTIONS EXPRESSIONS EXAMPLES FIELDS OVERHEAD SOURCE OS \
	STABILITY AUTHOR '"SEE ALSO"' >"$TMP/want"
check "the man page has BCC's order of sections" cmp -s "$TMP/want" "$TMP/out"

if command -v mandoc >/dev/null; then
	run mandoc -Tlint -Wwarning "$MAN"
	check "mandoc has nothing to say of the man page" expect_exit 0 -- expect_no_out -- \
		expect_no_err
elif command -v groff >/dev/null; then
	run groff -man -ww -z -Tutf8 "$MAN"
	check "groff has nothing to say of the man page" expect_exit 0 -- expect_no_err
else
	skip "the man page is well formed" "needs mandoc or groff"
fi

LONG=$("$OPTDOC" help | grep -oE '^ +(-[A-Za-z], )?--[a-z-]+' | grep -oE -e '--[a-z-]+')

for readme in README.md README.zh-CN.md; do
	missing=
	for option in $LONG; do
		# Not as the beginning of a longer one.
		grep -qE -e "$option([^a-z-]|\$)" "$TOP/$readme" 2>/dev/null ||
			missing+=" $option"
	done
	rm -f "$TMP/command"
	if [ -z "$missing" ]; then
		ok "$readme names every option"
	else
		not_ok "$readme names every option" "missing:$missing"
	fi
done

# So are the commands of the console; the option's text lists them as well.
COMMANDS=$(sed -nE '/console_table\[\] = /,/^}/s/^\t\{ "([a-z]+)", .*/\1/p' "$TOP/src/app/console_actions.c")
section "$MAN" OPTIONS | sed -n '/\\-\\-console/,/^\.TP/p' >"$TMP/console.man"
for where in "$TOP/README.md" "$TOP/README.zh-CN.md" "$TMP/console.man"; do
	missing=
	for command in $COMMANDS; do
		if [ "$where" = "$TMP/console.man" ]; then
			grep -qwE "$command" "$where" || missing+=" $command"
		else
			grep -qE "^\|.*\`${command}[\` ].*\|" "$where" || missing+=" $command"
		fi
	done
	rm -f "$TMP/command"
	if [ -n "$COMMANDS" ] && [ -z "$missing" ]; then
		ok "${where##*/} names every command of the console"
	else
		not_ok "${where##*/} names every command of the console" "missing:$missing"
	fi
done

# Every column of the registry is in the tables and in the man page's FIELDS.
COLUMNS_THERE=$(sed -nE '/column_table\[\] = /,/^}/s/^\t\{ "([a-z_]+)", .*/\1/p' "$TOP/src/sink/columns.c")
sed -n '/^\.SH FIELDS/,/^\.SH OVERHEAD/p' "$MAN" >"$TMP/fields.man"

# names_columns FILE BEFORE AFTER: what stands around the name there.
names_columns()
{
	local column missing=

	rm -f "$TMP/command"
	for column in $COLUMNS_THERE; do
		grep -qE -e "$2$column$3" "$1" || missing+=" $column"
	done
	if [ -n "$COLUMNS_THERE" ] && [ -z "$missing" ]; then
		ok "${1##*/} names every column"
	else
		not_ok "${1##*/} names every column" "missing:$missing"
	fi
}

names_columns "$TOP/README.md" '`' '`'
names_columns "$TOP/README.zh-CN.md" '`' '`'
names_columns "$TMP/fields.man" '(^|[ ,;])' '([ ,]|$)'

"$OPTDOC" bash >"$TMP/completion"
run bash -n "$TMP/completion"
check "bash reads the completion" expect_exit 0 -- expect_no_err
if command -v shellcheck >/dev/null; then
	run shellcheck -s bash "$TMP/completion"
	check "shellcheck has nothing to say of the completion" expect_exit 0
else
	skip "shellcheck has nothing to say of the completion" "needs shellcheck"
fi

# completes WORDS... WANT: what bash offers for the last of the words.
completes()
{
	local name=$1 want=$2

	shift 2
	run bash -c '
		. "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		compopt() { :; }
		_linux_net_kernel
		printf "%s " "${COMPREPLY[@]}"' bash "$TMP/completion" "$@"
	echo >>"$TMP/out"
	check "completion: $name" expect_exit 0 -- expect_no_err -- whole_out "$want"
}

whole_out()
{
	[ "$(cat "$TMP/out")" = "$1 " ] || fails "not: $1"
}

completes "a long option" "--verbose --version" linux_net_kernel --ver
completes "an argument" "kprobe" linux_net_kernel --attach k
completes "an argument behind '='" "fentry" linux_net_kernel --attach = f
completes "all arguments behind '='" "auto fentry kprobe tracepoint" linux_net_kernel --attach =
completes "nothing for a port" "" linux_net_kernel -p ""
