/* SPDX-License-Identifier: MIT */
#include "sink/columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/spell.h"
#include "sink/cells.h"

#define DEFAULT_COLUMNS 8 /* the first ones: the original's, in its order and widths */

const struct column column_table[] = {
	{ "function", "KERNEL FUNCTION", 20, false, { NULL }, cell_function, NULL },
	{ "src", "SRC IP", 17, false, { NULL }, cell_src, NULL },
	{ "dst", "DST IP", 17, false, { NULL }, cell_dst, NULL },
	{ "sport", "SRC PORT", 10, false, { NULL }, cell_sport, NULL },
	{ "dport", "DST PORT", 10, false, { NULL }, cell_dport, NULL },
	{ "seq", "SEQ", 14, false, { NULL }, cell_seq, NULL },
	{ "ack", "ACK SEQ", 14, false, { NULL }, cell_ack, NULL },
	{ "time", "TIMESTAMP", 26, false, { NULL }, cell_time, NULL },
	/* a packet is known by its buffer, too: see packets.h */
	{ "delta", "DELTA(us)", 12, true, { "skb" }, cell_delta, NULL },
	{ "gap", "GAP(us)", 12, true, { NULL }, cell_gap, NULL },
	{ "flags", "FLAGS", 6, false, { "tcp.flags" }, NULL, number_flags },
	{ "len", "LEN", 6, true, { "len" }, NULL, number_dec },
	{ "win", "WIN", 5, true, { "tcp.window" }, NULL, number_dec },
	{ "ttl", "TTL", 3, true, { "ip.ttl" }, NULL, number_dec },
	{ "ifname", "IFNAME", 12, false, { "ifindex", "netns" }, cell_ifname, NULL },
	{ "netns", "NETNS", 12, false, { "netns" }, NULL, number_netns },
	{ "cpu", "CPU", 3, true, { "cpu" }, NULL, number_dec },
	{ "uid", "UID", 6, true, { "uid" }, NULL, number_dec },
	{
		"pid",
		"PID",
		7,
		true,
		{ "inode" },
		NULL,
		number_pid,
	},
	{
		"comm",
		"COMM",
		15,
		false,
		{ "inode" },
		NULL,
		number_comm,
	},
	{ "cgroup", "CGROUP", 10, true, { "cgroup" }, NULL, number_dec },
	{ "state", "STATE", 10, false, { "state" }, NULL, number_state },
	{ "srtt", "SRTT(ms)", 9, true, { "srtt_us" }, NULL, number_ms },
	{ "rto", "RTO(ms)", 10, true, { "rto_us" }, NULL, number_ms },
	{ "cwnd", "CWND", 6, true, { "cwnd" }, NULL, number_dec },
	{ "retrans", "RETRANS", 7, true, { "retrans" }, NULL, number_dec },
	{ "rcvq", "RCVQ", 8, true, { "rcvq" }, NULL, number_dec },
	{ "sndq", "SNDQ", 8, true, { "sndq" }, NULL, number_dec },
	{ "mark", "MARK", 10, false, { "mark" }, NULL, number_hex },
	{ "skb", "SKB", 18, false, { "skb" }, NULL, number_hex },
	{ "sk", "SOCK", 18, false, { "sk" }, NULL, number_hex },
	{ "hash", "HASH", 10, false, { "hash" }, NULL, number_hex },
	{ "gso", "GSO", 3, true, { "gso_segs" }, NULL, number_dec },
};
const int column_count = sizeof(column_table) / sizeof(column_table[0]);
_Static_assert(sizeof(column_table) / sizeof(column_table[0]) + USER_COLUMNS_MAX <= COLUMNS_MAX,
	       "every column fits in one table");

static const char *const format_name[FORMAT_NR] = { "dec", "hex", "ip", "ns" };

/* --- names ------------------------------------------------------------------------- */

struct word {
	const char *s;
	size_t len;
};

static bool is_word(struct word w, const char *s)
{
	return strlen(s) == w.len && !memcmp(s, w.s, w.len);
}

static void add_quoted(struct text *why, struct word w)
{
	text_add_quoted(why, w.s, w.len);
}

static const struct column *find_column(struct word w)
{
	for (int i = 0; i < column_count; i++)
		if (is_word(w, column_table[i].name))
			return &column_table[i];
	return NULL;
}

static int find_user(const struct column_list *l, struct word w)
{
	for (int i = 0; i < l->users; i++)
		if (is_word(w, l->user[i].name))
			return i;
	return -1;
}

static const char *name_at(const struct column_list *l, int i)
{
	return i < column_count ? column_table[i].name : l->user[i - column_count].name;
}

/* The name that was meant: the field that a column shows (ip.ttl), or one that is spelled
 * almost so; NULL where none is near. */
