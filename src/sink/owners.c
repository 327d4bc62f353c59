/* SPDX-License-Identifier: MIT */
#include "sink/owners.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sink/mix.h"
#include "sink/owners_process.h"

#define WAYS 4 /* places that a socket may take */

struct entry {
	struct owner owner; /* inode 0: none */
	bool asked;         /* and not answered */
	uint64_t used;      /* in the order of use */
	uint64_t asked_ns;
	bool answered;
	bool hinted;      /* the question says that another one was seen */
	bool once;        /* it was answered that nobody has it */
	uint64_t true_ns; /* when it was answered: a look is over then */
	uint64_t saw_ns;  /* when the witness was last asked */
	uint64_t told_ns; /* true_ns of the answer that owners_reject_until() has told */
};

struct owners {
	int fd; /* -1: the process is gone */
	uint64_t now_ns, uses;
	int open;                  /* questions */
	struct owners_order order; /* number 0: there was none */
	bool sent, agreed;         /* the process has it, and answers by it */
	/* of each of the filter's processes: it had begun by then; it has ended, or cannot be
	 * looked at; and that was told */
	uint64_t since_ns[OWNERS_PIDS];
	bool ended[OWNERS_PIDS], unseen[OWNERS_PIDS], told[OWNERS_PIDS];
	uint64_t looked_ns;
	struct owners_witness witness;
	struct owner saw; /* what owners_find() last returned of it */
	struct entry v[OWNERS_SOCKETS / WAYS][WAYS];
};

static struct entry *set_of(struct owners *o, uint64_t inode)
{
	return o->v[mix64(inode) % (OWNERS_SOCKETS / WAYS)];
}

static struct entry *find(struct owners *o, uint64_t inode)
{
	struct entry *set = set_of(o, inode);

	for (int i = 0; i < WAYS; i++)
		if (set[i].owner.inode == inode)
			return &set[i];
	return NULL;
}

/* The place for a new socket: the one that was used longest ago. */
static struct entry *place_for(struct owners *o, uint64_t inode)
{
	struct entry *set = set_of(o, inode), *oldest = set;

	for (int i = 1; i < WAYS; i++)
		if (set[i].used < oldest->used)
			oldest = &set[i];
	return oldest;
}

/* Returns whether it was taken. */
static bool say(struct owners *o, const void *what, size_t len)
{
	ssize_t n = o->fd < 0 ? -1 : write(o->fd, what, len);

	if (n < 0 && o->fd >= 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS &&
	    errno != ENOMEM) {
		close(o->fd); /* the process is gone: nothing is known any more */
		o->fd = -1;
	}
	return n == (ssize_t)len;
}

static bool ask(struct owners *o, uint64_t inode, bool was_others)
{
	uint64_t question = inode | (was_others ? OWNERS_WAS_OTHERS : 0);

	if (!o->sent || o->open >= OWNERS_OPEN || !say(o, &question, sizeof(question)))
		return false;
	o->open++;
	return true;
}

static bool filters(const struct owners *o)
{
	return o->order.filter.pids || o->order.filter.comms;
}

static bool is_old(const struct owners *o, const struct entry *e)
{
	bool known = e->owner.pid || e->owner.others;

	if (!e->asked && !e->answered)
		return true;
	return !e->asked && o->now_ns > e->asked_ns + (known ? OWNERS_FRESH_NS : OWNERS_RETRY_NS);
}

static bool is_believed(const struct owners *o, const struct entry *e)
{
	return e->answered && o->now_ns <= e->true_ns + OWNERS_STALE_NS;
}

/* --- who was seen ------------------------------------------------------------------- */

/* One that began later than the one that is meant only has its number. */
static bool is_meant(const struct owners *o, uint32_t pid, const char *comm, uint64_t began_ns)
{
	const struct owners_filter *f = &o->order.filter;
	__u32 i, k;

	for (i = 0; i < f->pids && (f->pid[i] != pid || began_ns > o->since_ns[i]); i++)
		;
	for (k = 0; k < f->comms && strcmp(f->comm[k], comm) != 0; k++)
		;
	return (!f->pids || i < f->pids) && (!f->comms || k < f->comms);
}

/* Who used a socket has it, or had it. */
enum sight {
	SAW_NOBODY,
	SAW_MEANT, /* with a filter: one of those */
	SAW_ANOTHER,
};

static enum sight see(struct owners *o, uint64_t inode, struct owner *saw)
{
	struct lnk_owner w;

