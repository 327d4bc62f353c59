/* SPDX-License-Identifier: MIT */
/* Options given anew while the monitor runs. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "conf/changes.h"
#include "conf/options.h"

static struct config base, conf;
static struct changes c;
static struct text text;
static enum change_kind kind;

static void begin(void)
{
	static char *argv[] = { "linux_net_kernel", "-p", "80", "-I", "lo", "-R", "7", NULL };

	text_reset(&text);
	memset(&c, 0, sizeof(c));
	CHECK_INT(options_parse(&base, 7, argv, &text), 0);
}

static int apply(void)
{
	text_reset(&text);
	conf = base;
	return changes_apply(&c, &conf, &text);
}

static void gives(const char *name, const char *value)
{
	CHECK_INT(changes_set(&c, name, value, &kind, &text), 0);
	CHECK_INT(apply(), 0);
}

static void is(const char *name, const char *shown)
{
	text_reset(&text);
	CHECK_INT(changes_show(&conf, name, &text, &text), 0);
	CHECK_STR(text.s, shown);
}

TEST(values)
{
	begin();
	CHECK_INT(apply(), 0);
	is("port", "port: 80\n");
	is("ip", "ip: any\n");
	is("rate", "rate: 7\n");
	gives("port", "443,1-9");
	CHECK_INT(kind, CHANGE_PROGRAM);
	is("port", "port: 443, 1-9\n");
	gives("port", "+22");
	is("port", "port: 443, 1-9, 22\n");
	gives("port", "any");
	is("port", "port: any\n");
	gives("interface", "+eth0"); /* to what the command line said */
	is("interface", "interface: lo, eth0\n");
	gives("interface", "w*");
	is("interface", "interface: w*\n");
	gives("rate", "default");
	is("rate", "rate: 10000\n");
	gives("rate", "0");
	is("rate", "rate: 0\n");
	gives("ip", "10.0.0.0/8,::1");
	is("ip", "ip: 10.0.0.0/8, ::1\n");
	gives("flags", "SYN,!ACK");
	is("flags", "flags: SYN, !ACK\n");
	gives("len", "1-");
	is("len", "len: 1-\n");
	gives("ipv4", "on");
	is("ipv4", "ipv4: on\n");
	gives("ipv4", "off");
	is("ipv4", "ipv4: off\n");
	gives("time", "epoch");
	CHECK_INT(kind, CHANGE_LOOKS);
	is("time", "time: epoch\n");
	gives("columns", "seq,ttl");
	CHECK_INT(kind, CHANGE_COLUMNS);
	gives("where", "len > 0 && seq = 1"); /* an expression is for its own parser */
	is("where", "where: len > 0 && seq = 1\n");
	gives("duration", "2.5");
	is("duration", "duration: 2.5\n");
	text_free(&text);
}

/* What may follow -s: both, or the first alone. */
TEST(interval)
{
	begin();
	CHECK_INT(apply(), 0);
	is("interval", "interval: 1\n");
	gives("interval", "2 5");
	CHECK_INT(kind, CHANGE_BLOCKS);
	is("interval", "interval: 2 5\n");
	CHECK(conf.interval_ns == 2000000000 && conf.interval_count == 5);
	gives("interval", "0.1 ");
	is("interval", "interval: 0.1\n");
	CHECK(conf.interval_ns == 100000000 && !conf.interval_count);
	gives("--interval", "3\t7");
	is("--interval", "interval: 3 7\n");
	text_reset(&text);
	changes_describe(&base, &conf, &text);
	CHECK_STR(text.s, "interval 3 7");
	gives("count", "9"); /* rows: another thing */
	is("interval", "interval: 3 7\n");
	gives("interval", "default");
	is("interval", "interval: 1\n");
	CHECK(conf.interval_ns == 1000000000 && !conf.interval_count);
	text_free(&text);
}

/* Whatever is given anew ten thousand times has one place. */
TEST(room)
{
	static char value[4000];
	int i;

	begin();
	for (i = 0; i < 10000; i++)
		CHECK_INT(changes_set(&c, "port", "1,2,3", &kind, &text), 0);
	CHECK(c.len < 32 && changes_ok(&c));
	memset(value, 'x', sizeof(value) - 1);
	for (i = 0; i < 3; i++)
		CHECK_INT(changes_set(&c, "col", i ? "+y" : value, &kind, &text), 0);
	for (i = 0; !changes_set(&c, "interface", "+eth0", &kind, &text); i++)
		CHECK(changes_ok(&c));
	CHECK(i > 100);
	CHECK(strstr(text.s, "more than") != NULL);
	CHECK(changes_ok(&c));
	text_free(&text);
}

static void refuses(const char *name, const char *value, const char *why)
{
	text_reset(&text);
	memset(&c, 0, sizeof(c));
	if (!changes_set(&c, name, value, &kind, &text))
		CHECK_INT(apply(), -EINVAL);
	CHECK(!strncmp(text_str(&text), why, strlen(why)));
}

TEST(mistakes)
{
	begin();
	refuses("port", "99999", "port: '99999' is not a port");
	refuses("port", "", "port: '' is not a port");
	refuses("prot", "1", "no option is called 'prot'; did you mean 'port'?");
	refuses("probe-dir", "/tmp", "--probe-dir cannot be changed while the monitor runs");
	refuses("stats", "on", "--stats cannot be changed while the monitor runs");
	refuses("ipv4", "yes", "ipv4: 'yes' is not on or off");
	refuses("time", "soon", "time: 'soon' is not one of");
	refuses("interval", "0.01", "interval: '0.01' is not a time in seconds (0.1 to 86400), or");
	refuses("interval", "1 0", "interval: '1 0' is not");
	refuses("interval", "1 2 3", "interval: '1 2 3' is not");
	refuses("interval", " ", "interval: ' ' is not");
	refuses("interval", "1,2", "interval: '1,2' is not");
	refuses("interval", "1 0000000000000000000000000000000000001", "interval: '1 000");
	refuses("intervall", "1", "no option is called 'intervall'; did you mean 'interval'?");
	begin();
	gives("ipv4", "on");
	CHECK_INT(changes_set(&c, "ipv6", "on", &kind, &text), 0);
	CHECK_INT(apply(), -EINVAL);
	CHECK_STR(text.s, "-4 and -6 exclude each other: leave both away to see both");
	text_free(&text);
}

/* As the other process might send them. */
TEST(raw)
{
	static const char *const bad[] = {
		"watch=on",     "probe-dir=/tmp", "port=0",       "=", "", "x",
		"headers=/tmp", "no-cache",       "attach=kprobe"
	};
	size_t i;

	begin();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&c, 0, sizeof(c));
		strcpy(c.text, bad[i]);
		c.len = (uint32_t)strlen(bad[i]) + 1;
		CHECK(changes_ok(&c));
		CHECK_INT(apply(), -EINVAL);
		c.text[c.len - 1] = 'x';
		CHECK(!changes_ok(&c));
	}
	c.len = CHANGES_MAX + 1;
	CHECK(!changes_ok(&c));
	text_free(&text);
}

TEST(differences)
{
	begin();
	gives("port", "any");
	gives("rate", "9");
	text_reset(&text);
	changes_describe(&base, &conf, &text);
	CHECK_STR(text.s, "port any; rate 9");
	text_reset(&text);
	changes_describe(&conf, &conf, &text);
	CHECK_INT(text.len, 0);
	text_free(&text);
}