static const char *nearest(const struct column_list *l, struct word w)
{
	const char *best = NULL;
	size_t d, least = spell_limit(w.len) + 1;

	for (int i = 0; i < column_count; i++)
		if (column_table[i].field[0] && is_word(w, column_table[i].field[0]))
			return column_table[i].name;
	for (int i = 0; i < column_count + l->users; i++) {
		d = spell_distance(w.s, w.len, name_at(l, i));
		if (d < least && d < strlen(name_at(l, i))) {
			least = d;
			best = name_at(l, i);
		}
	}
	return best;
}

static int refuse_unknown(const struct column_list *l, struct word w, struct text *why)
{
	const char *near = nearest(l, w);

	text_puts(why, "no column is called ");
	add_quoted(why, w);
	if (near)
		text_printf(why, "; did you mean '%s'?", near);
	text_puts(why, near ? " There are" : "; there are");
	for (int i = 0; i < column_count + l->users; i++)
		text_printf(why, "%s %s", i ? "," : "", name_at(l, i));
	return -EINVAL;
}

/* --- the user's own ---------------------------------------------------------------- */

static bool is_name(struct word w)
{
	if (!w.len || w.len > COLUMN_NAME_MAX)
		return false;
	for (size_t i = 0; i < w.len; i++)
		if (!(w.s[i] >= 'a' && w.s[i] <= 'z') && !(w.s[i] >= 'A' && w.s[i] <= 'Z') &&
		    w.s[i] != '_' && (!i || !(w.s[i] >= '0' && w.s[i] <= '9')))
			return false;
	return true;
}

/* A field's name is not taken either: in an expression it means the field. */
static bool is_taken(const struct column_list *l, struct word w)
{
	if (find_column(w) || find_user(l, w) >= 0)
		return true;
	for (int i = 0; i < column_count; i++)
		for (int k = 0; k < 2; k++)
			if (column_table[i].field[k] && is_word(w, column_table[i].field[k]))
				return true;
	return false;
}

/* Splits ":FORMAT" off the end. What follows the last colon of a C expression (a ? b : c)
 * is left there unless it is the name of a format. */
static int split_format(struct word *expr, enum column_format *format, struct text *why)
{
	const char *colon = memrchr(expr->s, ':', expr->len);
	struct word tail;

	*format = FORMAT_DEC;
	if (!colon)
		return 0;
	tail = (struct word){ colon + 1, expr->len - (size_t)(colon + 1 - expr->s) };
	for (int i = 0; i < FORMAT_NR; i++) {
		if (is_word(tail, format_name[i])) {
			*format = (enum column_format)i;
			expr->len = (size_t)(colon - expr->s);
			return 0;
		}
	}
	if (memchr(expr->s, '?', expr->len))
		return 0;
	text_puts(why, "no format is called ");
	add_quoted(why, tail);
	text_puts(why, "; there are dec, hex, ip, ns");
	return -EINVAL;
}

static bool is_blank(struct word w)
{
	for (size_t i = 0; i < w.len; i++)
		if (w.s[i] != ' ' && w.s[i] != '\t')
			return false;
	return true;
}

int columns_add(struct column_list *l, const char *definition, struct text *why)
{
	struct user_column *u = &l->user[l->users];
	struct word name = { definition, strcspn(definition, "=") }, expr;

	if (l->users == USER_COLUMNS_MAX) {
		add_quoted(why, (struct word){ definition, strlen(definition) });
		text_printf(why, " is one too many: more than %d", USER_COLUMNS_MAX);
		return -EINVAL;
	}
	if (!definition[name.len]) {
		add_quoted(why, name);
		text_puts(why, " is not NAME=EXPRESSION[:FORMAT]");
		return -EINVAL;
	}
	if (!is_name(name)) {
		add_quoted(why, name);
		text_printf(why, " cannot be the name of a column: 1 to %d letters, digits and '_'",
			    COLUMN_NAME_MAX);
		return -EINVAL;
	}
	if (is_taken(l, name)) {
		add_quoted(why, name);
		text_puts(why, ": there is a column or field of this name already");
		return -EINVAL;
	}
	expr = (struct word){ definition + name.len + 1, strlen(definition + name.len + 1) };
	if (split_format(&expr, &u->format, why))
		return -EINVAL;
	if (is_blank(expr)) {
		add_quoted(why, name);
		text_puts(why, " has no expression");
		return -EINVAL;
	}
	memcpy(u->name, name.s, name.len);
	u->name[name.len] = '\0';
	u->expr = strndup(expr.s, expr.len);
	if (!u->expr) {
		text_puts(why, strerror(ENOMEM));
		return -ENOMEM;
	}
	l->users++;
	return 0;
}

