/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sink/columns.h"

/* The names of a list, as one would type it. */
static const char *names(const struct column_list *l)
{
	static char s[2000];
	size_t n = 0;

	s[0] = '\0';
	for (int i = 0; i < l->n; i++)
		n += (size_t)snprintf(s + n, sizeof(s) - n, "%s%s", i ? "," : "",
				      columns_name(l, i));
	return s;
}

static void chooses(const char *list, const char *want)
{
	struct column_list l = { 0 };
	struct text why = { 0 };

	CHECK_INT(columns_parse(&l, list, &why), 0);
	CHECK_STR(text_str(&why), "");
	CHECK_STR(names(&l), want);
	columns_free(&l);
	text_free(&why);
}

#define THERE_ARE                                                                                  \
	"here are function, src, dst, sport, dport, seq, ack, time, delta, gap, flags, len, win, " \
	"ttl, ifname, netns, cpu, uid, pid, comm, cgroup, state, srtt, rto, cwnd, retrans, rcvq, " \
	"sndq, "                                                                                   \
	"mark, "                                                                                   \
	"skb, sk, hash, gso"

static void refuses(const char *list, const char *want)
{
	struct column_list l = { 0 };
	struct text why = { 0 };

	CHECK_INT(columns_parse(&l, list, &why), -EINVAL);
	CHECK_STR(text_str(&why), want);
	columns_free(&l);
	text_free(&why);
}

#define EIGHT "function,src,dst,sport,dport,seq,ack,time"

TEST(lists)
{
	chooses(NULL, EIGHT);
	chooses(EIGHT, EIGHT);
	chooses("time", "time");
	chooses("seq,function", "seq,function");
	chooses("seq,+len", "seq,len");
	chooses("function,src,+flags,-src", "function,flags");
	chooses("+flags,+len", EIGHT ",flags,len");
	chooses("-seq,-ack", "function,src,dst,sport,dport,time");
	chooses("-time,+cpu,+time", "function,src,dst,sport,dport,seq,ack,cpu,time");
	chooses("-function,skb", "src,dst,sport,dport,seq,ack,time,skb");
}

TEST(bad_lists)
{
	static const char missing[] = "a name is missing: columns are separated by one comma each";

	refuses("", missing);
	refuses(",", missing);
	refuses("seq,", missing);
	refuses("seq,,ack", missing);
	refuses("+", missing);
	refuses("seq,-", missing);
	refuses("seq,ack,seq", "'seq' is among the columns already");
	refuses("+seq", "'seq' is among the columns already");
	refuses("-len", "'len' is to be taken out, and is not among the columns");
	refuses("-seq,-seq", "'seq' is to be taken out, and is not among the columns");
	refuses("seq,-seq", "no column is left");
	refuses("flgs", "no column is called 'flgs'; did you mean 'flags'? T" THERE_ARE);
	refuses("+rtt", "no column is called 'rtt'; did you mean 'srtt'? T" THERE_ARE);
	refuses("SEQ", "no column is called 'SEQ'; t" THERE_ARE);
	refuses("seq ", "no column is called 'seq '; did you mean 'seq'? T" THERE_ARE);
	/* a field's name: the column that shows it */
	refuses("tcp.window", "no column is called 'tcp.window'; did you mean 'win'? T" THERE_ARE);
	refuses("\x1b[2J", "no column is called '\\x1b[2J'; t" THERE_ARE);
	refuses("++seq", "no column is called '+seq'; did you mean 'seq'? T" THERE_ARE);
}

