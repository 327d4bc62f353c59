/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <inttypes.h>
#include <string.h>

#include "event/books.h"
#include "golden.h"

#define STAGES 4

static struct account account;
static struct books_line lines[STAGES], before[STAGES];
static struct text out;

static struct tally tally(uint64_t seen, uint64_t filtered, uint64_t limited, uint64_t lost)
{
	return (struct tally){
		.kernel = { .seen = seen, .filtered = filtered, .limited = limited, .lost = lost },
		.received = seen - filtered - limited - lost,
		.printed = seen - filtered - limited - lost,
	};
}

/* Three stages that are served by one hook each, and one that is not. */
static void begin(void)
{
	static const char *const names[] = { "netif_receive_skb", "ip_rcv_finish", "tcp_v4_do_rcv",
					     "sock_def_readable" };

	text_reset(&out);
	CHECK_INT(account_open(&account, STAGES), 0);
	account.v[0] = tally(1000, 900, 50, 10);
	account.v[0].kernel.other = 70;
	account.v[0].kernel.fragment = 8;
	account.v[0].kernel.unreadable = 9;
	account.v[0].kernel.bytes = 123456;
	account.v[2] = tally(47, 0, 0, 0);
	account.v[2].missed = 5;
	account.v[2].printed = 40;
	account.v[3] = tally(18446744073ULL, 1, 2, 3);
	for (int i = 0; i < STAGES; i++) {
		lines[i] = (struct books_line){ .stage = names[i],
						.served = i != 1,
						.has_bytes = i != 3,
						.tally = account.v[i] };
		before[i] = (struct books_line){ 0 };
	}
}

TEST(closing)
{
	begin();
	books_closing(&account, lines, STAGES, &out);
	check_golden(&out, "books-closing.txt");
	account_close(&account);
}

/* "?" and "N+": what the kernel does not tell, or not all of it. */
TEST(closing_with_what_is_not_known)
{
	begin();
	account.v[0].missed_unknown = account.v[2].missed_unknown = true;
	lines[0].tally = account.v[0];
	lines[2].tally = account.v[2];
	account.v[2].malformed = 2;
	lines[2].tally.malformed = 2;
	account.stray = 3;
	account.v[2].received -= 3;
	lines[2].tally.received -= 3;
	books_closing(&account, lines, STAGES, &out);
	check_golden(&out, "books-unknown.txt");
	account_close(&account);
}

/* An event that went missing on the way, or came twice, is said aloud. */
TEST(closing_with_books_that_do_not_balance)
{
	begin();
	account.v[2].received--;
	books_closing(&account, lines, STAGES, &out);
	CHECK(strstr(out.s, "received: OFF BY 1 (program error)\n"));
	CHECK(!strstr(out.s, "exact"));
	text_reset(&out);
	account.v[2].received += 3;
	books_closing(&account, lines, STAGES, &out);
	CHECK(strstr(out.s, "received: OFF BY -2 (program error)\n"));
	account_close(&account);
}

/* Off by one here and by minus one there is not exact. */
TEST(closing_with_errors_that_cancel_out)
{
	begin();
	account.v[0].received++;
	lines[0].tally.received++;
	account.v[2].received--;
	lines[2].tally.received--;
	books_closing(&account, lines, STAGES, &out);
	CHECK(!strstr(out.s, "exact"));
	account_close(&account);
}

TEST(closing_of_statistics)
{
	begin();
	account.stats_only = true;
	for (int i = 0; i < STAGES; i++) {
		account.v[i].received = account.v[i].printed = 0;
		account.v[i].kernel.limited = account.v[i].kernel.lost = 0;
		lines[i].tally = account.v[i];
	}
	books_closing(&account, lines, STAGES, &out);
	check_golden(&out, "books-stats.txt");
	account_close(&account);
}

TEST(closing_with_nothing)
{
	struct account none = { 0 };

	text_reset(&out);
	books_closing(&none, NULL, 0, &out);
	CHECK(!strncmp(text_str(&out),
		       "\nMonitoring Statistics:\nTotal events processed: 0\nError count: 0\n",
		       64));
	CHECK(strstr(text_str(&out), "exact\n"));
}

/* Columns must not run into each other, however large the number. */
/* Who paused has a column more; the others do not. */
TEST(paused)
{
	begin();
	books_closing(&account, lines, STAGES, &out);
	CHECK(!strstr(text_str(&out), "PAUSED"));
	account.v[2].printed = lines[2].tally.printed = 30;
	account.v[2].paused = lines[2].tally.paused = 10;
	text_reset(&out);
	books_closing(&account, lines, STAGES, &out);
	CHECK(strstr(text_str(&out), " PRINTED MISSED PAUSED\n") != NULL);
	CHECK(strstr(text_str(&out), "        30      5     10\n") != NULL);
	account_close(&account);
}

