/* SPDX-License-Identifier: MIT */
/*
 * What the broker says to the monitor, taken for an enemy's: messages of any kind and
 * length, with up to five descriptors. What does not make a whole program must change
 * nothing, none may be left open that has no owner, and what is printed must be safe.
 */
#include "fuzz.h"

#include <fcntl.h>

/* the file itself: what is looked at is static in it */
#include "app/swap.c" // NOLINT(bugprone-suspicious-include)

#define MAX_MESSAGES 64
#define MAX_FDS 5
#include "fuzz_fds.h"

static const char *const targets[] = { "netif_receive_skb", "tcp_probe", "net:netif_rx", "f",
				       "sk_data_ready" };
static const char *const parts[] = { "config.h", "a.c", "packet.h", "../b.c", "b" };

static void copy_in(char *to, size_t size, const uint8_t *raw, size_t len)
{
	memcpy(to, raw, len < size ? len : size);
}

/* Fields that are nearly right, so that the fuzzer need not guess them. */
static void make_up(struct wire_reply *r, struct input *in)
{
	size_t len;
	uint8_t *raw;

	r->kind = (uint32_t)take_number(in, 1) % (WIRE_REPLIES + 1);
	r->id = (uint32_t)take_number(in, 1) % 3;
	raw = take_bytes(in, take_number(in, 1), &len);
	switch (r->kind) {
	case WIRE_TEXT:
	case WIRE_SAID:
	case WIRE_SOURCE:
		copy_in(r->text, sizeof(r->text), raw, len);
		break;
	case WIRE_PART:
		r->part.digest = take_number(in, 1);
		strcpy(r->part.name, parts[take_number(in, 1) % 5]);
		copy_in(r->part.label, sizeof(r->part.label), raw, len);
		break;
	case WIRE_HOOK:
		r->hook.kind = (uint32_t)take_number(in, 1) % (HOOK_KINDS + 1);
		r->hook.place = (uint32_t)take_number(in, 1) % (WIRE_PLACES + 1);
		r->hook.typed = r->hook.place & 1;
		r->hook.told = r->hook.place % (TOLD_BY_EVENT + 1);
		strcpy(r->hook.target, targets[take_number(in, 1) % 5]);
		strcpy(r->hook.symbol, "s");
		copy_in(r->hook.symbol, sizeof(r->hook.symbol), raw, len);
		break;
	case WIRE_STAGE:
		r->stage.served = (uint32_t)take_number(in, 1);
		break;
	case WIRE_DONE:
		r->done.error = (int32_t)take_number(in, 1) - 8;
		r->done.hooks = (uint32_t)take_number(in, 1);
		r->done.stages = (uint32_t)take_number(in, 1);
		break;
	case WIRE_FILE:
		r->file.error = (int32_t)take_number(in, 1) - 8;
		copy_in(r->file.why, sizeof(r->file.why), raw, len);
		break;
	}
	free(raw);
}

static void look(struct swap *sw, struct session *old)
{
	enum swap_news news;
	struct text t = { 0 };
	int i, n;

	for (i = 0; i < 8 && (news = swap_turn(sw, &t)) != SWAP_NONE; i++) {
		if (news == SWAP_READY) {
			REQUIRE(swap_offer(sw)->shown && swap_offer(sw)->lines);
			/* the descriptors are no maps, so this changes nothing */
			if (!swap_commit(sw, old, &t))
				swap_settle(sw, old, &t);
		} else if (news == SWAP_FILE) {
			n = swap_take_file(sw, &t);
			if (n >= 0)
				close(n);
		}
		REQUIRE(is_safe_text(text_str(&t), t.len, true));
		text_reset(&t);
	}
	text_free(&t);
}

static void play_broker(struct swap *sw, int sock, struct input *in)
{
	struct session old = { 0 };
	struct wire_reply r;
	unsigned int how;
	uint8_t *raw;
	size_t len;
	int n;

	for (n = 0; n < MAX_MESSAGES && in->left && sw->sock >= 0; n++) {
		how = (unsigned int)take_number(in, 1);
		if ((how & 0xf0) == 0xf0) {
			raw = take_bytes(in, take_number(in, 2), &len);
			send_message(sock, raw, len, (int)(how % (MAX_FDS + 1)));
			free(raw);
		} else {
			memset(&r, 0, sizeof(r));
			make_up(&r, in);
			len = wire_reply_size(r.kind);
			send_message(sock, &r, len ? len : sizeof(r),
				     how & 0x80 ? (int)(how % (MAX_FDS + 1))
				     : r.kind < WIRE_REPLIES && (r.kind != WIRE_HOOK ||
								 r.hook.place < WIRE_PLACES)
					     ? wire_reply_fds(&r)
					     : 0);
		}
		look(sw, &old);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct config conf = { .stats = true };
	struct changes none = { 0 };
	struct setting *setting;
	struct session s = { .program = NO_PROGRAM };
	struct swap sw = { .sock = -1,
			   .watch.fd = -1,
			   .running = &s,
			   .id = 1,
			   .building = true,
			   .file = -1,
			   .path = strdup("rows") };
	struct text why = { 0 };
	int pair[2], fds = open_fds();

	offer_init(&sw.offer);
	conf.headers = "auto";
	REQUIRE(!setting_make(&setting, &conf, &none, &why));
	session_set(&s, setting);
	setting_drop(setting);
	REQUIRE(!hooks_add(&s.hooks, HOOK_RAW_TRACEPOINT, "netif_receive_skb", "a.c", 1, &why));
	s.hooks.v[0].link_fd = spare_fd();
	s.hooks.v[0].slot_fd = spare_fd();
	REQUIRE(!session_plan(&s) && !session_make_lines(&s));
	REQUIRE(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	sw.sock = pair[0];
	play_broker(&sw, pair[1], &in);
	REQUIRE(s.shown && s.lines && s.conf);
	close(pair[1]);
	offer_drop(&sw.offer);
	text_free(&sw.changed);
	text_free(&sw.failure);
	text_free(&sw.file_why);
	setting_drop(sw.wanted);
	free(sw.path);
	if (sw.file >= 0)
		close(sw.file);
	if (sw.sock >= 0)
		close(sw.sock);
	session_close(&s);
	REQUIRE(open_fds() == fds);
	return 0;
}
