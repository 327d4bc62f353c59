/* SPDX-License-Identifier: MIT */
/*
 * Lines of the console, and what they give anew: each is answered or refused with one safe
 * line, what is kept can be read by the other process, and is read the same way there.
 */
#include "fuzz.h"

#include "app/console_command.h"
#include "app/setting.h"
#include "conf/changes.h"
#include "conf/options.h"

#define MAX_LINES 16

static void give(struct setting **now, const char *option, const char *value)
{
	struct setting *next = NULL;
	struct text why = { 0 }, what = { 0 };
	enum change_kind kind;

	if (setting_change(&next, *now, option, value, &kind, &why)) {
		REQUIRE(why.len && is_safe_text(why.s, why.len, false));
	} else {
		REQUIRE(!why.len && changes_ok(&next->changes));
		REQUIRE(next->conf.rate <= 1000000000 && !(next->conf.ipv4 && next->conf.ipv6));
		REQUIRE(next->extra >= 0 && next->extra <= LNK_MAX_EXTRA);
		changes_describe(&(*now)->conf, &next->conf, &what);
		REQUIRE(is_safe_text(text_str(&what), what.len, false));
		setting_drop(*now);
		*now = next;
	}
	text_free(&what);
	text_free(&why);
}

static void run(struct setting **now, char *line)
{
	const struct console_command *command;
	struct text why = { 0 };
	const char *arg;
	char option[32];
	size_t len;
	int err = console_parse(line, &command, &arg, &why);

	REQUIRE(err == 1 || !err == !why.len);
	REQUIRE(is_safe_text(text_str(&why), why.len, false));
	text_free(&why);
	if (err)
		return;
	if (command->takes == TAKES_VALUE) {
		give(now, command->name, arg);
	} else if (command->takes == TAKES_SETTING) {
		len = strcspn(arg, " ");
		if (len && len < sizeof(option)) {
			memcpy(option, arg, len);
			option[len] = '\0';
			give(now, option, arg + len + strspn(arg + len, " "));
		}
	}
}

/* Bytes as a request has them. */
static void apply_raw(const struct config *base, struct input *in)
{
	static struct changes raw;
	static struct config conf;
	struct text why = { 0 };
	uint8_t *bytes;
	size_t len;

	bytes = take_bytes(in, take_number(in, 2), &len);
	memset(&raw, 0, sizeof(raw));
	raw.len = (uint32_t)(len < sizeof(raw.text) ? len : sizeof(raw.text));
	memcpy(raw.text, bytes, raw.len);
	free(bytes);
	conf = *base;
	if (changes_ok(&raw) && changes_apply(&raw, &conf, &why))
		REQUIRE(why.len && is_safe_text(why.s, why.len, false));
	text_free(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config base;
	struct input in = { data, size };
	char *argv[] = { "linux_net_kernel", "-C", NULL }, *line;
	const struct changes none = { 0 };
	struct setting *now, *again;
	struct text why = { 0 };
	int i;

	REQUIRE(!options_parse(&base, 2, argv, &why));
	if (take_number(&in, 1) & 1)
		apply_raw(&base, &in);
	REQUIRE(!setting_make(&now, &base, &none, &why));
	for (i = 0; i < MAX_LINES && in.left; i++) {
		line = take_string(&in);
		run(&now, line);
		free(line);
	}
	REQUIRE(!setting_make(&again, &base, &now->changes, &why));
	changes_describe(&now->conf, &again->conf, &why);
	REQUIRE(!why.len && again->extra == now->extra);
	setting_drop(again);
	setting_drop(now);
	text_free(&why);
	return 0;
}
