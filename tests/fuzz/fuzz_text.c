/* SPDX-License-Identifier: MIT */
/* Bytes from anywhere, made safe for a terminal. */
#include "fuzz.h"

#include "base/num.h"
#include "base/text.h"
#include "conf/address.h"

/* What was not escaped is still there: undoing the escapes gives the input back, but for
 * a backslash of the input, which is ambiguous. */
static void look_at(const struct text *t, const uint8_t *bytes, size_t len, bool lines)
{
	size_t i, k;
	unsigned int v;

	REQUIRE(is_safe_text(text_str(t), t->len, lines));
	for (i = k = 0; i < len; i++) {
		REQUIRE(k < t->len);
		if ((uint8_t)t->s[k] == bytes[i]) {
			k++;
			continue;
		}
		REQUIRE(t->len - k >= 4 && sscanf(t->s + k, "\\x%2x", &v) == 1 && v == bytes[i]);
		k += 4;
	}
	REQUIRE(k == t->len && !t->s[k]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	bool lines = take_number(&in, 1) & 1;
	struct text t = { 0 };
	struct in6_addr ip;
	uint64_t v = 0;
	uint8_t *bytes;
	size_t len;
	char *s;

	s = take_string(&in);
	address_parse(s, &ip);
	REQUIRE(num_parse(s, 5, 1000, &v) || (v >= 5 && v <= 1000));
	REQUIRE(num_parse_seconds(s, 5, 1000, &v) || (v >= 5 && v <= 1000));
	free(s);
	bytes = take_bytes(&in, in.left, &len);
	text_add_escaped(&t, (const char *)bytes, len, lines);
	if (len)
		look_at(&t, bytes, len, lines);
	text_free(&t);
	free(bytes);
	return 0;
}
