/* SPDX-License-Identifier: MIT */
/* The one line out of what clang, libbcc and the verifier print. */
#include "fuzz.h"

#include "bpf/diagnose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int error = (int)take_number(&in, 1);
	enum hook_kind kind = take_number(&in, 1) % HOOK_KINDS;
	char *log = take_string(&in);
	struct text out = { 0 };

	if (diagnose_compile(log, &out))
		REQUIRE(out.len && strcasestr(log, "error: "));
	else
		REQUIRE(!out.len);
	REQUIRE(is_safe_text(text_str(&out), out.len, false));
	text_reset(&out);
	diagnose_excerpt(log, &out);
	REQUIRE(is_safe_text(text_str(&out), out.len, true));
	text_reset(&out);
	diagnose_load(log, error, kind, &out);
	REQUIRE(out.len && is_safe_text(out.s, out.len, false));
	text_free(&out);
	free(log);
	return 0;
}