	_Static_assert(sizeof(w.comm) == OWNER_COMM, "a name fits");
	*saw = (struct owner){ .inode = inode };
	if (!o->witness.saw || !o->witness.saw(o->witness.arg, inode, &w))
		return SAW_NOBODY;
	saw->pid = w.pid;
	memcpy(saw->comm, w.comm, OWNER_COMM);
	saw->comm[OWNER_COMM - 1] = '\0';
	if (!filters(o))
		return SAW_ANOTHER;
	if (is_meant(o, saw->pid, saw->comm, w.started_ns))
		return SAW_MEANT;
	saw->pid = 0;
	saw->others = 1;
	return SAW_ANOTHER;
}

static void learn(const struct owners *o, struct entry *e, const struct owner *a, uint64_t ns)
{
	e->owner = *a;
	e->answered = true;
	e->true_ns = ns;
	if (!e->asked)
		e->asked_ns = o->now_ns;
}

/* One of the filter's is an answer; another one while it is not known whether one of the
 * filter's has it as well is none, but makes the question shorter. */
static struct entry *add(struct owners *o, uint64_t inode)
{
	struct owner saw;
	enum sight sight = see(o, inode, &saw);
	struct entry *e;

	if (sight != SAW_MEANT && !ask(o, inode, sight == SAW_ANOTHER))
		return NULL;
	e = place_for(o, inode);
	*e = (struct entry){ .owner.inode = inode,
			     .asked = sight != SAW_MEANT,
			     .hinted = sight == SAW_ANOTHER,
			     .asked_ns = o->now_ns,
			     .saw_ns = o->now_ns };
	if (sight == SAW_MEANT)
		learn(o, e, &saw, o->now_ns);
	return e;
}

/* The socket has no owner that is known: was one seen since? */
static void look_again(struct owners *o, struct entry *e)
{
	struct owner saw;
	enum sight sight;

	if (e->saw_ns == o->now_ns)
		return;
	e->saw_ns = o->now_ns;
	sight = see(o, e->owner.inode, &saw);
	/* where nobody has it any more, who had it is all there is to know */
	if (sight == SAW_MEANT || (sight == SAW_ANOTHER && is_believed(o, e)))
		learn(o, e, &saw, o->now_ns);
	else if (sight == SAW_ANOTHER && filters(o) && e->asked && !e->hinted)
		e->hinted = ask(o, e->owner.inode, true);
}

/* NULL: it could not be asked for. */
static struct entry *look_up(struct owners *o, uint64_t inode)
{
	struct entry *e = find(o, inode);

	if (!e)
		e = add(o, inode);
	if (!e)
		return NULL;
	if (is_old(o, e) && ask(o, inode, e->owner.others)) {
		e->asked = true;
		e->hinted = e->owner.others;
		e->asked_ns = o->now_ns;
	}
	if (!is_believed(o, e) || !(e->owner.pid || e->owner.others))
		look_again(o, e);
	e->used = ++o->uses;
	return e;
}

const struct owner *owners_find(struct owners *o, uint64_t inode)
{
	const struct entry *e = inode ? look_up(o, inode) : NULL;

	if (!inode || o->fd < 0)
		return NULL;
	if (e && is_believed(o, e))
		return e->owner.pid ? &e->owner : NULL;
	/* this is asked for a row that cannot wait any longer */
	return see(o, inode, &o->saw) != SAW_NOBODY && o->saw.pid ? &o->saw : NULL;
}

enum owners_verdict owners_judge(struct owners *o, uint64_t inode)
{
	const struct entry *e = inode ? look_up(o, inode) : NULL;

	if (!inode || o->fd < 0)
		return OWNERS_NOBODY;
	if (!e || !is_believed(o, e))
		return OWNERS_OPEN_YET;
	if (e->owner.pid)
		return OWNERS_HIS;
	return e->owner.others ? OWNERS_OTHERS : OWNERS_NOBODY;
}

uint64_t owners_reject_until(struct owners *o, uint64_t inode)
{
	struct entry *e = inode ? find(o, inode) : NULL;

	if (!e || !e->answered || e->owner.pid || !e->owner.others || e->told_ns == e->true_ns ||
	    o->now_ns >= e->true_ns + OWNERS_FRESH_NS)
		return 0;
	e->told_ns = e->true_ns;
	return e->true_ns + OWNERS_FRESH_NS;
}

void owners_set_witness(struct owners *o, const struct owners_witness *w)
{
	o->witness = *w;
}

bool owners_are_told(const struct owners *o)
{
	return o->fd >= 0;
}

