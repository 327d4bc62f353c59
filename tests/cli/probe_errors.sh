#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# timeout: 600
#
# A probe that cannot be used: exit 1, one line that names the file (and its line), and
# nothing is attached.

# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
need_binary
need_root

export RUN_TIMEOUT=120
chmod 711 "$TMP"

# The probes of the tree, and one more file with the text on stdin.
with_probe()
{
	rm -rf "$TMP/probes"
	mkdir -m 755 "$TMP/probes"
	cp "$TOP"/probes/*.[ch] "$TMP/probes/"
	cat >"$TMP/probes/extra.c"
	chmod 644 "$TMP/probes"/*
}

check_probes()
{
	run "$LNK" --check --probe-dir "$TMP/probes"
}

with_probe </dev/null
check_probes
check "the probes as they are" expect_exit 0

with_probe <<'E2'
/* line 1 */
int kprobe__tcp_v4_connect(struct pt_regs *ctx)
{
	return no_such_name;
}
E2
check_probes
check "an unknown name is told with its file and line" expect_exit 1 -- expect_no_out -- \
	expect_err_lines 1 -- expect_err 'Failed to compile BPF module' -- \
	expect_err 'extra.c:4' -- expect_err no_such_name -- expect_err ' -v'

run "$LNK" -v --check --probe-dir "$TMP/probes"
check "-v shows all that clang said" expect_exit 1 -- expect_err 'extra.c:4' -- \
	expect_err 'return no_such_name;'

with_probe <<'E2'
int kprobe__tcp_v4_connect(struct pt_regs *ctx)
{
	return 0
}
E2
check_probes
check "a missing semicolon" expect_exit 1 -- expect_no_out -- expect_err_lines 1 -- \
	expect_err 'Failed to compile BPF module' -- expect_err 'extra.c:3'

# All parts are one text, in which this would close an #if that is not its own.
with_probe <<'E2'
#endif
#if 1
E2
check_probes
check "an #endif too many, and an #if" expect_exit 1 -- expect_no_out -- expect_err_lines 1 -- \
	expect_err 'extra.c:1:2: error: #endif without #if'

with_probe <<'E2'
/* never closed
int kprobe__tcp_v4_connect(struct pt_regs *ctx)
{
	return 0;
}
E2
check_probes
check "a comment that would go on in the next file" expect_exit 1 -- expect_no_out -- \
	expect_err_lines 1 -- expect_err 'extra.c:1:1: error: unterminated /* comment'

# libbcc calls exit(1) for this.
with_probe <<'E2'
int kprobe__tcp_v4_connect(struct pt_regs *ctx)
{
	volatile char big[600] = { 0 };
	int i;

	for (i = 0; i < 600; i++)
		big[i] = i;
	return big[bpf_get_smp_processor_id() & 511];
}
E2
check_probes
check "a stack of over 512 bytes" expect_exit 1 -- expect_no_out -- \
	expect_err_lines 1 -- expect_err 'Failed to compile BPF module' -- \
	expect_err stack

with_probe </dev/null
sed -i 's/__u32 ack_seq;/__u64 ack_seq;/' "$TMP/probes/event.h"
check_probes
check "another layout of the event is refused, with the field" expect_exit 1 -- \
	expect_no_out -- expect_err_lines 1 -- expect_err ack_seq

with_probe </dev/null
chmod 666 "$TMP/probes/extra.c"
check_probes
check "a file that everybody may write" expect_exit 1 -- expect_no_out -- \
	expect_err_lines 1 -- expect_err "$TMP/probes/extra.c"

with_probe </dev/null
chmod 777 "$TMP/probes"
check_probes
check "a directory that everybody may write" expect_exit 1 -- expect_no_out -- \
	expect_err_lines 1 -- expect_err "$TMP/probes"

with_probe </dev/null
chown 12345 "$TMP/probes/extra.c"
check_probes
check "a file of another user" expect_exit 1 -- expect_no_out -- \
	expect_err_lines 1 -- expect_err "$TMP/probes/extra.c"

with_probe </dev/null
rm "$TMP/probes/extra.c"
ln -s /etc/passwd "$TMP/probes/extra.c"
check_probes
check "a symbolic link" expect_exit 1 -- expect_no_out -- \
	expect_err_lines 1 -- expect_err "$TMP/probes/extra.c"

# Names that an editor leaves behind are no probes.
with_probe </dev/null
echo 'this is no C' >"$TMP/probes/.#extra.c"
echo 'this is no C' >"$TMP/probes/extra.c~"
echo 'this is no C' >"$TMP/probes/#extra.c#"
check_probes
check "an editor's back-ups are left alone" expect_exit 0
