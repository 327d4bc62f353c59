/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON into a text, one call one value. The caller opens and closes in pairs;
 * commas, indentation and escapes are done here. What a string has that is no UTF-8, and
 * control characters, become \xNN as everywhere else, so the result is always valid.
 */
#ifndef LNK_JSON_TEXT_H
#define LNK_JSON_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct json {
	struct text *out;
	int depth;
	bool filled; /* the innermost object or array has a member */
};

/* `key` is NULL for the outermost value and for the members of an array. `bracket` is '{'
 * or '[', and at the end '}' or ']'. */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);

void json_string(struct json *j, const char *key, const char *value);
void json_number(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
