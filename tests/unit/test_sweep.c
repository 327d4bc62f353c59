/* SPDX-License-Identifier: MIT */
/* Which lines of kprobe_events are ours, and whose. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "bpf/sweep.h"

/* "PID ENTRY", or "0" */
static const char *parse(const char *line)
{
	static char out[256];
	const char *entry;
	int len, pid = sweep_parse(line, &entry, &len);

	if (pid)
		snprintf(out, sizeof(out), "%d %.*s", pid, len, entry);
	else
		snprintf(out, sizeof(out), "0");
	return out;
}

TEST(ours)
{
	CHECK_STR(parse("p:kprobes/p_lnk_ip_rcv_bcc_17 ip_rcv\n"),
		  "17 kprobes/p_lnk_ip_rcv_bcc_17");
	CHECK_STR(parse("r4:kprobes/r_lnk_ip_rcv_bcc_4194304 ip_rcv"),
		  "4194304 kprobes/r_lnk_ip_rcv_bcc_4194304");
	CHECK_STR(parse("p:kprobes/p_lnk_x_bcc_1_bcc_23 x_bcc_1"),
		  "23 kprobes/p_lnk_x_bcc_1_bcc_23");
	/* only this line, whatever follows */
	CHECK_STR(parse("p:kprobes/p_lnk_x_bcc_5 x\np:kprobes/p_lnk_x_bcc_6 x\n"),
		  "5 kprobes/p_lnk_x_bcc_5");
}

TEST(not_ours)
{
	CHECK_STR(parse(""), "0");
	CHECK_STR(parse("p:kprobes/p_tcp_bcc_17 tcp"), "0");
	CHECK_STR(parse("p:other/p_lnk_x_bcc_17 x"), "0");
	CHECK_STR(parse("p:kprobes/p_lnk_x x_bcc_17"), "0");
	CHECK_STR(parse("p:kprobes/p_lnk_x_bcc_ x"), "0");
	CHECK_STR(parse("p:kprobes/p_lnk_x_bcc_0 x"), "0");
	CHECK_STR(parse("p:kprobes/p_lnk_x_bcc_-1 x"), "0");
	CHECK_STR(parse("p:kprobes/p_lnk_x_bcc_17a x"), "0");
	CHECK_STR(parse("p:kprobes/p_lnk_x_bcc_99999999999999999999 x"), "0");
	CHECK_STR(parse("p:kprobes/p_lnk_x x\np:kprobes/p_lnk_x_bcc_6 x\n"), "0");
}

TEST(a_name_is_ours)
{
	char name[128], line[256], want[256];

	sweep_name(name, sizeof(name), false, "f.constprop.0+4");
	snprintf(line, sizeof(line), "p:kprobes/%s f.constprop.0+4\n", name);
	snprintf(want, sizeof(want), "%d kprobes/p_lnk_f_constprop_0_4_bcc_%d", (int)getpid(),
		 (int)getpid());
	CHECK_STR(parse(line), want);
	sweep_name(name, sizeof(name), true, "f");
	snprintf(line, sizeof(line), "r4:kprobes/%s f\n", name);
	snprintf(want, sizeof(want), "%d kprobes/r_lnk_f_bcc_%d", (int)getpid(), (int)getpid());
	CHECK_STR(parse(line), want);
}
