/* SPDX-License-Identifier: MIT */
/* Rows that wait for the owner of their socket: which, until when, and that none is for ever. */
#include "unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/hold.h"

#define NOW (10 * HOLD_NS)
#define NONE UINT64_MAX

static int other;
static struct owners *owners;
static struct hold *hold;

static void begin(void)
{
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	CHECK_INT(owners_make(&owners, pair[0]), 0);
	other = pair[1];
	hold = calloc(1, sizeof(*hold));
	owners_refresh(owners, NOW);
}

static void end(void)
{
	owners_close(owners);
	close(other);
	free(hold);
}

static void answer(uint64_t inode, uint32_t pid, uint64_t now_ns)
{
	struct owner a = { .inode = inode, .pid = pid };

	CHECK_INT(write(other, &a, sizeof(a)), sizeof(a));
	owners_refresh(owners, now_ns);
}

TEST(what_is_known_does_not_wait)
{
	begin();
	CHECK_INT(hold_horizon(hold, owners, NOW, 77), 77);
	hold_note(hold, owners, 0, NOW - 5); /* no file */
	CHECK_INT(hold_horizon(hold, owners, NOW, NONE), NONE);
	hold_note(hold, owners, 7, NOW - 5);
	answer(7, 100, NOW);
	CHECK_INT(hold_horizon(hold, owners, NOW, NONE), NONE);
	CHECK_INT(hold->n, 0);
	hold_note(hold, owners, 7, NOW - 4);
	CHECK_INT(hold->n, 0);
	end();
}

TEST(from_the_first_row_on)
{
	begin();
	hold_note(hold, owners, 7, NOW - 5);
	hold_note(hold, owners, 7, NOW - 9); /* from another CPU */
	hold_note(hold, owners, 8, NOW - 7);
	hold_note(hold, owners, 7, NOW - 2);
	CHECK_INT(hold->n, 2);
	CHECK_INT(hold_horizon(hold, owners, NOW, NONE), NOW - 9);
	CHECK_INT(hold_horizon(hold, owners, NOW, NOW - 20), NOW - 20); /* never more */
	answer(7, 100, NOW + 1);
	CHECK_INT(hold_horizon(hold, owners, NOW + 1, NONE), NOW - 7);
	answer(8, 100, NOW + 2);
	CHECK_INT(hold_horizon(hold, owners, NOW + 2, NONE), NONE);
	end();
}

/* Each row for its own time, however many follow. */
TEST(not_longer_than_that)
{
	begin();
	hold_note(hold, owners, 7, NOW);
	CHECK_INT(hold_horizon(hold, owners, NOW + HOLD_NS, NONE), NOW);
	hold_note(hold, owners, 7, NOW + HOLD_NS / 2);
	CHECK_INT(hold_horizon(hold, owners, NOW + HOLD_NS + 1, NONE), NOW + 1);
	CHECK_INT(hold->n, 1);
	CHECK_INT(hold_horizon(hold, owners, NOW + HOLD_NS + HOLD_NS / 2, NONE), NOW + HOLD_NS / 2);
	CHECK_INT(hold_horizon(hold, owners, NOW + HOLD_NS + HOLD_NS / 2 + 1, NONE), NONE);
	CHECK_INT(hold->n, 0);
	end();
}

TEST(nobody_is_waited_for_twice)
{
	begin();
	hold_note(hold, owners, 7, NOW);
	answer(7, 0, NOW + 1);
	CHECK_INT(hold_horizon(hold, owners, NOW + 1, NONE), NOW); /* and is asked for again */
	answer(7, 0, NOW + 2);
	CHECK_INT(hold_horizon(hold, owners, NOW + 2, NONE), NONE);
	hold_note(hold, owners, 8, NOW + 3);
	shutdown(other, SHUT_RDWR);
	owners_refresh(owners, NOW + 3);
	CHECK_INT(hold_horizon(hold, owners, NOW + 3, NONE), NONE); /* nobody will answer */
	end();
}

TEST(bounds)
{
	begin();
	for (uint64_t i = 1; i <= HOLD_SOCKETS + 10; i++)
		hold_note(hold, owners, i, NOW + i);
	CHECK_INT(hold->n, HOLD_SOCKETS);
	CHECK_INT(hold_horizon(hold, owners, NOW, NONE), NOW + 1);
	hold->rows = HOLD_ROWS;
	CHECK_INT(hold_horizon(hold, owners, NOW, NONE), NOW + 1);
	hold->rows = HOLD_ROWS + 1;
	CHECK_INT(hold_horizon(hold, owners, NOW, NONE), NONE);
	end();
}
