/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/io.h"
#include "bpf/kernel.h"

/* net:netif_receive_skb of 5.10, 6.1 and 6.12. */
static const char plain[] =
	"name: netif_receive_skb\n"
	"ID: 1530\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned int len;\toffset:16;\tsize:4;\tsigned:0;\n"
	"\tfield:__data_loc char[] name;\toffset:20;\tsize:4;\tsigned:0;\n"
	"\n"
	"print fmt: \"dev=%s skbaddr=%p len=%u\", __get_str(name), REC->skbaddr, REC->len\n";

/* The same under PREEMPT_RT, where every record has two more common fields. */
static const char realtime[] =
	"name: netif_receive_skb\n"
	"ID: 1411\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\tfield:unsigned char common_migrate_disable;\toffset:8;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_lazy_count;\toffset:9;\tsize:1;\tsigned:0;\n"
	"\n"
	"\tfield:void * skbaddr;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned int len;\toffset:24;\tsize:4;\tsigned:0;\n"
	"\tfield:__data_loc char[] name;\toffset:28;\tsize:4;\tsigned:0;\n"
	"\n"
	"print fmt: \"dev=%s skbaddr=%p len=%u\", __get_str(name), REC->skbaddr, REC->len\n";

/* tcp:tcp_probe of 6.12 has arrays, and a name that ends like another. */
static const char probe[] =
	"name: tcp_probe\n"
	"ID: 1660\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:__u8 saddr[sizeof(struct sockaddr_in6)];\toffset:8;\tsize:28;\tsigned:0;\n"
	"\tfield:__u8 daddr[sizeof(struct sockaddr_in6)];\toffset:36;\tsize:28;\tsigned:0;\n"
	"\tfield:__u16 sport;\toffset:64;\tsize:2;\tsigned:0;\n"
	"\tfield:__u16 dport;\toffset:66;\tsize:2;\tsigned:0;\n"
	"\tfield:__u32 mark;\toffset:70;\tsize:4;\tsigned:0;\n"
	"\tfield:const void * skbaddr;\toffset:112;\tsize:8;\tsigned:0;\n"
	"\tfield:const void *skaddr;\toffset:120;\tsize:8;\tsigned:0;\n";

TEST(offsets_in_real_formats)
{
	CHECK_INT(tracepoint_offset(plain, "skbaddr"), 8);
	CHECK_INT(tracepoint_offset(plain, "len"), 16);
	CHECK_INT(tracepoint_offset(plain, "name"), 20);
	CHECK_INT(tracepoint_offset(plain, "common_pid"), 4);
	CHECK_INT(tracepoint_offset(realtime, "skbaddr"), 16);
	CHECK_INT(tracepoint_offset(realtime, "len"), 24);
	CHECK_INT(tracepoint_offset(realtime, "name"), 28);
	CHECK_INT(tracepoint_offset(probe, "skbaddr"), 112);
	CHECK_INT(tracepoint_offset(probe, "skaddr"), 120);
	CHECK_INT(tracepoint_offset(probe, "sport"), 64);
}

