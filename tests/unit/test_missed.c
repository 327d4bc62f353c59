/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "bpf/missed.h"

static struct hook kprobe(enum hook_told told, int link_fd)
{
	return (struct hook){ .kind = HOOK_KPROBE,
			      .told = told,
			      .prog_fd = -1,
			      .stub_fd = -1,
			      .link_fd = link_fd,
			      .event = "p_lnk_tcp_ack_bcc_1" };
}

TEST(a_place_keeps_its_counts_when_the_program_goes)
{
	struct hook from = kprobe(TOLD_BY_LINK, 9), to = kprobe(TOLD_BY_NONE, -1);

	from.gap = (struct hook_gap){ .skipped = 5, .known = true, .begun = true };
	from.skipped = 7;
	missed_hand_over(&to, &from);
	CHECK_INT(to.told, TOLD_BY_LINK);
	CHECK_INT(to.gap.skipped, 5);
	CHECK(to.gap.known && to.gap.begun && !to.gap.pending);
	/* none of it is told twice */
	CHECK_INT(from.told, TOLD_BY_NONE);
	CHECK_INT(from.skipped, 0);
	CHECK(from.skipped_all);
}

/* The handler's hits are the runs of two programs while the old one's still come. */
TEST(an_event_is_not_all_known_until_the_old_program_has_ended)
{
	struct hook from = kprobe(TOLD_BY_EVENT, 9), to = kprobe(TOLD_BY_NONE, -1),
		    next = kprobe(TOLD_BY_NONE, -1);

	from.gap = (struct hook_gap){ .calls = 3, .known = true, .begun = true };
	missed_hand_over(&to, &from);
	CHECK_INT(to.told, TOLD_BY_EVENT);
	CHECK_STR(to.event, "p_lnk_tcp_ack_bcc_1");
	CHECK_STR(from.event, "");
	CHECK(!to.gap.known && to.gap.pending);
	missed_hand_over(&next, &to);
	CHECK(!next.gap.known && next.gap.pending);
	/* what was not known before does not become so */
	from = kprobe(TOLD_BY_EVENT, 9);
	from.gap = (struct hook_gap){ .calls = 3, .begun = true };
	missed_hand_over(&to, &from);
	CHECK(!to.gap.known && !to.gap.pending);
}
