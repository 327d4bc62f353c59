/* SPDX-License-Identifier: MIT */
/* A program in place of another, as whoever changes options while it runs asks for it. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
	CHECK_INT(swap_open(&sw, &conf, stop[0]), 0);
	CHECK_INT(session_start(&s, &conf, &ask, stop[0]), 0);
	CHECK_INT(swap_run(sw, &s), 0);
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
	CHECK(!strncmp(text.s, "Changed: port 96", 16));
}

/* Lowers the number of descriptors so that there are `more`; 0: back. */
static void allow_descriptors(int more)
{
	static struct rlimit was;
	struct rlimit files;
	int next = open("/dev/null", O_RDONLY);

	close(next);
	if (more)
		CHECK_INT(getrlimit(RLIMIT_NOFILE, &was), 0);
	files = was;
	if (more)
		files.rlim_cur = (rlim_t)next + (rlim_t)more;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &files), 0);
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
	struct setting *setting;
	enum change_kind kind;
	char word[8];
	int err;

	snprintf(word, sizeof(word), "%u", port);
	CHECK_INT(setting_change(&setting, swap_setting(sw), "port", word, &kind, &text), 0);
	CHECK_INT(kind, CHANGE_PROGRAM);
	err = swap_request(sw, setting);
	setting_drop(setting);
	return err;
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

/* What the first one asked for is in the second, too, and a failure takes back both. */
TEST(changes_add_up)
{
	struct setting *setting;
	enum change_kind kind;

	begin();
	CHECK_INT(ask_for(9687), 0);
	CHECK_INT(setting_change(&setting, swap_setting(sw), "rate", "5", &kind, &text), 0);
	CHECK_INT(swap_request(sw, setting), 0);
	setting_drop(setting);
	text_reset(&text);
	CHECK(swap_is_asked(sw, &text));
	CHECK_STR(text.s, "port 9687; rate 5");
	CHECK_INT(setting_change(&setting, swap_setting(sw), "filter", "tcp port nosuch", &kind,
				 &text),
		  0);
	CHECK_INT(swap_request(sw, setting), 0);
	setting_drop(setting);
	CHECK_INT(news(), SWAP_FAILED);
	CHECK(strstr(text.s, "nosuch"));
	CHECK(strstr(text.s, "Not changed: port 9687; filter tcp port nosuch; rate 5: "));
	CHECK(!swap_is_asked(sw, NULL));
	CHECK(swap_setting(sw) == s.setting);
	CHECK_INT(s.conf->rate, 0);
	end();
}

/* Other numbers in the records: the offer's setting says which. */
TEST(another_layout)
{
	struct setting *setting;
	enum change_kind kind;

	begin();
	CHECK_INT(s.extra, 0);
	CHECK_INT(setting_change(&setting, swap_setting(sw), "columns", "seq,ttl,flags", &kind,
				 &text),
		  0);
	CHECK_INT(kind, CHANGE_COLUMNS);
	CHECK_INT(swap_request(sw, setting), 0);
	setting_drop(setting);
	CHECK_INT(news(), SWAP_READY);
	CHECK_INT(swap_offer(sw)->extra, 2);
	CHECK_STR(swap_offer(sw)->setting->collected.v[0].name, "ip.ttl");
	CHECK_STR(swap_offer(sw)->setting->collected.v[1].name, "tcp.flags");
	CHECK(strstr(text_str(&swap_offer(sw)->text), "lnk_collect"));
	end();
}

static int file(const char *path)
{
	CHECK_INT(swap_open_file(sw, path), 0);
	CHECK_INT(news(), SWAP_FILE);
	text_reset(&text);
	return swap_take_file(sw, &text);
}

TEST(files_of_our_own)
{
	char dir[] = "/tmp/lnk-swap.XXXXXX", path[64], other[64];
	struct stat st;
	int fd;

	begin();
	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/a", dir);
	snprintf(other, sizeof(other), "%s/b", dir);
	fd = file(path);
	CHECK(fd >= 0 && !fstat(fd, &st) && (st.st_mode & 07777) == 0600);
	CHECK_INT(write(fd, "SEQ\n---\n", 8), 8);
	close(fd);
	fd = file(path);
	CHECK_INT(write(fd, "2", 1), 1);
	CHECK(!fstat(fd, &st) && st.st_size == 9); /* behind what is there */
	close(fd);
	chmod(path, 0666);
	CHECK_INT(file(path), -EPERM);
	CHECK_STR(text.s, "others can write it");
	chmod(path, 0600);
	CHECK_INT(link(path, other), 0);
	CHECK_INT(file(path), -EPERM);
	CHECK_STR(text.s, "it has another name as well");
	unlink(other);
	CHECK_INT(symlink(path, other), 0);
	CHECK_INT(file(other), -EPERM);
	unlink(other);
	CHECK_INT(mkfifo(other, 0600), 0);
	CHECK_INT(file(other), -EPERM);
	unlink(other);
	CHECK_INT(chown(path, 65534, 65534), 0);
	CHECK_INT(file(path), -EPERM);
	CHECK_STR(text.s, "it belongs to another user");
	unlink(path);
	CHECK_INT(file("/nonexistent/x"), -ENOENT);
	CHECK_INT(file(dir), -EPERM);
	rmdir(dir);
	end();
}

/* What comes then is lost; the other process is as good as before. */
TEST(too_few_descriptors)
{
	begin();
	allow_descriptors(2);
	CHECK_INT(ask_for(9687), 0);
	CHECK_INT(news(), SWAP_FAILED);
	CHECK(strstr(text.s, "ulimit -n"));
	allow_descriptors(0);
	CHECK_INT(ask_for(9688), 0);
	CHECK_INT(news(), SWAP_READY);
	take_over();
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
