/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "base/io.h"
#include "base/text.h"
#include "bpf/headers_structs.h"
#include "bpf/headers_words.h"

/* --- words --------------------------------------------------------------------------- */

static bool has(const char *program, const char *word)
{
	struct headers_words w;

	headers_words_take(&w, program);
	return headers_words_have(&w, word);
}

TEST(words)
{
	CHECK(has("p->len += x_1;", "len"));
	CHECK(has("p->len += x_1;", "x_1"));
	CHECK(has("#define A(p) (p)->len", "len"));
	CHECK(!has("p->length", "len"));
	CHECK(!has("p->len", "length"));
	CHECK(!has("", "len"));
	CHECK(has(NULL, "len"));
}

/* Where names may come from elsewhere every word is there. */
TEST(every_word)
{
	CHECK(has("#define A(p, x) (p)->skc_##x", "len"));
	CHECK(has("#include \"/root/mine.h\"", "len"));
	CHECK(has("#include <root/mine.h>", "len"));
	CHECK(has("  #  include \t<root/mine.h>", "len"));
	CHECK(has("#include_next <mine.h>", "len"));
	CHECK(has("#include MINE", "len"));
	CHECK(has("#import <root/mine.h>", "len"));
	CHECK(has("/* */ #include <mine.h>", "len"));
	CHECK(has("#/**/include <mine.h>", "len"));
	CHECK(has("#\\\ninclude <mine.h>", "len"));
	CHECK(has("%:include <mine.h>", "len"));
	CHECK(!has("#include <linux/skbuff.h>\n#include <uapi/linux/ip.h>", "len"));
	CHECK(!has("#include <bcc/proto.h>\n#include <linux/version.h>\n#if 1\n#endif", "len"));
	CHECK(!has("a % :b", "len"));
}

/* --- structs ------------------------------------------------------------------------- */

enum {
	INT = 1,
	BYTE,
	U64,
	PTR,
	PAIR,
	UNION,
	ENUM,
	NAME,
	ARRAY,
	VOID,
	FN,
	ODD,
	BITS,
	BIG
};

static void expect(int got, int want)
{
	if (got != want)
		abort();
}

/*
 * struct pair { int a, b; };
 * union { int i; u64 wide; };
 * struct odd { u8 first; int loose; };			packed
 * struct bits { int low: 3, mid: 7; u8 after; int far: 5; };
 * struct big { pair *next; pair pair; union; int v[2]; enum colour colour; name_t name;
 *		void *fn; odd odd; bits bits; u64 last; }
 */
static struct btf *make_btf(void)
{
	struct btf *b = btf__new_empty();

	expect(btf__add_int(b, "int", 4, BTF_INT_SIGNED), INT);
	expect(btf__add_int(b, "unsigned char", 1, 0), BYTE);
	expect(btf__add_int(b, "long long unsigned int", 8, 0), U64);
	expect(btf__add_ptr(b, PAIR), PTR);
	expect(btf__add_struct(b, "pair", 8), PAIR);
	btf__add_field(b, "a", INT, 0, 0);
	btf__add_field(b, "b", INT, 32, 0);
	expect(btf__add_union(b, NULL, 8), UNION);
	btf__add_field(b, "i", INT, 0, 0);
	btf__add_field(b, "wide", U64, 0, 0);
	expect(btf__add_enum(b, "colour", 4), ENUM);
	btf__add_enum_value(b, "RED", 1);
	btf__add_enum_value(b, "GREEN", -2);
	expect(btf__add_typedef(b, "name_t", PAIR), NAME);
	expect(btf__add_array(b, INT, INT, 2), ARRAY);
	expect(btf__add_ptr(b, FN), VOID);
	expect(btf__add_func_proto(b, INT), FN);
	expect(btf__add_struct(b, "odd", 5), ODD);
	btf__add_field(b, "first", BYTE, 0, 0);
	btf__add_field(b, "loose", INT, 8, 0);
	expect(btf__add_struct(b, "bits", 8), BITS);
	btf__add_field(b, "low", INT, 0, 3);
	btf__add_field(b, "mid", INT, 3, 7);
	btf__add_field(b, "after", BYTE, 16, 0);
	btf__add_field(b, "far", INT, 35, 5);
	expect(btf__add_struct(b, "big", 76), BIG);
	btf__add_field(b, "next", PTR, 0, 0);
	btf__add_field(b, "pair", PAIR, 64, 0);
	btf__add_field(b, NULL, UNION, 128, 0);
	btf__add_field(b, "v", ARRAY, 192, 0);
	btf__add_field(b, "colour", ENUM, 256, 0);
	btf__add_field(b, "name", NAME, 288, 0);
	btf__add_field(b, "fn", VOID, 352, 0);
	btf__add_field(b, "odd", ODD, 416, 0);
	btf__add_field(b, "bits", BITS, 456, 0);
	btf__add_field(b, "last", U64, 544, 0);
	return b;
}

