/* SPDX-License-Identifier: MIT */
#include "bpf/prog_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/btf.h>
#include <linux/bpf.h>

#include "bpf/prog_kind.h"

/* What bpftool shows, as libbcc would name it: the target, cut to fit. */
static void name_program(const char *function, char name[BPF_OBJ_NAME_LEN])
{
	const char *target = strstr(function, "__");

	snprintf(name, BPF_OBJ_NAME_LEN, "%.15s", target ? target + 2 : function);
}

int prog_load(const struct prog_spec *p, char *log, size_t size)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = (uint32_t)prog_kind[p->kind].type;
	attr.insns = (uint64_t)(uintptr_t)p->insns;
	attr.insn_cnt = p->n;
	attr.license = (uint64_t)(uintptr_t)p->licence;
	attr.kern_version = p->kern_version;
	if (p->attach_btf_id) {
		attr.prog_type = BPF_PROG_TYPE_TRACING;
		attr.expected_attach_type = p->kind == HOOK_RAW_TRACEPOINT
						    ? BPF_TRACE_RAW_TP
						    : (uint32_t)prog_kind[p->kind].attach;
		attr.attach_btf_id = p->attach_btf_id;
	}
	if (log) {
		attr.log_buf = (uint64_t)(uintptr_t)log;
		attr.log_size = (uint32_t)size;
		attr.log_level = 1;
	}
	name_program(p->function, attr.prog_name);
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0 && (errno == E2BIG || errno == EINVAL)) { /* before 4.15: no names */
		memset(attr.prog_name, 0, sizeof(attr.prog_name));
		fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	}
	return fd < 0 ? -errno : fd;
}

uint32_t prog_btf_id(const struct btf *btf, enum hook_kind kind, const char *target)
{
	char name[HOOK_TARGET_MAX + 16];
	int id;

	if (kind == HOOK_RAW_TRACEPOINT) {
		snprintf(name, sizeof(name), "btf_trace_%s", target);
		id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	} else if (kind == HOOK_FENTRY || kind == HOOK_FEXIT) {
		id = btf__find_by_name_kind(btf, target, BTF_KIND_FUNC);
	} else {
		return 0;
	}
	return id > 0 ? (uint32_t)id : 0;
}
