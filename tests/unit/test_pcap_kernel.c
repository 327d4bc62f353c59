/* SPDX-License-Identifier: MIT */
/*
 * What is emitted, compiled by libbcc, taken by this kernel's verifier and run by it, against
 * libpcap's own answer. The packet lies in a map, whose memory is kernel memory.
 */
#include "pcap_corpus.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* pcap's struct of that name is another */
#define bpf_insn linux_bpf_insn
#include <linux/bpf.h>
#undef bpf_insn

#include "bpf/headers.h"

#define EXPRESSIONS 56
#define PACKETS 60

static struct {
	void *(*create)(const char *text, unsigned flags, const char *cflags[], int ncflags,
			bool allow_rlimit, const char *dev_name);
	void *(*start)(void *module, const char *name);
	size_t (*size)(void *module, const char *name);
	int (*table_fd)(void *module, const char *name);
	int (*load)(void *module, int prog_type, const char *name, const void *insns, int prog_len,
		    const char *license, unsigned kern_version, int log_level, char *log_buf,
		    unsigned log_buf_size, const char *dev_name, int attach_type);
} bcc;

static bool bind_symbol(void *lib, const char *name, void *slot)
{
	void *sym = dlsym(lib, name);

	memcpy(slot, &sym, sizeof(sym));
	return sym;
}

