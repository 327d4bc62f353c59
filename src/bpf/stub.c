/* SPDX-License-Identifier: MIT */
/*
 * The kernel lets a slot hold only programs of the stub's own kind, and for fentry and
 * fexit only those for the same function. The slot is emptied by the kernel when its last
 * descriptor is closed, so one is held for as long as the stub is attached.
 */
#include "bpf/stub.h"

#include <bcc/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/missed.h"
#include "bpf/prog_kind.h"

/* A probe runs for microseconds; where the kernel does not tell that it has ended. */
#define NO_GRACE_US 200000

static int bpf_call(int cmd, union bpf_attr *attr)
{
	int fd = (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return fd < 0 ? -errno : fd;
}

/* Before Linux 5.11 maps and programs count as locked memory. */
static void raise_memlock(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

static int create_slot(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_PROG_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	return bpf_call(BPF_MAP_CREATE, &attr);
}

/* Before Linux 5.0 a kprobe program must name the kernel that it is for. */
static unsigned int kernel_version(void)
{
	unsigned int a = 0, b = 0, c = 0;
	struct utsname un;

	if (uname(&un) || sscanf(un.release, "%u.%u.%u", &a, &b, &c) < 2)
		return 0;
	return a << 16 | b << 8 | (c < 255 ? c : 255);
}

static enum bpf_attach_type attach_type(const struct hook *h)
{
	return h->typed ? BPF_TRACE_RAW_TP : (enum bpf_attach_type)prog_kind[h->kind].attach;
}

/* The number of what is probed in the kernel's BTF. */
static int target_btf_id(const struct hook *h)
{
	return libbpf_find_vmlinux_btf_id(h->target, attach_type(h));
}

static int load_stub(const struct hook *h, int slot_fd)
{
	const struct bpf_insn insns[] = {
		/* r1 is the context already */
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = BPF_REG_2,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = slot_fd },
		{ 0 }, /* its upper half */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;
	int id;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = (uint32_t)prog_kind[h->kind].type;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = sizeof(insns) / sizeof(insns[0]);
	attr.license = (uint64_t)(uintptr_t) "Dual MIT/GPL";
	attr.kern_version = kernel_version();
	if (h->typed || prog_kind[h->kind].attach >= 0) {
		attr.prog_type = BPF_PROG_TYPE_TRACING;
		id = target_btf_id(h);
		if (id <= 0)
			return id < 0 ? id : -ENOENT;
		attr.expected_attach_type = attach_type(h);
		attr.attach_btf_id = (uint32_t)id;
	}
	snprintf(attr.prog_name, sizeof(attr.prog_name), "lnk_stub");
	return bpf_call(BPF_PROG_LOAD, &attr);
}

int stub_load(struct hook *h)
{
	int slot, stub;

	raise_memlock();
	slot = create_slot();
	stub = slot < 0 ? slot : load_stub(h, slot);
	if (stub < 0) {
		text_printf(&h->why, "the kernel does not load its stub: %s", strerror(-stub));
		if (slot >= 0)
			close(slot);
		return stub;
	}
	h->slot_fd = slot;
	h->stub_fd = stub;
	return 0;
}

int stub_set(const struct hook *h, int prog_fd)
{
	int zero = 0;

	return bpf_update_elem(h->slot_fd, &zero, &prog_fd, BPF_ANY) ? -errno : 0;
}

/*
 * The kernel itself promises this wait to whoever changes a map of maps, so that its
 * programs are known to use the new one (synchronize_rcu(), Linux 4.20). membarrier() does
 * nothing on one CPU, where a program may have been preempted none the less.
 */
static int change_map_of_maps(void)
{
	union bpf_attr attr;
	int inner, outer, zero = 0, err;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	inner = bpf_call(BPF_MAP_CREATE, &attr);
	if (inner < 0)
		return inner;
	attr.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS;
	attr.inner_map_fd = (uint32_t)inner;
	outer = bpf_call(BPF_MAP_CREATE, &attr);
	err = outer < 0 ? outer : bpf_update_elem(outer, &zero, &inner, BPF_ANY) ? -errno : 0;
	close(inner);
	if (outer >= 0)
		close(outer);
	return err;
}

void stub_settle(void)
{
	raise_memlock();
	if (change_map_of_maps())
		usleep(NO_GRACE_US);
}

static int take(int *fd)
{
	int was = *fd;

	*fd = -1;
	return was;
}

void stub_move(struct hook *to, struct hook *from)
{
	missed_hand_over(to, from);
	to->stub_fd = take(&from->stub_fd);
	to->slot_fd = take(&from->slot_fd);
	to->link_fd = take(&from->link_fd);
	memcpy(to->symbol, from->symbol, sizeof(to->symbol));
}
