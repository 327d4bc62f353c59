/* SPDX-License-Identifier: MIT */
#include "bpf/keep.h"

#include <string.h>
#include <linux/bpf.h>

#include "bpf/cache.h"
#include "bpf/headers_btf.h"
#include "bpf/image.h"
#include "bpf/prog_kind.h"
#include "bpf/prog_load.h"

#define KEEP_MAX_MAPS 64

/* Maps that are nothing more than their numbers say; others (maps of maps, programs,
 * pinned or shared ones) cannot be made again from an image. */
static bool plain_map(int type)
{
	switch (type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return true;
	}
	return false;
}

static bool keep_maps(const struct libbcc *bcc, void *module, struct text *image, int *fds,
		      size_t n)
{
	struct image_map m;
	size_t i;

	for (i = 0; i < n; i++) {
		m = (struct image_map){
			.type = (uint32_t)bcc->table_type(module, i),
			.key_size = (uint32_t)bcc->table_key_size(module, i),
			.value_size = (uint32_t)bcc->table_leaf_size(module, i),
			.max_entries = (uint32_t)bcc->table_max_entries(module, i),
			.flags = (uint32_t)bcc->table_flags(module, i),
		};
		fds[i] = bcc->table_fd_id(module, i);
		if (!plain_map((int)m.type) || fds[i] < 0 ||
		    strlen(bcc->table_name(module, i)) >= sizeof(m.name))
			return false;
		strcpy(m.name, bcc->table_name(module, i));
		image_add_map(image, &m);
	}
	return true;
}

static bool keep_one(const struct libbcc *bcc, void *module, const struct hooks *hs,
		     struct text *image, size_t id, const int *fds, size_t maps)
{
	const char *name = bcc->function_name(module, id);
	const struct btf *btf;
	const struct hook *h = &hs->v[hooks_find_function(hs, name)];
	struct image_program p = {
		.kern_version = bcc->kern_version(module),
		.insns = (uint32_t)(bcc->function_size(module, name) / sizeof(struct bpf_insn)),
	};

	if (strlen(name) >= sizeof(p.function) || strlen(bcc->license(module)) >= sizeof(p.licence))
		return false;
	strcpy(p.function, name);
	strcpy(p.licence, bcc->license(module));
	if (prog_kind[h->kind].attach >= 0 || h->typed) {
		btf = headers_btf_kernel();
		p.attach_btf_id = btf ? prog_btf_id(btf, h->kind, h->target) : 0;
		if (!p.attach_btf_id)
			return false;
	}
	return !image_add_program(image, &p, bcc->function_start(module, name), fds, (int)maps);
}

void keep_program(const struct libbcc *bcc, void *module, const struct hooks *hs, const char *key)
{
	size_t maps = bcc->num_tables(module), programs = bcc->num_functions(module), i;
	struct text image = { 0 };
	int fds[KEEP_MAX_MAPS];
	bool ok;

	if (maps > KEEP_MAX_MAPS)
		return;
	image_begin(&image, key, (uint32_t)maps, (uint32_t)programs);
	ok = keep_maps(bcc, module, &image, fds, maps);
	for (i = 0; i < programs && ok; i++)
		ok = keep_one(bcc, module, hs, &image, i, fds, maps);
	image_end(&image);
	if (ok)
		cache_write(key, &image);
	text_free(&image);
}
