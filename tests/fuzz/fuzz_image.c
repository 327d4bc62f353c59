/* SPDX-License-Identifier: MIT */
/*
 * A compiled program as the cache keeps it. bpf(2) is played: what it would be given is
 * read to the end, and every descriptor that it gives out must be closed or owned.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>

static int spare_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

static int fail_in; /* calls until one fails; below 0: none does */
static uint64_t sum;

static long play_bpf(long number, int command, const union bpf_attr *attr, size_t size)
{
	const uint8_t *p;
	size_t i;

	REQUIRE(number == SYS_bpf && size == sizeof(*attr));
	if (!fail_in--) {
		errno = EPERM;
		return -1;
	}
	if (command == BPF_PROG_LOAD) {
		p = (const uint8_t *)(uintptr_t)attr->insns;
		for (i = 0; i < attr->insn_cnt * sizeof(struct bpf_insn); i++)
			sum += p[i];
		sum += strlen((const char *)(uintptr_t)attr->license);
	}
	return spare_fd();
}

#define syscall play_bpf
#define setrlimit(what, lim) (void)(lim)
/* the file itself: what is looked at is static in it */
#include "bpf/image.c" // NOLINT(bugprone-suspicious-include)
#undef syscall

#define KEY "k"

/* A whole image from the input's pieces, so that the fuzzer need not guess lengths. */
static void make_image(struct input *in, struct text *out)
{
	static const char *const names[] = {
		"lnk_counters", "lnk_events",        "other",
		"kprobe__f",    "raw_tracepoint__g", "kprobe__nobody"
	};
	struct image_map m = { 0 };
	struct image_program p = { .licence = "GPL" };
	uint32_t maps = (uint32_t)take_number(in, 1) % 5, programs = take_number(in, 1) % 4, i;
	struct bpf_insn insns[16];
	int fds[4] = { 3, 4, 5, 6 };
	size_t len;
	uint8_t *bytes;

	image_begin(out, KEY, maps, programs);
	for (i = 0; i < maps; i++) {
		strcpy(m.name, i < 2 ? names[i] : names[take_number(in, 1) % 6]);
		image_add_map(out, &m);
	}
	for (i = 0; i < programs; i++) {
		strcpy(p.function, names[take_number(in, 1) % 6]);
		memset(insns, 0, sizeof(insns));
		bytes = take_bytes(in, sizeof(insns), &len);
		memcpy(insns, bytes, len);
		free(bytes);
		p.insns = (uint32_t)(len / sizeof(insns[0]));
		image_add_program(out, &p, insns, fds, (int)maps < 4 ? (int)maps : 4);
	}
	image_end(out);
}

static void load(const char *bytes, size_t len)
{
	struct hook v[2] = {
		{ .kind = HOOK_KPROBE, .target = "f", .prog_fd = -1, .link_fd = -1 },
		{ .kind = HOOK_RAW_TRACEPOINT, .target = "g", .prog_fd = -1, .link_fd = -1 },
	};
	struct hooks hs = { v, 2 };
	int counters = -1, events = -1, shared = -1, owners = -1, fds = open_fds(), i;

	if (!image_load(bytes, len, KEY, &hs, &counters, &events, &shared, &owners)) {
		REQUIRE(counters >= 0 && events >= 0);
		close(counters);
		close(events);
		if (shared >= 0)
			close(shared);
		if (owners >= 0)
			close(owners);
		for (i = 0; i < 2; i++)
			if (v[i].prog_fd >= 0)
				close(v[i].prog_fd);
	} else {
		REQUIRE(counters == -1 && events == -1);
		REQUIRE(v[0].prog_fd == -1 && v[1].prog_fd == -1);
	}
	REQUIRE(open_fds() == fds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct text made = { 0 };
	uint8_t *bytes;
	size_t len;

	fail_in = (int)take_number(&in, 1) - 128;
	if (take_number(&in, 1) & 1) {
		make_image(&in, &made);
		load(made.s, made.len);
		text_free(&made);
	} else {
		bytes = take_bytes(&in, in.left, &len);
		load((const char *)bytes, len);
		free(bytes);
	}
	return 0;
}
