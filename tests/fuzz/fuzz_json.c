/* SPDX-License-Identifier: MIT */
/*
 * JSON of values in any order and depth, with strings of any bytes, read back by a strict
 * reader (RFC 8259): it must be told the values that were written, and nothing else.
 */
#include "fuzz.h"

#include <inttypes.h>

#include "sink/json_text.h"

#define MAX_DEPTH 16

/* What was written or read, in a form that names each thing once. */
static struct text written, read_back;

static void note_string(struct text *log, char kind, const char *s, size_t len)
{
	text_printf(log, "%c%zu:", kind, len);
	text_add(log, s, len);
}

/* --- writing ----------------------------------------------------------------------- */

/* A string comes back as text_add_escaped() made it: what that does is fuzz_text's. */
static void note_escaped(char kind, const char *s)
{
	struct text t = { 0 };

	text_add_escaped(&t, s, strlen(s), false);
	note_string(&written, kind, text_str(&t), t.len);
	text_free(&t);
}

static void write_value(struct json *j, struct input *in, unsigned int op, const char *key)
{
	int64_t number;
	char *s;

	if (key)
		note_escaped('k', key);
	switch (op) {
	case 0:
		s = take_string(in);
		json_string(j, key, s);
		note_escaped('s', s);
		free(s);
		break;
	case 1:
		number = (int64_t)take_number(in, 8);
		json_number(j, key, number);
		text_printf(&written, "n%" PRId64 ";", number);
		break;
	case 2:
		json_null(j, key);
		text_puts(&written, "z");
		break;
	default:
		json_bool(j, key, op & 1);
		text_puts(&written, op & 1 ? "t" : "f");
		break;
	}
}

static void write_all_of(struct input *in, struct json *j)
{
	char closing[MAX_DEPTH], *key;
	unsigned int op;
	int depth = 0;

	do {
		op = in->left ? (unsigned int)take_number(in, 1) % 8 : 7;
		key = depth && closing[depth - 1] == '}' && op != 7 ? take_string(in) : NULL;
		if (op == 7 && depth) {
			json_close(j, closing[--depth]);
			text_add(&written, &closing[depth], 1);
		} else if (op >= 5 && depth < MAX_DEPTH) {
			if (key)
				note_escaped('k', key);
			json_open(j, key, op == 5 ? '{' : '[');
			text_puts(&written, op == 5 ? "{" : "[");
			closing[depth++] = op == 5 ? '}' : ']';
		} else {
			write_value(j, in, op % 5, key);
		}
		free(key);
	} while (depth);
}

/* --- reading ----------------------------------------------------------------------- */

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \n");
}

static const char *read_string(const char *p, char kind)
{
	struct text t = { 0 };

	REQUIRE(*p++ == '"');
	for (; *p != '"'; p++) {
		REQUIRE((unsigned char)*p >= 0x20);
		if (*p == '\\') {
			p++;
			REQUIRE(*p == '"' || *p == '\\');
		}
		text_add(&t, p, 1);
	}
	note_string(&read_back, kind, text_str(&t), t.len);
	text_free(&t);
	return p + 1;
}

static const char *read_value(const char *p, int depth);

static const char *read_members(const char *p, char closing, int depth)
{
	bool first = true;

	REQUIRE(depth < MAX_DEPTH);
	for (p = skip_blanks(p); *p != closing; p = skip_blanks(p)) {
		if (!first) {
			REQUIRE(*p == ',');
			p = skip_blanks(p + 1);
		}
		first = false;
		if (closing == '}') {
			p = skip_blanks(read_string(p, 'k'));
			REQUIRE(*p == ':');
			p = skip_blanks(p + 1);
		}
		p = read_value(p, depth + 1);
	}
	text_add(&read_back, &closing, 1);
	return p + 1;
}

static const char *read_number(const char *p)
{
	size_t digits = strspn(p + (*p == '-'), "0123456789");

	REQUIRE(digits && (digits == 1 || p[*p == '-'] != '0'));
	digits += *p == '-';
	text_printf(&read_back, "n%.*s;", (int)digits, p);
	return p + digits;
}

static const char *read_value(const char *p, int depth)
{
	switch (*p) {
	case '{':
		text_puts(&read_back, "{");
		return read_members(p + 1, '}', depth);
	case '[':
		text_puts(&read_back, "[");
		return read_members(p + 1, ']', depth);
	case '"':
		return read_string(p, 's');
	case 't':
		REQUIRE(!strncmp(p, "true", 4));
		text_puts(&read_back, "t");
		return p + 4;
	case 'f':
		REQUIRE(!strncmp(p, "false", 5));
		text_puts(&read_back, "f");
		return p + 5;
	case 'n':
		REQUIRE(!strncmp(p, "null", 4));
		text_puts(&read_back, "z");
		return p + 4;
	default:
		return read_number(p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct text out = { 0 };
	struct json j = { .out = &out };
	const char *p;

	text_reset(&written);
	text_reset(&read_back);
	write_all_of(&in, &j);
	REQUIRE(!out.cut && strlen(text_str(&out)) == out.len);
	REQUIRE(is_safe_text(text_str(&out), out.len, true));
	p = skip_blanks(read_value(text_str(&out), 0));
	REQUIRE(!*p);
	REQUIRE(written.len == read_back.len && !strcmp(text_str(&written), text_str(&read_back)));
	text_free(&out);
	return 0;
}
