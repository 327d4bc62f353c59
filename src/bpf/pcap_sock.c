/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation. The program is run here, over packets of which only some bits are
 * known: constants (version, protocol), what the event holds (addresses, ports: known when
 * the probe runs), and the rest, which is not known at all. A value is therefore an
 * expression over the event, and a mask of bits that nobody knows.
 *
 * A comparison then has one of four ends: it holds; it does not; the probe must look; or
 * nobody can tell, and the run goes on both ways at once. So what is run is not one machine
 * but a set of them, and a set is a state of a decision graph: where the probe must look it
 * branches into two other sets, and where all machines of a set have returned, that is the
 * answer: 1, 0, or -2 if they do not agree. (It is the subset construction that makes a
 * deterministic automaton.) The graph has no cycles, for the program jumps forward only; it
 * is written down as C, a label and one comparison for each node.
 *
 * What makes it answer -2 more often than it must: what is not known is taken to be
 * independent each time it is looked at; sums and products of bits that are not known are
 * not known at all above the lowest of them; the length of the packet; and the bounds below.
 */
#include "bpf/pcap_sock.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/pcap_machine.h"

#define MAX_MACHINES 32 /* in one set; of a larger one the answer is -2 */
#define MAX_NODES 8192  /* of one graph; what would need more has the answer -2 */
#define NODE_TABLE 4096 /* of the hash table */

/* The first nodes of a graph. */
enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_UNKNOWN,
	ANSWERS
};

struct set {
	uint32_t returned[2]; /* some machine has returned 0, 1 */
	uint32_t n;
	struct machine v[MAX_MACHINES];
};

/* A branch on `cond`, unless it is an answer. */
struct node {
	int answer; /* enum answer, or -1 */
	uint32_t cond;
	uint32_t yes, no;
	struct set *set; /* the set when the branch is reached; NULL: see maybe_node() */
	uint32_t next;   /* of the same hash: index + 1 */
	bool done;
};

struct graph {
	struct run run;
	struct node *nodes;
	uint32_t nnodes;
	uint32_t node_table[NODE_TABLE]; /* hash -> index + 1 */
	bool failed;                     /* out of memory */
};

/* --- sets -------------------------------------------------------------------------- */

static int order(const struct machine *a, const struct machine *b)
{
	if (a->pc != b->pc)
		return a->pc < b->pc ? -1 : 1;
	return memcmp(a, b, sizeof(*a));
}

/* Puts a machine into the set, which is kept in order and without doubles. A set that
 * becomes too large has returned both. */
static void insert(const struct graph *g, struct set *s, struct machine m)
{
	uint32_t i, at;
	int cmp = 1;

	for (i = 0; i < REGS; i++)
		if (!(g->run.live[m.pc] & 1U << i))
			m.reg[i] = value_known(0);
	for (at = 0; at < s->n; at++) {
		cmp = order(&m, &s->v[at]);
		if (cmp <= 0)
			break;
	}
	if (at < s->n && !cmp)
		return;
	if (s->n == MAX_MACHINES) {
		s->returned[0] = s->returned[1] = 1;
		return;
	}
	memmove(&s->v[at + 1], &s->v[at], (s->n - at) * sizeof(m));
	s->v[at] = m;
	s->n++;
}

static struct machine take_first(struct set *s)
{
	struct machine m = s->v[0];

	memmove(&s->v[0], &s->v[1], --s->n * sizeof(m));
	return m;
}

static bool is_true(const struct graph *g, uint32_t cond)
{
	uint32_t k;

	return cond != UINT32_MAX && term_is_constant(&g->run.terms, cond, &k) && k;
}

static bool is_false(const struct graph *g, uint32_t cond)
{
	uint32_t k;

	return cond == UINT32_MAX || (term_is_constant(&g->run.terms, cond, &k) && !k);
}

/* One of the two ways (or both) that a step has left. */
static void go(const struct graph *g, struct set *s, const struct machine *m, enum step how,
	       uint32_t other, bool yes)
{
	struct machine to = *m;

	if (how == STEP_RETURN || (how == STEP_REJECT && !yes)) {
		s->returned[yes] = 1;
		return;
	}
	if (how == STEP_BRANCH && !yes)
		to.pc = other;
	insert(g, s, to);
}

/*
 * Runs the first machine of the set, the one with the lowest pc, by one instruction.
 * Returns true when that is all; false when the probe must look at *o first, and then go()
 * one way or the other with *m, *how and *other. The machine is not in the set then.
 */
