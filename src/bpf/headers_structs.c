/* SPDX-License-Identifier: MIT */
/*
 * Every byte of a struct is written down, a gap as an array of bytes (or a bit-field), so
 * that no compiler has to guess where a member goes; BTF does not say what was packed or
 * aligned. A struct whose members would not be aligned is packed.
 *
 * Types go by their names only where the program has these names. A pointer to anything that
 * has no tag is a void pointer.
 */
#include "bpf/headers_structs.h"

#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

/* No kernel nests so deep. */
#define DEPTH_MAX 64

struct defined {
	uint32_t id;
	uint32_t align;
};

struct emit {
	const struct btf *btf;
	const struct headers_words *words;
	struct text *out;
	struct defined *v;
	size_t n;
	unsigned int gaps;
	int depth;
};

/* Where a member lies, in bits. */
struct span {
	uint32_t from, len;
	bool bitfield;
};

static void add_type(struct emit *e, struct text *t, uint32_t id, const char *name,
		     const struct span *at, uint32_t *align);
static void define_named(struct emit *e, uint32_t id);

static const char *name_of(const struct emit *e, uint32_t name_off)
{
	const char *name = btf__name_by_offset(e->btf, name_off);

	return name ? name : "";
}

static const struct btf_type *type_of(const struct emit *e, uint32_t id)
{
	static const struct btf_type none;
	const struct btf_type *t = btf__type_by_id(e->btf, id);

	return t ? t : &none;
}

/* Behind const, volatile and names. */
static const struct btf_type *strip(const struct emit *e, uint32_t id)
{
	const struct btf_type *t = type_of(e, id);

	while (btf_is_mod(t) || btf_is_typedef(t))
		t = type_of(e, t->type);
	return t;
}

/* A bit-field is marked in the struct since pahole 1.12, before that in the width of its
 * integer type. */
static struct span span_of(const struct emit *e, const struct btf_type *parent, uint32_t i)
{
	const struct btf_member *m = btf_members(parent) + i;
	const struct btf_type *t = strip(e, m->type);
	struct span s = { .from = btf_member_bit_offset(parent, i),
			  .len = btf_member_bitfield_size(parent, i) };
	int64_t size;

	if (!s.len && btf_is_int(t) && btf_int_bits(t) != t->size * 8) {
		s.from += btf_int_offset(t);
		s.len = btf_int_bits(t);
	}
	s.bitfield = s.len != 0;
	if (!s.len) {
		size = btf__resolve_size(e->btf, m->type);
		s.len = size > 0 ? (uint32_t)size * 8 : 0;
	}
	return s;
}

/* --- which members ----------------------------------------------------------------- */

static bool is_named(const struct emit *e, const struct btf_type *parent, uint32_t i)
{
	const struct btf_member *m = btf_members(parent) + i;
	const char *name = name_of(e, m->name_off);
	const struct btf_type *t;
	uint32_t k;

	if (*name)
		return headers_words_have(e->words, name);
	t = strip(e, m->type);
	for (k = 0; btf_is_composite(t) && k < btf_vlen(t); k++)
		if (is_named(e, t, k))
			return true;
	return false;
}

/* Bit-fields that stand together stay together. */
static bool is_kept(const struct emit *e, const struct btf_type *parent, uint32_t i)
{
	uint32_t k;

	if (is_named(e, parent, i))
		return true;
	if (!span_of(e, parent, i).bitfield)
		return false;
	for (k = i; k-- && span_of(e, parent, k).bitfield;)
		if (is_named(e, parent, k))
			return true;
	for (k = i + 1; k < btf_vlen(parent) && span_of(e, parent, k).bitfield; k++)
		if (is_named(e, parent, k))
			return true;
	return false;
}

/* --- definitions ------------------------------------------------------------------- */

static struct defined *find_defined(const struct emit *e, uint32_t id)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->v[i].id == id)
			return &e->v[i];
	return NULL;
}

