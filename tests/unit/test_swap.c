/* SPDX-License-Identifier: MIT */
/* A program in place of another, as whoever changes options while it runs asks for it. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/ask.h"
#include "app/swap.h"
#include "bpf/kernel.h"
#include "conf/options.h"

static struct config conf;
static struct ask ask;
static struct column_list columns;
static struct session s, old;
static struct swap *sw;
static struct text text;
static int stop[2];

static void begin(void)
{
	static char *argv[] = { "linux_net_kernel", "--watch", "-p", "9", "-R", "0", NULL };

	if (geteuid() || !kernel_may_trace())
		SKIP("needs root");
	if (!kernel_has_btf())
		SKIP("this kernel shows no BTF");
	CHECK_INT(options_parse(&conf, 6, argv, &text), 0);
	CHECK_INT(ask_parse(&ask, &conf, &columns, &text, &text), 0);
	CHECK_INT(pipe(stop), 0);
	CHECK_INT(swap_open(&sw, &conf, &ask, stop[0]), 0);
	CHECK_INT(session_start(&s, &conf, &ask, stop[0]), 0);
	swap_run(sw, &s);
}

static void end(void)
{
	session_close(&s);
	swap_close(sw);
	ask_free(&ask);
	free(conf.words);
	text_free(&text);
}

static void no_sample(void *arg, int ring, const void *data, size_t size)
{
	(void)arg;
	(void)ring;
	(void)data;
	(void)size;
}

/* Waits for news; *text is theirs alone. */
static enum swap_news news(void)
{
	enum swap_news n;
	struct pollfd p = { .fd = swap_fd(sw), .events = POLLIN };

	text_reset(&text);
	while ((n = swap_turn(sw, &text)) == SWAP_NONE && poll(&p, 1, 20000) == 1)
		;
	return n;
}

static void take_over(void)
{
	int i;

	CHECK_INT(swap_commit(sw, &old, &text), 0);
	CHECK_INT(news(), SWAP_SETTLED);
	for (i = 0; i < rings_count(old.rings); i++)
		rings_drain(old.rings, i, no_sample, NULL);
	text_reset(&text);
	swap_settle(sw, &old, &text);
	CHECK(!strncmp(text.s, "Reloaded: other options (", 25));
}

static void connect_to(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)connect(fd, (struct sockaddr *)&a, sizeof(a)); /* refused: two segments */
	close(fd);
}

static uint64_t passed(void)
{
	struct tally t;

	CHECK_INT(session_read_account(&s), 0);
	t = account_total(&s.account);
	return t.kernel.seen - t.kernel.filtered;
}

static int ask_for(uint16_t port)
{
	struct config c = conf;
	struct ask a = ask;

	a.port = port;
	c.rate = 500;
	return swap_request(sw, &c, &a);
}

TEST(another_filter)
{
	begin();
	connect_to(9689);
	CHECK_INT(passed(), 0);
	CHECK_INT(ask_for(9689), 0);
	CHECK_INT(news(), SWAP_READY);
	take_over();
	connect_to(9689);
	CHECK(passed() > 0);
	CHECK(s.account.retired_n > 0);
	end();
}

TEST(the_latest_request_wins)
{
	uint16_t port;

	begin();
	for (port = 9685; port <= 9688; port++)
		CHECK_INT(ask_for(port), 0);
	CHECK_INT(news(), SWAP_READY);
	take_over();
	connect_to(9685);
	CHECK_INT(passed(), 0);
	connect_to(9688);
	CHECK(passed() > 0);
	end();
}

/* Asked for while the last one is still being settled: it waits its turn. */
TEST(one_after_the_other)
{
	begin();
	CHECK_INT(ask_for(9687), 0);
	CHECK_INT(news(), SWAP_READY);
	CHECK_INT(swap_commit(sw, &old, &text), 0);
	CHECK_INT(ask_for(9688), 0);
	CHECK_INT(news(), SWAP_SETTLED);
	swap_settle(sw, &old, &text);
	CHECK_INT(news(), SWAP_READY);
	take_over();
	connect_to(9688);
	CHECK(passed() > 0);
	end();
}

TEST(without_the_other_process)
{
	begin();
	shutdown(swap_fd(sw), SHUT_RDWR);
	CHECK_INT(news(), SWAP_ALONE);
	CHECK(strstr(text.s, "runs on"));
	CHECK_INT(swap_fd(sw), -1);
	CHECK_INT(ask_for(9), -EPIPE);
	CHECK_INT(swap_turn(sw, &text), SWAP_NONE);
	CHECK_INT(passed(), 0);
	end();
}