static bool run_first(struct graph *g, struct set *s, struct machine *m, enum step *how,
		      uint32_t *other, struct outcome *o)
{
	*m = take_first(s);
	*how = machine_step(&g->run, m, o, other);
	if (*how == STEP_ON) {
		insert(g, s, *m);
		return true;
	}
	if (is_true(g, o->yes) || is_true(g, o->no)) {
		go(g, s, m, *how, *other, is_true(g, o->yes));
		return true;
	}
	if (is_false(g, o->yes) && is_false(g, o->no)) {
		go(g, s, m, *how, *other, true);
		go(g, s, m, *how, *other, false);
		return true;
	}
	return false;
}

static bool is_over(const struct set *s)
{
	return !s->n || (s->returned[0] && s->returned[1]);
}

/* --- the graph --------------------------------------------------------------------- */

static uint32_t answer_of(const struct set *s)
{
	if (s->returned[0] && s->returned[1])
		return ANSWER_UNKNOWN;
	return s->returned[1] ? ANSWER_YES : ANSWER_NO;
}

static size_t set_size(const struct set *s)
{
	return offsetof(struct set, v) + s->n * sizeof(s->v[0]);
}

static uint32_t new_node(struct graph *g)
{
	g->nodes[g->nnodes] = (struct node){ .answer = -1 };
	return g->nnodes++;
}

/* The node of a set, which is run up to where the probe must look. */
static uint32_t node_for(struct graph *g, struct set *s)
{
	struct set before;
	struct machine m;
	struct outcome o;
	enum step how;
	uint32_t other = 0, *slot, i;
	size_t size;

	do {
		if (is_over(s))
			return answer_of(s);
		memcpy(&before, s, set_size(s));
	} while (run_first(g, s, &m, &how, &other, &o));
	size = set_size(&before);
	slot = &g->node_table[pcap_hash(&before, size) % NODE_TABLE];
	for (i = *slot; i; i = g->nodes[i - 1].next)
		if (set_size(g->nodes[i - 1].set) == size &&
		    !memcmp(g->nodes[i - 1].set, &before, size))
			return i - 1;
	if (g->nnodes == MAX_NODES)
		return ANSWER_UNKNOWN;
	i = new_node(g);
	g->nodes[i].next = *slot;
	g->nodes[i].set = malloc(size);
	if (!g->nodes[i].set) {
		g->failed = true;
		return ANSWER_UNKNOWN;
	}
	memcpy(g->nodes[i].set, &before, size);
	*slot = i + 1;
	return i;
}

/* Where the set is when the machine has gone this way. */
static uint32_t after(struct graph *g, const struct set *rest, const struct machine *m,
		      enum step how, uint32_t other, bool yes, bool no)
{
	struct set s;

	memcpy(&s, rest, set_size(rest));
	if (yes)
		go(g, &s, m, how, other, true);
	if (no)
		go(g, &s, m, how, other, false);
	return node_for(g, &s);
}

/* Not surely yes: surely not, or nobody knows. */
static uint32_t maybe_node(struct graph *g, const struct set *rest, const struct machine *m,
			   enum step how, uint32_t other, const struct outcome *o)
{
	uint32_t i, yes, no;

	if (is_true(g, o->no))
		return after(g, rest, m, how, other, false, true);
	if (is_false(g, o->no))
		return after(g, rest, m, how, other, true, true);
	yes = after(g, rest, m, how, other, false, true);
	no = after(g, rest, m, how, other, true, true);
	if (g->nnodes == MAX_NODES)
		return ANSWER_UNKNOWN;
	i = new_node(g);
	g->nodes[i].cond = o->no;
	g->nodes[i].yes = yes;
	g->nodes[i].no = no;
	g->nodes[i].done = true;
	return i;
}

static void expand(struct graph *g, uint32_t at)
{
	struct set s;
	struct machine m;
	struct outcome o;
	enum step how;
	uint32_t other = 0, yes, no;

	memcpy(&s, g->nodes[at].set, set_size(g->nodes[at].set));
	run_first(g, &s, &m, &how, &other, &o);
	g->nodes[at].done = true;
	if (is_false(g, o.yes)) { /* not or perhaps */
		yes = after(g, &s, &m, how, other, false, true);
		no = after(g, &s, &m, how, other, true, true);
		g->nodes[at].cond = o.no;
	} else {
		yes = after(g, &s, &m, how, other, true, false);
		if (outcome_is_either(&g->run.terms, &o))
			no = after(g, &s, &m, how, other, false, true);
		else
			no = maybe_node(g, &s, &m, how, other, &o);
		g->nodes[at].cond = o.yes;
	}
	g->nodes[at].yes = yes;
	g->nodes[at].no = no;
}

/* Empties the graph, for another start. */
static void graph_reset(struct graph *g)
{
	int i;

	for (; g->nnodes; g->nnodes--)
		free(g->nodes[g->nnodes - 1].set);
	exprs_reset(&g->run.terms);
	memset(g->node_table, 0, sizeof(g->node_table));
	for (i = 0; i < ANSWERS; i++)
		g->nodes[new_node(g)].answer = i;
}

