/* SPDX-License-Identifier: MIT */
#include "conf/filter_value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "conf/address.h"

#define COMM_MAX 15 /* TASK_COMM_LEN, less its zero byte */
#define ITEM_MAX 64 /* no address, port or flag is longer */

/* Copies the item at *s, which a comma or the end ends, and moves on. An empty one is no
 * item. */
static int next_item(const char **s, char item[ITEM_MAX])
{
	size_t n = strcspn(*s, ",");

	if (!n || n >= ITEM_MAX)
		return -EINVAL;
	memcpy(item, *s, n);
	item[n] = '\0';
	*s += n;
	if (**s && !*++*s) /* a comma at the end */
		return -EINVAL;
	return 0;
}

static bool is_v4(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

/* No packet has such an address; :: would stand for the unknown ones. */
static bool is_any(const struct in6_addr *a)
{
	return IN6_IS_ADDR_UNSPECIFIED(a) || (is_v4(a) && !a->s6_addr32[3]);
}

static bool has_bits_beyond(const struct in6_addr *a, unsigned int length)
{
	unsigned int i;

	for (i = length; i < 128; i++)
		if (a->s6_addr[i / 8] & (0x80 >> i % 8))
			return true;
	return false;
}

static int parse_prefix(char *item, struct prefix *p)
{
	char *slash = strchr(item, '/');
	uint64_t length;
	int err;

	if (slash)
		*slash = '\0';
	err = address_parse(item, &p->address);
	p->length = 128;
	if (err)
		return err;
	if (!slash)
		return is_any(&p->address) ? -EINVAL : 0;
	/* ::ffff:10.0.0.0/8 could mean two things; an IPv4 network is written as one */
	if (is_v4(&p->address) && strchr(item, ':'))
		return -EINVAL;
	err = num_parse(slash + 1, 0, is_v4(&p->address) ? 32 : 128, &length);
	if (err)
		return err;
	p->length = (unsigned int)length + (is_v4(&p->address) ? 96 : 0);
	if (p->length == 128 && is_any(&p->address))
		return -EINVAL;
	return has_bits_beyond(&p->address, p->length) ? -EINVAL : 0;
}

int prefixes_parse(const char *s, struct prefixes *out)
{
	char item[ITEM_MAX];
	int n = out->n, err;

	do {
		err = next_item(&s, item);
		if (!err && n == PREFIXES_MAX)
			err = -E2BIG;
		if (!err)
			err = parse_prefix(item, &out->v[n++]);
	} while (!err && *s);
	if (!err)
		out->n = n;
	return err;
}

bool prefixes_have(const struct prefixes *l, bool ipv4)
{
	int i;

	for (i = 0; i < l->n; i++) /* ::/0 is none of IPv4 */
		if ((l->v[i].length >= 96 && is_v4(&l->v[i].address)) == ipv4)
			return true;
	return false;
}

static int parse_range(char *item, uint64_t min, uint64_t max, struct port_range *r)
{
	char *dash = strchr(item, '-');
	uint64_t from, to;
	int err;

	if (dash)
		*dash = '\0';
	err = num_parse(item, min, max, &from);
	if (err)
		return err;
	to = from;
	if (dash)
		err = num_parse(dash + 1, from, max, &to);
	*r = (struct port_range){ (uint16_t)from, (uint16_t)to };
	return err;
}

int ports_parse(const char *s, uint64_t min, uint64_t max, struct port_ranges *out)
{
	char item[ITEM_MAX];
	int n = out->n, err;

	do {
		err = next_item(&s, item);
		if (!err && n == PORT_RANGES_MAX)
			err = -E2BIG;
		if (!err)
			err = parse_range(item, min, max, &out->v[n++]);
	} while (!err && *s);
	if (!err)
		out->n = n;
	return err;
}

const char *const tcp_flag_name[8] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" };

int tcp_flags_parse(const char *s, struct tcp_flags *out)
{
	struct tcp_flags f = { 0 };
	char item[ITEM_MAX];
	const char *name;
	int i, err;

	do {
		err = next_item(&s, item);
		if (err)
			return err;
		name = item + (item[0] == '!');
		for (i = 0; i < 8 && strcasecmp(name, tcp_flag_name[i]) != 0; i++)
			;
		if (i == 8 || ((f.on | f.off) & 1U << i))
			return -EINVAL;
		if (name == item)
			f.on |= (uint8_t)(1U << i);
		else
			f.off |= (uint8_t)(1U << i);
	} while (*s);
	*out = f;
	return 0;
}

int lengths_parse(const char *s, struct lengths *out)
{
	uint64_t min = 0, max = UINT32_MAX;
	char item[ITEM_MAX], *dash;
	int err = 0;

	if (strlen(s) >= sizeof(item) || !strcmp(s, "-"))
		return -EINVAL;
	strcpy(item, s);
	dash = strchr(item, '-');
	if (dash)
		*dash = '\0';
	if (!dash || item[0])
		err = num_parse(item, 0, UINT32_MAX, &min);
	if (!dash)
		max = min;
	else if (!err && dash[1])
		err = num_parse(dash + 1, min, UINT32_MAX, &max);
	if (!err)
		*out = (struct lengths){ true, (uint32_t)min, (uint32_t)max };
	return err;
}

int pids_parse(const char *s, uint64_t min, uint64_t max, struct pids *out)
{
	char item[ITEM_MAX];
	int n = out->n, i, err;
	uint64_t pid;

	do {
		err = next_item(&s, item);
		if (!err)
			err = num_parse(item, min, max, &pid);
		for (i = 0; !err && i < n && out->v[i] != pid; i++)
			;
		if (!err && i == PIDS_MAX)
			err = -E2BIG;
		if (!err && i == n)
			out->v[n++] = (uint32_t)pid;
	} while (!err && *s);
	if (!err)
		out->n = n;
	return err;
}

int comm_parse(const char *s, struct strings *out)
{
	if (!*s || strlen(s) > COMM_MAX)
		return -EINVAL;
	if (out->n == STRINGS_MAX)
		return -E2BIG;
	out->v[out->n++] = s;
	return 0;
}

/* --- in words ---------------------------------------------------------------------- */

static void add_prefix(struct text *out, const struct prefix *p)
{
	char s[INET6_ADDRSTRLEN];

	if (is_v4(&p->address) && p->length >= 96) {
		text_puts(out, inet_ntop(AF_INET, &p->address.s6_addr32[3], s, sizeof(s)));
		if (p->length < 128)
			text_printf(out, "/%u", p->length - 96);
	} else {
		text_puts(out, inet_ntop(AF_INET6, &p->address, s, sizeof(s)));
		if (p->length < 128)
			text_printf(out, "/%u", p->length);
	}
}

void prefixes_format(const struct prefixes *l, struct text *out)
{
	for (int i = 0; i < l->n; i++) {
		text_puts(out, i ? ", " : "");
		add_prefix(out, &l->v[i]);
	}
}

void ports_format(const struct port_ranges *l, struct text *out)
{
	for (int i = 0; i < l->n; i++) {
		text_printf(out, "%s%u", i ? ", " : "", l->v[i].from);
		if (l->v[i].to != l->v[i].from)
			text_printf(out, "-%u", l->v[i].to);
	}
}

void pids_format(const struct pids *l, struct text *out)
{
	for (int i = 0; i < l->n; i++)
		text_printf(out, "%s%" PRIu32, i ? ", " : "", l->v[i]);
}

void tcp_flags_format(const struct tcp_flags *f, struct text *out)
{
	const char *before = "";

	for (int i = 0; i < 8; i++) {
		if (!((f->on | f->off) >> i & 1))
			continue;
		text_printf(out, "%s%s%s", before, f->off >> i & 1 ? "!" : "", tcp_flag_name[i]);
		before = ", ";
	}
}