/* Marks it as defined. Returns false where it is already, or another one of its name is. */
static bool begin_definition(struct emit *e, uint32_t id)
{
	const struct btf_type *t = type_of(e, id), *other;
	const char *name = name_of(e, t->name_off);
	struct defined *v;
	size_t i;

	for (i = 0; i < e->n; i++) {
		other = type_of(e, e->v[i].id);
		if (e->v[i].id == id || (*name && btf_is_typedef(t) == btf_is_typedef(other) &&
					 !strcmp(name, name_of(e, other->name_off))))
			return false;
	}
	v = realloc(e->v, (e->n + 1) * sizeof(*v));
	if (!v) {
		e->out->cut = true;
		return false;
	}
	e->v = v;
	e->v[e->n++] = (struct defined){ .id = id };
	return true;
}

static void add_gap(struct emit *e, struct text *t, uint32_t from, uint32_t to)
{
	uint32_t bits;

	if (from < to && from % 8) {
		bits = to - from < 8 - from % 8 ? to - from : 8 - from % 8;
		text_printf(t, "\tunsigned char lnk_gap%u: %u;\n", e->gaps++, bits);
		from += bits;
	}
	if (to / 8 > from / 8) {
		text_printf(t, "\tunsigned char lnk_gap%u[%u];\n", e->gaps++, to / 8 - from / 8);
		from = to / 8 * 8;
	}
	if (from < to)
		text_printf(t, "\tunsigned char lnk_gap%u: %u;\n", e->gaps++, to - from);
}

/* "{ ... }", packed where it must be. Returns the alignment it has. */
static uint32_t add_body(struct emit *e, struct text *t, const struct btf_type *parent)
{
	uint32_t i, pos = 0, align = 1, its;
	bool packed = false;
	struct span at;

	text_puts(t, "{\n");
	for (i = 0; i < btf_vlen(parent); i++) {
		if (!is_kept(e, parent, i)) {
			define_named(e, btf_members(parent)[i].type);
			continue;
		}
		at = span_of(e, parent, i);
		if (btf_is_struct(parent))
			add_gap(e, t, pos, at.from);
		text_puts(t, "\t");
		add_type(e, t, btf_members(parent)[i].type,
			 name_of(e, btf_members(parent)[i].name_off), &at, &its);
		packed |= !at.bitfield && at.from / 8 % its;
		align = its > align ? its : align;
		pos = at.from + at.len;
	}
	add_gap(e, t, btf_is_struct(parent) ? pos : 0, parent->size * 8);
	packed |= parent->size % align;
	text_puts(t, packed ? "} __attribute__((packed))" : "}");
	return packed ? 1 : align;
}

static void assert_members(struct emit *e, const char *outer, const struct btf_type *parent,
			   uint32_t base)
{
	const struct btf_member *m = btf_members(parent);
	const struct btf_type *t;
	const char *name;
	struct span at;
	uint32_t i;

	for (i = 0; i < btf_vlen(parent); i++, m++) {
		at = span_of(e, parent, i);
		if (at.bitfield || !is_kept(e, parent, i))
			continue;
		name = name_of(e, m->name_off);
		t = strip(e, m->type);
		if (*name)
			text_printf(e->out,
				    "_Static_assert(__builtin_offsetof(%s, %s) == %u, "
				    "\"the offset in BTF is another\");\n",
				    outer, name, base + at.from / 8);
		else if (btf_is_composite(t))
			assert_members(e, outer, t, base + at.from / 8);
	}
}

static const char *keyword(const struct btf_type *t)
{
	return btf_is_union(t) || (btf_is_fwd(t) && btf_kflag(t)) ? "union" : "struct";
}