TEST(fields_that_are_not_there)
{
	CHECK_INT(tracepoint_offset(plain, "skb"), 0);
	CHECK_INT(tracepoint_offset(plain, "addr"), 0); /* the end of a name is no name */
	CHECK_INT(tracepoint_offset(plain, "kbaddr"), 0);
	CHECK_INT(tracepoint_offset(plain, "skbaddrx"), 0);
	CHECK_INT(tracepoint_offset(plain, "SKBADDR"), 0);
	CHECK_INT(tracepoint_offset(plain, "common_type"), 0);
	CHECK_INT(tracepoint_offset("", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset("\n\n\n", "skbaddr"), 0);
}

TEST(formats_that_make_no_sense)
{
	CHECK_INT(tracepoint_offset(";", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset("skbaddr;", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset("skbaddr;\toffset:8;", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset(" skbaddr;", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset(" skbaddr;\n", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset(" skbaddr;\n\toffset:8;", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset(" skbaddr;\toffset:", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset(" skbaddr;\toffset:x;", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset(" skbaddr;\toffset:-8;", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset(" skbaddr;\toffset:4096;", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset(" skbaddr;\toffset:99999999999999999999;", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset(" skbaddr;\toff:8;", "skbaddr"), 0);
	CHECK_INT(tracepoint_offset(" skbaddr;\tsize:8;\toffset:8;", "skbaddr"), 0);
	/* these do */
	CHECK_INT(tracepoint_offset("*skbaddr;offset:4095", "skbaddr"), 4095);
	CHECK_INT(tracepoint_offset("x\n skbaddr; \t offset:12;", "skbaddr"), 12);
}

/* --- kallsyms, with a text of ours in its place ------------------------------------ */

/* A mount namespace that ends with this case. */
static void own_mounts(void)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", "", MS_REC | MS_PRIVATE, NULL))
		SKIP("no mount namespaces: needs root");
}

static void show_as(const char *path, const char *text)
{
	char name[] = "/tmp/test_kernel.XXXXXX";
	int fd = mkstemp(name), err;

	own_mounts();
	err = write_all(fd, text, strlen(text));
	if (!err && mount(name, path, "", MS_BIND, NULL))
		err = -errno;
	close(fd);
	unlink(name);
	CHECK_INT(err, 0);
}

static const char *find(const char *name, bool any_suffix)
{
	static char symbol[128];
	static struct text t;
	uint64_t address = 99;
	int err;

	memset(symbol, '?', sizeof(symbol));
	err = kernel_find_symbol(name, any_suffix, symbol, sizeof(symbol), &address);
	text_reset(&t);
	if (err)
		text_printf(&t, "%s", strerror(-err));
	else
		text_printf(&t, "%s %llx", symbol, (unsigned long long)address);
	return text_str(&t);
}

static const char symbols[] = "0000000000000000 A fixed_percpu_data\n"
			      "ffffffff81000000 T _text\n"
			      "ffffffff81001000 t tcp_rcv_not_me\n"
			      "ffffffff81002000 T tcp_rcv\n"
			      "ffffffff81002500 d tcp_data\n"
			      "ffffffff81003000 t __core.constprop.0\n"
			      "ffffffff81004000 t split.isra.0\n"
			      "ffffffff81005000 t odd.part.0\n"
			      "ffffffff81006000 t cold.cold\n"
			      "ffffffff81007000 t both.isra.0.constprop.1\n"
			      "ffffffff81007000 t same_place\n"
			      "ffffffffc0001000 t in_module\t[mod]\n"
			      "ffffffffc0002000 D module_data\t[mod]\n";

TEST(finding_functions)
{
	show_as("/proc/kallsyms", symbols);
	CHECK_STR(find("tcp_rcv", false), "tcp_rcv ffffffff81002000");
	CHECK_STR(find("tcp_rcv", true), "tcp_rcv ffffffff81002000");
	CHECK_STR(find("__core", true), "__core.constprop.0 ffffffff81003000");
	CHECK_STR(find("split", true), "split.isra.0 ffffffff81004000");
	CHECK_STR(find("both", true), "both.isra.0.constprop.1 ffffffff81007000");
	CHECK_STR(find("in_module", false), "in_module ffffffffc0001000");
	CHECK_STR(find("_text", false), "_text ffffffff81000000");
	CHECK_STR(find("__core", false), "No such file or directory");
	CHECK_STR(find("odd", true), "No such file or directory"); /* only a piece of it */
	CHECK_STR(find("cold", true), "No such file or directory");
	CHECK_STR(find("tcp_data", false), "No such file or directory"); /* data */
	CHECK_STR(find("tcp_rc", true), "No such file or directory");
	CHECK_STR(find("module_data", true), "No such file or directory");
}

/* The cold part of a clone is not its entry; and the name itself is better than a clone. */
TEST(parts_of_functions)
{
	show_as("/proc/kallsyms", "ffffffff81001000 t f.constprop.0.cold\n"
				  "ffffffff81002000 t f.constprop.0\n"
				  "ffffffff81003000 t g.isra.0\n"
				  "ffffffff81004000 t g\n");
	CHECK_STR(find("f", true), "f.constprop.0 ffffffff81002000");
	CHECK_STR(find("g", true), "g ffffffff81004000");
}

/* "w" and "W": functions too. */
TEST(weak_functions)
{
	show_as("/proc/kallsyms", "ffffffff81001000 W weak\n");
	CHECK_STR(find("weak", false), "weak ffffffff81001000");
}

TEST(kallsyms_of_another_form)
{
	char text[600];
	char symbol[8] = "";
	uint64_t address;

	snprintf(text, sizeof(text),
		 "\n \nxyz\nffffffff81001000\nffffffff81001000 T\n81001000 T \nTT tcp_rcv\n"
		 "ffffffff81001000 t %0300d\n0000000000000000 T tcp_rcv",
		 7);
	show_as("/proc/kallsyms", text);
	CHECK_STR(find("tcp_rcv", false), "tcp_rcv 0"); /* kptr_restrict, and no newline */
	CHECK_INT(kernel_find_symbol("tcp_rcv", false, symbol, 8, &address), 0);
	CHECK_STR(symbol, "tcp_rcv");
	CHECK_INT(kernel_find_symbol("tcp_rcv", false, symbol, 7, &address), -ENOENT);
}

static const char *at(uint64_t address)
{
	static struct text t;

	text_reset(&t);
	kernel_symbol_at(address, &t);
	return text_str(&t);
}

TEST(naming_addresses)
{
	show_as("/proc/kallsyms", symbols);
	CHECK_STR(at(0xffffffff81002000), "tcp_rcv+0x0");
	CHECK_STR(at(0xffffffff81002fff), "tcp_rcv+0xfff"); /* not the data in between */
	CHECK_STR(at(0xffffffff81001fff), "tcp_rcv_not_me+0xfff");
	CHECK_STR(at(0xffffffffc0001004), "in_module+0x4");
	CHECK_STR(at(0xffffffff80ffffff), "");
	CHECK_STR(at(0), "");
	CHECK_STR(at(1), "");
}

TEST(naming_addresses_that_are_hidden)
{
	show_as("/proc/kallsyms", "0000000000000000 T a\n0000000000000000 t b\n");
	CHECK_STR(at(0xffffffff81002000), "");
}

/* --- the files of this kernel ------------------------------------------------------- */

TEST(the_running_kernels_format)
{
	own_mounts();
	if (!kernel_tracefs() && mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL))
		SKIP("no tracefs");
	if (!CHECK(kernel_tracefs()))
		return;
	if (!CHECK(kernel_tracepoint_offset("net", "netif_receive_skb", "skbaddr") >= 8))
		return;
	CHECK_INT(kernel_tracepoint_offset("net", "netif_receive_skb", "skbaddr") % 8, 0);
	CHECK_INT(kernel_tracepoint_offset("net", "no_such_event", "skbaddr"), 0);
	CHECK_INT(kernel_tracepoint_offset("../..", "", "skbaddr"), 0);
}

TEST(lockdown)
{
	static const struct {
		const char *text;
		bool locked;
	} files[] = {
		{ "none integrity [confidentiality]\n", true },
		{ "none [integrity] confidentiality\n", false },
		{ "[none] integrity confidentiality\n", false },
	};
	int dirfd;

	own_mounts();
	if (mount("tmpfs", "/sys/kernel/security", "tmpfs", 0, NULL))
		SKIP("no /sys/kernel/security to stand in for");
	CHECK(!kernel_locked_down());
	dirfd = open("/sys/kernel/security", O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		write_file_at(dirfd, "lockdown", files[i].text, strlen(files[i].text));
		CHECK_INT(kernel_locked_down(), files[i].locked);
	}
	close(dirfd);
}

TEST(who_may_trace)
{
	if (geteuid())
		SKIP("needs root");
	CHECK(kernel_may_trace());
	CHECK_INT(seteuid(65534), 0);
	CHECK(!kernel_may_trace());
	CHECK_INT(seteuid(0), 0);
	CHECK(kernel_may_trace());
}
