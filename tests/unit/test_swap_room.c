/* SPDX-License-Identifier: MIT */
/* Messages of the broker's whose descriptors this process had no numbers for: the broker is played
 * here, for when the real one's come is its own affair. */
#include "unit.h"

#include <fcntl.h>
#include <sys/resource.h>

/* the file itself: what a request is known by is static in it */
#include "app/swap.c" // NOLINT(bugprone-suspicious-include)

#define EARLIER 6
#define NEWEST 7

static struct config conf = { .headers = "auto" };
static struct session s = { .program = NO_PROGRAM };
static struct swap sw = {
	.watch.fd = -1, .running = &s, .id = NEWEST, .building = true, .file = -1
};
static struct text text;
static int broker;

static void begin(void)
{
	static const struct changes none;
	struct setting *setting;
	int pair[2];

	CHECK_INT(setting_make(&setting, &conf, &none, &text), 0);
	session_set(&s, setting);
	setting_drop(setting);
	offer_init(&sw.offer);
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	sw.sock = pair[0];
	broker = pair[1];
}

static void end(void)
{
	close(broker);
	close(sw.sock);
	offer_drop(&sw.offer);
	free(sw.path);
	text_free(&sw.failure);
	text_free(&sw.file_why);
	text_free(&text);
	session_close(&s);
}

/* The message, with its descriptors; of which none can be taken. */
static void send_too_many(uint32_t kind, uint32_t id)
{
	struct wire_reply r = { .kind = kind, .id = id };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct rlimit files;

	CHECK_INT(wire_send(broker, &r, wire_reply_size(kind), (const int[]){ fd, fd, fd, fd },
			    wire_reply_fds(&r), 0),
		  0);
	close(fd);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = (rlim_t)fd; /* the lowest that is free */
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &files), 0);
}

static void allow_all(void)
{
	struct rlimit files;

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &files), 0);
}

static enum swap_news told_of(uint32_t kind, uint32_t id)
{
	enum swap_news news;

	text_reset(&text);
	send_too_many(kind, id);
	news = swap_turn(&sw, &text);
	allow_all();
	return news;
}

TEST(what_an_earlier_request_lost)
{
	begin();
	CHECK_INT(told_of(WIRE_MAPS, EARLIER), SWAP_NONE);
	CHECK_STR(text_str(&text), "");
	CHECK(sw.building && sw.sock >= 0);
	CHECK_INT(told_of(WIRE_MAPS, NEWEST), SWAP_FAILED);
	CHECK(strstr(text_str(&text), "ulimit -n") != NULL);
	CHECK(!sw.building);
	/* the rest of that answer is no second failure */
	CHECK_INT(told_of(WIRE_MAPS, NEWEST), SWAP_NONE);
	CHECK_STR(text_str(&text), "");
	end();
}

/* A file is asked for beside programs, whatever the number. */
TEST(a_file_that_was_lost)
{
	begin();
	CHECK_INT(told_of(WIRE_FILE, EARLIER), SWAP_NONE);
	sw.path = strdup("rows");
	CHECK_INT(told_of(WIRE_FILE, EARLIER), SWAP_FILE);
	text_reset(&text);
	CHECK_INT(swap_take_file(&sw, &text), -EMFILE);
	CHECK(strstr(text_str(&text), "ulimit -n") != NULL);
	CHECK(!sw.path && sw.building);
	end();
}