static void define_struct(struct emit *e, uint32_t id)
{
	const struct btf_type *t = type_of(e, id);
	struct text body = { 0 }, tag = { 0 };
	uint32_t align;

	if (!begin_definition(e, id))
		return;
	text_printf(&tag, "%s %s", keyword(t), name_of(e, t->name_off));
	align = add_body(e, &body, t);
	find_defined(e, id)->align = align;
	text_printf(e->out, "%s %s;\n", text_str(&tag), text_str(&body));
	text_printf(e->out, "_Static_assert(sizeof(%s) == %u, \"the size in BTF is another\");\n",
		    text_str(&tag), t->size);
	assert_members(e, text_str(&tag), t, 0);
	e->out->cut |= body.cut || tag.cut;
	text_free(&body);
	text_free(&tag);
}

static void define_typedef(struct emit *e, uint32_t id)
{
	const struct btf_type *t = type_of(e, id);
	struct text line = { 0 };
	uint32_t align;

	if (!begin_definition(e, id))
		return;
	text_puts(&line, "typedef ");
	add_type(e, &line, t->type, name_of(e, t->name_off), NULL, &align);
	find_defined(e, id)->align = align;
	text_add(e->out, text_str(&line), line.len);
	e->out->cut |= line.cut;
	text_free(&line);
}

static void define_enum(struct emit *e, uint32_t id)
{
	const struct btf_type *t = type_of(e, id);
	const struct btf_enum *v = btf_enum(t);
	uint32_t i;

	if (!begin_definition(e, id))
		return;
	text_printf(e->out, "enum %s {", name_of(e, t->name_off));
	for (i = 0; i < btf_vlen(t); i++, v++)
		text_printf(e->out, "\n\t%s = %d,", name_of(e, v->name_off), v->val);
	text_puts(e->out, "\n};\n");
}

/* --- types ------------------------------------------------------------------------- */

/* Is it to be called by its name? */
static bool goes_by_name(const struct emit *e, const struct btf_type *t)
{
	const char *name = name_of(e, t->name_off);

	/* libbcc has such structs as well */
	return *name && strncmp(name, "bpf_", 4) && headers_words_have(e->words, name);
}

static bool enum_is_named(const struct emit *e, const struct btf_type *t)
{
	const struct btf_enum *v = btf_enum(t);
	uint32_t i;

	if (t->size != sizeof(int) || !btf_vlen(t))
		return false;
	if (goes_by_name(e, t))
		return true;
	for (i = 0; i < btf_vlen(t); i++, v++)
		if (headers_words_have(e->words, name_of(e, v->name_off)))
			return true;
	return false;
}

/* What the program may name although it does not name the member that is of this type: with
 * a cast, say. */
static void define_named(struct emit *e, uint32_t id)
{
	const struct btf_type *t = type_of(e, id);
	uint32_t i;

	while (btf_is_mod(t) || btf_is_typedef(t) || btf_is_array(t)) {
		if (btf_is_typedef(t) && goes_by_name(e, t))
			define_typedef(e, id);
		id = btf_is_array(t) ? btf_array(t)->type : t->type;
		t = type_of(e, id);
	}
	if (btf_is_enum(t) && enum_is_named(e, t)) {
		define_enum(e, id);
	} else if (btf_is_composite(t) && goes_by_name(e, t)) {
		define_struct(e, id);
	} else if (btf_is_composite(t) && e->depth < DEPTH_MAX) {
		e->depth++;
		for (i = 0; i < btf_vlen(t); i++)
			define_named(e, btf_members(t)[i].type);
		e->depth--;
	}
}

static void add_number(struct text *t, uint32_t size)
{
	text_puts(t, size == 1   ? "unsigned char"
		     : size == 2 ? "unsigned short"
		     : size == 8 ? "unsigned long long"
				 : "unsigned int");
}

static void add_enum(struct emit *e, struct text *out, uint32_t id, const struct btf_type *t)
{
	const char *tag = name_of(e, t->name_off);

	if (btf_is_enum(t) && enum_is_named(e, t)) {
		define_enum(e, id);
		if (*tag && find_defined(e, id)) {
			text_printf(out, "enum %s", tag);
			return;
		}
	}
	add_number(out, t->size);
}

