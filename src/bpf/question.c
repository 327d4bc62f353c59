/* SPDX-License-Identifier: MIT */
/*
 * Every test is emitted only when it was asked for, the cheapest first. What cannot be
 * told at a hook (a flag where there is only a socket, a window where there is no socket)
 * is not shown there: lnk_question() then says LNK_HIDE, and the call counts as filtered.
 */
#include "bpf/question.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/expr.h"
#include "bpf/names.h"
#include "bpf/pcap_filter.h"

static bool any_list(const struct question *q)
{
	int i;

	for (i = 0; i < SIDES; i++)
		if (q->addresses[i].n || q->ports[i].n)
			return true;
	return false;
}

static bool asks_packet(const struct question *q)
{
	return q->flags_on || q->flags_off || q->len_set;
}

bool question_filters(const struct question *q)
{
	return any_list(q) || asks_packet(q) || q->family || q->ninterfaces || q->netns_set ||
	       q->ncgroups || q->pcap || q->where || q->owner;
}

/* --- addresses --------------------------------------------------------------------- */

/* The mask of one word, as it lies in memory. */
static uint32_t word_mask(const struct prefix *p, int word)
{
	unsigned int from = (unsigned int)word * 32;

	if (p->length <= from)
		return 0;
	return p->length - from >= 32 ? UINT32_MAX : htonl(~(UINT32_MAX >> (p->length - from)));
}

static bool is_ipv4(const struct prefix *p)
{
	return p->length >= 96 && IN6_IS_ADDR_V4MAPPED(&p->address);
}

/* One address `a` against one prefix, from the first word on that counts. The last word
 * differs most often, so it is looked at first. */
static void emit_prefix(const struct prefix *p, int first, struct text *out)
{
	const char *before = "if (";
	uint32_t mask;
	int word;

	text_puts(out, first ? "\t\t" : "\t");
	for (word = 3; word >= first; word--) {
		mask = word_mask(p, word);
		if (!mask)
			continue;
		text_puts(out, before);
		before = " && ";
		if (mask == UINT32_MAX)
			text_printf(out, "a[%d] == 0x%xU", word, p->address.s6_addr32[word]);
		else
			text_printf(out, "(a[%d] & 0x%xU) == 0x%xU", word, mask,
				    p->address.s6_addr32[word]);
	}
	text_puts(out, *before == ' ' ? ")\n\t\treturn 1;\n" : "return 1;\n");
}

/* IPv4 and IPv6 are two families: an IPv4 address is in no IPv6 network, although it is
 * written as ::ffff:a.b.c.d, and one that is not known, ::, is in none at all. In an IPv6 header
 * both of these are addresses of IPv6. */
static void emit_prefixes(const struct prefixes *list, const char *name, struct text *out)
{
	int i;

	text_printf(out,
		    "static __always_inline int lnk_in_%s(const struct lnk_call *call, const __u8 "
		    "*address)\n{\n"
		    "\tconst u32 *a = (const u32 *)address;\n"
		    "\tint ipv6 = call->knows & LNK_KNOWS_IPV6;\n\n"
		    "\tif (!ipv6 && lnk_is_mapped(a)) {\n",
		    name);
	for (i = 0; i < list->n; i++)
		if (is_ipv4(&list->v[i]))
			emit_prefix(&list->v[i], 3, out);
	text_puts(out, "\t\treturn 0;\n\t}\n"
		       "\tif (!ipv6 && !(a[0] | a[1] | a[2] | a[3]))\n\t\treturn 0;\n");
	for (i = 0; i < list->n; i++)
		if (!is_ipv4(&list->v[i]))
			emit_prefix(&list->v[i], 0, out);
	text_puts(out, "\treturn 0;\n}\n");
}

/* --- ports ------------------------------------------------------------------------- */