/* Who asked for processes has two columns more, and a line for what nobody can tell. */
TEST(owners)
{
	struct tally sum;

	begin();
	books_closing(&account, lines, STAGES, &out);
	CHECK(!strstr(text_str(&out), "UNKNOWN"));
	CHECK(!strstr(text_str(&out), "Of FILTERED"));
	account.owners = true;
	text_reset(&out);
	books_closing(&account, lines, STAGES, &out);
	CHECK(strstr(text_str(&out), " PRINTED MISSED OTHERS UNKNOWN\n") != NULL);
	account.v[2].printed = lines[2].tally.printed = 20;
	account.v[2].others = lines[2].tally.others = 15;
	account.v[2].unknown = lines[2].tally.unknown = 5;
	account.v[2].kernel.ownerless = 3;
	text_reset(&out);
	books_closing(&account, lines, STAGES, &out);
	CHECK(strstr(text_str(&out), "        20      5     15       5\n") != NULL);
	CHECK(strstr(text_str(&out), "\nOf FILTERED: 3 of sockets without a file (") != NULL);
	CHECK(strstr(text_str(&out), "received: exact\n") != NULL);
	/* what is another's did not reach the user */
	sum = account_total(&account);
	CHECK_INT(account_events(&account), sum.received - 15);
	account_close(&account);
}

/* While it runs, what is in the rings is no error; what was received and not seen is. */
TEST(so_far)
{
	begin();
	account.v[2].kernel.seen += 4;
	books_so_far(&account, lines, STAGES, &out);
	CHECK(strstr(text_str(&out), "received + 4 that are on their way\n") != NULL);
	CHECK(!strstr(text_str(&out), "OFF BY"));
	account.v[2].kernel.seen -= 5;
	text_reset(&out);
	books_so_far(&account, lines, STAGES, &out);
	CHECK(strstr(text_str(&out), "OFF BY -1 ") != NULL);
	account_close(&account);
}

/* Columns of the longest line that no figure of a stage has made so long. */
static int longest_below_table(void)
{
	const char *at = strstr(text_str(&out), "Calls without");
	int longest = 0, len;

	CHECK(at != NULL);
	for (; at && *at; at += len + (at[len] == '\n')) {
		len = (int)strcspn(at, "\n");
		longest = len > longest ? len : longest;
	}
	return longest;
}

TEST(lines_that_fit)
{
	struct lnk_counters *k;

	begin();
	account.owners = true;
	k = &account.v[2].kernel;
	k->ownerless = 9999999;
	k->other = 9999999 - 70;
	k->fragment = 9999999 - 8;
	k->unreadable = 9999999 - 9;
	books_closing(&account, lines, STAGES, &out);
	CHECK(strstr(text_str(&out),
		     " 9999999 not TCP, 9999999 fragments, 9999999 out of reach\n"));
	CHECK(longest_below_table() <= 80);
	account.v[2].received += 9999999;
	text_reset(&out);
	books_closing(&account, lines, STAGES, &out);
	CHECK(strstr(text_str(&out), "OFF BY -9999999 ") != NULL);
	CHECK(longest_below_table() <= 80);
	account.v[2].received -= 2 * 9999999;
	text_reset(&out);
	books_so_far(&account, lines, STAGES, &out);
	CHECK(strstr(text_str(&out), " 9999999 that are") != NULL);
	CHECK(longest_below_table() <= 80);
	account_close(&account);
}

TEST(large_numbers)
{
	begin();
	account.v[2].kernel.seen = account.v[2].received = UINT64_MAX;
	lines[2].tally = account.v[2];
	lines[2].stage = "a_stage_with_a_name_of_more_than_28_characters";
	books_closing(&account, lines, STAGES, &out);
	CHECK(strstr(out.s, "characters 18446744073709551615        0"));
	account_close(&account);
}

TEST(blocks)
{
	int n;

	begin();
	account.stats_only = true;
	n = books_block(&account, lines, before, STAGES, 1000000000, &out);
	CHECK_INT(n, 5);
	text_puts(&out, "\n");
	memcpy(before, lines, sizeof(before));
	account.v[0].kernel.seen += 300;
	account.v[0].kernel.filtered += 100;
	account.v[0].kernel.bytes += 1000;
	lines[0].tally = account.v[0];
	n = books_block(&account, lines, before, STAGES, 2500000000, &out);
	CHECK_INT(n, 5);
	check_golden(&out, "books-block.txt");
	account_close(&account);
}

/* As many lines as it says: a terminal goes up by that. */
TEST(lines_of_a_block)
{
	for (int served = 0; served < 16; served++) {
		int n, counted = 0;

		begin();
		for (int i = 0; i < STAGES; i++)
			lines[i].served = served >> i & 1;
		n = books_block(&account, lines, before, STAGES, 1, &out);
		for (const char *p = out.s; (p = strchr(p, '\n')); p++)
			counted++;
		CHECK_INT(n, counted);
		account_close(&account);
	}
}

/* A stage that only an earlier program had: in the sum and at the end, not in blocks. */
TEST(a_stage_that_is_gone)
{
	begin();
	account_leave(&account, "tcp_ack", &account.v[2]);
	account_settle(&account);
	lines[1] = (struct books_line){ .stage = "tcp_ack", .served = true, .gone = true };
	account_add_retired(&account, "tcp_ack", &lines[1].tally);
	books_closing(&account, lines, STAGES, &out);
	CHECK(strstr(out.s, "\ntcp_ack ") && strstr(out.s, "exact\n"));
	account.retired[0].tally.received++;
	account.v[2].received--;
	text_reset(&out);
	books_closing(&account, lines, STAGES, &out);
	CHECK(!strstr(out.s, "exact\n"));
	text_reset(&out);
	books_block(&account, lines, before, STAGES, 1, &out);
	CHECK(!strstr(out.s, "tcp_ack"));
	account_close(&account);
}