static void emit(const char *program, struct text *out)
{
	static const struct headers_struct want[] = { { BIG, true, false } };
	struct btf *btf = make_btf();
	struct headers_words words;

	headers_words_take(&words, program);
	text_reset(out);
	headers_structs_emit(btf, &words, want, 1, out);
	CHECK(!out->cut);
	btf__free(btf);
}

/* What a compiler says of it and of `use` behind it. */
static bool compiles(const struct text *types, const char *use)
{
	int fd[2], status;
	pid_t pid;

	if (access("/usr/bin/cc", X_OK))
		SKIP("no /usr/bin/cc");
	if (pipe(fd))
		abort();
	pid = fork();
	if (!pid) {
		dup2(fd[0], 0);
		close(fd[1]);
		execl("/usr/bin/cc", "cc", "-fsyntax-only", "-fms-extensions", "-xc", "-", NULL);
		_exit(127);
	}
	close(fd[0]);
	CHECK_INT(write_all(fd[1], text_str(types), types->len), 0);
	CHECK_INT(write_all(fd[1], use, strlen(use)), 0);
	close(fd[1]);
	return waitpid(pid, &status, 0) == pid && !status;
}

static bool said(const struct text *t, const char *what)
{
	return strstr(text_str(t), what);
}

/* The assertions are in the text: that it compiles says that everything is in its place. */
TEST(all_members)
{
	struct text t = { 0 };

	emit(NULL, &t);
	CHECK(said(&t, "_Static_assert(__builtin_offsetof(struct big, last) == 68,"));
	CHECK(said(&t, "_Static_assert(__builtin_offsetof(struct big, wide) == 16,"));
	CHECK(said(&t, "_Static_assert(__builtin_offsetof(struct odd, loose) == 1,"));
	CHECK(said(&t, "_Static_assert(sizeof(struct big) == 76,"));
	CHECK(compiles(&t,
		       "int f(struct big *p, name_t *q) { enum colour c = GREEN; return q->b + "
		       "p->next->b + p->i + p->v[1] + p->odd.loose + p->bits.far + (c == RED); }"));
	text_free(&t);
}

TEST(named_members)
{
	struct text t = { 0 };

	emit("p->last", &t);
	CHECK(said(&t, "last) == 68,"));
	CHECK(said(&t, "unsigned char lnk_gap0[68];"));
	CHECK(!said(&t, "pair"));
	CHECK(!said(&t, "wide"));
	CHECK(!said(&t, "RED"));
	CHECK(compiles(&t, "int f(struct big *p) { return p->last; }"));
	CHECK(!compiles(&t, "int f(struct big *p) { return p->v[0]; }"));

	emit("p->next->wide->v->odd->loose->far->bits->name", &t);
	CHECK(!said(&t, "last"));
	CHECK(compiles(&t, "int f(struct big *p) { return p->wide + p->v[1] + p->odd.loose + "
			   "p->bits.far; }"));

	/* what it is in goes by no name */
	emit("p->pair.b", &t);
	CHECK(compiles(&t, "int f(struct big *p) { return p->pair.b; }"));
	text_free(&t);
}

/* What a program may name without the member that has this type. */
TEST(named_types)
{
	struct text t = { 0 };

	emit("((struct odd *)p)->loose", &t);
	CHECK(compiles(&t, "int f(void *p) { return ((struct odd *)p)->loose; }"));
	emit("(name_t *)p", &t);
	CHECK(compiles(&t, "int f(void *p) { return sizeof(*(name_t *)p); }"));
	emit("GREEN", &t);
	CHECK(compiles(&t, "_Static_assert(GREEN == -2, \"\"); int c[RED];"));
	text_free(&t);
}

/* Bit-fields are where BTF has them: one byte of them all is one in memory. */
TEST(bit_fields)
{
	struct text t = { 0 };

	emit("bits mid far", &t);
	CHECK(said(&t, "low: 3;")); /* in one run with mid */
	CHECK(!said(&t, "after"));
	CHECK(said(&t, "far: 5;"));
	text_free(&t);
}
