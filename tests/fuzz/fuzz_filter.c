/* SPDX-License-Identifier: MIT */
/* The arguments of the filters: which of them it is, bounds of the ports, how much is there
 * already, then one argument after the other. */
#include "fuzz.h"

#include <arpa/inet.h>

#include "base/text.h"
#include "conf/filter_value.h"

static bool has_bits_beyond(const struct prefix *p)
{
	for (unsigned int i = p->length; i < 128; i++)
		if (p->address.s6_addr[i / 8] & (0x80 >> i % 8))
			return true;
	return false;
}

/* As one would write it. */
static void write_prefix(const struct prefix *p, struct text *out)
{
	char s[INET6_ADDRSTRLEN];
	bool v4 = IN6_IS_ADDR_V4MAPPED(&p->address);

	if (v4)
		inet_ntop(AF_INET, &p->address.s6_addr32[3], s, sizeof(s));
	else
		inet_ntop(AF_INET6, &p->address, s, sizeof(s));
	text_puts(out, s);
	if (p->length < 128)
		text_printf(out, "/%u", v4 ? p->length - 96 : p->length);
}

static void prefixes(const char *s, struct prefixes *l)
{
	static struct prefixes before, again;
	struct text written = { 0 };
	int err;

	before = *l;
	err = prefixes_parse(s, l);
	REQUIRE(!memcmp(l->v, before.v, (size_t)before.n * sizeof(l->v[0])));
	if (err) {
		REQUIRE(err < 0 && l->n == before.n);
		return;
	}
	REQUIRE(l->n > before.n && l->n <= PREFIXES_MAX);
	for (int i = before.n; i < l->n; i++) {
		REQUIRE(l->v[i].length <= 128 && !has_bits_beyond(&l->v[i]));
		REQUIRE(!IN6_IS_ADDR_V4MAPPED(&l->v[i].address) || l->v[i].length >= 96);
		text_puts(&written, i > before.n ? "," : "");
		write_prefix(&l->v[i], &written);
	}
	again = before;
	REQUIRE(!prefixes_parse(text_str(&written), &again) && again.n == l->n);
	REQUIRE(!memcmp(again.v, l->v, (size_t)l->n * sizeof(l->v[0])));
	text_free(&written);
}

static void ports(const char *s, uint64_t min, uint64_t max, struct port_ranges *l)
{
	static struct port_ranges before, again;
	struct text written = { 0 };
	int err;

	before = *l;
	err = ports_parse(s, min, max, l);
	REQUIRE(!memcmp(l->v, before.v, (size_t)before.n * sizeof(l->v[0])));
	if (err) {
		REQUIRE(err < 0 && l->n == before.n);
		return;
	}
	REQUIRE(l->n > before.n && l->n <= PORT_RANGES_MAX);
	for (int i = before.n; i < l->n; i++) {
		REQUIRE(l->v[i].from >= min && l->v[i].from <= l->v[i].to && l->v[i].to <= max);
		text_printf(&written, "%s%u-%u", i > before.n ? "," : "", l->v[i].from, l->v[i].to);
	}
	again = before;
	REQUIRE(!ports_parse(text_str(&written), min, max, &again) && again.n == l->n);
	REQUIRE(!memcmp(again.v, l->v, (size_t)l->n * sizeof(l->v[0])));
	text_free(&written);
}

static void flags(const char *s)
{
	struct tcp_flags f = { 0x55, 0xaa };
	int err = tcp_flags_parse(s, &f);

	if (err)
		REQUIRE(err < 0 && f.on == 0x55 && f.off == 0xaa);
	else
		REQUIRE((f.on | f.off) && !(f.on & f.off));
}

static void length(const char *s)
{
	struct lengths l = { false, 7, 3 };
	int err = lengths_parse(s, &l);

	if (err)
		REQUIRE(err < 0 && !l.set && l.min == 7 && l.max == 3);
	else
		REQUIRE(l.set && l.min <= l.max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct prefixes addresses;
	static struct port_ranges ranges;
	struct input in = { data, size };
	uint64_t kind = take_number(&in, 1) % 4, min = take_number(&in, 2),
		 max = take_number(&in, 2);
	char *s;

	if (min > max)
		min = 0;
	/* all zero bytes are a list as well: every address, and port 0 */
	memset(&addresses, 0, sizeof(addresses));
	memset(&ranges, 0, sizeof(ranges));
	if (take_number(&in, 1) & 1) {
		addresses.n = PREFIXES_MAX - 2;
		ranges.n = PORT_RANGES_MAX - 2;
	}
	do {
		s = take_string(&in);
		if (kind == 0)
			prefixes(s, &addresses);
		else if (kind == 1)
			ports(s, min, max, &ranges);
		else if (kind == 2)
			flags(s);
		else
			length(s);
		free(s);
	} while (in.left);
	return 0;
}