static int range_cmp(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

/* Sorts, and joins what touches or overlaps. Returns how many are left. */
static int tidy_ranges(struct port_range *v, int n)
{
	int i, kept = 0;

	qsort(v, (size_t)n, sizeof(*v), range_cmp);
	for (i = 1; i < n; i++) {
		if (v[i].from <= (uint32_t)v[kept].to + 1) {
			if (v[i].to > v[kept].to)
				v[kept].to = v[i].to;
		} else {
			v[++kept] = v[i];
		}
	}
	return n ? kept + 1 : 0;
}

/* clang makes a tree of comparisons of it: the 1,000 ports of a list cost ten of them. */
static void emit_ports(const struct port_ranges *list, const char *name, struct text *out)
{
	struct port_ranges tidy = *list;
	int i;

	tidy.n = tidy_ranges(tidy.v, tidy.n);
	text_printf(out, "static __always_inline int lnk_port_%s(u32 p)\n{\n", name);
	text_puts(out, "\tswitch (p) {\n");
	for (i = 0; i < tidy.n; i++)
		text_printf(out,
			    tidy.v[i].to > tidy.v[i].from ? "\tcase %u ... %u:\n" : "\tcase %u:\n",
			    tidy.v[i].from, tidy.v[i].to);
	text_puts(out, "\t\treturn 1;\n\t}\n\treturn 0;\n}\n");
}

/* --- cgroups ----------------------------------------------------------------------- */

/* From the socket's own cgroup upwards; before 5.3 the verifier takes no loop. */
static void emit_cgroups(const struct question *q, struct text *out)
{
	int i;

	text_puts(out, "#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 3, 0)\n"
		       "#define LNK_CGROUP_LEVELS 16\n"
		       "#define LNK_CGROUP_LOOP _Pragma(\"unroll\")\n"
		       "#else\n"
		       "#define LNK_CGROUP_LEVELS 64\n"
		       "#define LNK_CGROUP_LOOP _Pragma(\"nounroll\")\n"
		       "#endif\n"
		       "static __always_inline int lnk_in_cgroup(const struct lnk_call *call)\n{\n"
		       "\tconst struct cgroup *c = lnk_cgroup_of(call);\n"
		       "\tint i;\n\n"
		       "\tLNK_CGROUP_LOOP\n"
		       "\tfor (i = 0; c && i < LNK_CGROUP_LEVELS; i++) {\n"
		       "\t\tswitch (lnk_cgroup_inode(c)) {\n");
	for (i = 0; i < q->ncgroups; i++)
		text_printf(out, "\t\tcase %" PRIu64 "ULL:\n", q->cgroups[i]);
	text_puts(out, "\t\t\treturn 1;\n\t\t}\n"
		       "\t\tc = lnk_cgroup_above(c);\n\t}\n\treturn 0;\n}\n");
}

/* --- the question ------------------------------------------------------------------ */

static const char *const side_name[SIDES] = { "any", "source", "destination" };

static void emit_lists(const struct question *q, struct text *out)
{
	int i;

	for (i = 0; i < SIDES; i++) {
		if (q->addresses[i].n)
			emit_prefixes(&q->addresses[i], side_name[i], out);
		if (q->ports[i].n)
			emit_ports(&q->ports[i], side_name[i], out);
	}
}

static void hide_unless(struct text *out, const char *condition)
{
	text_printf(out, "\tif (!(%s))\n\t\treturn LNK_HIDE;\n", condition);
}

static void emit_list_tests(const struct question *q, struct text *out)
{
	if (q->ports[SIDE_ANY].n)
		hide_unless(out, "lnk_port_any(event->sport) || lnk_port_any(event->dport)");
	if (q->ports[SIDE_SOURCE].n)
		hide_unless(out, "lnk_port_source(event->sport)");
	if (q->ports[SIDE_DESTINATION].n)
		hide_unless(out, "lnk_port_destination(event->dport)");
	if (q->addresses[SIDE_ANY].n)
		hide_unless(out,
			    "lnk_in_any(call, event->saddr) || lnk_in_any(call, event->daddr)");
	if (q->addresses[SIDE_SOURCE].n)
		hide_unless(out, "lnk_in_source(call, event->saddr)");
	if (q->addresses[SIDE_DESTINATION].n)
		hide_unless(out, "lnk_in_destination(call, event->daddr)");
	if (q->family)
		hide_unless(out, q->family == 4 ? "lnk_is_ipv4(call, event)"
						: "!lnk_is_ipv4(call, event)");
}

static void emit_packet_tests(const struct question *q, struct text *out)
{
	if (!asks_packet(q))
		return;
	hide_unless(out, "call->knows & LNK_KNOWS_PACKET");
	if (q->flags_on || q->flags_off)
		text_printf(out,
			    "\tif ((lnk_tcp_flags(call) & 0x%x) != 0x%x)\n"
			    "\t\treturn LNK_HIDE;\n",
			    q->flags_on | q->flags_off, q->flags_on);
	if (q->len_set)
		text_printf(out,
			    "\tif (lnk_payload(call) < %" PRIu32 "U || lnk_payload(call) > %" PRIu32
			    "U)\n\t\treturn LNK_HIDE;\n",
			    q->len_min, q->len_max);
}

static void emit_place_tests(const struct question *q, struct text *out)
{
	int i;

	if (q->netns_set)
		text_printf(out, "\tif (lnk_netns(call) != %" PRIu32 "U)\n\t\treturn LNK_HIDE;\n",
			    q->netns);
	if (q->ncgroups) {
		hide_unless(out, "call->knows & LNK_KNOWS_SOCK");
		hide_unless(out, "lnk_in_cgroup(call)");
	}
	if (!q->ninterfaces)
		return;
	hide_unless(out, "call->knows & LNK_KNOWS_SKB");
	text_puts(out, "\tswitch (lnk_ifindex(call)) {\n");
	for (i = 0; i < q->ninterfaces; i++)
		text_printf(out, "\tcase %" PRIu32 ":\n", q->interfaces[i]);
	text_puts(out, "\t\tbreak;\n\tdefault:\n\t\treturn LNK_HIDE;\n\t}\n");
}

static void emit_pcap_test(struct text *out)
{
	text_puts(out, "\tint matches = call->knows & LNK_KNOWS_PACKET ? lnk_pcap(&call->wire)\n"
		       "\t\t\t\t\t\t\t      : lnk_pcap_sock(event);\n"
		       "\n"
		       "\tif (matches == -1)\n"
		       "\t\treturn LNK_CANNOT_READ;\n"
		       "\tif (matches != 1)\n"
		       "\t\treturn LNK_HIDE;\n");
}

/* --- expressions ------------------------------------------------------------------- */

/* `where`: "--where", "--col rtt". */
static int translate(const char *expression, const char *where, struct text *c, unsigned int *needs,
		     struct text *why)
{
	struct expr_name *names;
	struct expr_error error = { 0 };
	size_t i;
	int err;

	names = calloc(probe_name_count, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (i = 0; i < probe_name_count; i++)
		names[i] = (struct expr_name){
			.name = probe_names[i].name,
			.type = probe_names[i].pointer ? EXPR_POINTER : EXPR_NUMBER,
			.c = probe_names[i].c,
			.needs = probe_names[i].needs,
		};
	err = expr_translate(expression, names, probe_name_count, c, needs, &error);
	if (err)
		text_printf(why, "%s:%zu: %s", where, error.column, error.message);
	free(names);
	return err;
}

/* clang's own messages about a member that is not there name the option. */
static void emit_line(const char *where, struct text *out)
{
	text_printf(out, "#line 1 \"%s\"\n", where);
}

static int emit_where(const struct question *q, struct text *out, struct text *why)
{
	struct text c = { 0 };
	unsigned int needs = 0;
	int err = translate(q->where, "--where", &c, &needs, why);

	if (!err) {
		text_puts(out, "static __always_inline int lnk_where(const struct lnk_call *call, "
			       "const struct lnk_event *event)\n{\n");
		text_printf(out, "\tif ((call->knows & %u) != %u)\n\t\treturn 0;\n", needs, needs);
		emit_line("--where", out);
		text_printf(out, "return (%s) != 0;\n", text_str(&c));
		emit_line("question", out);
		text_puts(out, "}\n");
	}
	text_free(&c);
	return err;
}

/* A documented name is the number itself, all 64 bits of it; an expression over several
 * is translated. */
static int emit_number(const struct asked_number *a, int slot, struct text *out, struct text *why)
{
	const struct probe_name *name = a->where ? NULL : probe_name_find(a->expression);
	struct text c = { 0 }, label = { 0 };
	unsigned int needs = 0;
	int err = 0;

	if (name) {
		needs = name->needs;
		text_printf(&c, "(u64)(%s)", name->c);
	} else if (a->where) {
		text_printf(&label, "--col %s", a->where);
		err = translate(a->expression, text_str(&label), &c, &needs, why);
	} else {
		text_printf(why, "the probes have no number called '%s'", a->expression);
		err = -EINVAL;
	}
	if (!err) {
		text_printf(out, "\textra[%d] = LNK_UNKNOWN;\n\tif ((call->knows & %u) == %u)\n",
			    slot, needs, needs);
		if (!name)
			emit_line(text_str(&label), out);
		text_printf(out, "\t\textra[%d] = %s;\n", slot, text_str(&c));
		if (!name)
			emit_line("question", out);
	}
	text_free(&label);
	text_free(&c);
	return err;
}

static int emit_collect(const struct question *q, struct text *out, struct text *why)
{
	int i, err = 0;

	text_puts(out, "static __always_inline void lnk_collect(const struct lnk_call *call, const "
		       "struct lnk_event *event, u64 *extra)\n{\n");
	for (i = 0; i < q->nnumbers && !err; i++)
		err = emit_number(&q->numbers[i], q->first_number + i, out, why);
	text_puts(out, "}\n");
	return err;
}

/*
 * Who uses a socket. Its state changes under its lock, which a process holds while it connects,
 * listens, shuts down or closes it, and the handling of packets never does (one that comes
 * meanwhile waits in the backlog): so while that is held, who runs here has it open. Threads of
 * the kernel close what others had, too. What came meanwhile is handled by whoever gives the lock
 * back, be it ss(8) that looked: a state that only packets lead to says nothing.
 */
static void emit_owners(const struct question *q, struct text *out)
{
	text_printf(out, "BPF_TABLE(\"lru_hash\", u64, struct lnk_owner, lnk_owners, %d);\n",
		    LNK_OWNERS_MAX);
	if (q->owner)
		text_puts(out, "static __always_inline int lnk_is_others(u64 inode)\n{\n"
			       "\tstruct lnk_owner *o = lnk_owners.lookup(&inode);\n\n"
			       "\treturn o && o->others_until_ns > bpf_ktime_get_ns();\n}\n");
	text_puts(out,
		  "#ifndef " QUESTION_NO_WITNESS "\n"
		  /* what a function returns libbcc does not rewrite */
		  "static __always_inline struct sock *lnk_sock_at(u64 at)\n{\n"
		  "\treturn (struct sock *)at;\n}\n"
		  /* by offset: libbcc would rewrite, and garble, what is read through a task */
		  "#define LNK_READ_TASK(to, at, field) \\\n"
		  "\tlnk_read(to, sizeof(((struct task_struct *)0)->field), \\\n"
		  "\t\t (const char *)(at) + __builtin_offsetof(struct task_struct, field))\n"
		  "RAW_TRACEPOINT_PROBE(" QUESTION_WITNESS ")\n{\n"
		  "\tstruct lnk_call call = { .sk = lnk_sock_at(ctx->args[0]) };\n"
		  "\tstruct lnk_owner owner = {};\n"
		  "\tu64 task = bpf_get_current_task(), inode;\n"
		  "\tu32 flags = 0, to = ctx->args[2];\n\n"
		  /* by packets alone: ESTABLISHED, FIN_WAIT2, CLOSE_WAIT, CLOSING */
		  "\tif (to == 1 || to == 5 || to == 8 || to == 11)\n\t\treturn 0;\n"
		  "\tif (!LNK_READ(call.sk->sk_lock.owned))\n\t\treturn 0;\n"
		  "\tLNK_READ_TASK(&flags, task, flags);\n"
		  "\tinode = flags & 0x200000 ? 0 : lnk_inode(&call); /* PF_KTHREAD */\n"
		  "\tif (!inode)\n\t\treturn 0;\n"
		  "\towner.pid = bpf_get_current_pid_tgid() >> 32;\n"
		  "\tLNK_READ_TASK(&task, task, group_leader);\n"
		  "\tLNK_READ_TASK(owner.comm, task, comm);\n"
		  "\tLNK_READ_TASK(&owner.started_ns, task, start_time);\n"
		  "\tlnk_owners.update(&inode, &owner);\n"
		  "\treturn 0;\n}\n"
		  "#endif\n");
}

/* Last of all, so that what is counted as ownerless would have been shown. */
static void emit_owner_test(struct text *out)
{
	text_puts(out, "\tif (!(call->knows & LNK_KNOWS_SOCK))\n\t\treturn LNK_HIDE;\n"
		       "\tu64 inode = lnk_inode(call);\n"
		       "\tif (!inode)\n\t\treturn LNK_OWNERLESS;\n"
		       "\tif (lnk_is_others(inode))\n\t\treturn LNK_HIDE;\n");
}

/* --- all --------------------------------------------------------------------------- */

static void emit_question(const struct question *q, struct text *out)
{
	text_puts(out, "static __always_inline enum lnk_answer lnk_question(const struct lnk_call "
		       "*call, const struct lnk_event *event)\n{\n");
	emit_list_tests(q, out);
	emit_packet_tests(q, out);
	emit_place_tests(q, out);
	if (q->where)
		hide_unless(out, "lnk_where(call, event)");
	if (q->pcap)
		emit_pcap_test(out);
	if (q->owner)
		emit_owner_test(out);
	text_puts(out, "\treturn LNK_SHOW;\n}\n");
}

/* What is there to say of a good expression is no error. */
static int emit_pcap(const char *expression, struct text *out, struct text *why, struct text *note)
{
	struct text said = { 0 };
	int err = pcap_filter_emit(expression, out, &said);

	if (said.len) {
		text_puts(err ? why : note, "expression ");
		text_add_quoted(err ? why : note, expression, strlen(expression));
		text_printf(err ? why : note, ": %s", said.s);
	}
	text_free(&said);
	return err;
}

int question_emit(const struct question *q, struct text *out, struct text *why, struct text *note)
{
	int err = 0;

	if (q->where || q->nnumbers)
		expr_emit_helpers(out);
	if (q->pcap)
		err = emit_pcap(q->pcap, out, why, note);
	if (!err && q->where)
		err = emit_where(q, out, why);
	if (err)
		return err;
	emit_lists(q, out);
	if (q->ncgroups)
		emit_cgroups(q, out);
	if (q->owner || q->owners)
		emit_owners(q, out);
	if (question_filters(q))
		emit_question(q, out);
	return q->nnumbers ? emit_collect(q, out, why) : 0;
}