static uint32_t add_struct(struct emit *e, struct text *out, uint32_t id, const struct btf_type *t)
{
	const char *tag = name_of(e, t->name_off);
	uint32_t align = 1;

	/* a pointer may lead back to it. libbcc has such structs as well */
	if (*tag && strncmp(tag, "bpf_", 4) != 0)
		define_struct(e, id);
	if (find_defined(e, id)) {
		text_printf(out, "%s %s", keyword(t), name_of(e, t->name_off));
		return find_defined(e, id)->align;
	}
	text_printf(out, "%s ", keyword(t));
	if (e->depth++ < DEPTH_MAX)
		align = add_body(e, out, t);
	else
		e->out->cut = true;
	e->depth--;
	return align;
}

/* What a pointer points to. */
static void add_target(struct emit *e, struct text *out, uint32_t id)
{
	const struct btf_type *t = type_of(e, id);

	while (btf_is_mod(t) || (btf_is_typedef(t) && !goes_by_name(e, t))) {
		id = t->type;
		t = type_of(e, id);
	}
	if (btf_is_ptr(t)) {
		add_target(e, out, t->type);
		text_puts(out, "*");
		return;
	}
	if (btf_is_typedef(t)) {
		define_typedef(e, id);
		text_puts(out, find_defined(e, id) ? name_of(e, t->name_off) : "void");
	} else if ((btf_is_composite(t) || btf_is_fwd(t)) && *name_of(e, t->name_off)) {
		text_printf(out, "%s %s", keyword(t), name_of(e, t->name_off));
	} else {
		text_puts(out, btf_is_int(t) ? name_of(e, t->name_off) : "void");
	}
	text_puts(out, " ");
}

/* The type without its arrays. Returns its alignment. */
static uint32_t add_base(struct emit *e, struct text *out, uint32_t id)
{
	const struct btf_type *t = type_of(e, id);

	if (btf_is_ptr(t)) {
		add_target(e, out, t->type);
		text_puts(out, "*");
		return sizeof(void *);
	}
	if (btf_is_typedef(t)) {
		text_puts(out, name_of(e, t->name_off));
		return find_defined(e, id)->align;
	}
	if (btf_is_composite(t))
		return add_struct(e, out, id, t);
	if (btf_is_int(t))
		text_puts(out, name_of(e, t->name_off));
	else
		add_enum(e, out, id, t);
	return t->size ? t->size : 1;
}

/* A declaration of `name`, and the alignment of its type. at: NULL outside of structs. */
static void add_type(struct emit *e, struct text *out, uint32_t id, const char *name,
		     const struct span *at, uint32_t *align)
{
	const struct btf_type *t = type_of(e, id);
	struct text arrays = { 0 };

	while (btf_is_mod(t) || btf_is_typedef(t) || btf_is_array(t)) {
		if (btf_is_typedef(t) && goes_by_name(e, t)) {
			define_typedef(e, id);
			if (find_defined(e, id))
				break;
		}
		if (btf_is_array(t))
			text_printf(&arrays, "[%u]", btf_array(t)->nelems);
		id = btf_is_array(t) ? btf_array(t)->type : t->type;
		t = type_of(e, id);
	}
	*align = add_base(e, out, id);
	if (!*align) /* it is being defined further up */
		*align = 1;
	text_printf(out, " %s%s", name, text_str(&arrays));
	if (at && at->bitfield)
		text_printf(out, ": %u", at->len);
	text_puts(out, ";\n");
	text_free(&arrays);
}

void headers_structs_emit(const struct btf *btf, const struct headers_words *words,
			  const struct headers_struct *v, size_t n, struct text *out)
{
	static const struct headers_words all = { .all = true };
	struct emit e = { .btf = btf, .out = out };
	int whole;
	size_t i;

	/* the whole ones first: what they are made of is whole */
	for (whole = 1; whole >= 0; whole--) {
		e.words = whole ? &all : words;
		for (i = 0; i < n; i++)
			if (v[i].id && v[i].whole == whole)
				(v[i].always ? define_struct : define_named)(&e, v[i].id);
	}
	free(e.v);
}
