/* SPDX-License-Identifier: MIT */
#include "bpf/layout.h"

#include <stddef.h>
#include <string.h>

#include "probes/event.h"

#define FIELD(type, field)                                                                         \
	{                                                                                          \
#type, #field, offsetof(struct type, field), sizeof(((struct type *)0)->field)     \
	}

static const struct {
	const char *type;
	const char *field;
	size_t offset;
	size_t size;
} fields[] = {
	FIELD(lnk_event, time_ns),      FIELD(lnk_event, saddr),
	FIELD(lnk_event, daddr),        FIELD(lnk_event, seq),
	FIELD(lnk_event, ack_seq),      FIELD(lnk_event, sport),
	FIELD(lnk_event, dport),        FIELD(lnk_event, hook),
	FIELD(lnk_event, ipv6),         FIELD(lnk_record, event),
	FIELD(lnk_record, extra),       FIELD(lnk_counters, seen),
	FIELD(lnk_counters, filtered),  FIELD(lnk_counters, limited),
	FIELD(lnk_counters, lost),      FIELD(lnk_counters, other),
	FIELD(lnk_counters, fragment),  FIELD(lnk_counters, unreadable),
	FIELD(lnk_counters, ownerless), FIELD(lnk_counters, bytes),
};

static const struct {
	const char *type;
	size_t size;
} types[] = {
	{ "lnk_event", sizeof(struct lnk_event) },
	{ "lnk_record", sizeof(struct lnk_record) },
	{ "lnk_counters", sizeof(struct lnk_counters) },
	{ "lnk_position", sizeof(struct lnk_position) },
	{ "lnk_owner", sizeof(struct lnk_owner) },
	{ "lnk_pages", sizeof(struct lnk_pages) },
};

#define EDITED "; put event.h back, or build the program anew with it"

static void emit_field(struct text *out, size_t i)
{
	text_printf(out,
		    "_Static_assert(__builtin_offsetof(struct %s, %s) == %zu && "
		    "sizeof(((struct %s *)0)->%s) == %zu, \"event.h: field '%s' of struct "
		    "%s is not where this program expects it (%zu bytes at offset "
		    "%zu)" EDITED "\");\n",
		    fields[i].type, fields[i].field, fields[i].offset, fields[i].type,
		    fields[i].field, fields[i].size, fields[i].field, fields[i].type,
		    fields[i].size, fields[i].offset);
}

/* Type by type: a field at the end of one moves what contains it, and the first message
 * is the one that is shown. */
void layout_emit(struct text *out)
{
	size_t i, k;

	for (k = 0; k < sizeof(types) / sizeof(types[0]); k++) {
		for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (!strcmp(fields[i].type, types[k].type))
				emit_field(out, i);
		text_printf(out,
			    "_Static_assert(sizeof(struct %s) == %zu, \"event.h: struct %s has "
			    "another size than this program expects (%zu bytes): a field was added "
			    "or removed at its end" EDITED "\");\n",
			    types[k].type, types[k].size, types[k].type, types[k].size);
	}
	text_printf(out,
		    "_Static_assert(LNK_MAX_HOOKS == %d, \"event.h: LNK_MAX_HOOKS" EDITED "\");\n",
		    LNK_MAX_HOOKS);
}