static bool open_libbcc(void)
{
	void *lib = dlopen("libbcc.so.0", RTLD_NOW | RTLD_LOCAL);

	return lib && bind_symbol(lib, "bpf_module_create_c_from_string", &bcc.create) &&
	       bind_symbol(lib, "bpf_function_start", &bcc.start) &&
	       bind_symbol(lib, "bpf_function_size", &bcc.size) &&
	       bind_symbol(lib, "bpf_table_fd", &bcc.table_fd) &&
	       bind_symbol(lib, "bcc_func_load", &bcc.load);
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* --- the programs ------------------------------------------------------------------ */

/* In the map: a packet and an event, and what was said of them. */
struct cell {
	uint32_t linear, length;
	int32_t wire, wire_constant, sock;
	uint32_t ran;
	struct lnk_event event;
	uint8_t bytes[PCAP_PACKET_MAX];
};

static const char cell_in_c[] = "#include <linux/tcp.h>\n"
				"struct cell {\n"
				"	u32 linear, length;\n"
				"	int wire, wire_constant, sock;\n"
				"	u32 ran;\n"
				"	struct lnk_event event;\n"
				"	u8 bytes[256];\n"
				"};\n"
				"BPF_ARRAY(cells, struct cell, 1);\n";

/* The pointer goes over the stack, so that the verifier takes it for a number, as it does
 * with one that was read out of an skb. The head is there in two ways: always 40 bytes, and
 * as many as there are. */
static const char program_in_c[] =
	"RAW_TRACEPOINT_PROBE(f%zu)\n"
	"{\n"
	"	struct lnk_wire w = {};\n"
	"	struct lnk_event e;\n"
	"	struct cell *c;\n"
	"	u32 head[10] = {};\n"
	"	char *bytes = NULL;\n"
	"	int zero = 0;\n"
	"\n"
	"	c = cells.lookup(&zero);\n"
	"	if (!c)\n"
	"		return 0;\n"
	"	bytes = (char *)c->bytes;\n"
	"	bpf_probe_read_kernel(&w.ip, sizeof(w.ip), &bytes);\n"
	"	bpf_probe_read_kernel(head, sizeof(head), c->bytes);\n"
	"	bpf_probe_read_kernel(&e, sizeof(e), &c->event);\n"
	"	w.linear = c->linear;\n"
	"	w.length = c->length;\n"
	"	w.head = (const u8 *)head;\n"
	"	w.head_len = w.linear >= 40 ? 40 : w.linear >= 20 ? 20 : 0;\n"
	"	c->wire = c->wire_constant = lnk_pcap(&w);\n"
	"	if (w.linear >= 40) {\n"
	"		w.head_len = 40;\n"
	"		c->wire_constant = lnk_pcap(&w);\n"
	"	}\n"
	"	c->sock = lnk_pcap_sock(&e);\n"
	"	c->ran = %zu;\n"
	"	return 0;\n"
	"}\n";

static void add_program(struct text *c, const char *expression, size_t n)
{
	struct text why = { 0 };
	size_t i;

	for (i = 0; i < COUNT_OF(pcap_names); i++)
		text_printf(c, "#define %s %s_%zu\n", pcap_names[i], pcap_names[i], n);
	if (!CHECK_INT(pcap_filter_emit(expression, c, &why), 0))
		fprintf(stderr, "  %s: %s\n", expression, text_str(&why));
	text_printf(c, program_in_c, n, n + 1);
	for (i = 0; i < COUNT_OF(pcap_names); i++)
		text_printf(c, "#undef %s\n", pcap_names[i]);
	text_free(&why);
}

/* --- headers ----------------------------------------------------------------------- */

static char dir[] = "/tmp/test_pcap.XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_dir(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void *compile(const char *source)
{
	struct text why = { 0 };
	struct headers h = { 0 };

	if (!mkdtemp(dir))
		abort();
	atexit(remove_dir);
	if (headers_prepare(&h, HEADERS_BTF, NULL, dir, NULL, &why) &&
	    headers_prepare(&h, HEADERS_INSTALLED, NULL, dir, NULL, &why))
		SKIP("neither BTF nor headers");
	if (!open_libbcc())
		SKIP("no libbcc.so.0");
	h.cflags[h.ncflags++] = strdup("-w");
	setenv("BCC_KERNEL_SOURCE", h.source, 1);
	unsetenv("ARCH");
	if (chdir("/"))
		abort();
	return bcc.create(source, 0, (const char **)h.cflags, h.ncflags, true, NULL);
}

static int load(void *module, size_t n, size_t *insns)
{
	char name[32];

	snprintf(name, sizeof(name), "raw_tracepoint__f%zu", n);
	*insns = bcc.size(module, name) / 8;
	return bcc.load(module, BPF_PROG_TYPE_RAW_TRACEPOINT, name, bcc.start(module, name),
			(int)bcc.size(module, name), "Dual MIT/GPL", 0, 0, NULL, 0, NULL, -1);
}

/* --- the runs ---------------------------------------------------------------------- */

static unsigned int bad;

/* Returns whether the kernel can run such a program at all (5.10). */
static bool run(int prog, int map, struct cell *cell)
{
	uint64_t args[12] = { 0 };
	uint32_t zero = 0;
	union bpf_attr attr = { .map_fd = (uint32_t)map,
				.key = (uintptr_t)&zero,
				.value = (uintptr_t)cell };

	if (bpf(BPF_MAP_UPDATE_ELEM, &attr))
		return false;
	attr = (union bpf_attr){ .test = { .prog_fd = (uint32_t)prog,
					   .ctx_in = (uintptr_t)args,
					   .ctx_size_in = sizeof(args) } };
	if (bpf(BPF_PROG_TEST_RUN, &attr))
		return false;
	attr = (union bpf_attr){ .map_fd = (uint32_t)map,
				 .key = (uintptr_t)&zero,
				 .value = (uintptr_t)cell };
	return !bpf(BPF_MAP_LOOKUP_ELEM, &attr);
}

static void fill_event(struct lnk_event *e, const struct pcap_packet *p)
{
	bool v4 = p->bytes[0] >> 4 == 4;
	const uint8_t *at = p->bytes + (v4 ? 12 : 8);
	uint32_t len = v4 ? 4 : 16;

	memset(e, 0, sizeof(*e));
	if (v4)
		e->saddr[10] = e->saddr[11] = e->daddr[10] = e->daddr[11] = 0xff;
	memcpy(e->saddr + 16 - len, at, len);
	memcpy(e->daddr + 16 - len, at + len, len);
	e->sport = (uint16_t)(at[2 * len] << 8 | at[2 * len + 1]);
	e->dport = (uint16_t)(at[2 * len + 2] << 8 | at[2 * len + 3]);
}

/* Returns false when this kernel cannot run it. */
static bool try_packet(int prog, int map, const struct pcap_sample *s, const struct pcap_packet *p,
		       uint32_t linear, bool plain)
{
	struct cell cell = { .linear = linear, .length = p->length };
	int want = pcap_matches(s, p, p->length);

	memcpy(cell.bytes, p->bytes, p->length);
	fill_event(&cell.event, p);
	if (!run(prog, map, &cell))
		return false;
	bad += !CHECK(cell.ran);
	bad += !CHECK_INT(cell.wire, cell.wire_constant);
	if (linear == p->length || cell.wire != -1)
		bad += !CHECK_INT(cell.wire, want);
	if (plain && cell.sock != -2)
		bad += !CHECK_INT(cell.sock, want);
	return true;
}

TEST(verifier_and_answers)
{
	struct pcap_sample *s = pcap_samples(EXPRESSIONS);
	struct text source = { 0 };
	struct pcap_packet p;
	size_t i, j, insns, largest = 0;
	bool runs = true, plain;
	void *module;
	int prog, map;

	if (geteuid())
		SKIP("needs root");
	text_puts(&source, pcap_event_h());
	text_puts(&source, cell_in_c);
	for (i = 0; i < EXPRESSIONS; i++)
		add_program(&source, s[i].text, i);
	module = compile(text_str(&source));
	text_free(&source);
	if (!CHECK(module))
		_exit(1);
	map = bcc.table_fd(module, "cells");
	for (i = 0; i < EXPRESSIONS; i++) {
		prog = load(module, i, &insns);
		largest = insns > largest ? insns : largest;
		if (!CHECK(prog >= 0)) {
			bad++;
			fprintf(stderr, "  %s\n", s[i].text);
			continue;
		}
		for (j = 0; j < PACKETS && runs; j++) {
			plain = j % 2;
			if (plain) {
				memset(&p, 0, sizeof(p));
				if (j % 4 == 1)
					pcap_ipv4(&p, true);
				else
					pcap_ipv6(&p, true);
			} else {
				pcap_packet(&p);
			}
			runs = try_packet(prog, map, &s[i], &p, p.length, plain) &&
			       try_packet(prog, map, &s[i], &p, pcap_random(p.length + 1), plain);
		}
		close(prog);
	}
	fprintf(stderr, "%d programs, the largest has %zu instructions\n", EXPRESSIONS, largest);
	remove_dir();
	if (!runs && !bad)
		SKIP("they load; this kernel cannot run them for a test");
	fflush(NULL);
	_exit(bad != 0); /* LLVM leaves things allocated */
}

/* n hosts, or n loads from one of 40 places. */
static bool make_large(struct text *e, bool of_loads, size_t n)
{
	struct text c = { 0 }, why = { 0 };
	uint32_t x = 1;
	bool taken;

	text_reset(e);
	for (; n; n--) {
		x = x * 1664525 + 1013904223;
		if (of_loads)
			text_printf(e, "tcp[%u:2] = %u or ", x >> 8 & 31, x >> 16);
		else
			text_printf(e, "host 10.%u.%u.%u or ", x >> 24, x >> 16 & 255,
				    x >> 8 & 255);
	}
	text_puts(e, "tcp[13] = 2");
	taken = !pcap_filter_emit(text_str(e), &c, &why);
	text_free(&c);
	text_free(&why);
	return taken;
}

/* The largest one that is taken. */
static char *largest(bool of_loads)
{
	struct text e = { 0 };
	size_t n = 0, by;

	for (by = 512; by; by /= 2)
		if (make_large(&e, of_loads, n + by))
			n += by;
	CHECK(make_large(&e, of_loads, n) && n > 100);
	return e.s;
}

TEST(largest)
{
	char *e[] = { largest(false), largest(true) };
	struct text source = { 0 };
	size_t i, insns;
	void *module;
	int prog;

	if (geteuid())
		SKIP("needs root");
	text_puts(&source, pcap_event_h());
	text_puts(&source, cell_in_c);
	for (i = 0; i < COUNT_OF(e); i++)
		add_program(&source, e[i], i);
	module = compile(text_str(&source));
	bad += !CHECK(module);
	for (i = 0; module && i < COUNT_OF(e); i++) {
		prog = load(module, i, &insns);
		fprintf(stderr, "%zu bytes of expression: %zu instructions\n", strlen(e[i]), insns);
		bad += !CHECK(prog >= 0);
	}
	remove_dir();
	fflush(NULL);
	_exit(bad != 0);
}