/* --- the list ---------------------------------------------------------------------- */

const char *columns_name(const struct column_list *l, int i)
{
	return l->v[i].column ? l->v[i].column->name : l->user[l->v[i].user].name;
}

static int find_chosen(const struct column_list *l, const struct column *column, int user)
{
	for (int i = 0; i < l->n; i++)
		if (l->v[i].column == column && (column || l->v[i].user == user))
			return i;
	return -1;
}

bool columns_have(const struct column_list *l, const char *name)
{
	for (int i = 0; i < l->n; i++)
		if (!strcmp(columns_name(l, i), name))
			return true;
	return false;
}

static void choose(struct column_list *l, const struct column *column, int user)
{
	l->v[l->n].column = column;
	l->v[l->n].user = user;
	l->n++;
}

static void take_out(struct column_list *l, int i)
{
	memmove(&l->v[i], &l->v[i + 1], (size_t)(l->n - i - 1) * sizeof(l->v[0]));
	l->n--;
}

/* One item of the list: NAME, +NAME or -NAME. */
static int take_item(struct column_list *l, struct word w, bool *dropped, struct text *why)
{
	char sign = w.len && (w.s[0] == '+' || w.s[0] == '-') ? w.s[0] : '\0';
	const struct column *column;
	int user, at;

	if (sign)
		w = (struct word){ w.s + 1, w.len - 1 };
	if (!w.len) {
		text_puts(why, "a name is missing: columns are separated by one comma each");
		return -EINVAL;
	}
	column = find_column(w);
	user = column ? -1 : find_user(l, w);
	if (!column && user < 0)
		return refuse_unknown(l, w, why);
	at = find_chosen(l, column, user);
	if (sign == '-') {
		if (user >= 0)
			dropped[user] = true;
		if (at >= 0)
			take_out(l, at);
		if (at >= 0 || user >= 0)
			return 0;
		add_quoted(why, w);
		text_puts(why, " is to be taken out, and is not among the columns");
		return -EINVAL;
	}
	if (at >= 0) {
		add_quoted(why, w);
		text_puts(why, " is among the columns already");
		return -EINVAL;
	}
	choose(l, column, user);
	return 0;
}

static int add_field(struct column_list *l, const char *name, const char *expr)
{
	int i;

	for (i = 0; i < l->nfields; i++)
		if (!strcmp(l->field[i].name, name))
			return i;
	l->field[i] = (struct column_field){ .name = name, .expr = expr, .slot = -1 };
	return l->nfields++;
}

void columns_need(struct column_list *l, const char *field)
{
	add_field(l, field, NULL); /* fewer than COLUMNS_MAX: several columns share theirs */
}

int columns_slot(const struct column_list *l, const char *field)
{
	for (int i = 0; i < l->nfields; i++)
		if (!l->field[i].expr && !strcmp(l->field[i].name, field))
			return l->field[i].slot;
	return -1;
}

static void collect_fields(struct column_list *l)
{
	const struct column *c;
	const struct user_column *u;

	l->nfields = 0;
	for (int i = 0; i < l->n; i++) {
		c = l->v[i].column;
		u = c ? NULL : &l->user[l->v[i].user];
		for (int k = 0; k < 2; k++) {
			if (c && c->field[k])
				l->v[i].field[k] = add_field(l, c->field[k], NULL);
			else if (u && !k)
				l->v[i].field[k] = add_field(l, u->name, u->expr);
			else
				l->v[i].field[k] = -1;
		}
	}
}

int columns_parse(struct column_list *l, const char *list, struct text *why)
{
	bool dropped[USER_COLUMNS_MAX] = { false };
	const char *s = list;
	size_t len;
	int err;

	l->n = 0;
	for (int i = 0; i < DEFAULT_COLUMNS && (!s || *s == '+' || *s == '-'); i++)
		choose(l, &column_table[i], -1);
	while (s) {
		len = strcspn(s, ",");
		err = take_item(l, (struct word){ s, len }, dropped, why);
		if (err)
			return err;
		s = s[len] ? s + len + 1 : NULL;
	}
	for (int i = 0; i < l->users; i++)
		if (!dropped[i] && find_chosen(l, NULL, i) < 0)
			choose(l, NULL, i);
	if (!l->n) {
		text_puts(why, "no column is left");
		return -EINVAL;
	}
	collect_fields(l);
	return 0;
}

void columns_default(struct column_list *l)
{
	struct text why = { 0 };

	columns_parse(l, NULL, &why);
}

void columns_free(struct column_list *l)
{
	for (int i = 0; i < l->users; i++)
		free(l->user[i].expr);
	*l = (struct column_list){ 0 };
}
