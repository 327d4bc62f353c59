#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# timeout: 300
#
# What the C of expressions computes: random ones against an evaluator that was written
# apart from the translator, and against the C compiler. Nothing in it is undefined.

# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

CC=${CC:-cc}
COUNT=${EXPRESSIONS:-2500}
need_command "$CC"
need_command python3

RUN_TIMEOUT=60 run "$CC" -std=c11 -D_GNU_SOURCE -I"$TOP/src" -I"$TOP" -o "$TMP/translate" \
	"$TOP"/tests/expr/translate.c "$TOP"/src/bpf/expr*.c "$TOP/src/base/text.c"
check "the translator compiles" expect_exit 0 || exit 1

run python3 "$TOP/tests/expr/oracle.py" "$COUNT" "$TMP"
check "there are $COUNT random expressions" expect_exit 0 || exit 1

# Members; each is true of the structure in compare.h.
cat >"$TMP/members" <<'MEMBERS'
p->minus == -7
p->next->next->minus == -7
p->next->in.half == 77
p->next->minus == 0
p->in.half == 0xfffe
p->bytes[0] == 1 && p->bytes[3] == 255
p->in.big[1][0] == 3
p->in.big[1][1] == 0x8000000000000000
p->data[0] >> 4 == 4
p->data[1] == 'x'
p->next[0].in.half == 77
p->yes == 1
p->small == -1
p->data != 0 && p->next
p->next->data == 0
!!p && p != 0 && !(p == 0)
null == 0 && !null && !(null != 0)
(null ? 1 : 2) == 2
null || p
!null || null->minus
!(null && null->minus)
(null ? null->minus : 5) == 5
((p->next)->next)->in.big[0][1] == 2
MEMBERS
cat "$TMP/expressions" "$TMP/members" >"$TMP/all"

"$TMP/translate" host <"$TMP/all" >"$TMP/exprs.c" 2>"$TMP/err"
STATUS=$?
check "all of them are translated" expect_exit 0 || exit 1

# A constant that is written out is 1 where it is true.
awk -v count="$COUNT" -v members="$(wc -l <"$TMP/members")" 'BEGIN {
	printf "#define MEMBERS %d\n", members
	for (i = 0; i < count; i++)
		printf "s64 raw%d(s64, s64, s64);\n", i
	print "static s64 (*const raw[])(s64, s64, s64) = {"
	for (i = 0; i < count; i++)
		printf "raw%d,\n", i
	print "};\nstatic s64 (*const translated[])(const s64 *, struct thing *) = {"
	for (i = 0; i < count + members; i++)
		printf "expr%d,\n", i
	print "};"
}' >"$TMP/calls.h"
RUN_TIMEOUT=240 run "$CC" -std=gnu11 -O1 -w -fsanitize=undefined -fno-sanitize-recover=all \
	-I"$TMP" -x c -c "$TOP/tests/expr/compare.h" -o "$TMP/compare.o"
check "their C compiles" expect_exit 0 || exit 1
RUN_TIMEOUT=120 run "$CC" -std=gnu11 -O1 -w -fwrapv -c "$TMP/raw.c" -o "$TMP/raw.o"
check "the compiler takes them as they are, too" expect_exit 0 || exit 1
run "$CC" -fsanitize=undefined "$TMP/compare.o" "$TMP/raw.o" -o "$TMP/compare"
run "$TMP/compare"
if check "$COUNT expressions are worth what they should be, with nothing undefined" expect_exit 0; then
	cat "$TMP/out" >&2
fi

# Random expressions are full of what a compiler warns of; these are not.
"$TMP/translate" host <"$TMP/members" >"$TMP/exprs.c"
{
	sed -n '1,/^#include "exprs.c"/p' "$TOP/tests/expr/compare.h"
	echo 'extern s64 (*const all[])(const s64 *, struct thing *);'
	echo 's64 (*const all[])(const s64 *, struct thing *) = {'
	seq -f 'expr%.0f,' 0 $(($(wc -l <"$TMP/members") - 1))
	echo '};'
} >"$TMP/members.c"
for compiler in "$CC" clang; do
	command -v "$compiler" >/dev/null || continue
	run "$compiler" -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-type-limits \
		-I"$TMP" -c "$TMP/members.c" -o /dev/null
	check "$compiler has nothing to say of members" expect_exit 0 -- expect_no_err
done

# What the compiler must refuse, and in which column of the user's.
refused()
{
	echo "$1" | "$TMP/translate" host >"$TMP/exprs.c"
	printf '#define COUNT 1\n#define SETS 1\n' >"$TMP/want.h"
	{
		sed -n '1,/^#include "exprs.c"/p' "$TOP/tests/expr/compare.h"
		echo 's64 (*use)(const s64 *, struct thing *) = expr0;'
	} >"$TMP/one.c"
	run clang -std=gnu11 -w -I"$TMP" -c "$TMP/one.c" -o /dev/null
	check "clang refuses $1 in column $2" expect_exit 1 -- expect_err "--where:$2:" -- \
		expect_err "$3"
}

need_command clang "what clang refuses"
refused 'a + p->nosuch' 8 nosuch
refused 'p->next -> nosuch->x' 12 nosuch
refused 'a || p->bytes' 6 'an array is no value'
refused 'p->bytes->x' 1 'an array is no value'
refused 'p->in' 1 'a structure is no value'
refused 'p->in->half' 1 'a structure is no value'
refused '1 + p->either' 5 'a structure is no value'
refused 'p->minus.x' 10 'is not a structure or union'
refused 'p->data->x' 10 'is not a structure or union'
refused 'p->minus[0]' 1 'subscripted value is not an array'
refused 'p->flag' 1 'address of bit-field requested'
