/* SPDX-License-Identifier: MIT */
/*
 * The assertions are C: an edited event.h in front of them goes through a compiler, and
 * what the user would read must name the field.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "bpf/embedded.h"
#include "bpf/layout.h"

static const char *event_h(void)
{
	for (int i = 0; embedded_files[i].name; i++)
		if (!strcmp(embedded_files[i].name, "event.h"))
			return embedded_files[i].text;
	return "";
}

/* Gives the text to a C compiler. Returns its exit status, and what it said in *said. */
static int compile(const struct text *source, struct text *said)
{
	int in = memfd_create("source", 0), out = memfd_create("said", 0), status = -1;
	pid_t pid;

	CHECK_INT(write_all(in, source->s, source->len), 0);
	lseek(in, 0, SEEK_SET);
	pid = fork();
	if (!pid) {
		dup2(in, 0);
		dup2(out, 2);
		dup2(out, 1);
		execlp("cc", "cc", "-std=c11", "-fsyntax-only", "-x", "c", "-", NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	lseek(out, 0, SEEK_SET);
	text_reset(said);
	read_all(out, said, 1 << 20);
	close(in);
	close(out);
	for (char *p = said->s, *to = p; p && (*to = *p); p++)
		to += *p != '\\'; /* gcc has \' in its messages */
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		SKIP("no C compiler");
	return WEXITSTATUS(status);
}

/* event.h with one text in the place of another, and the assertions. */
static int compile_with(const char *old, const char *new, struct text *said)
{
	const char *h = event_h(), *at = strstr(h, old);
	struct text t = { 0 };
	int status;

	if (!CHECK(at)) {
		CHECK_STR(old, "what is to be replaced");
		return -1;
	}
	text_add(&t, h, (size_t)(at - h));
	text_puts(&t, new);
	text_puts(&t, at + strlen(old));
	layout_emit(&t);
	status = compile(&t, said);
	text_free(&t);
	return status;
}

TEST(event_h_as_it_is)
{
	struct text said = { 0 };

	CHECK_INT(compile_with("", "", &said), 0);
	CHECK_STR(text_str(&said), "");
	/* other words, other names of the guard, comments: all the same */
	CHECK_INT(compile_with("/* which probe function, numbered by the host */", "", &said), 0);
	text_free(&said);
}

static const struct {
	const char *old, *new;
	const char *says; /* first of all */
} edits[] = {
	{ "__u64 time_ns;", "__u32 time_ns;", "field 'time_ns' of struct lnk_event " },
	{ "__u8 saddr[16];", "__u8 saddr[4];", "field 'saddr' of struct lnk_event " },
	{ "__u8 daddr[16];", "__u8 daddr[20];", "field 'daddr' of struct lnk_event " },
	{ "__u32 seq;", "__u16 seq;", "field 'seq' of struct lnk_event " },
	{ "__u32 ack_seq;", "__u64 ack_seq;", "field 'ack_seq' of struct lnk_event " },
	{ "__u16 sport;", "__u32 sport;", "field 'sport' of struct lnk_event " },
	{ "__u16 dport;", "__u8 dport;", "field 'dport' of struct lnk_event " },
	{ "__u16 hook;", "__u8 hook;", "field 'hook' of struct lnk_event " },
	{ "__u16 ipv6;", "__u8 ipv6[2]; __u8 x;", "struct lnk_event has another size" },
	{ "__u16 ipv6;", "__u8 ipv6;", "field 'ipv6' of struct lnk_event " },
	{ "__u32 seq;\n\t__u32 ack_seq;", "__u32 ack_seq;\n\t__u32 seq;",
	  "field 'seq' of struct lnk_event " },
	{ "__u16 sport;\n\t__u16 dport;", "__u16 dport;\n\t__u16 sport;",
	  "field 'sport' of struct lnk_event " },
	{ "__u8 saddr[16];\n\t__u8 daddr[16];", "__u8 daddr[16];\n\t__u8 saddr[16];",
	  "field 'saddr' of struct lnk_event " },
	{ "struct lnk_event event;", "__u64 more; struct lnk_event event;",
	  "field 'event' of struct lnk_record " },
	{ "__u64 extra[", "__u32 extra[", "field 'extra' of struct lnk_record " },
	{ "__u64 extra[LNK_MAX_EXTRA];", "__u64 extra[LNK_MAX_EXTRA], more;",
	  "struct lnk_record has another size" },
	{ "#define LNK_MAX_EXTRA 24", "#define LNK_MAX_EXTRA 12",
	  "field 'extra' of struct lnk_record " },
	{ "__u64 seen;", "__u64 x, seen;", "field 'seen' of struct lnk_counters " },
	{ "__u64 filtered;", "__u32 filtered;", "field 'filtered' of struct lnk_counters " },
	{ "__u64 limited;", "__u32 limited;", "field 'limited' of struct lnk_counters " },
	{ "__u64 lost;", "__u32 lost;", "field 'lost' of struct lnk_counters " },
	{ "__u64 other;", "__u32 other;", "field 'other' of struct lnk_counters " },
	{ "__u64 fragment;", "__u32 fragment;", "field 'fragment' of struct lnk_counters " },
	{ "__u64 unreadable;", "__u32 unreadable;", "field 'unreadable' of struct lnk_counters " },
	{ "__u64 ownerless;", "__u32 ownerless;", "field 'ownerless' of struct lnk_counters " },
	{ "__u64 bytes;", "__u32 bytes;", "field 'bytes' of struct lnk_counters " },
	{ "__u64 bytes;", "__u64 bytes, more;", "struct lnk_counters has another size" },
	{ "#define LNK_MAX_HOOKS 128", "#define LNK_MAX_HOOKS 64", "LNK_MAX_HOOKS" },
};

TEST(every_edit_is_named)
{
	struct text said = { 0 };
	const char *first;

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		CHECK(compile_with(edits[i].old, edits[i].new, &said) != 0);
		first = strstr(text_str(&said), "event.h: ");
		if (!CHECK(first && !strncmp(first + 9, edits[i].says, strlen(edits[i].says)))) {
			CHECK_STR(edits[i].new, "the edit in question");
			CHECK_STR(first, edits[i].says);
		}
		CHECK(strstr(text_str(&said), "put event.h back, or build the program anew"));
	}
	text_free(&said);
}

/* A field that is gone is an error too, and names itself. */
TEST(a_field_that_is_gone)
{
	struct text said = { 0 };

	CHECK(compile_with("__u16 ipv6;", "", &said) != 0);
	CHECK(strstr(text_str(&said), "ipv6"));
	CHECK(compile_with("__u32 ack_seq;", "__u32 ackseq;", &said) != 0);
	CHECK(strstr(text_str(&said), "ack_seq"));
	text_free(&said);
}
