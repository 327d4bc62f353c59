/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sink/resolver.h"
#include "sink/services.h"

static __u8 *address(unsigned int n)
{
	static __u8 a[16];

	memset(a, 0, sizeof(a));
	a[10] = a[11] = 0xff;
	a[12] = 10;
	a[13] = (__u8)(n >> 16);
	a[14] = (__u8)(n >> 8);
	a[15] = (__u8)n;
	return a;
}

/* The other end of the resolver's socket is the test's. */
static int other;

static struct resolver *make(void)
{
	struct resolver *r = NULL;
	int pair[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	CHECK_INT(resolver_make(&r, pair[0]), 0);
	other = pair[1];
	return r;
}

/* The question that is next; 0: none. */
static unsigned int question(void)
{
	__u8 a[16];

	if (read(other, a, sizeof(a)) != sizeof(a))
		return 0;
	return (unsigned int)a[13] << 16 | (unsigned int)a[14] << 8 | a[15];
}

static void answer(unsigned int n, const char *name)
{
	struct resolver_answer a = { 0 };

	memcpy(a.address, address(n), 16);
	memcpy(a.name, name, strnlen(name, sizeof(a.name)));
	CHECK_INT(write(other, &a, sizeof(a)), sizeof(a));
}

static const char *name_of(struct resolver *r, unsigned int n)
{
	const char *s = resolver_name(r, address(n));

	return s ? s : "-";
}

TEST(a_name_is_there_when_it_has_come)
{
	struct resolver *r = make();

	CHECK_STR(name_of(r, 1), "-");
	CHECK_STR(name_of(r, 1), "-"); /* asked once */
	CHECK_INT(question(), 1);
	CHECK_INT(question(), 0);
	resolver_refresh(r, 1);
	CHECK_STR(name_of(r, 1), "-");
	answer(1, "one.example");
	resolver_refresh(r, 2);
	CHECK_STR(name_of(r, 1), "one.example");
	CHECK_INT(question(), 0);
	/* what was not asked is not heard */
	answer(2, "two.example");
	answer(1, "other.example");
	resolver_refresh(r, 3);
	CHECK_STR(name_of(r, 2), "-");
	CHECK_STR(name_of(r, 1), "one.example");
	resolver_close(r);
}

TEST(who_has_none_is_asked_for_again_later)
{
	struct resolver *r = make();

	resolver_refresh(r, 1000);
	CHECK_STR(name_of(r, 1), "-");
	CHECK_INT(question(), 1);
	answer(1, "");
	resolver_refresh(r, 2000);
	CHECK_STR(name_of(r, 1), "-");
	CHECK_INT(question(), 0);
	resolver_refresh(r, 1001 + RESOLVER_RETRY_NS);
	CHECK_STR(name_of(r, 1), "-");
	CHECK_INT(question(), 1);
	answer(1, "late.example");
	resolver_refresh(r, 1002 + RESOLVER_RETRY_NS);
	CHECK_STR(name_of(r, 1), "late.example");
	resolver_close(r);
}

/* Unknown addresses are not asked for, nor more than a bounded number at a time. */
TEST(few_questions_at_a_time)
{
	static const __u8 none[16];
	struct resolver *r = make();
	int n = 0;

	CHECK(!resolver_name(r, none));
	CHECK_INT(question(), 0);
	for (unsigned int i = 1; i <= 3 * RESOLVER_OPEN; i++)
		CHECK_STR(name_of(r, i), "-");
	while (question())
		n++;
	CHECK_INT(n, RESOLVER_OPEN);
	answer(1, "one.example");
	resolver_refresh(r, 1);
	CHECK_STR(name_of(r, 1000), "-");
	CHECK_INT(question(), 1000);
	CHECK_STR(name_of(r, 1001), "-");
	CHECK_INT(question(), 0);
	resolver_close(r);
}

/* Memory stays what it is, and nobody gets another's name. */
TEST(more_hosts_than_are_remembered)
{
	struct resolver *r = make();
	char name[32];
	int known = 0;

	for (unsigned int i = 1; i <= 3 * RESOLVER_HOSTS; i++) {
		CHECK_STR(name_of(r, i), "-");
		CHECK_INT(question(), i);
		snprintf(name, sizeof(name), "h%u.example", i);
		answer(i, name);
		resolver_refresh(r, i);
	}
	for (unsigned int i = 3 * RESOLVER_HOSTS; i > 0; i--) {
		const char *s = name_of(r, i);

		snprintf(name, sizeof(name), "h%u.example", i);
		known += strcmp(s, "-") != 0;
		CHECK(!strcmp(s, "-") || !strcmp(s, name));
		question();
	}
	CHECK(known >= RESOLVER_HOSTS / 4 && known <= RESOLVER_HOSTS);
	resolver_close(r);
}

TEST(a_process_that_is_gone)
{
	struct resolver *r = make();

	close(other);
	CHECK_STR(name_of(r, 1), "-");
	CHECK_STR(name_of(r, 2), "-");
	resolver_refresh(r, 1);
	resolver_close(r);
	resolver_close(NULL);
}

/* Names are chosen by strangers. */
TEST(what_is_a_name)
{
	static const char *const good[] = { "localhost", "a.b-c.example", "_srv.x", "1e100.net",
					    "x" },
				 *const bad[] = { "",        "1.2.3.4",   "123",      "::1",
						  "fe80::a", "a b",       "a\033[2J", "a|b",
						  "-v",      "b\xc3\xbc", "a\n",      "a/b" };
	char big[RESOLVER_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(resolver_is_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!resolver_is_name(bad[i]));
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	CHECK(!resolver_is_name(big));
	big[RESOLVER_NAME_MAX] = '\0';
	CHECK(resolver_is_name(big));
}

TEST(bad_answers)
{
	struct resolver_answer a;
	struct resolver *r = make();

	name_of(r, 1);
	CHECK_INT(write(other, "short", 5), 5);
	resolver_refresh(r, 1);
	memset(&a, 'x', sizeof(a)); /* no end */
	memcpy(a.address, address(1), 16);
	CHECK_INT(write(other, &a, sizeof(a)), sizeof(a));
	resolver_refresh(r, 2);
	resolver_refresh(r, 3);
	CHECK_INT(strlen(name_of(r, 1)), RESOLVER_NAME_MAX);
	name_of(r, 2);
	answer(2, "evil\033]0;x\007");
	resolver_refresh(r, 4);
	CHECK_STR(name_of(r, 2), "-");
	resolver_close(r);
}

/* The process itself: it knows at least what /etc/hosts says of this host. */
TEST(the_process)
{
	struct in_addr loopback = { htonl(INADDR_LOOPBACK) };
	__u8 a[16] = { [10] = 0xff, [11] = 0xff };
	struct resolver *r = NULL;
	const char *name = NULL;
	int status;

	memcpy(a + 12, &loopback, 4);
	signal(SIGPIPE, SIG_IGN);
	CHECK_INT(resolver_open(&r), 0);
	for (int i = 0; i < 1000 && !name; i++) {
		name = resolver_name(r, a);
		usleep(5000);
		resolver_refresh(r, clock_monotonic_ns());
	}
	if (name)
		CHECK_STR(name, "localhost");
	resolver_close(r);
	/* it ends with its socket */
	CHECK(wait(&status) > 0);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	if (!name)
		SKIP("this host does not know 127.0.0.1");
}

/* --- ports ------------------------------------------------------------------------- */

static struct services *parsed(const char *text)
{
	struct services *s = NULL;

	CHECK_INT(services_parse(&s, text, strlen(text)), 0);
	return s;
}

static const char *port(const struct services *s, uint16_t n)
{
	const char *name = services_name(s, n);

	return name ? name : "-";
}

TEST(services)
{
	struct services *s = parsed("# comment\n"
				    "http\t\t80/tcp\t\twww # WorldWideWeb\n"
				    "domain 53/udp\n"
				    "  ssh   22/tcp\r\n"
				    "other 80/tcp\n"
				    "x11-1 6001/tcp\n"
				    "zero 0/tcp\n"
				    "last 65535/tcp");

	CHECK_STR(port(s, 80), "http");
	CHECK_STR(port(s, 53), "-");
	CHECK_STR(port(s, 22), "ssh");
	CHECK_STR(port(s, 6001), "x11-1");
	CHECK_STR(port(s, 0), "zero");
	CHECK_STR(port(s, 65535), "last");
	CHECK_STR(port(s, 1), "-");
	services_close(s);
	services_close(NULL);
}

TEST(lines_that_make_no_sense)
{
	struct services *s = parsed("a 65536/tcp\nb -1/tcp\nc 1/tcpx\nd 2\ne\n\n3/tcp\nf /tcp\n"
				    "9 4/tcp\ng\033[2J 5/tcp\na|b 6/tcp\n#h 7/tcp\ni 8#/tcp\n"
				    "abcdefghijklmnopqrstuvwxyzabcdefg 9/tcp\nj 100000000010/tcp\n"
				    "k 0x0b/tcp\n");

	for (uint32_t i = 0; i <= UINT16_MAX; i++)
		if (!CHECK_STR(port(s, (uint16_t)i), "-"))
			break;
	services_close(s);
}

TEST(no_file_of_services)
{
	struct services *s = NULL;

	CHECK_INT(services_open(&s, "/nonexistent/services"), -ENOENT);
}