TEST(long_names_are_cut_in_messages)
{
	struct column_list l = { 0 };
	struct text why = { 0 };
	char big[5000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	CHECK_INT(columns_parse(&l, big, &why), -EINVAL);
	CHECK(why.len < 500);
	text_reset(&why);
	big[10] = '=';
	CHECK_INT(columns_add(&l, big, &why), 0);
	big[10] = 'x';
	CHECK_INT(columns_add(&l, big, &why), -EINVAL);
	CHECK(why.len < 200);
	columns_free(&l);
	text_free(&why);
}

/* Each number is collected once. */
TEST(fields)
{
	struct column_list l = { 0 };
	struct text why = { 0 };

	CHECK_INT(columns_parse(&l, "seq,time,gap", &why), 0);
	CHECK_INT(l.nfields, 0);
	CHECK_INT(columns_parse(&l, "ifname,seq,netns,uid,len,delta,skb", &why), 0);
	CHECK_INT(l.nfields, 5);
	CHECK_STR(l.field[0].name, "ifindex");
	CHECK_STR(l.field[1].name, "netns");
	CHECK_STR(l.field[2].name, "uid");
	CHECK_STR(l.field[3].name, "len");
	CHECK_STR(l.field[4].name, "skb");
	for (int i = 0; i < l.nfields; i++)
		CHECK(l.field[i].slot == -1 && !l.field[i].expr);
	CHECK_INT(l.v[0].field[0], 0);
	CHECK_INT(l.v[0].field[1], 1);
	CHECK_INT(l.v[1].field[0], -1);
	CHECK_INT(l.v[2].field[0], 1);
	CHECK(columns_have(&l, "netns") && !columns_have(&l, "ack"));
	columns_free(&l);
	text_free(&why);
}

/* All of them at once fit in an event, with the one that -d takes. */
TEST(every_column)
{
	struct column_list l = { 0 };
	struct text list = { 0 }, why = { 0 };

	for (int i = 0; i < column_count; i++) {
		text_printf(&list, "%s%s", i ? "," : "", column_table[i].name);
		CHECK(strlen(column_table[i].name) <= COLUMN_NAME_MAX);
		CHECK(!column_table[i].cell != !column_table[i].number);
		CHECK(!column_table[i].number || column_table[i].field[0]);
	}
	CHECK_INT(columns_parse(&l, text_str(&list), &why), 0);
	CHECK_STR(names(&l), text_str(&list));
	CHECK(l.nfields + 1 <= LNK_MAX_EXTRA);
	columns_free(&l);
	text_free(&list);
	text_free(&why);
}

static void defines(const char *definition, const char *name, const char *expr,
		    enum column_format format)
{
	struct column_list l = { 0 };
	struct text why = { 0 };

	CHECK_INT(columns_add(&l, definition, &why), 0);
	CHECK_STR(text_str(&why), "");
	CHECK_INT(l.users, 1);
	CHECK_STR(l.user[0].name, name);
	CHECK_STR(l.user[0].expr, expr);
	CHECK_INT(l.user[0].format, format);
	columns_free(&l);
	text_free(&why);
}

TEST(columns_of_the_users_own)
{
	defines("a=len", "a", "len", FORMAT_DEC);
	defines("mss=sk->mss_cache:dec", "mss", "sk->mss_cache", FORMAT_DEC);
	defines("A_9=skb->mark & 0xff:hex", "A_9", "skb->mark & 0xff", FORMAT_HEX);
	defines("gw=x:ip", "gw", "x", FORMAT_IP);
	defines("t= a == b :ns", "t", " a == b ", FORMAT_NS);
	/* a colon of C's own */
	defines("t=a ? b : c", "t", "a ? b : c", FORMAT_DEC);
	defines("t=a ? b : c:hex", "t", "a ? b : c", FORMAT_HEX);
	defines("t=a?b:dec", "t", "a?b", FORMAT_DEC);
	defines("abcdefghijklmnopqrstuvwx=1", "abcdefghijklmnopqrstuvwx", "1", FORMAT_DEC);
}

static void refuses_own(const char *first, const char *definition, const char *want)
{
	struct column_list l = { 0 };
	struct text why = { 0 };

	if (first)
		CHECK_INT(columns_add(&l, first, &why), 0);
	CHECK_INT(columns_add(&l, definition, &why), -EINVAL);
	CHECK_STR(text_str(&why), want);
	CHECK_INT(l.users, first != NULL);
	columns_free(&l);
	text_free(&why);
}

TEST(bad_columns_of_the_users_own)
{
	static const char name[] =
		" cannot be the name of a column: 1 to 24 letters, digits and '_'";
	struct text want = { 0 };
	static const char *const bad[] = { "",    "1a", "a b",
					   "a-b", "+a", "a.b",
					   " a",  "ü",  "abcdefghijklmnopqrstuvwxy" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct text definition = { 0 };

		text_printf(&definition, "%s=1", bad[i]);
		text_reset(&want);
		text_puts(&want, "'");
		text_add_escaped(&want, bad[i], strlen(bad[i]), false);
		text_printf(&want, "'%s", name);
		refuses_own(NULL, text_str(&definition), text_str(&want));
		text_free(&definition);
	}
	text_free(&want);
	refuses_own(NULL, "", "'' is not NAME=EXPRESSION[:FORMAT]");
	refuses_own(NULL, "len", "'len' is not NAME=EXPRESSION[:FORMAT]");
	refuses_own(NULL, "len=1", "'len': there is a column or field of this name already");
	refuses_own(NULL, "ifindex=1",
		    "'ifindex': there is a column or field of this name already");
	refuses_own("a=1", "a=2", "'a': there is a column or field of this name already");
	refuses_own(NULL, "a=", "'a' has no expression");
	refuses_own(NULL, "a= :hex", "'a' has no expression");
	refuses_own(NULL, "a=b:octal", "no format is called 'octal'; there are dec, hex, ip, ns");
	refuses_own(NULL, "a=b:", "no format is called ''; there are dec, hex, ip, ns");
}

TEST(at_most_sixteen)
{
	struct column_list l = { 0 };
	struct text why = { 0 };
	char s[16];

	for (int i = 0; i < USER_COLUMNS_MAX; i++) {
		snprintf(s, sizeof(s), "c%d=1", i);
		CHECK_INT(columns_add(&l, s, &why), 0);
	}
	CHECK_INT(columns_add(&l, "more=1", &why), -EINVAL);
	CHECK_STR(text_str(&why), "'more=1' is one too many: more than 16");
	columns_free(&l);
	text_free(&why);
}

TEST(where_the_users_own_stand)
{
	struct column_list l = { 0 };
	struct text why = { 0 };

	CHECK_INT(columns_add(&l, "a=1", &why), 0);
	CHECK_INT(columns_add(&l, "b=2", &why), 0);
	CHECK_INT(columns_parse(&l, NULL, &why), 0);
	CHECK_STR(names(&l), EIGHT ",a,b");
	CHECK_INT(columns_parse(&l, "b,seq", &why), 0);
	CHECK_STR(names(&l), "b,seq,a");
	CHECK_INT(l.nfields, 2);
	CHECK_STR(l.field[0].name, "b");
	CHECK_STR(l.field[0].expr, "2");
	CHECK_STR(l.field[1].expr, "1");
	CHECK_INT(columns_parse(&l, "seq,-a", &why), 0);
	CHECK_STR(names(&l), "seq,b");
	CHECK_INT(columns_parse(&l, "seq,aa", &why), -EINVAL);
	CHECK(strstr(text_str(&why), ", gso, a, b"));
	columns_free(&l);
	text_free(&why);
}