static void take_answer(struct owners *o, const struct owner *a)
{
	struct entry *e = find(o, a->inode);

	if (o->open)
		o->open--;
	if (!e || !e->asked)
		return;
	e->asked = false;
	/* accept(2) makes a file before it has a descriptor, and one of two looks sees that */
	if (!e->answered && !e->once && !a->pid && !a->others) {
		e->once = true;
		return;
	}
	e->owner = *a;
	e->answered = true;
	e->true_ns = o->now_ns;
	e->owner.comm[OWNER_COMM - 1] = '\0';
}

/* --- the filter --------------------------------------------------------------------- */

static void take_status(struct owners *o, const struct owners_status *s)
{
	if (s->order != o->order.number)
		return;
	o->agreed = true;
	for (__u32 i = 0; i < o->order.filter.pids; i++) {
		o->ended[i] = o->ended[i] || (s->ended >> i & 1);
		o->unseen[i] = s->unseen >> i & 1;
	}
}

static void look_who_ended(struct owners *o)
{
	const uint64_t question = OWNERS_WHO_ENDED;

	if (!o->sent || !o->order.filter.pids || o->now_ns < o->looked_ns + OWNERS_FRESH_NS)
		return;
	if (say(o, &question, sizeof(question)))
		o->looked_ns = o->now_ns;
}

static void send_order(struct owners *o)
{
	if (!o->sent)
		o->sent = say(o, &o->order, sizeof(o->order));
}

uint32_t owners_ended(struct owners *o, bool *hidden)
{
	for (__u32 i = 0; i < o->order.filter.pids; i++) {
		if (!(o->ended[i] || o->unseen[i]) || o->told[i])
			continue;
		o->told[i] = true;
		*hidden = !o->ended[i];
		return o->order.filter.pid[i];
	}
	return 0;
}

void owners_refresh(struct owners *o, uint64_t now_ns)
{
	union {
		struct owner owner;
		struct owners_status status;
	} a;
	ssize_t n;

	_Static_assert(sizeof(a.owner) == sizeof(a.status), "they are told apart by the inode");
	o->now_ns = now_ns;
	send_order(o);
	look_who_ended(o);
	if (o->fd < 0)
		return;
	while ((n = read(o->fd, &a, sizeof(a))) == sizeof(a))
		if (!a.owner.inode)
			take_status(o, &a.status);
		else if (o->agreed)
			take_answer(o, &a.owner);
	if (n >= 0 || (errno != EAGAIN && errno != EINTR)) { /* its end, or no answer */
		close(o->fd);
		o->fd = -1;
	}
}

int owners_make(struct owners **out, int fd)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->fd = fd;
	(*out)->sent = (*out)->agreed = true; /* without an order there is no filter */
	return 0;
}

/* Who has one of these sockets is meant further on. */
static void keep_known(struct owners *o)
{
	struct entry *e;

	for (size_t i = 0; i < OWNERS_SOCKETS; i++) {
		e = &o->v[i / WAYS][i % WAYS];
		if (e->asked) /* the answer will not be believed */
			e->asked_ns = 0;
		e->asked = false;
		if (!e->owner.pid || !is_meant(o, e->owner.pid, e->owner.comm, 0))
			*e = (struct entry){ .asked = false };
	}
}

void owners_set_filter(struct owners *o, const struct owners_filter *filter, uint64_t at_ns)
{
	const struct owners_order was = o->order;
	uint64_t since_ns[OWNERS_PIDS];
	bool ended[OWNERS_PIDS], told[OWNERS_PIDS];
	__u32 i, k;

	memcpy(since_ns, o->since_ns, sizeof(since_ns));
	memcpy(ended, o->ended, sizeof(ended));
	memcpy(told, o->told, sizeof(told));
	o->order.number++;
	o->order.at_ns = at_ns;
	o->order.filter = *filter;
	for (i = 0; i < filter->pids; i++) {
		for (k = 0; k < was.filter.pids && filter->pid[i] != was.filter.pid[k]; k++)
			;
		o->since_ns[i] = k < was.filter.pids ? since_ns[k] : at_ns;
		o->ended[i] = k < was.filter.pids && ended[k];
		o->told[i] = k < was.filter.pids && told[k];
		o->unseen[i] = false;
	}
	keep_known(o);
	o->open = 0;
	o->looked_ns = o->now_ns;
	o->sent = o->agreed = false;
	send_order(o);
}

int owners_open(struct owners **out)
{
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	err = owners_process(pair);
	close(pair[1]);
	if (!err)
		err = owners_make(out, pair[0]);
	if (err)
		close(pair[0]);
	return err;
}

void owners_close(struct owners *o)
{
	if (!o)
		return;
	if (o->fd >= 0)
		close(o->fd); /* which ends the process */
	free(o);
}
