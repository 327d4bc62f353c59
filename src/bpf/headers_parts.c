/* SPDX-License-Identifier: MIT */
#include "bpf/headers_parts.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#define MEMBERS 3

/* What is in another one stands before it. */
static const struct part {
	const char *name;
	const char *member[MEMBERS]; /* in their order */
} parts[HEADERS_PARTS] = {
	{ "inode", { "i_ino" } },
	{ "socket_alloc", { "vfs_inode" } }, /* a struct socket stands at its begin */
	{ "cgroup_subsys_state", { "parent" } },
	{ "kernfs_node", { "id" } },
	{ "cgroup", { "self", "kn" } },
	{ "task_struct", { "flags", "group_leader", "comm" } },
};

struct place {
	uint32_t at, size;
	const struct btf_type *type;
};

void headers_parts_note(struct headers_parts *p, const char *name, uint32_t id)
{
	for (int i = 0; i < HEADERS_PARTS; i++)
		if (!p->id[i] && !strcmp(name, parts[i].name))
			p->id[i] = id;
}

static bool find_member(const struct btf *btf, const struct btf_type *t, const char *name,
			struct place *found)
{
	const struct btf_member *m = btf_members(t);
	const char *its;
	long long size;

	for (uint32_t i = 0; i < btf_vlen(t); i++, m++) {
		its = btf__name_by_offset(btf, m->name_off);
		if (!its || strcmp(its, name))
			continue;
		size = btf__resolve_size(btf, m->type);
		if (size <= 0 || btf_member_bit_offset(t, i) % 8 || btf_member_bitfield_size(t, i))
			return false;
		found->at = btf_member_bit_offset(t, i) / 8;
		found->size = (uint32_t)size;
		found->type = btf__type_by_id(btf, m->type);
		while (btf_is_mod(found->type) || btf_is_typedef(found->type))
			found->type = btf__type_by_id(btf, found->type->type);
		return true;
	}
	return false;
}

static void add_bytes(struct text *out, uint32_t from, uint32_t to)
{
	if (to > from)
		text_printf(out, "\tunsigned char lnk_at%u[%u];\n", from, to - from);
}

static bool is_text(const struct btf *btf, const struct place *m)
{
	return btf_is_array(m->type) && btf__resolve_size(btf, btf_array(m->type)->type) == 1;
}

/* A struct that is a part as well keeps its name; what else is no pointer is a number, or
 * bytes. */
static bool add_member(const struct btf *btf, const struct place *m, const char *name,
		       struct text *out)
{
	const char *type = btf__name_by_offset(btf, m->type->name_off);

	if (btf_is_ptr(m->type))
		text_printf(out, "\tconst void *%s;\n", name);
	else if (btf_is_struct(m->type) && m->size > 8)
		text_printf(out, "\tstruct %s %s;\n", type, name);
	else if (is_text(btf, m))
		text_printf(out, "\tchar %s[%u];\n", name, m->size);
	else if (m->size == 8)
		text_printf(out, "\tunsigned long long %s;\n", name);
	else if (m->size == 4)
		text_printf(out, "\tunsigned int %s;\n", name);
	else
		return false;
	return true;
}

static void emit_part(const struct part *p, const struct btf *btf, uint32_t id, struct text *out)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	struct text body = { 0 }, asserts = { 0 };
	struct place m;
	uint32_t at = 0;
	bool whole = true;

	for (int i = 0; i < MEMBERS && p->member[i] && whole; i++) {
		whole = find_member(btf, t, p->member[i], &m) && m.at >= at;
		if (!whole)
			break;
		add_bytes(&body, at, m.at);
		whole = add_member(btf, &m, p->member[i], &body);
		at = m.at + m.size;
		text_printf(&asserts,
			    "_Static_assert(__builtin_offsetof(struct %s, %s) == %u, "
			    "\"the offset in BTF is another\");\n",
			    p->name, p->member[i], m.at);
	}
	if (whole) {
		add_bytes(&body, at, t->size);
		text_printf(out, "struct %s {\n%s};\n%s", p->name, text_str(&body),
			    text_str(&asserts));
		text_printf(out,
			    "_Static_assert(sizeof(struct %s) == %u, \"the size in BTF is "
			    "another\");\n",
			    p->name, t->size);
	}
	text_free(&body);
	text_free(&asserts);
}

void headers_parts_emit(const struct headers_parts *p, const struct btf *btf, const char *printed,
			struct text *out)
{
	char whole[64];

	for (int i = 0; i < HEADERS_PARTS; i++) {
		snprintf(whole, sizeof(whole), "struct %s {\n", parts[i].name);
		if (p->id[i] && !strstr(printed, whole))
			emit_part(&parts[i], btf, p->id[i], out);
	}
}