static void graph_close(struct graph *g)
{
	if (!g)
		return;
	for (; g->nnodes; g->nnodes--)
		free(g->nodes[g->nnodes - 1].set);
	run_close(&g->run);
	free(g->nodes);
	free(g);
}

static struct graph *graph_open(const struct bpf_insn *prog, size_t n)
{
	struct graph *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->nodes = malloc(MAX_NODES * sizeof(*g->nodes));
	if (!g->nodes || run_open(&g->run, prog, n)) {
		graph_close(g);
		return NULL;
	}
	return g;
}

/* Builds the graph of one machine for each packet; returns where it begins. */
static uint32_t build(struct graph *g, const struct packet *packets, uint32_t n)
{
	struct machine m = { 0 };
	struct set s = { 0 };
	uint32_t first, i;

	graph_reset(g);
	memcpy(g->run.packets, packets, n * sizeof(*packets));
	for (i = 0; i < n; i++) {
		m.packet = i;
		insert(g, &s, m);
	}
	first = node_for(g, &s);
	for (i = ANSWERS; i < g->nnodes && !g->failed && !g->run.terms.full; i++)
		if (!g->nodes[i].done)
			expand(g, i);
	return g->run.terms.full ? ANSWER_UNKNOWN : first;
}

/* --- as C -------------------------------------------------------------------------- */

static const char *const answer_text[ANSWERS] = { "0", "1", "-2" };

/* Follows nodes whose two ways are one. */
static uint32_t skip_idle(const struct graph *g, uint32_t at)
{
	while (g->nodes[at].answer < 0 && g->nodes[at].yes == g->nodes[at].no)
		at = g->nodes[at].yes;
	return at;
}

/*
 * Sorts the nodes that can be reached from `first`, each behind those it leads to: they come
 * out of a depth-first walk like that. Nodes that decide nothing are taken out on the way.
 * Returns how many there are. seen[] counts the ways that were walked.
 */
static uint32_t sort_nodes(struct graph *g, uint32_t first, uint32_t *sorted, uint32_t *stack,
			   uint8_t *seen)
{
	uint32_t depth = 0, n = 0, at, to;
	struct node *node;

	stack[depth++] = first;
	while (depth) {
		at = stack[depth - 1];
		node = &g->nodes[at];
		if (node->answer < 0 && seen[at] < 2) {
			to = seen[at] ? node->no : node->yes;
			seen[at]++;
			if (!seen[to])
				stack[depth++] = to;
			continue;
		}
		depth--;
		seen[at] = 3;
		if (node->answer < 0) {
			node->yes = skip_idle(g, node->yes);
			node->no = skip_idle(g, node->no);
		}
		sorted[n++] = at;
	}
	return n;
}

static void emit_nodes(const struct graph *g, const uint32_t *sorted, uint32_t n, struct text *c)
{
	const struct node *node;

	while (n--) {
		node = &g->nodes[sorted[n]];
		if (node->answer < 0 && node->yes == node->no)
			continue;
		text_printf(c, "n%u: __attribute__((unused));\n", sorted[n]);
		if (node->answer >= 0) {
			text_printf(c, "\treturn %s;\n", answer_text[node->answer]);
			continue;
		}
		text_puts(c, "\tif ");
		term_emit(&g->run.terms, node->cond, c);
		text_printf(c, "\n\t\tgoto n%u;\n\tgoto n%u;\n", node->yes, node->no);
	}
}

/* Adds the function `name`, unless the answer is always the same. *call is what to write
 * where the answer is needed. */
static int emit_graph(struct graph *g, uint32_t first, const char *name, struct text *c,
		      struct text *call)
{
	uint32_t n;
	uint32_t *sorted = calloc(2 * (size_t)g->nnodes, sizeof(*sorted));
	uint8_t *seen = calloc(g->nnodes, 1);

	if (!sorted || !seen || g->failed) {
		free(sorted);
		free(seen);
		return -ENOMEM;
	}
	n = sort_nodes(g, first, sorted, sorted + g->nnodes, seen);
	first = skip_idle(g, first);
	if (g->nodes[first].answer >= 0) {
		text_puts(call, answer_text[g->nodes[first].answer]);
	} else {
		text_printf(call, "%s(e)", name);
		text_printf(c, "static __always_inline int %s(const struct lnk_event *e)\n{\n",
			    name);
		emit_nodes(g, sorted, n, c);
		text_puts(c, "}\n\n");
	}
	free(sorted);
	free(seen);
	return 0;
}

/* --- what an event may know -------------------------------------------------------- */

#define IPV4 .version = 4, .then = -1, .plain = true, .at_least = 40
#define IPV6 .version = 6, .then = -1, .plain = true, .at_least = 60, .next = 6
#define ALL .source = true, .destination = true, .port = true
#define NO_PEER .destination = true, .port = true /* a listener */

