/* SPDX-License-Identifier: MIT */
#include "bpf/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>

#include "bpf/pages.h"
#include "bpf/prog_load.h"

#define MAGIC "LNKIMG2"
#define MAX_MAPS 64
#define MAX_INSNS 1000000

/* An instruction pair that loads a map. */
static bool loads_map(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_MAP_FD;
}

/* --- writing --------------------------------------------------------------------- */

void image_begin(struct text *out, const char *key, uint32_t maps, uint32_t programs)
{
	struct image_head head = {
		.magic = MAGIC,
		.key_len = (uint32_t)strlen(key),
		.maps = maps,
		.programs = programs,
	};

	text_add(out, (char *)&head, sizeof(head));
	text_add(out, key, head.key_len);
}

void image_add_map(struct text *out, const struct image_map *map)
{
	text_add(out, (const char *)map, sizeof(*map));
}

int image_add_program(struct text *out, const struct image_program *p, const struct bpf_insn *insns,
		      const int *map_fds, int n)
{
	struct bpf_insn insn;
	uint32_t i;
	int map;

	text_add(out, (const char *)p, sizeof(*p));
	for (i = 0; i < p->insns; i++) {
		insn = insns[i];
		if (loads_map(&insn)) {
			for (map = 0; map < n && map_fds[map] != insn.imm; map++)
				;
			if (map == n)
				return -EINVAL;
			insn.imm = map;
		}
		text_add(out, (char *)&insn, sizeof(insn));
		if (insn.code == (BPF_LD | BPF_IMM | BPF_DW) && i + 1 < p->insns)
			text_add(out, (const char *)&insns[++i], sizeof(insn));
	}
	return 0;
}

void image_end(struct text *out)
{
	struct image_head *head = (struct image_head *)out->s;

	if (!out->cut)
		head->total_len = (uint32_t)out->len;
}

/* --- loading --------------------------------------------------------------------- */

struct loading {
	const char *p; /* what is left of the image */
	size_t left;
	struct hooks *hs;
	int map_fds[MAX_MAPS];
	uint32_t maps;
	int prog_fds[LNK_MAX_HOOKS]; /* by hook, -1: none */
};

/* Copies the next `len` bytes out, or fails. */
static int take(struct loading *l, void *out, size_t len)
{
	if (l->left < len)
		return -EINVAL;
	memcpy(out, l->p, len);
	l->p += len;
	l->left -= len;
	return 0;
}

static int create_map(const struct image_map *m)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = m->type;
	attr.key_size = m->key_size;
	attr.value_size = m->value_size;
	attr.max_entries = m->max_entries;
	attr.map_flags = m->flags;
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

static int load_maps(struct loading *l, uint32_t n, int *counters_fd, int *events_fd,
		     int *shared_fd, int *owners_fd)
{
	struct image_map m;
	int err, fd;

	for (; l->maps < n; l->maps++) {
		err = take(l, &m, sizeof(m));
		if (err)
			return err;
		m.name[sizeof(m.name) - 1] = '\0';
		fd = create_map(&m);
		if (fd < 0)
			return fd;
		l->map_fds[l->maps] = fd;
		if (!strcmp(m.name, "lnk_counters"))
			*counters_fd = fd;
		if (!strcmp(m.name, "lnk_events"))
			*events_fd = fd;
		if (!strcmp(m.name, "lnk_shared"))
			*shared_fd = fd;
		if (!strcmp(m.name, "lnk_owners"))
			*owners_fd = fd;
		if (!strcmp(m.name, "lnk_pages"))
			pages_fill(fd);
	}
	return *counters_fd < 0 || *events_fd < 0 ? -EINVAL : 0;
}

static int number_maps(const struct loading *l, struct bpf_insn *insns, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (loads_map(&insns[i])) {
			if ((uint32_t)insns[i].imm >= l->maps)
				return -EINVAL;
			insns[i].imm = l->map_fds[insns[i].imm];
		}
		i += insns[i].code == (BPF_LD | BPF_IMM | BPF_DW);
	}
	return 0;
}

static int take_program(struct loading *l)
{
	struct bpf_insn *insns;
	struct image_program p;
	struct prog_spec spec;
	int err, hook, fd;

	err = take(l, &p, sizeof(p));
	if (err)
		return err;
	p.function[sizeof(p.function) - 1] = '\0';
	p.licence[sizeof(p.licence) - 1] = '\0';
	hook = hooks_find_function(l->hs, p.function);
	if (hook < 0 || l->prog_fds[hook] >= 0 || !p.insns || p.insns > MAX_INSNS)
		return -EINVAL;
	insns = calloc(p.insns, sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	err = take(l, insns, p.insns * sizeof(*insns));
	if (!err)
		err = number_maps(l, insns, p.insns);
	spec = (struct prog_spec){
		.function = p.function,
		.licence = p.licence,
		.kern_version = p.kern_version,
		.kind = l->hs->v[hook].kind,
		.attach_btf_id = p.attach_btf_id,
		.insns = insns,
		.n = p.insns,
	};
	fd = err ? err : prog_load(&spec, NULL, 0);
	free(insns);
	if (fd < 0)
		return fd;
	l->prog_fds[hook] = fd;
	return 0;
}

static int load_all(struct loading *l, const char *key, int *counters_fd, int *events_fd,
		    int *shared_fd, int *owners_fd)
{
	size_t len = l->left, key_len = strlen(key);
	struct image_head head;
	uint32_t i;
	int err;

	err = take(l, &head, sizeof(head));
	if (err || memcmp(head.magic, MAGIC, sizeof(head.magic)) || head.total_len != len ||
	    head.maps > MAX_MAPS)
		return -EINVAL;
	if (head.key_len != key_len || l->left < key_len || memcmp(l->p, key, key_len))
		return -ESTALE;
	l->p += key_len;
	l->left -= key_len;
	err = load_maps(l, head.maps, counters_fd, events_fd, shared_fd, owners_fd);
	for (i = 0; i < head.programs && !err; i++)
		err = take_program(l);
	return err;
}

int image_load(const char *bytes, size_t len, const char *key, struct hooks *hs, int *counters_fd,
	       int *events_fd, int *shared_fd, int *owners_fd)
{
	struct loading l = { .p = bytes, .left = len, .hs = hs };
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int i, err, counters = -1, events = -1, shared = -1, owners = -1;

	for (i = 0; i < LNK_MAX_HOOKS; i++)
		l.prog_fds[i] = -1;
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* before 5.11 maps count against it */
	err = load_all(&l, key, &counters, &events, &shared, &owners);
	for (i = 0; i < hs->n && !err; i++) {
		hs->v[i].prog_fd = l.prog_fds[i];
		hs->v[i].compiled = l.prog_fds[i] >= 0;
	}
	for (i = 0; i < LNK_MAX_HOOKS && err; i++)
		if (l.prog_fds[i] >= 0)
			close(l.prog_fds[i]);
	for (i = 0; i < (int)l.maps; i++) /* the programs hold the others */
		if (err || (l.map_fds[i] != counters && l.map_fds[i] != events &&
			    l.map_fds[i] != shared && l.map_fds[i] != owners))
			close(l.map_fds[i]);
	if (!err) {
		*counters_fd = counters;
		*events_fd = events;
		*shared_fd = shared;
		*owners_fd = owners;
	}
	return err;
}