enum {
	CASE_IPV4,
	CASE_IPV6,
	CASE_IPV4_TO,
	CASE_IPV6_TO,
	CASE_PORT,
	CASE_NOTHING,
	CASES
};

static const struct {
	const char *name;
	uint32_t n;
	struct packet packets[2];
} cases[CASES] = {
	[CASE_IPV4] = { "lnk_pcap_ipv4", 1, { { IPV4, ALL } } },
	[CASE_IPV6] = { "lnk_pcap_ipv6", 1, { { IPV6, ALL } } },
	[CASE_IPV4_TO] = { "lnk_pcap_ipv4_to", 1, { { IPV4, NO_PEER } } },
	[CASE_IPV6_TO] = { "lnk_pcap_ipv6_to", 1, { { IPV6, NO_PEER } } },
	[CASE_PORT] = { "lnk_pcap_port", 2, { { IPV4, .port = true }, { IPV6, .port = true } } },
	[CASE_NOTHING] = { "lnk_pcap_nothing", 2, { { IPV4 }, { IPV6 } } },
};

/* 0: not known. */
static const char version_of[] = "static __always_inline int lnk_pcap_version(const u8 *address)\n"
				 "{\n"
				 "\tconst u32 *w = (const u32 *)address;\n"
				 "\n"
				 "\tif (w[0] | w[1] || (w[2] && w[2] != bpf_htonl(0xffff)))\n"
				 "\t\treturn 6;\n"
				 "\tif (!w[3])\n"
				 "\t\treturn 0;\n"
				 "\treturn w[2] ? 4 : 6;\n"
				 "}\n\n";

static void emit_choice(const struct text *call, struct text *c)
{
	text_puts(c, version_of);
	text_puts(c,
		  "static __always_inline int lnk_pcap_sock(const struct lnk_event *e)\n{\n"
		  "\tint from = lnk_pcap_version(e->saddr), to = lnk_pcap_version(e->daddr);\n\n");
	text_printf(c, "\tif (!e->dport)\n\t\treturn %s;\n", text_str(&call[CASE_NOTHING]));
	text_printf(c, "\tif (!to || (from && from != to))\n\t\treturn %s;\n",
		    text_str(&call[CASE_PORT]));
	text_puts(c, "\tif (from && e->sport) {\n");
	text_printf(c, "\t\tif (to == 4)\n\t\t\treturn %s;\n", text_str(&call[CASE_IPV4]));
	text_printf(c, "\t\treturn %s;\n\t}\n", text_str(&call[CASE_IPV6]));
	text_printf(c, "\tif (to == 4)\n\t\treturn %s;\n", text_str(&call[CASE_IPV4_TO]));
	text_printf(c, "\treturn %s;\n}\n", text_str(&call[CASE_IPV6_TO]));
}

int pcap_sock_emit(const struct bpf_insn *prog, size_t n, struct text *c)
{
	struct graph *g = graph_open(prog, n);
	struct text call[CASES] = { 0 };
	uint32_t first;
	int i, err = g ? 0 : -ENOMEM;

	for (i = 0; i < CASES && !err; i++) {
		first = build(g, cases[i].packets, cases[i].n);
		err = emit_graph(g, first, cases[i].name, c, &call[i]);
	}
	if (!err)
		emit_choice(call, c);
	graph_close(g);
	for (i = 0; i < CASES; i++)
		text_free(&call[i]);
	return err;
}

/* --- can it match at all ----------------------------------------------------------- */

static bool may_match(struct graph *g, const struct packet *p)
{
	return build(g, p, 1) != ANSWER_NO || g->failed;
}

/* What may stand between an IPv6 header and TCP, and TCP. 44 is a fragment header: libpcap
 * looks behind it, at byte 40, for the next one. */
static bool may_match_ipv6(struct graph *g)
{
	static const uint8_t headers[] = { 6, 0, 43, 44, 51, 60, 135, 139, 140 };
	struct packet p = { .version = 6 };
	size_t i, j;

	for (i = 0; i < sizeof(headers); i++) {
		p.next = headers[i];
		for (j = 0; j < (p.next == 44 ? sizeof(headers) : 1); j++) {
			p.then = p.next == 44 ? headers[j] : -1;
			if (may_match(g, &p))
				return true;
		}
	}
	return false;
}

bool pcap_sock_may_match(const struct bpf_insn *prog, size_t n, int version)
{
	static const struct packet ipv4 = { .version = 4, .then = -1 };
	struct graph *g = graph_open(prog, n);
	bool may;

	if (!g)
		return true;
	may = version == 4 ? may_match(g, &ipv4) : may_match_ipv6(g);
	graph_close(g);
	return may;
}
